"""Parts of a run as the output of an undivided one."""

from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Sequence, Union

from ..data.writers import Writer, get_writer
from ..data.writers.writer import Written
from .outputs import numbered
from .parts import Kept, in_order, read_kept
from .places import SIDES, beside, check_apart, is_stream, readable
from .progress import differences
from .run import Summary
from .writing import finish, open_place

CHUNK = 1 << 24  # bytes in memory


def join(
    part_paths: Sequence[Union[str, Path]], out_path: Union[str, Path], *, overwrite: bool = False
) -> Summary:
    """Put the outputs of all parts of a run together; the parts stay as they are.

    part_paths: what `annotate` wrote with `part`, in any order, each with its .part.json beside it.
    out_path: the file to write, or the folder where the format is one of folders.
    overwrite: replace what is there.
    RETURNS: What the parts did.
    """
    out_path = Path(out_path)
    if is_stream(out_path):
        raise ValueError("Can't join to standard output. Name a file.")
    if not part_paths:
        raise ValueError("There are no parts to join. Name what annotate --part wrote.")
    parts = in_order([read_kept(Path(path)) for path in part_paths])
    job = _common_job(parts)
    writer = get_writer(job["options"]["format"])
    _check(writer, job["options"]["format"], parts, out_path)
    with open_place(out_path, job["options"]["format"], job, overwrite, again=True) as place:
        for piece in chain.from_iterable(_pieces(writer, part) for part in parts):
            place.output.write(piece)
        place.state.failed = sum(part.state["failed"] for part in parts)
        for piece in chain.from_iterable(_chunks(beside(part.path, ".errors.jsonl")) for part in parts):
            place.errors.write(piece)
        errors = finish(place)
    return Summary(_sum(parts, "counts"), _sum(parts, "lost"), place.state.failed, errors, 0, [])


def _common_job(parts: List[Kept]) -> Dict[str, Dict[str, Any]]:
    """What all parts say that they are of."""
    jobs = [part.state["job"] for part in parts]
    for job in jobs:
        job["options"].pop("part", None)
    for job, part in zip(jobs, parts, strict=True):
        here, there = (f"in {readable(each.path)}" for each in (part, parts[0]))
        if found := differences(jobs[0], job, there, here):
            raise ValueError(f"Can't join parts of different runs: {'; '.join(found)}.")
    return {**jobs[0], "joined": {"parts": len(parts)}}


def _check(writer: Writer, format: str, parts: List[Kept], out_path: Path) -> None:
    """Refuse formats that can't be joined, parts that have changed, and an output that is one of them."""
    if writer.numbering is not None and not hasattr(writer.numbering, "documents"):
        found = f"{format} numbers its documents, and its numbering has no 'documents'"
        raise ValueError(f"Can't join {format} files: {found}. Annotate the input undivided.")
    for part in parts:
        files = list(part.path.iterdir()) if part.path.is_dir() else [part.path]
        sides = [beside(part.path, end) for end in SIDES]
        check_apart(part.path, [*files, *filter(Path.exists, sides)], out_path)
        _compare(part.path, _size(writer, part.path), part.state["output"])
        errors = beside(part.path, ".errors.jsonl")
        _compare(errors, _size_of_file(errors), part.state["errors"])


def _compare(path: Path, now: Any, then: Any) -> None:
    if now != then:
        found = f"it had {then} when it was done and has {now} now (bytes, or files)"
        raise ValueError(f"{readable(path)} has changed: {found}. Annotate the part again.")


def _size(writer: Writer, path: Path) -> Any:
    """What `Output.position` was at the end."""
    if writer.files:
        return {name: _size_of_file(path / name) for name in writer.files}
    return len(_numbered(path, writer)) if writer.whole_files else _size_of_file(path)


def _size_of_file(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _numbered(path: Path, writer: Writer) -> List[Path]:
    return numbered(path, writer.endings[0])


def _pieces(writer: Writer, part: Kept) -> Iterator[Written]:
    """What a part wrote, as it is added to the whole."""
    if writer.files:
        for name, head in writer.files.items():
            for piece in _chunks(part.path / name, skip=len(head)):
                yield {name: piece}
    elif writer.whole_files:
        yield from (file.read_bytes() for file in _numbered(part.path, writer))
    elif writer.numbering is not None:
        with part.path.open("rb") as lines:
            yield from writer.numbering().documents(lines)
    else:
        yield from _chunks(part.path)


def _chunks(path: Path, skip: int = 0) -> Iterator[bytes]:
    if path.exists():
        with path.open("rb") as file:
            file.seek(skip)
            while piece := file.read(CHUNK):
                yield piece


def _sum(parts: Iterable[Kept], what: str) -> Counter:
    return sum((Counter(part.state[what]) for part in parts), Counter())
