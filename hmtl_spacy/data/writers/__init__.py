"""Writers: a `Doc` as a piece of one format's file, the mirror of the converters."""

from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Callable, Optional, Union

from spacy.tokens import Doc

from ..layers import Layers

FORMATS = {"jsonl": ".jsonl", "spacy": ".spacy", "conll2012": "conll", "dygie": ".json"}  # ends of names
Writer = Callable[[Doc, Layers, Counter], str]


def format_of(path: Union[str, Path], format: Optional[str] = None) -> str:
    """The format of a file to write, by the end of its name unless it is given.

    path: the file.
    format: one of `FORMATS`, if it is known.
    RETURNS: one of `FORMATS`.
    """
    if format is None:
        format = next((name for name, end in FORMATS.items() if Path(path).name.endswith(end)), None)
        ends = ", ".join(f"{end} ({name})" for name, end in FORMATS.items())
        if format is None:
            raise ValueError(f"Can't tell the format of {path}: expected a name that ends in {ends}.")
    if format not in FORMATS:
        raise ValueError(f"Can't write {format!r}; the formats are {', '.join(FORMATS)}.")
    return format


def get_writer(format: str) -> Writer:
    """Look up a writer of text by the name of its format; only its own module is imported.

    format: one of `FORMATS` but "spacy", which is written by `DocBin`.
    RETURNS: takes a document, its layers and a counter for what the format can't hold; returns
        the document's part of the file, empty if the format can't hold it at all.
    """
    return getattr(import_module(f"{__name__}.{format}"), f"doc_to_{format}")
