"""What the commands that write documents say of a run: what was done, lost, skipped, and why it stopped."""

import os
import sys
from collections import Counter
from contextlib import contextmanager, nullcontext, redirect_stdout
from itertools import islice
from pathlib import Path
from typing import Any, ContextManager, Iterable, Iterator, NoReturn

import typer
from wasabi import msg

from ..registry import registered, writers

SHOWN = 5  # of the documents that were skipped, and of the files
INTERRUPTED, PIPE = 130, 141  # as shells have it
STREAM = "-"
FORMATS = ", ".join(registered(writers))
OUT_HELP = (
    "File to write: .jsonl, .json (DyGIE), ...conll; .spacy or .csv, a folder; or - for standard"
    " output (JSON lines, or --format)"
)


@contextmanager
def reported(in_path: Path, out_path: Path) -> Iterator[None]:
    """Say in a line what stopped a run, and exit."""
    try:
        yield
    except BrokenPipeError:
        _leave_pipe()
    except (ValueError, RuntimeError, OSError, ImportError, KeyboardInterrupt) as err:
        _give_up(err, in_path, out_path)


def report(summary: Any, out_path: Path, strict: bool) -> None:
    """Say what a run did. strict: exit with 1 if documents were skipped."""
    with _messages(out_path):
        _report(summary, out_path)
    if strict and summary.failed:
        raise typer.Exit(1)


def _messages(out_path: Path) -> ContextManager[Any]:
    """Where the output is standard output, messages go to standard error."""
    return redirect_stdout(sys.stderr) if str(out_path) == STREAM else nullcontext()


def _give_up(err: BaseException, in_path: Path, out_path: Path) -> NoReturn:
    from ..annotate import readable

    if str(out_path) == STREAM:
        _drop_unwritten()
    with _messages(out_path):
        if not isinstance(err, KeyboardInterrupt):
            msg.fail(readable(err))
            raise typer.Exit(1)
        again = STREAM not in (str(in_path), str(out_path))
        msg.warn("Stopped. Run the same command again to resume." if again else "Stopped.")
        raise typer.Exit(INTERRUPTED)


def _leave_pipe() -> NoReturn:
    """Who read standard output has ended, as `head` does."""
    _drop_unwritten()
    raise typer.Exit(PIPE)


def _drop_unwritten() -> None:
    """What standard output doesn't take would fail again when Python ends, which then exits with 120."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
