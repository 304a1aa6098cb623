"""Where a run writes: opened, confirmed batch by batch, and finished."""

import json
import sys
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Dict, Iterator, NamedTuple, Optional

from ..data.writers import Writer, get_writer
from .batches import BatchResult
from .inputs import Batch, Inputs
from .locks import locked
from .outputs import FileOutput, Output, StreamOutput, WriteError, open_output, open_stream
from .parts import END
from .places import beside, is_stream
from .progress import Progress, begin


class Place(NamedTuple):
    """Where a run writes.

    interrupted: whether a run was, which this one resumes.
    """

    state: Progress
    output: Output
    errors: Output
    interrupted: bool


@contextmanager
def open_place(
    out_path: Path, format: str, job: Dict[str, Dict[str, Any]], overwrite: bool, again: bool
) -> Iterator[Place]:
    """The output of a run, which no other run writes to meanwhile.

    again: whether the input can be read again.
    """
    if is_stream(out_path):
        place = _open_streams(get_writer(format), job)
        with redirect_stdout(sys.stderr):  # of components that print
            yield place
    else:
        with locked(out_path):
            yield _open_files(get_writer(format), out_path, job, overwrite, again)


def _open_streams(writer: Writer, job: Dict[str, Dict[str, Any]]) -> Place:
    if writer.makes_folder:
        found = f"the format of {writer.endings[0]} files is one of folders"
        raise ValueError(f"Can't write to standard output: {found}. Name a folder, or another format.")
    output = open_stream(writer, sys.stdout.buffer)
    return Place(Progress(None, job), output, StreamOutput(sys.stderr.buffer, "standard error"), False)


def _open_files(
    writer: Writer, out_path: Path, job: Dict[str, Dict[str, Any]], overwrite: bool, again: bool
) -> Place:
    state, interrupted = begin(out_path, job, overwrite, again)
    if (kept := beside(out_path, END)).exists():
        kept.unlink()  # of a part that was here before
    output = open_output(writer, out_path, state.output)
    output.write({} if writer.files else b"")
    return Place(state, output, FileOutput(beside(out_path, ".errors.jsonl"), state.errors), interrupted)


def confirm(place: Place, batch: Batch, done: BatchResult, inputs: Inputs) -> None:
    """Write what was made of a batch, then say that it is there."""
    state = place.state
    try:
        for piece in done.output:
            place.output.write(piece)
        if done.failures:
            lines = [json.dumps(failure, ensure_ascii=False) + "\n" for failure in done.failures]
            place.errors.write("".join(lines).encode("utf-8", "backslashreplace"))
        state.batches += 1
        state.digest = batch.digest
        state.output = place.output.position
        state.errors = place.errors.position
        state.failed += len(done.failures)
        state.counts.update(done.counts)
        state.lost.update(done.lost)
        state.save()
    except WriteError as err:
        if state.path is None or inputs.stream is not None:
            raise
        kept = "What was annotated before is kept"
        raise WriteError(f"{err} {kept}: run the same command again to resume.") from err


def finish(place: Place) -> Optional[Path]:
    """Nothing is left to resume. RETURNS: the file of errors, if there were any."""
    errors = place.errors.path if isinstance(place.errors, FileOutput) else None
    if errors is not None and not place.state.failed:
        errors.unlink(missing_ok=True)
        errors = None
    if place.state.path is not None:
        place.state.path.unlink()
    return errors
