"""Which files are read, which of a folder are left out and why, and how they are opened."""

import gzip
import os
import stat
from pathlib import Path, PurePath
from typing import BinaryIO, List, NamedTuple, Tuple, cast

from .places import readable

SUFFIXES = (".txt", ".jsonl", ".spacy")
COMPRESSED = ".gz"


class LeftOut(NamedTuple):
    """A file of a folder that isn't read.

    name: where it is in the folder.
    """

    name: str
    reason: str


class Files(NamedTuple):
    """Files to read, all of one kind, in the order of their names.

    kind: one of the suffixes, in small letters.
    left_out: what else is in the folder.
    """

    paths: List[Path]
    kind: str
    left_out: List[LeftOut]


def find_files(path: Path) -> Files:
    """The files at a path: one, or those of a folder and its subfolders.

    Links to files are followed, links to folders are not: they may lead in a circle.
    """
    if not path.exists():
        raise ValueError(f"There is nothing at {readable(path)}: name a file or folder to annotate.")
    paths, left_out = _walk(path) if path.is_dir() else _single(path)
    kinds = sorted({kind_of(file) for file in paths})
    if len(kinds) != 1:
        found = f"found {' and '.join(kinds) or 'none'}, expected files of one kind of {', '.join(SUFFIXES)}"
        raise ValueError(f"Can't annotate {readable(path)}: {found}, also with {COMPRESSED}.")
    return Files(sorted(paths), kinds[0], sorted(left_out))


def kind_of(path: PurePath) -> str:
    """The suffix of a file, .gz aside, in small letters; "" if it isn't one that is read."""
    suffix = PurePath(path.name.lower().removesuffix(COMPRESSED)).suffix
    return suffix if suffix in SUFFIXES else ""


def name_of(path: PurePath) -> str:
    """What a file is called without its suffix, as an id."""
    if path.suffix.lower() == COMPRESSED:
        path = path.with_suffix("")
    return readable(path.with_suffix("").as_posix())


def is_compressed(path: PurePath) -> bool:
    return path.suffix.lower() == COMPRESSED


def open_file(path: Path) -> BinaryIO:
    """Open a file to read its bytes, decompressed."""
    return cast(BinaryIO, gzip.open(path)) if is_compressed(path) else path.open("rb")


def _single(path: Path) -> Tuple[List[Path], List[LeftOut]]:
    reason = _why_not(path)
    return ([] if reason else [path]), []


def _walk(folder: Path) -> Tuple[List[Path], List[LeftOut]]:
    paths: List[Path] = []
    left_out: List[LeftOut] = []

    def leave_out(path: Path, reason: str) -> None:
        left_out.append(LeftOut(readable(path.relative_to(folder)), reason))

    def unlisted(err: OSError) -> None:
        leave_out(Path(err.filename), f"can't be listed: {err.strerror}")

    for root, folders, files in os.walk(folder, onerror=unlisted):
        for path in (Path(root, name) for name in folders):
            if path.is_symlink():
                leave_out(path, "a link to a folder")
        for path in (Path(root, name) for name in files):
            if reason := _why_not(path):
                leave_out(path, reason)
            else:
                paths.append(path)
    return paths, left_out


def _why_not(path: Path) -> str:
    """Why a file isn't read, "" if it is."""
    try:
        mode = path.stat().st_mode
    except OSError as err:
        return "a broken link" if path.is_symlink() else f"can't be read: {err.strerror}"
    if not stat.S_ISREG(mode):
        return f"a {NAMES.get(stat.S_IFMT(mode), 'device')}, not a file"
    return "" if kind_of(path) else "another suffix"


NAMES = {stat.S_IFIFO: "named pipe", stat.S_IFSOCK: "socket"}
