"""The command groups, which the other modules of this package add commands to."""

import typer
from spacy.cli._util import app

hmtl_cli = typer.Typer(
    name="hmtl",
    help="Convert data for HMTL pipelines, train them in layers of config, evaluate and show them.",
    no_args_is_help=True,
)
convert_cli = typer.Typer(
    name="convert",
    help="Convert annotated data to spaCy's .spacy format. Each format has its own options.\n\n"
    "Example: python -m spacy hmtl convert iob train.iob2 corpus/train.spacy --drop OTH",
    no_args_is_help=True,
)
hmtl_cli.add_typer(convert_cli)
app.add_typer(hmtl_cli)
