"""Names of files: standard streams, what stands beside an output, and whether two names mean one file."""

import os
import re
from pathlib import Path
from typing import Dict, Iterable, Iterator, Optional, Tuple, Union

UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
SIDES = (".progress", ".errors.jsonl", ".lock", ".part.json")
Identity = Tuple[int, int]  # device and number of a file, whatever its name


def is_stream(path: Union[str, Path]) -> bool:
    """Whether a path is "-", which means standard input or output."""
    return str(path) == "-"


def beside(path: Path, end: str) -> Path:
    return path.with_name(path.name + end)


def readable(text: object) -> str:
    r"""A name or message as it can be printed and stored: bytes that aren't UTF-8 as `\xe9`, controls too."""
    return UNPRINTABLE.sub(_escape, str(text))


def _escape(match: "re.Match[str]") -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # how Python stores a byte of a name that isn't UTF-8
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def check_apart(source: Path, files: Iterable[Path], out_path: Path) -> None:
    """Refuse an output that is the input, whatever their names: links and hard links are followed.

    source: the input as it was given. files: what is read of it.
    """
    if source.is_dir() and _within(out_path, source):
        raise ValueError(f"Can't write {readable(out_path)} into the input, {source}. Name another place.")
    if out_path.is_dir() and _within(source, out_path):
        found = f"the input {readable(source)} is in that folder"
        raise ValueError(f"Can't write {readable(out_path)}: {found}. Name another place.")
    inputs: Dict[Optional[Identity], Path] = {_identity(file): file for file in files}
    for path in _written(out_path):
        same = inputs.get(_identity(path)) if path.exists() else None
        if same is not None:
            clash = f"{readable(path)} is the same file as the input {readable(same)}"
            raise ValueError(f"Can't write {readable(out_path)} into the input: {clash}. Name another place.")


def _written(out_path: Path) -> Iterator[Path]:
    """What a run may write to or remove."""
    yield out_path
    for end in SIDES:
        yield beside(out_path, end)
        yield beside(out_path, end).with_name(f".{out_path.name}{end}.part")
    if out_path.is_dir():
        yield from out_path.iterdir()


def _within(path: Path, folder: Path) -> bool:
    path = path.resolve()
    known = _identity(folder)
    return any(_identity(place) == known for place in (path, *path.parents) if place.exists())


def _identity(path: Path) -> Optional[Identity]:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
