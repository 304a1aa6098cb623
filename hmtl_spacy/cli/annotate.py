"""`spacy hmtl annotate MODEL IN OUT`."""

from collections import Counter
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Optional

import typer
from spacy.cli._util import Arg, Opt, setup_gpu
from wasabi import msg

from .apps import hmtl_cli
from .options import Gpu

SHOWN = 5  # of the documents that were skipped
INTERRUPTED = 130  # as shells have it


class Format(str, Enum):
    jsonl = "jsonl"
    spacy = "spacy"
    conll2012 = "conll2012"
    dygie = "dygie"


@hmtl_cli.command("annotate")
def annotate_cli(
    model: Annotated[str, Arg(help="Name or path of a trained pipeline")],
    in_path: Annotated[
        Path, Arg(help=".txt, .jsonl or .spacy file, or a folder of files of one kind", exists=True)
    ],
    out_path: Annotated[
        Path,
        Arg(help="File to write: .jsonl, .json (DyGIE), ...conll; or .spacy, a folder of numbered files"),
    ],
    format: Annotated[
        Optional[Format], Opt("--format", "-f", help="Of the output; told from its name if not given")
    ] = None,
    lines: Annotated[
        bool, Opt("--lines", "-l", help="Each line of a .txt file is a document, not each file")
    ] = False,
    text_key: Annotated[str, Opt("--text-key", help="Where JSON lines have the text")] = "text",
    id_key: Annotated[str, Opt("--id-key", help="Where JSON lines have the document's id")] = "id",
    meta_key: Annotated[str, Opt("--meta-key", help="Where JSON lines have what is carried on")] = "meta",
    batch_size: Annotated[int, Opt("--batch-size", "-b", min=1, help="Documents together at most")] = 64,
    n_process: Annotated[int, Opt("--n-process", "-n", min=-1, help="On a CPU; -1 for one per core")] = 1,
    use_gpu: Gpu = -1,
    overwrite: Annotated[
        bool, Opt("--overwrite", "-o", help="Begin anew where there is an output, or an unfinished one")
    ] = False,
    strict: Annotated[
        bool, Opt("--strict", help="Exit with 1 if a document was skipped, once all others are done")
    ] = False,
):
    """Annotate texts of any amount. Run it again after an interruption, and it goes on where it was.

    Example: python -m spacy hmtl annotate training/model-best texts.jsonl found.jsonl --n-process 2
    """
    from spacy.util import load_model

    from ..annotate import Fields, annotate

    setup_gpu(use_gpu, silent=True)
    try:
        summary = annotate(
            load_model(model),
            in_path,
            out_path,
            format=format and format.value,
            lines=lines,
            fields=Fields(text_key, id_key, meta_key),
            batch_size=batch_size,
            n_process=n_process,
            overwrite=overwrite,
            progress=True,
        )
    except (ValueError, RuntimeError, OSError) as err:
        msg.fail(str(err), exits=1)
    except KeyboardInterrupt:
        msg.warn("Stopped. Run the same command again to go on from there.", exits=INTERRUPTED)
    _tell(summary, out_path)
    if strict and summary.failed:
        raise typer.Exit(1)


def _tell(summary: Any, out_path: Path) -> None:
    import srsly

    if summary.resumed:
        msg.info(f"Went on after {summary.resumed:,} batches of an interrupted run, which are counted too")
    written: Counter = summary.written
    msg.good(", ".join(f"{count:,} {what}" for what, count in written.items()) or "No documents", out_path)
    for what, count in summary.lost.items():
        msg.warn(f"Left out or changed: {count:,} {what}")
    if summary.failed:
        msg.warn(f"Skipped: {summary.failed:,} documents, told in {summary.errors}:")
        for failure in islice(srsly.read_jsonl(summary.errors), SHOWN):
            place = ":".join(str(part) for part in (failure["file"], failure["line"]) if part)
            typer.echo(f"  {place}: {failure['reason']}")
        if summary.failed > SHOWN:
            typer.echo(f"  ... and {summary.failed - SHOWN:,} more")
