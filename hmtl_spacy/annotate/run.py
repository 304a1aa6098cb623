"""A whole run: read, annotate, write, confirm; from the start or resumed."""

import os
from collections import Counter
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Callable, Generator, Iterable, Iterator, List, NamedTuple, Optional, Union

from spacy.language import Language
from thinc.api import get_current_ops
from tqdm import tqdm

from ..data.writers import format_of
from .batches import Annotator
from .cluster import Ray
from .documents import FIELDS, Fields
from .files import LeftOut
from .inputs import Batch, Inputs
from .models import describe_model
from .parts import Part, Slice, keep, parse_part
from .places import check_apart, is_stream, readable
from .processes import Done, run_batches
from .progress import Progress
from .writing import Place, confirm, finish, open_place

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
    part: Union[str, Part, None] = None,
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
    part: "2/8" for the second of eight slices of the input; `join` puts their outputs together.
    overwrite: start again where there is an output already, or an unfinished one of another run.
    progress: show a progress bar.
    RETURNS: What was done.
    """
    out_path = Path(out_path)
    format = format_of(out_path, format or (STREAM_FORMAT if is_stream(out_path) else None))
    inputs = Inputs(in_path, lines)
    slice = Slice(inputs, parse_part(part))
    slice.check(out_path)
    n_process = _check(inputs, out_path, batch_size, n_process)
    engine = _engine(engine, n_process)
    options = {
        "format": format,
        "lines": lines,
        "batch size": batch_size,
        "part": None if slice.part is None else str(slice.part),
        **fields._asdict(),
    }
    job = {"model": describe_model(nlp), "input": inputs.describe(), "options": options}
    annotator = Annotator(nlp, inputs.kind, format, fields)
    with open_place(out_path, format, job, overwrite, inputs.stream is None) as place:
        if isinstance(engine, Ray):
            through: Through = partial(engine.run_batches, annotator)
        else:
            careful = place.interrupted and _on_cpu()
            through = partial(run_batches, annotator, n_process=n_process, careful=careful)
        return run(through, slice, place, batch_size, progress)


def run(through: Through, slice: Slice, place: Place, batch_size: int, progress: bool) -> Summary:
    """All batches of the input through a function, and what it makes of them to the output."""
    inputs, state = slice.inputs, place.state
    resumed = state.batches
    with tqdm(total=slice.length, unit="B", unit_scale=True, disable=None if progress else True) as bar:
        batches = _go_on(slice.batches(batch_size), state, bar)
        with closing(through(batches)) as results:
            for batch, done in results:
                confirm(place, batch, done, inputs)
                bar.update(batch.size)
                bar.set_postfix_str(f"{state.counts['documents']:,} docs")
    if slice.part is not None:
        state.output = place.output.position  # which has a beginning where there were no batches
        keep(slice, state)
    errors = finish(place)
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
