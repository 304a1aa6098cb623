"""The command groups, which the other modules of this package add commands to."""

import typer
from spacy.cli._util import app

hmtl_cli = typer.Typer(
    name="hmtl",
    help="Convert data for HMTL pipelines, train them in layers of config, evaluate and show them.",
    no_args_is_help=True,
)
app.add_typer(hmtl_cli)
