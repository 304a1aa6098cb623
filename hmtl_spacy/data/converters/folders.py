"""Folders of files that are read one after the other, whatever their names."""

from collections import Counter
from pathlib import Path
from typing import Any, Callable, Iterator, List, Optional, Union

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..vocabulary import vocabulary
from .common import ConversionError, read_lines
from .repair import Repair


def files_of(path: Union[str, Path], pattern: str) -> Iterator[Path]:
    """The files in or below a folder, in the order of their names, without hidden ones.

    pattern: what their names are like, such as *.iob2.
    """
    folder = Path(path)
    files = [
        file for file in sorted(folder.rglob(pattern)) if file.is_file() and not _is_hidden(file, folder)
    ]
    if not files:
        advice = "Name the folder of the files, or another pattern for their names"
        raise ConversionError(str(path), None, f"found no files with names like {pattern!r}. {advice}.")
    return iter(files)


def files_in(path: Path) -> List[Path]:
    """A file as the only one, or all files in or below a folder."""
    return list(files_of(path, "*")) if path.is_dir() else [path]


def _is_hidden(file: Path, folder: Path) -> bool:
    return any(name.startswith(".") for name in file.relative_to(folder).parts)


def read_rows(file: Path, repair: bool, dropped: Optional[Counter[str]]) -> Iterator[str]:
    """The lines of a file of rows, of which the last must be whole unless it is to be repaired."""
    mender = Repair(repair, str(file), Counter() if dropped is None else dropped)
    return read_lines(file, mender.unended)


def read_folder(
    read: Callable[..., Iterator[Doc]],
    path: Union[str, Path],
    pattern: str,
    *,
    repair: bool,
    vocab: Optional[Vocab],
    dropped: Optional[Counter[str]],
    **options: Any,
) -> Iterator[Doc]:
    """The documents of all files of rows in a folder.

    read: what reads one file.
    pattern: what the names of the files are like.
    """
    vocab = vocabulary(vocab)
    for file in files_of(path, pattern):
        lines = read_rows(file, repair, dropped)
        yield from read(lines, source=str(file), vocab=vocab, dropped=dropped, repair=repair, **options)
