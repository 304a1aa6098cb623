"""Writers: a `Doc` as its part of one format's file. A registry finds them, as it does the converters."""

from pathlib import Path
from typing import List, Optional, Tuple, Union

from ... import registry
from .writer import Numbering, Writer

__all__ = ["Numbering", "Writer", "format_of", "get_writer"]


def get_writer(format: str) -> Writer:
    """Look up a writer by the name of its format; only its own module is imported."""
    return registry.get(registry.writers, format, Writer, f"Can't write {format!r}")


def format_of(path: Union[str, Path], format: Optional[str] = None) -> str:
    """The format of a file to write: the one that is given, or else the one that its name's end means.

    A writer of another package that can't be loaded is left out, unless it is the one that is asked for.
    """
    if format is not None:
        get_writer(format)
        return format
    name = Path(path).name
    endings = _endings()
    matching = [(len(ending), known) for ending, known in endings if name.endswith(ending)]
    if not matching:
        known_ends = ", ".join(f"{ending} ({known})" for ending, known in endings)
        raise ValueError(f"Can't tell the format of {path}: expected a name that ends in {known_ends}.")
    return max(matching)[1]


def _endings() -> List[Tuple[str, str]]:
    """Each end of a file name and the format that it means."""
    writers, _ = registry.load_all(registry.writers)
    return [
        (ending, format)
        for format, writer in writers.items()
        if isinstance(writer, Writer)
        for ending in writer.endings
    ]
