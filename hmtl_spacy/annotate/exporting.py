"""Annotation that .spacy files have, in another format: no pipeline, all else as where one annotates."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Dict, List, Optional, Union

from ..data.layers import read_layers
from ..data.writers import format_of
from .batches import BatchResult, Failure, describe_failures, write_docs
from .inputs import Inputs, Item
from .parts import Slice
from .places import check_apart, is_stream
from .processes import run_batches
from .run import STREAM_FORMAT, Summary, run
from .writing import open_place

BATCH_SIZE = 1000  # one file of a folder; a batch has a megabyte of .spacy at most


def export(
    data_path: Union[str, Path],
    out_path: Union[str, Path],
    *,
    format: Optional[str] = None,
    batch_size: int = BATCH_SIZE,
    overwrite: bool = False,
    progress: bool = False,
) -> Summary:
    """Write the annotation of .spacy files in any of the writers' formats.

    It is written batch by batch: an interrupted run resumes when the same call is made again.

    data_path: a .spacy file, or a folder of them; one file at a time is in memory.
    out_path: the file to write; for some formats a folder; "-" for standard output.
    format: the name of a registered writer; by default the one that the end of the output's name means.
    batch_size: how many documents are written together at most: those of a file, where there are several.
    overwrite: start again where there is an output already, or an unfinished one of another run.
    progress: show a progress bar.
    RETURNS: What was done.
    """
    out_path = Path(out_path)
    format = format_of(out_path, format or (STREAM_FORMAT if is_stream(out_path) else None))
    inputs = Inputs(data_path, annotated=True)
    if not is_stream(out_path):
        check_apart(inputs.path, inputs.files, out_path)
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}, expected 1 or more.")
    options = {"format": format, "batch size": batch_size}
    job = {"model": {"name": "none: an export"}, "input": inputs.describe(), "options": options}
    with open_place(out_path, format, job, overwrite, again=True) as place:
        through = partial(run_batches, Exporter(format), n_process=1)
        return run(through, Slice(inputs), place, batch_size, progress)


class Exporter:
    """Writes batches of documents as they are; one that can't be written is skipped.

    format: the name of a registered writer.
    """

    def __init__(self, format: str):
        self.format = format

    def __call__(self, items: List[Item]) -> BatchResult:
        counts: Counter = Counter()
        lost: Counter = Counter()
        failed: Dict[int, Failure] = {i: (None, item.error) for i, item in enumerate(items) if item.error}
        docs = {i: item.payload for i, item in enumerate(items) if i not in failed}
        for i, doc in docs.items():
            doc.user_data.setdefault("id", items[i].name)
        output = write_docs(self.format, docs, read_layers, failed, counts, lost)
        return BatchResult([output], describe_failures(items, failed), +counts, +lost)
