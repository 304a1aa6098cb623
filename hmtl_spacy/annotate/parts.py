"""A slice of the input as a run of its own, and what is kept of it beside its output, to join it later."""

import json
import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Union

from .inputs import Batch, Inputs
from .outputs import write_whole
from .places import beside, is_stream, readable
from .progress import Progress

END = ".part.json"
VERSION = 1
KEPT = ("job", "batches", "digest", "output", "errors", "failed", "counts", "lost")


class Part(NamedTuple):
    """The so manieth of so many slices of an input, from 1, written as "2/8".

    A slice is the batches of an undivided run that begin in that part of the input's bytes.
    """

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def parse_part(part: Union[str, Part, None]) -> Optional[Part]:
    """None is the whole, of which nothing is kept but the output."""
    if part is None:
        return None
    match = re.fullmatch(r"(\d+)/(\d+)", str(part), re.ASCII)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise ValueError(f"The part is {str(part)!r}, expected one such as 1/8, which is the first of eight.")
    return Part(int(match[1]), int(match[2]))


class Slice:
    """The batches of a part; the input is read up to its end.

    before: the digest of what the input has before the part, once the part's batches have been read.
    """

    def __init__(self, inputs: Inputs, part: Optional[Part] = None):
        self.inputs = inputs
        self.part = part
        self.before = ""

    def check(self, out_path: Path) -> None:
        """ValueError for what can't be divided."""
        if self.part is not None and (self.inputs.stream is not None or is_stream(out_path)):
            why = "parts are of files, and written to files"
            raise ValueError(
                f"Can't annotate part {self.part} from or to standard streams: {why}. Name some."
            )

    def batches(self, size: int) -> Iterator[Batch]:
        if self.part is None:
            yield from self.inputs.batches(size)
            return
        total, position = max(1.0, self._total()), 0.0
        for batch in self.inputs.batches(size):
            number = min(self.part.of, 1 + int(position * self.part.of / total))
            position += batch.size
            if number > self.part.number:
                return
            if number == self.part.number:
                yield batch
            else:
                self.before = batch.digest

    @property
    def length(self) -> Optional[int]:
        """About how many bytes there are to read, None if that can't be known before."""
        length = self.inputs.length
        if length is None or self.part is None:
            return length
        return length * self.part.number // self.part.of

    def _total(self) -> float:
        """Of compressed files it is known only once they have been read."""
        known = self.inputs.length
        return known if known is not None else sum(item.size for item in self.inputs.items())


class Kept(NamedTuple):
    """What is known of a part that is done: as `Progress`, and which part it is.

    path: the part's output.
    """

    path: Path
    part: Part
    before: str
    state: Dict[str, Any]


def keep(slice: Slice, state: Progress) -> None:
    """Write OUT.part.json."""
    assert state.path is not None, "a part is written to files"
    known = {key: getattr(state, key) for key in KEPT}
    kept = {"version": VERSION, "part": slice.part, "before": slice.before, **known}
    write_whole(state.path.with_suffix(END), json.dumps(kept, indent=1).encode("utf-8"))


def read_kept(out_path: Path) -> Kept:
    path, name = beside(out_path, END), readable(out_path)
    if beside(out_path, ".progress").exists():
        raise ValueError(f"{name} isn't done: its run was interrupted, or goes on. Run its command again.")
    if not path.exists():
        found = f"there is no {readable(path.name)} beside it"
        raise ValueError(
            f"{name} isn't a part: {found}. Make it with annotate --part, and keep both together."
        )
    try:
        state = json.loads(path.read_bytes())
        version, part, before = state.pop("version"), Part(*state.pop("part")), state.pop("before")
    except (ValueError, KeyError, AttributeError, TypeError) as err:
        raise ValueError(f"Can't read {readable(path)} ({err}). Annotate the part again.") from None
    if version != VERSION or state.keys() != set(KEPT):
        raise ValueError(f"{readable(path)} is of another version of hmtl_spacy. Annotate the part again.")
    return Kept(out_path, part, before, state)


def in_order(parts: List[Kept]) -> List[Kept]:
    """All parts of one run, checked: none missing or twice, each the continuation of the one before."""
    of = parts[0].part.of
    for other in parts:
        if other.part.of != of:
            found = f"{readable(parts[0].path)} is one of {of}, {readable(other.path)} one of {other.part.of}"
            raise ValueError(f"Can't join parts of different divisions: {found}.")
    numbers = [each.part.number for each in parts]
    if twice := sorted({number for number in numbers if numbers.count(number) > 1}):
        raise ValueError(f"Can't join: twice there are the parts {_list(twice)} of {of}. Name each once.")
    if missing := sorted(set(range(1, of + 1)) - set(numbers)):
        raise ValueError(f"Can't join: of {of} parts these are missing: {_list(missing)}.")
    parts = sorted(parts, key=lambda each: each.part.number)
    after = ""
    for each in parts:
        if each.before != after:
            found = "the input before it wasn't what the part before it read"
            advice = "Annotate both again, from one input"
            raise ValueError(f"Can't join {readable(each.path)}: {found}. {advice}.")
        after = each.state["digest"] or after
    return parts


def _list(numbers: List[int]) -> str:
    return ", ".join(map(str, numbers[:20])) + (f" and {len(numbers) - 20} more" if numbers[20:] else "")
