"""`spacy hmtl join PARTS OUT`."""

from pathlib import Path
from typing import Annotated, List

from spacy.cli._util import Arg, Opt

from .apps import hmtl_cli
from .runs import report, reported


@hmtl_cli.command("join")
def join_cli(
    parts: Annotated[List[Path], Arg(help="What annotate --part wrote: all parts, in any order")],
    out_path: Annotated[Path, Arg(help="File to write, or folder where the format is one of folders")],
    overwrite: Annotated[bool, Opt("--overwrite", "-o", help="Replace an output, finished or not")] = False,
):
    """Put the parts of a run together: the result is, byte for byte, that of an undivided run.

    Each part has a file beside it, PART.part.json, which says what it is of. The parts stay as they are.

    Example: python -m spacy hmtl join part-1.jsonl part-2.jsonl part-3.jsonl whole.jsonl
    """
    from ..annotate import join

    with reported(parts[0], out_path):
        summary = join(parts, out_path, overwrite=overwrite)
    report(summary, out_path, strict=False)
