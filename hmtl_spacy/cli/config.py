"""`spacy hmtl config BASE OVERLAY...`."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer
from spacy.cli._util import Arg, Opt
from wasabi import msg

from .apps import hmtl_cli


@hmtl_cli.command("config")
def config_cli(
    base: Annotated[Path, Arg(help="Config to start from", exists=True, dir_okay=False)],
    overlays: Annotated[
        Optional[List[Path]], Arg(help="Files with what differs, merged into it in this order", exists=True)
    ] = None,
    output: Annotated[
        Path, Opt("--output", "-o", help="File to write, or - for the terminal", allow_dash=True)
    ] = Path("-"),
    train: Annotated[
        Optional[Path], Opt("--train", help="Set [paths] train: .spacy file or folder", exists=True)
    ] = None,
    dev: Annotated[Optional[Path], Opt("--dev", help="Set [paths] dev", exists=True)] = None,
    fit: Annotated[
        bool, Opt("--fit", help="Set the number of updates by the size of the training corpora")
    ] = False,
):
    """Make a config for `spacy train` from a base and small files that hold only what differs.

    Example: python -m spacy hmtl config configs/hmtl.cfg --train train.spacy --dev dev.spacy --fit -o my.cfg
    """
    from ..data.length import fit_length
    from ..overlay import merge_configs

    try:
        config = merge_configs(base, overlays or [])
        config.setdefault("paths", {}).update(
            {name: str(path) for name, path in (("train", train), ("dev", dev)) if path}
        )
        if fit:
            batches, (total, between, warmup) = fit_length(config)
            typer.echo(
                f"An epoch has {batches} batches: {total} updates, {total / batches:.1f} epochs, with "
                f"{warmup} of warm-up and an evaluation every {between}.",
                err=True,
            )
    except (ValueError, OSError) as err:
        msg.fail(str(err), exits=1)
    if str(output) == "-":
        typer.echo(config.to_str(interpolate=False))
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        config.to_disk(output, interpolate=False)
        msg.good("Wrote the config", output)
