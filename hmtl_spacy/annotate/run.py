"""A whole run: read, annotate, write, confirm; from the start or resumed."""

import json
import os
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any, Iterator, NamedTuple, Optional, Union

from spacy.language import Language
from thinc.api import get_current_ops
from tqdm import tqdm

from ..data.writers import format_of, get_writer
from .batches import Annotator, BatchResult
from .documents import FIELDS, Fields
from .inputs import Batch, Inputs
from .models import describe_model
from .outputs import FileOutput, open_output
from .processes import run_batches
from .progress import Progress, begin, beside

BATCH_SIZE = 64


class Summary(NamedTuple):
    """What a run did, including what it did before an interruption.

    written: numbers of documents, tokens, entities and so on.
    lost: what the format can't hold, and input fields that were ignored.
    failed: how many documents were skipped.
    errors: the file that says why, if any were.
    resumed: how many batches had been done before.
    """

    written: Counter
    lost: Counter
    failed: int
    errors: Optional[Path]
    resumed: int


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
    overwrite: bool = False,
    progress: bool = False,
) -> Summary:
    """Annotate a file or a folder of files and write the annotation.

    An interrupted run, even a killed one, resumes when the same call is made again; the output is
    the same as that of an uninterrupted run. Until it is done, OUT.progress stands beside the output.
    Documents that can't be read or annotated are skipped and reported in OUT.errors.jsonl.

    in_path: a .txt, .jsonl or .spacy file, or a folder of files of one of these kinds.
    out_path: the file to write; for "spacy", a folder of numbered .spacy files.
    format: the name of a registered writer; by default the one that the end of the output's name means.
    lines: each line of a .txt file is a document, not each file.
    fields: the keys of JSON lines that hold the text, the id and what is copied to the output.
    batch_size: how many documents are annotated together at most.
    n_process: how many processes annotate; on a CPU only. -1 for one per core.
    overwrite: start again where there is an output already, or an unfinished one of another run.
    progress: show a progress bar.
    RETURNS: What was done.
    """
    out_path = Path(out_path)
    format = format_of(out_path, format)
    inputs = Inputs(in_path, lines)
    n_process = _check(inputs, out_path, batch_size, n_process)
    options = {"format": format, "lines": lines, "batch size": batch_size, **fields._asdict()}
    job = {"model": describe_model(nlp), "input": inputs.describe(), "options": options}
    state = begin(out_path, job, overwrite)
    output = open_output(get_writer(format), out_path, state.output)
    output.write(b"")
    errors = FileOutput(beside(out_path, ".errors.jsonl"), state.errors)
    resumed = state.batches
    with tqdm(total=inputs.size, unit="B", unit_scale=True, disable=None if progress else True) as bar:
        batches = _go_on(inputs.batches(batch_size), state, bar)
        for batch, done in run_batches(Annotator(nlp, inputs.kind, format, fields), batches, n_process):
            _confirm(state, batch, done, output, errors)
            bar.update(batch.size)
            bar.set_postfix_str(f"{state.counts['documents']:,} docs")
    if not state.failed:
        errors.path.unlink(missing_ok=True)
    state.path.unlink()
    return Summary(state.counts, state.lost, state.failed, errors.path if state.failed else None, resumed)


def _check(inputs: Inputs, out_path: Path, batch_size: int, n_process: int) -> int:
    """Refuse what can't work. RETURNS: how many processes to use."""
    out, source = out_path.resolve(), inputs.path.resolve()
    if out == source or (source.is_dir() and source in out.parents):
        raise ValueError(f"Can't write {out_path} into the input, {inputs.path}. Name another place.")
    if n_process != 1 and get_current_ops().device_type != "cpu":
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
        found = "its input isn't what it was, in the part that was annotated"
        raise ValueError(f"Can't resume from {state.path}: {found}. Use --overwrite to start again.")
    yield from batches


def _confirm(state: Progress, batch: Batch, done: BatchResult, output: Any, errors: FileOutput) -> None:
    output.write(done.output)
    if done.failures:
        lines = [json.dumps(failure, ensure_ascii=False) + "\n" for failure in done.failures]
        errors.write("".join(lines).encode("utf-8", "backslashreplace"))
    state.batches += 1
    state.digest = batch.digest
    state.output = output.position
    state.errors = errors.position
    state.failed += len(done.failures)
    state.counts.update(done.counts)
    state.lost.update(done.lost)
    state.save()
