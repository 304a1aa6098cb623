"""`spacy hmtl annotate MODEL IN OUT`."""

import os
import sys
from collections import Counter
from contextlib import nullcontext, redirect_stdout
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, ContextManager, Iterable, Iterator, NoReturn, Optional

import typer
from spacy.cli._util import Arg, Opt, setup_gpu
from wasabi import msg

from ..registry import registered, writers
from .apps import hmtl_cli
from .options import Gpu, Model

SHOWN = 5  # of the documents that were skipped, and of the files
INTERRUPTED, PIPE = 130, 141  # as shells have it
STREAM = "-"
FORMATS = ", ".join(registered(writers))
IN_HELP = (
    ".txt, .jsonl or .spacy file, also as .gz; a folder of files of one kind; or - for standard input (JSON"
    " lines, or text with --lines), which can't be resumed"
)
OUT_HELP = (
    "File to write: .jsonl, .json (DyGIE), ...conll; .spacy, a folder of numbered files; or - for standard"
    " output (JSON lines, or --format)"
)
InPath = Annotated[Path, Arg(help=IN_HELP)]
OutPath = Annotated[Path, Arg(help=OUT_HELP)]


@hmtl_cli.command("annotate")
def annotate_cli(
    model: Model,
    in_path: InPath,
    out_path: OutPath,
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
        int,
        Opt("--n-process", "-n", min=-1, help="Processes of one thread each, on a CPU; -1 for one per core"),
    ] = 1,
    use_gpu: Gpu = -1,
    overwrite: Annotated[bool, Opt("--overwrite", "-o", help="Replace an output, finished or not")] = False,
    strict: Annotated[
        bool, Opt("--strict", help="Exit with 1 if any document was skipped, after all others are done")
    ] = False,
):
    """Annotate any amount of text. After an interruption the same command resumes where it stopped.

    With - as input or output there is nothing to resume; messages and progress go to standard error.

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
    except BrokenPipeError:
        _leave_pipe()
    except (ValueError, RuntimeError, OSError, KeyboardInterrupt) as err:
        _give_up(err, in_path, out_path)
    with _messages(out_path):
        _report(summary, out_path)
    if strict and summary.failed:
        raise typer.Exit(1)


def _messages(out_path: Path) -> ContextManager[Any]:
    """Where the output is standard output, messages go to standard error."""
    return redirect_stdout(sys.stderr) if str(out_path) == STREAM else nullcontext()


def _give_up(err: BaseException, in_path: Path, out_path: Path) -> NoReturn:
    from ..annotate import readable

    with _messages(out_path):
        if not isinstance(err, KeyboardInterrupt):
            msg.fail(readable(err))
            raise typer.Exit(1)
        again = STREAM not in (str(in_path), str(out_path))
        msg.warn("Stopped. Run the same command again to resume." if again else "Stopped.")
        raise typer.Exit(INTERRUPTED)


def _leave_pipe() -> NoReturn:
    """Who read standard output has ended, as `head` does; what is left to flush would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise typer.Exit(PIPE)


def _report(summary: Any, out_path: Path) -> None:
    from ..annotate import readable

    if summary.resumed:
        msg.info(f"Resumed after {summary.resumed:,} batches of an interrupted run, which are counted too")
    written: Counter = summary.written
    place = "Standard output" if str(out_path) == STREAM else readable(out_path)
    msg.good(", ".join(f"{count:,} {what}" for what, count in written.items()) or "No documents", place)
    for what, count in summary.lost.items():
        msg.warn(f"Left out or changed: {count:,} {what}")
    if summary.left_out:
        msg.warn(f"Not read: {len(summary.left_out):,} files or folders of the input:")
        _show((f"{name}: {reason}" for name, reason in summary.left_out), len(summary.left_out))
    if summary.failed and summary.errors is None:
        msg.warn(f"Skipped: {summary.failed:,} documents, reported above")
    elif summary.failed:
        msg.warn(f"Skipped: {summary.failed:,} documents, reported in {readable(summary.errors)}:")
        _show(_failures(summary.errors), summary.failed)


def _show(lines: Iterable[str], count: int) -> None:
    """The first few."""
    from ..annotate import readable

    for line in islice(lines, SHOWN):
        typer.echo(f"  {readable(line)}")
    if count > SHOWN:
        typer.echo(f"  ... and {count - SHOWN:,} more")


def _failures(path: Path) -> Iterator[str]:
    import srsly

    for failure in srsly.read_jsonl(path):
        place = ":".join(str(part) for part in (failure["file"], failure["line"]) if part)
        yield f"{place}: {failure['reason']}"
