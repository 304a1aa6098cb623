"""JSON lines: one object a line, checked where it is read, with the place in every message."""

import json
import math
from typing import Any, Collection, Dict, Iterable, Iterator, List, NoReturn, Optional, Tuple

import srsly

from .common import ConversionError

DEPTH = (
    200  # levels of lists and objects in what is stored beside a text: pickle takes about 500, msgpack 511
)


class Record:
    """One line of a file and where it stands.

    data: the object.
    source: the name of the file.
    line: the number of the line, from 1.
    """

    def __init__(self, data: Dict[str, Any], source: str, line: int):
        self.data = data
        self.source = source
        self.line = line

    def error(self, message: str) -> ConversionError:
        return ConversionError(self.source, self.line, message)

    def layer(self, key: str) -> Optional[List[Any]]:
        """The list under a key, or None if the key is missing or null: not annotated."""
        value = self.data.get(key)
        if value is not None and not isinstance(value, list):
            found = f"found {key!r}: {shorten(value)}, expected a list"
            raise self.error(f"{found}. Leave the key out if it isn't annotated.")
        return value

    def label(self, row: Any, place: Any) -> str:
        """The label at a place in a row (a list) or under a key (of an object)."""
        try:
            label = row[place]
        except (IndexError, KeyError, TypeError):
            label = None
        if not isinstance(label, str) or not label:
            raise self.error(f"found {shorten(row)}, expected a label at {place!r}.")
        return label

    def check_keys(self, value: Dict[str, Any], known: Collection[str], place: str, advice: str) -> None:
        """Raise an error where an object has keys that nobody reads: a misspelt one isn't a missing one."""
        if unknown := [key for key in value if key not in known]:
            found = f"found the key {unknown[0]!r}{place}, expected some of {', '.join(known)}"
            raise self.error(f"{found}. {advice}")

    def score(self, value: Any) -> Optional[float]:
        """The confidence in a span or relation, None if it has none."""
        score = value.get("score") if isinstance(value, dict) else None
        if score is not None and not (type(score) in (int, float) and 0 <= score <= 1):
            raise self.error(f"found {shorten(value)}, expected a score from 0 to 1, or none.")
        return score

    def id(self, key: str) -> str:
        """The document's name, or the number of the line if it has none."""
        value = self.data.get(key)
        if value is not None and type(value) not in (str, int, float):
            raise self.error(f"found {key!r}: {shorten(value)}, expected a string or a number.")
        return str(self.line if value is None else value)

    def meta(self, key: str) -> Any:
        """What is to be kept beside the text, None if there is nothing; it must be what .spacy files hold."""
        value = self.data.get(key)
        try:
            if _is_deeper(value, DEPTH):
                raise ValueError(f"it is nested more than {DEPTH} levels deep")
            srsly.msgpack_dumps(value)
        except (ValueError, OverflowError) as err:
            reason = str(err).rstrip(".").replace("Integer value", "an integer is")
            advice = "Write such numbers as strings, and less deeply nested lists and objects"
            raise self.error(f"found {key!r}, which can't be stored: {reason}. {advice}.") from None
        return value


def read_records(lines: Iterable[str], source: str) -> Iterator[Record]:
    """Read JSON lines; blank ones are skipped.

    lines: the decoded lines of the file.
    source: the name of the file, for messages.
    YIELDS: the objects and their places.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield parse_record(line, source, number)


def parse_record(line: str, source: str, number: int) -> Record:
    """Read one JSON line.

    line: the decoded line.
    source: the name of the file, for messages.
    number: the number of the line, from 1.
    RETURNS: the object and its place.
    """
    try:
        data = DECODER.decode(line)
        check_text(line, data)
    except (ValueError, RecursionError) as err:
        raise ConversionError(source, number, f"not JSON: {err}. Write one object per line.") from None
    if not isinstance(data, dict):
        found = f"found {shorten(data)}, expected an object"
        raise ConversionError(source, number, f"{found}. Write one document per line.")
    return Record(data, source, number)


def check_text(line: str, data: Any) -> None:
    """Raise an error where JSON has half a surrogate pair, which isn't text.

    line: what was read. data: what it became.
    """
    if "\\u" in line:
        json.dumps(data, ensure_ascii=False).encode("utf-8")


def _object(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    """An object, whose keys are all different: Python's own takes the last."""
    data = dict(pairs)
    if len(data) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} is there twice in an object")
    return data


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text} is too large")
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} isn't a number of JSON")


DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_number, parse_constant=_no_number)


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested more than so many levels deep."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if items is None:
        return False
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in items)


def shorten(value: Any, width: int = 80) -> str:
    """Show a value in a message, cut to a readable length.

    value: the value.
    width: the most characters to show.
    RETURNS: its representation.
    """
    try:
        text = repr(value)
    except RecursionError:
        text = f"a {type(value).__name__} nested too deeply to show"
    return text if len(text) <= width else f"{text[: width - 3]}..."
