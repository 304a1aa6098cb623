"""`spacy hmtl describe MODEL ABOUT`."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer
from spacy.cli._util import Arg, Opt
from wasabi import msg

from .apps import hmtl_cli


@hmtl_cli.command("describe")
def describe_cli(
    model: Annotated[Path, Arg(help="Folder of a trained pipeline", exists=True, file_okay=False)],
    about: Annotated[
        Path,
        Arg(
            help="JSON object with description, author, email, url, license, sources, notes, name or version",
            exists=True,
            dir_okay=False,
        ),
    ],
    scores: Annotated[
        Optional[List[str]],
        Opt(
            "--scores",
            "-s",
            help="Test scores, as name=metrics.json (of `evaluate --json`); repeatable",
        ),
    ] = None,
):
    """Write who made a trained pipeline, from what, under which licence, and how well it does, into its
    meta.json, of which `spacy package` makes the README of its package.

    Example: python -m spacy hmtl describe training/model-best about.json --scores news=metrics.json
    """
    from ..evaluation.card import describe_pipeline

    files = {}
    for item in scores or []:
        name, equals, path = item.partition("=")
        if not (name and equals and Path(path).is_file()):
            msg.fail(f"Found --scores {item}, expected a name and an existing file: news=test.json", exits=1)
        files[name] = Path(path)
    try:
        meta = describe_pipeline(model, about, files)
    except (ValueError, OSError) as err:
        msg.fail(str(err), exits=1)
    if table := meta.get("notes"):
        typer.echo(table)
    msg.good("Wrote the description", model / "meta.json")
