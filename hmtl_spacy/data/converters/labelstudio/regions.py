"""The regions of a task of Label Studio: spans of its text, in whichever unit they were counted."""

from collections import Counter
from typing import Any, Dict, Hashable, List, NamedTuple, Optional, get_args

from ..records import shorten
from ..units import Positions, Unit
from .tasks import Task


class Region(NamedTuple):
    """A result that is a span. text: what it says of its text, None if it doesn't."""

    id: Hashable
    control: str
    start: int
    end: int
    labels: List[str]
    text: Optional[str]


def read_regions(task: Task, dropped: "Counter[str]") -> List[Region]:
    """The spans of a task; other results than spans and relations are counted."""
    regions = []
    for number, result in enumerate(task.results):
        kind, value = str(result.get("type")), result.get("value")
        if kind == "relation":
            continue
        value = value if isinstance(value, dict) else {}
        labels = value.get(kind)
        if "startOffset" in value:
            found = f"found a region of HTML, {shorten(value)}, whose offsets count what was shown"
            raise task.item.error(f"{found}. Import the text as <Text>, or leave the task out.")
        if not isinstance(labels, list) or "start" not in value or kind == "paragraphlabels":
            dropped[f"results of the type {kind!r}"] += 1
            continue
        regions.append(_read_region(task, result, value, labels, ("result", number)))
    return regions


def _read_region(
    task: Task, result: Dict[str, Any], value: Dict[str, Any], labels: List[Any], number: Hashable
) -> Region:
    start, end, text = (value.get(key) for key in ("start", "end", "text"))
    if not (type(start) is int and type(end) is int and isinstance(text, (str, type(None)))):
        raise task.item.error(f"found the region {shorten(value)}, expected start and end as numbers.")
    if not labels or not all(isinstance(label, str) and label for label in labels):
        raise task.item.error(f"found the region {shorten(value)}, expected labels, a list of strings.")
    return Region(result.get("id") or number, str(result.get("from_name", "")), start, end, labels, text)


def find_positions(
    task: Task, regions: List[Region], unit: Optional[Unit], dropped: "Counter[str]"
) -> Positions:
    """The unit in which the regions have the text that they say; older versions counted UTF-16 units.

    unit: what to count; None to try code points, then UTF-16 units.
    dropped: tasks in UTF-16 units are counted here.
    RETURNS: what turns their offsets into code points.
    """
    units: List[Unit] = ["codepoint", "utf16"] if unit is None else [unit]
    wrong: List[Region] = []
    for number, one in enumerate(units):
        positions = Positions(task.text, one)
        unfit = [region for region in regions if not _fits(region, positions, task.text)]
        if not unfit:
            dropped["tasks whose offsets count UTF-16 units"] += number
            return positions
        wrong = wrong or unfit
    region = wrong[0]
    there = task.text[region.start : region.end] if 0 <= region.start <= region.end else ""
    found = f"found the region {shorten(region.text)} at {region.start} to {region.end}"
    tried = " or ".join(units)
    advice = f"Name the text (--text-key), or what offsets count (--offsets {', '.join(get_args(Unit))})"
    raise task.item.error(f"{found}, where the text is {shorten(there)} (counted by {tried}). {advice}.")


def _fits(region: Region, positions: Positions, text: str) -> bool:
    start, end = positions.find(region.start), positions.find(region.end)
    if start is None or end is None or start > end:
        return False
    return not region.text or _fold(text[start:end]) == _fold(region.text)


def _fold(text: str) -> str:
    """Without what the editor changes: line ends become a backslash and an n, double spaces one."""
    return " ".join(text.replace("\\n", " ").split())
