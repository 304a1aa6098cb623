"""`spacy hmtl annotate MODEL IN OUT`."""

from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Optional

import typer
from spacy.cli._util import Arg, Opt, setup_gpu
from wasabi import msg

from ..registry import registered, writers
from .apps import hmtl_cli
from .options import Gpu, Model

SHOWN = 5  # of the documents that were skipped
INTERRUPTED = 130  # as shells have it
FORMATS = ", ".join(registered(writers))


@hmtl_cli.command("annotate")
def annotate_cli(
    model: Model,
    in_path: Annotated[
        Path, Arg(help=".txt, .jsonl or .spacy file, or a folder of files of one kind", exists=True)
    ],
    out_path: Annotated[
        Path,
        Arg(help="File to write: .jsonl, .json (DyGIE), ...conll; or .spacy, a folder of numbered files"),
    ],
    format: Annotated[
        Optional[str],
        Opt("--format", "-f", help=f"Format of the output: {FORMATS}; by default that of its name"),
    ] = None,
    lines: Annotated[
        bool, Opt("--lines", "-l", help="Each line of a .txt file is a document, not each file")
    ] = False,
    text_key: Annotated[str, Opt("--text-key", help="Key of the text in JSON lines")] = "text",
    id_key: Annotated[str, Opt("--id-key", help="Key of the document's id in JSON lines")] = "id",
    meta_key: Annotated[str, Opt("--meta-key", help="Key of what JSON lines keep")] = "meta",
    batch_size: Annotated[int, Opt("--batch-size", "-b", min=1, help="Documents per batch at most")] = 64,
    n_process: Annotated[
        int, Opt("--n-process", "-n", min=-1, help="Processes, on a CPU; -1 for one per core")
    ] = 1,
    use_gpu: Gpu = -1,
    overwrite: Annotated[bool, Opt("--overwrite", "-o", help="Replace an output, finished or not")] = False,
    strict: Annotated[
        bool, Opt("--strict", help="Exit with 1 if any document was skipped, after all others are done")
    ] = False,
):
    """Annotate any amount of text. After an interruption the same command resumes where it stopped.

    Example: python -m spacy hmtl annotate training/model-best texts.jsonl annotated.jsonl --n-process 2
    """
    from spacy.util import load_model

    from ..annotate import Fields, annotate

    setup_gpu(use_gpu, silent=True)
    try:
        summary = annotate(
            load_model(model),
            in_path,
            out_path,
            format=format,
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
        msg.warn("Stopped. Run the same command again to resume.", exits=INTERRUPTED)
    _report(summary, out_path)
    if strict and summary.failed:
        raise typer.Exit(1)


def _report(summary: Any, out_path: Path) -> None:
    import srsly

    if summary.resumed:
        msg.info(f"Resumed after {summary.resumed:,} batches of an interrupted run, which are counted too")
    written: Counter = summary.written
    msg.good(", ".join(f"{count:,} {what}" for what, count in written.items()) or "No documents", out_path)
    for what, count in summary.lost.items():
        msg.warn(f"Left out or changed: {count:,} {what}")
    if summary.failed:
        msg.warn(f"Skipped: {summary.failed:,} documents, reported in {summary.errors}:")
        for failure in islice(srsly.read_jsonl(summary.errors), SHOWN):
            place = ":".join(str(part) for part in (failure["file"], failure["line"]) if part)
            typer.echo(f"  {place}: {failure['reason']}")
        if summary.failed > SHOWN:
            typer.echo(f"  ... and {summary.failed - SHOWN:,} more")
