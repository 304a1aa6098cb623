"""Where the output goes, batch by batch, so that an interrupted run resumes after the last confirmed one."""

import os
from pathlib import Path
from typing import List, Union

from ..data.writers import Numbering, Writer


class FileOutput:
    """A file that grows.

    path: the file. position: how many of its bytes are confirmed; what follows them is cut off.
    """

    def __init__(self, path: Path, position: int):
        size = path.stat().st_size if path.exists() else 0
        if path.is_dir() or size < position:
            found = "a folder" if path.is_dir() else f"a file of {size:,} bytes"
            expected = f"expected a file of {position:,} bytes"
            raise ValueError(f"Can't resume {path}: {expected}, found {found}. Use --overwrite.")
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


class NumberedOutput(FileOutput):
    """A file that grows, and in which new documents are numbered by those that are there."""

    def __init__(self, path: Path, position: int, numbering: Numbering):
        super().__init__(path, position)
        self.numbering = numbering
        if path.exists():
            with path.open("rb") as lines:
                self.numbering.read(lines)

    def write(self, data: bytes) -> None:
        super().write(self.numbering.number(data))


class FolderOutput:
    """A folder of numbered files, one a batch.

    Nothing can be added to a .spacy file, so a single one of everything would need memory for everything.

    path: the folder. position: how many files are confirmed; those with higher numbers are removed.
    ending: how the files' names end, ".spacy".
    """

    def __init__(self, path: Path, position: int, ending: str):
        if path.exists() and not path.is_dir():
            expected = "expected a folder, found a file"
            raise ValueError(f"Can't write numbered {ending} files to {path}: {expected}.")
        self.path = path
        self.position = position
        self.ending = ending
        files = _numbered(path, ending)
        if missing := [number for number in range(position) if self._file(number) not in files]:
            name = self._file(missing[0])
            raise ValueError(f"Can't resume {path}: {name} is gone. Use --overwrite to start again.")
        path.mkdir(parents=True, exist_ok=True)
        for file in [*files[position:], *path.glob(f".*{ending}.part")]:
            file.unlink()

    def write(self, data: bytes) -> None:
        if data:
            file = self._file(self.position)
            if file.exists():
                raise _shared(file)
            write_whole(file, data)
            self.position += 1

    def _file(self, number: int) -> Path:
        return self.path / f"{number:05}{self.ending}"


def open_output(writer: Writer, path: Path, position: int) -> Union[FileOutput, FolderOutput]:
    """The output of a format, from where it was confirmed."""
    if writer.whole_files:
        return FolderOutput(path, position, writer.endings[0])
    if writer.numbering is not None:
        return NumberedOutput(path, position, writer.numbering())
    return FileOutput(path, position)


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


def _numbered(path: Path, ending: str) -> List[Path]:
    """Our files in a folder, in order."""
    numbers = {file: file.name.removesuffix(ending) for file in path.glob(f"*{ending}")}
    files = [file for file, number in numbers.items() if number.isdecimal()]
    return sorted(files, key=lambda file: int(numbers[file]))
