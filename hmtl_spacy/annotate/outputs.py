"""Where the output goes, batch by batch, so that a stopped run can go on at its last confirmed batch."""

import os
from pathlib import Path
from typing import List

from ..data.writers.conll2012 import PartNumbers


class FileOutput:
    """A file that grows.

    path: the file. position: how many of its bytes are confirmed; what follows them is cut off.
    """

    def __init__(self, path: Path, position: int):
        size = path.stat().st_size if path.exists() else 0
        if path.is_dir() or size < position:
            found = "a folder" if path.is_dir() else f"a file of {size:,} bytes"
            expected = f"expected a file of {position:,} bytes"
            raise ValueError(f"Can't go on with {path}: {expected}, found {found}. Use --overwrite.")
        self.path = path
        self.position = position
        if path.exists():
            os.truncate(path, position)

    def write(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            if file.tell() != self.position:
                raise _shared(self.path)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self.position += len(data)


class PartsOutput(FileOutput):
    """A file of CoNLL-2012 that grows: its documents of one name are numbered, across batches too."""

    def __init__(self, path: Path, position: int):
        super().__init__(path, position)
        self.parts = PartNumbers()
        if path.exists():
            with path.open("rb") as lines:
                self.parts.read(lines)

    def write(self, data: bytes) -> None:
        super().write(self.parts.number(data))


class FolderOutput:
    """A folder of numbered .spacy files, one a batch.

    A .spacy file is written whole, so a single one of everything would need memory for everything.

    path: the folder. position: how many files are confirmed; those with higher numbers are removed.
    """

    def __init__(self, path: Path, position: int):
        if path.exists() and not path.is_dir():
            raise ValueError(f"Can't write numbered .spacy files to {path}: expected a folder, found a file.")
        found = _numbered(path)
        if missing := [number for number in range(position) if self._file(path, number) not in found]:
            name = self._file(path, missing[0])
            raise ValueError(f"Can't go on with {path}: {name} is gone. Use --overwrite to begin anew.")
        path.mkdir(parents=True, exist_ok=True)
        for file in [*found[position:], *path.glob(".*.spacy.part")]:
            file.unlink()
        self.path = path
        self.position = position

    def write(self, data: bytes) -> None:
        if data:
            file = self._file(self.path, self.position)
            if file.exists():
                raise _shared(file)
            write_whole(file, data)
            self.position += 1

    @staticmethod
    def _file(path: Path, number: int) -> Path:
        return path / f"{number:05}.spacy"


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there with all of its data, for good, or not at all."""
    partial = path.with_name(f".{path.name}.part")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    """Have new names survive a power cut too, where folders can be synchronised."""
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path, os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)


def _shared(path: Path) -> RuntimeError:
    found = f"{path} has changed since this run wrote to it"
    return RuntimeError(f"{found}. Is another run writing there? End one of them, then run the other again.")


def _numbered(path: Path) -> List[Path]:
    """Our files in a folder, in order."""
    files = [file for file in path.glob("*.spacy") if file.stem.isdecimal()]
    return sorted(files, key=lambda file: int(file.stem))
