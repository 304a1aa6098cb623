"""Converters to spaCy's .spacy files: each reads one format and yields Docs, found through a registry."""

from collections import Counter
from pathlib import Path
from typing import Any, Iterable, Iterator, Optional, Union

from spacy.tokens import Doc

from ... import registry
from ..layers import count_layers, read_layers
from .common import ConversionError, Lines, read_lines
from .converter import Converter
from .repair import Repair
from .shards import write_docs

__all__ = ["ConversionError", "Converter", "Lines", "convert", "get_converter"]


def get_converter(format: str) -> Converter:
    """Look up a converter by the name of its format; only its own module is imported."""
    return registry.get(registry.converters, format, Converter, f"There is no converter for {format!r}")


def convert(
    format: str,
    in_path: Union[str, Path],
    out_path: Union[str, Path],
    *,
    dropped: Optional[Counter[str]] = None,
    progress: bool = False,
    **options: Any,
) -> Counter[str]:
    """Convert a file, or a folder, to a .spacy file or a folder of these, written whole or not at all.

    format: the name of a registered converter.
    in_path: the file to read, or a folder if the format has folders.
    out_path: the .spacy file to write; without a suffix, the folder, whose files are read and written one by
        one, so that memory stays bounded.
    dropped: what couldn't be kept is counted here.
    progress: show a progress bar.
    options: the options of the format's converter.
    RETURNS: how many documents, tokens, entities and so on were written.
    """
    written: Counter[str] = Counter()
    converter = get_converter(format)
    if Path(in_path).is_dir() and converter.read_folder is not None:
        docs = converter.read_folder(in_path, vocab=None, dropped=dropped, **options)
    elif converter.paths:
        if not Path(in_path).is_file():
            found = "no such file" if not Path(in_path).exists() else "it is a folder"
            raise ConversionError(str(in_path), None, f"{found}; name an existing file to convert.")
        docs = converter.read(Path(in_path), vocab=None, dropped=dropped, **options)
    else:
        repair = Repair(bool(options.get("repair")), str(in_path), Counter() if dropped is None else dropped)
        lines = read_lines(in_path, repair.unended if converter.rows else None)
        docs = converter.read(lines, source=str(in_path), vocab=None, dropped=dropped, **options)
    if progress:
        from tqdm import tqdm

        docs = tqdm(docs, unit=" docs", disable=None)
    write_docs(_counted(docs, written, str(in_path)), out_path)
    return written


def _counted(docs: Iterable[Doc], written: Counter[str], source: str) -> Iterator[Doc]:
    for doc in docs:
        count_layers(doc, read_layers(doc), written)
        yield doc
    if not written["documents"]:
        raise ConversionError(source, None, "found no documents. Is it the right file and format?")
