"""Where the output goes, batch by batch, so that an interrupted run resumes after the last confirmed one."""

import errno
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Dict, Iterator, List, Mapping, Protocol, Union

from ..data.writers import Numbering, Writer
from .places import readable

FULL = (errno.ENOSPC, errno.EDQUOT)


class WriteError(OSError):
    """What couldn't be written, and why."""


class Output(Protocol):
    """Something that grows by a batch at a time.

    position: how much of it is confirmed, in bytes or files, or in bytes by file; plain data.
    """

    @property
    def position(self) -> Any: ...

    def write(self, data: Any) -> None: ...


class StreamOutput:
    """Standard output or error: what is written is gone, and nothing can be resumed."""

    def __init__(self, stream: BinaryIO, name: str):
        self.stream = stream
        self.name = name
        self.position = 0

    def write(self, data: bytes) -> None:
        with _writing(self.name):
            self.stream.write(data)
            self.stream.flush()
        self.position += len(data)


class FileOutput:
    """A file that grows.

    path: the file. position: how many of its bytes are confirmed; what follows them is cut off.
    """

    def __init__(self, path: Path, position: int):
        size = path.stat().st_size if path.exists() else 0
        if path.is_dir() or size < position:
            found = "a folder" if path.is_dir() else f"a file of {size:,} bytes"
            expected = f"expected a file of {position:,} bytes"
            raise ValueError(f"Can't resume {readable(path)}: {expected}, found {found}. Use --overwrite.")
        self.path = path
        self.position = position
        if path.exists():
            os.truncate(path, position)

    def write(self, data: bytes) -> None:
        with _writing(self.path), self.path.open("ab") as file:
            if file.tell() != self.position:
                raise _shared(self.path)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self.position += len(data)


class NumberedOutput:
    """An output in which new documents are numbered by those that are there."""

    def __init__(self, output: Output, numbering: Numbering):
        self.output = output
        self.numbering = numbering

    @property
    def position(self) -> Any:
        return self.output.position

    def write(self, data: bytes) -> None:
        self.output.write(self.numbering.number(data))


class FolderOutput:
    """A folder of numbered files, one a batch.

    Nothing can be added to a .spacy file, so a single one of everything would need memory for everything.

    path: the folder. position: how many files are confirmed; those with higher numbers are removed.
    ending: how the files' names end, ".spacy".
    """

    def __init__(self, path: Path, position: int, ending: str):
        if path.exists() and not path.is_dir():
            expected = "expected a folder, found a file"
            raise ValueError(f"Can't write numbered {ending} files to {readable(path)}: {expected}.")
        self.path = path
        self.position = position
        self.ending = ending
        files = numbered(path, ending)
        if missing := [number for number in range(position) if self._file(number) not in files]:
            gone = f"{readable(self._file(missing[0]))} is gone"
            raise ValueError(f"Can't resume {readable(path)}: {gone}. Use --overwrite to start again.")
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


class FilesOutput:
    """A folder of files that all grow.

    path: the folder. position: how many bytes of each are confirmed, by name; 0 of all where nothing is.
    heads: what each file begins with, by name.
    """

    def __init__(self, path: Path, position: Union[int, Dict[str, int]], heads: Mapping[str, bytes]):
        if path.exists() and not path.is_dir():
            names = ", ".join(heads)
            raise ValueError(f"Can't write {names} to {readable(path)}: expected a folder, found a file.")
        path.mkdir(parents=True, exist_ok=True)
        known = position if isinstance(position, dict) else {}
        self.files = {name: FileOutput(path / name, known.get(name, 0)) for name in heads}
        self.heads = heads

    @property
    def position(self) -> Dict[str, int]:
        return {name: file.position for name, file in self.files.items()}

    def write(self, data: Mapping[str, bytes]) -> None:
        for name, file in self.files.items():
            if piece := (b"" if file.position else self.heads[name]) + data.get(name, b""):
                file.write(piece)


def open_output(writer: Writer, path: Path, position: Any) -> Output:
    """The output of a format, from where it was confirmed."""
    if writer.files:
        return FilesOutput(path, position, writer.files)
    if writer.whole_files:
        return FolderOutput(path, position, writer.endings[0])
    output = FileOutput(path, position)
    if writer.numbering is None:
        return output
    numbering = writer.numbering()
    if path.exists():
        with path.open("rb") as lines:
            numbering.read(lines)
    return NumberedOutput(output, numbering)


def open_stream(writer: Writer, stream: BinaryIO) -> Output:
    """The output of a format as a stream."""
    output: Output = StreamOutput(stream, "standard output")
    return output if writer.numbering is None else NumberedOutput(output, writer.numbering())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there with all of its data, for good, or not at all."""
    with written_whole(path) as partial:
        partial.write_bytes(data)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """The same for a file that something else writes.

    YIELDS: where to write it.
    """
    partial = path.with_name(f".{path.name}.part")
    with _writing(path):
        try:
            yield partial
            with partial.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(partial, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(partial)
            raise
        _sync_folder(path.parent)


@contextmanager
def _writing(name: Union[str, Path]) -> Iterator[None]:
    """Say what it was that couldn't be written; who reads a pipe may end it, though."""
    try:
        yield
    except (BrokenPipeError, WriteError):
        raise
    except OSError as err:
        advice = " Free some space." if err.errno in FULL else ""
        raise WriteError(f"Can't write {readable(name)}: {err.strerror or err}.{advice}") from err


def _sync_folder(path: Path) -> None:
    """Have new names survive a power cut too, where folders can be synchronised."""
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path, os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _shared(path: Path) -> RuntimeError:
    found = f"{readable(path)} has changed since this run wrote to it"
    return RuntimeError(f"{found}. Is another run writing there? End one of them, then run the other again.")


def numbered(path: Path, ending: str) -> List[Path]:
    """The files that `FolderOutput` wrote, in order."""
    numbers = {file: file.name.removesuffix(ending) for file in path.glob(f"*{ending}")}
    files = [file for file, number in numbers.items() if number.isdecimal()]
    return sorted(files, key=lambda file: int(numbers[file]))
