"""JSON lines: one object a line, checked where it is read, with the place in every message."""

import json
from typing import Any, Dict, Iterable, Iterator, List, Optional

from .common import ConversionError


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

    def score(self, value: Any) -> Optional[float]:
        """The confidence in a span or relation, None if it has none."""
        score = value.get("score") if isinstance(value, dict) else None
        if score is not None and not (type(score) in (int, float) and 0 <= score <= 1):
            raise self.error(f"found {shorten(value)}, expected a score from 0 to 1, or none.")
        return score

    def id(self, key: str) -> str:
        """The document's name, or the number of the line if it has none."""
        value = self.data.get(key)
        return str(self.line if value is None else value)


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
        data = json.loads(line)
        if "\\u" in line:  # half a surrogate pair isn't text
            json.dumps(data, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as err:
        raise ConversionError(source, number, f"not JSON: {err}. Write one object per line.") from None
    if not isinstance(data, dict):
        found = f"found {shorten(data)}, expected an object"
        raise ConversionError(source, number, f"{found}. Write one document per line.")
    return Record(data, source, number)


def shorten(value: Any, width: int = 80) -> str:
    """Show a value in a message, cut to a readable length.

    value: the value.
    width: the most characters to show.
    RETURNS: its representation.
    """
    text = repr(value)
    return text if len(text) <= width else f"{text[: width - 3]}..."
