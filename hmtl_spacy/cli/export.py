"""`spacy hmtl export DATA OUT`."""

from pathlib import Path
from typing import Annotated, Optional

from spacy.cli._util import Arg, Opt

from .apps import hmtl_cli
from .runs import FORMATS, OUT_HELP, report, reported


@hmtl_cli.command("export")
def export_cli(
    data_path: Annotated[Path, Arg(help=".spacy file, or a folder of them")],
    out_path: Annotated[Path, Arg(help=OUT_HELP)],
    format: Annotated[
        Optional[str],
        Opt("--format", "-f", help=f"Format of the output: {FORMATS}; by default that of its name"),
    ] = None,
    batch_size: Annotated[
        int, Opt("--batch-size", "-b", min=1, help="Documents per batch at most; in folders, per file")
    ] = 1000,
    overwrite: Annotated[bool, Opt("--overwrite", "-o", help="Replace an output, finished or not")] = False,
    strict: Annotated[
        bool, Opt("--strict", help="Exit with 1 if any document was skipped, after all others are done")
    ] = False,
):
    """Write the annotation of .spacy files in another format. No pipeline is needed.

    What the format can't hold is counted. After an interruption the same command resumes.

    Example: python -m spacy hmtl export corpus/train.spacy train.brat.zip

    Example: python -m spacy hmtl export corpus/train.spacy tables --format csv
    """
    from ..annotate import export

    with reported(data_path, out_path):
        summary = export(
            data_path,
            out_path,
            format=format,
            batch_size=batch_size,
            overwrite=overwrite,
            progress=True,
        )
    report(summary, out_path, strict)
