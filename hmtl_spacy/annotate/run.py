"""A whole run: read, annotate, write, confirm; from the start or resumed."""

import json
import os
import sys
from collections import Counter
from contextlib import closing, contextmanager, redirect_stdout
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Callable, Dict, Generator, Iterable, Iterator, List, NamedTuple, Optional, Union

from spacy.language import Language
from thinc.api import get_current_ops
from tqdm import tqdm

from ..data.writers import Writer, format_of, get_writer
from .batches import Annotator, BatchResult
from .cluster import Ray
from .documents import FIELDS, Fields
from .files import LeftOut
from .inputs import Batch, Inputs
from .locks import locked
from .models import describe_model
from .outputs import FileOutput, Output, StreamOutput, WriteError, open_output, open_stream
from .places import beside, check_apart, is_stream, readable
from .processes import Done, run_batches
from .progress import Progress, begin

BATCH_SIZE = 64
ENGINES = ("local", "ray")
Through = Callable[[Iterable[Batch]], Generator[Done, None, None]]
STREAM_FORMAT = "jsonl"  # of standard output, unless another is named


class Summary(NamedTuple):
    """What a run did, including what it did before an interruption.

    written: numbers of documents, tokens, entities and so on.
    lost: what the format can't hold, and input fields that were ignored.
    failed: how many documents were skipped.
    errors: the file that says why, if any were; with "-" as output they are on standard error.
    resumed: how many batches had been done before.
    left_out: the files of a folder that weren't read.
    """

    written: Counter
    lost: Counter
    failed: int
    errors: Optional[Path]
    resumed: int
    left_out: List[LeftOut]


def annotate(
    nlp: Language,
    in_path: Union[str, Path],
    out_path: Union[str, Path],
    *,
    format: Optional[str] = None,
    lines: bool = False,
    fields: Fields = FIELDS,
    batch_size: int = BATCH_SIZE,
    n_process: int = 1,
    engine: Union[str, Ray] = "local",
    overwrite: bool = False,
    progress: bool = False,
) -> Summary:
    """Annotate a file or a folder of files and write the annotation.

    An interrupted run, even a killed one, resumes when the same call is made again; the output is
    the same as that of an uninterrupted run. Until it is done, OUT.progress stands beside the output.
    Documents that can't be read or annotated are skipped and reported in OUT.errors.jsonl.
    With "-" as input or output nothing can be resumed.

    in_path: a .txt, .jsonl or .spacy file, also compressed (.txt.gz), or a folder of files of one of these
        kinds; "-" for standard input, which has JSON lines, or text with `lines`.
    out_path: the file to write; for "spacy", a folder of numbered .spacy files; "-" for standard output.
    format: the name of a registered writer; by default the one that the end of the output's name means.
    lines: each line of a .txt file is a document, not each file.
    fields: the keys of JSON lines that hold the text, the id and what is copied to the output.
    batch_size: how many documents are annotated together at most.
    n_process: how many processes annotate, each with one thread; on a CPU only. -1 for one per core.
    engine: "local", or "ray" for workers on a Ray cluster; a `Ray` says which and how many. A run that was
        interrupted resumes with any engine.
    overwrite: start again where there is an output already, or an unfinished one of another run.
    progress: show a progress bar.
    RETURNS: What was done.
    """
    out_path = Path(out_path)
    format = format_of(out_path, format or (STREAM_FORMAT if is_stream(out_path) else None))
    inputs = Inputs(in_path, lines)
    n_process = _check(inputs, out_path, batch_size, n_process)
    engine = _engine(engine, n_process)
    options = {"format": format, "lines": lines, "batch size": batch_size, **fields._asdict()}
    job = {"model": describe_model(nlp), "input": inputs.describe(), "options": options}
    annotator = Annotator(nlp, inputs.kind, format, fields)
    with open_place(out_path, format, job, overwrite, inputs.stream is None) as place:
        if isinstance(engine, Ray):
            through: Through = partial(engine.run_batches, annotator)
        else:
            careful = place.interrupted and _on_cpu()
            through = partial(run_batches, annotator, n_process=n_process, careful=careful)
        return run(through, inputs, place, batch_size, progress)


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
    output = open_output(writer, out_path, state.output)
    output.write({} if writer.files else b"")
    return Place(state, output, FileOutput(beside(out_path, ".errors.jsonl"), state.errors), interrupted)


def run(through: Through, inputs: Inputs, place: Place, batch_size: int, progress: bool) -> Summary:
    """All batches of the input through a function, and what it makes of them to the output."""
    state = place.state
    resumed = state.batches
    with tqdm(total=inputs.length, unit="B", unit_scale=True, disable=None if progress else True) as bar:
        batches = _go_on(inputs.batches(batch_size), state, bar)
        with closing(through(batches)) as results:
            for batch, done in results:
                _confirm(place, batch, done, inputs)
                bar.update(batch.size)
                bar.set_postfix_str(f"{state.counts['documents']:,} docs")
    errors = place.errors.path if isinstance(place.errors, FileOutput) else None
    if errors is not None and not state.failed:
        errors.unlink(missing_ok=True)
        errors = None
    if state.path is not None:
        state.path.unlink()
    return Summary(state.counts, state.lost, state.failed, errors, resumed, inputs.left_out)


def _engine(engine: Union[str, Ray], n_process: int) -> Union[str, Ray]:
    if isinstance(engine, str) and engine not in ENGINES:
        raise ValueError(f"There is no engine {engine!r}, expected one of: {', '.join(ENGINES)}.")
    if engine == "local":
        return engine
    if n_process != 1:
        raise ValueError(f"n_process is {n_process}, but the engine is Ray: say how many workers instead.")
    engine = engine if isinstance(engine, Ray) else Ray()
    engine.check()
    return engine


def _on_cpu() -> bool:
    return get_current_ops().device_type == "cpu"


def _check(inputs: Inputs, out_path: Path, batch_size: int, n_process: int) -> int:
    """Refuse what can't work. RETURNS: how many processes to use."""
    if not is_stream(out_path) and inputs.stream is None:
        check_apart(inputs.path, inputs.files, out_path)
    if n_process != 1 and not _on_cpu():
        raise ValueError(f"Can't use {n_process} processes on one GPU: leave n_process at 1.")
    if batch_size < 1 or (n_process < 1 and n_process != -1):
        found = f"batch_size is {batch_size} and n_process is {n_process}"
        raise ValueError(f"{found}, expected 1 or more; or -1 process for one per core.")
    return os.cpu_count() or 1 if n_process == -1 else n_process


def _go_on(batches: Iterator[Batch], state: Progress, bar: tqdm) -> Iterator[Batch]:
    """Skip the batches that are confirmed, and check that they are still the same."""
    digest = ""
    for batch in islice(batches, state.batches):
        digest = batch.digest
        bar.update(batch.size)
    if digest != state.digest:
        name, found = readable(state.path), "its input isn't what it was, in the part that was annotated"
        raise ValueError(f"Can't resume from {name}: {found}. Use --overwrite to start again.")
    yield from batches


def _confirm(place: Place, batch: Batch, done: BatchResult, inputs: Inputs) -> None:
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
