"""Converters to spaCy's .spacy files: each a generator of Docs over the lines of one format."""

from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, Optional, Union

from spacy.tokens import Doc

from ..layers import count_layers, read_layers
from .common import ConversionError, read_lines, write_docs

NAMES = ("iob", "conllu", "conll04", "conll2012", "ace", "dygie", "jsonl", "inline")
FORMATS = {name: f"{name}_to_docs" for name in NAMES}
FOLDERS = {
    name: f"{name}_folder_to_docs" for name in ("conll2012", "ace", "inline")
}  # what reads a folder of files, which `convert` takes too


def get_converter(format: str) -> Callable[..., Iterator[Doc]]:
    """Look up a converter by the name of its format; only its own module is imported.

    format: one of `FORMATS`.
    RETURNS: takes the lines of a file and the format's options.
    """
    if format not in FORMATS:
        raise ValueError(f"There is no converter for {format!r}; the formats are {', '.join(FORMATS)}.")
    return getattr(import_module(f"{__name__}.{format}"), FORMATS[format])


def convert(
    format: str,
    in_path: Union[str, Path],
    out_path: Union[str, Path],
    *,
    dropped: Optional[Counter] = None,
    progress: bool = False,
    **options: Any,
) -> Counter:
    """Convert a file, or a folder of files, to a .spacy file, which is written whole or not at all.

    format: one of `FORMATS`.
    in_path: the file to read, or a folder if the format is one of `FOLDERS`.
    out_path: the .spacy file to write.
    dropped: what couldn't be kept is counted here.
    progress: show a progress bar.
    options: the options of the format's converter.
    RETURNS: how many documents, tokens, entities and so on were written.
    """
    written: Counter = Counter()
    converter = get_converter(format)
    if Path(in_path).is_dir() and format in FOLDERS:
        from_folder = getattr(import_module(converter.__module__), FOLDERS[format])
        docs = from_folder(in_path, dropped=dropped, **options)
    else:
        docs = converter(read_lines(in_path), source=str(in_path), dropped=dropped, **options)
    if progress:
        from tqdm import tqdm

        docs = tqdm(docs, unit=" docs", disable=None)
    write_docs(_counted(docs, written, str(in_path)), out_path)
    return written


def _counted(docs: Iterable[Doc], written: Counter, source: str) -> Iterator[Doc]:
    for doc in docs:
        count_layers(doc, read_layers(doc), written)
        yield doc
    if not written["documents"]:
        raise ConversionError(source, None, "found no documents. Is it the right file and format?")
