"""Objects of a JSON file one by one: of a list, however it is laid out, or of JSON lines."""

import codecs
import json
from pathlib import Path
from typing import Any, Dict, Iterator

from .common import ConversionError
from .records import DECODER, Record, check_text, shorten

CHUNK = 1 << 20  # bytes
SPACES = " \t\n\r"
MARGIN = 16  # characters: what was cut off before its end fails within so many of the buffer's end


class Item(Record):
    """An object of a JSON file. Errors name its number, since a whole list may stand on one line.

    number: its place among the objects of the file, from 1.
    """

    def __init__(self, data: Any, source: str, line: int, number: int):
        super().__init__(data, source, line)
        self.number = number

    def error(self, message: str) -> ConversionError:
        return ConversionError(self.source, self.line, f"record {self.number}: {message}")

    def id(self, key: str) -> str:
        """The document's name, or the number of the object if it has none."""
        return super().id(key) if self.data.get(key) is not None else str(self.number)

    def replaced(self, data: Dict[str, Any]) -> "Item":
        """Another object in the same place."""
        return Item(data, self.source, self.line, self.number)


def read_items(path: Path) -> Iterator[Item]:
    """Read the objects of a file in turn: only one of them is in memory.

    path: a file with a list of objects, with one object, or with several, one a line or not.
    YIELDS: the objects and their places.
    """
    if not path.is_file():
        raise ConversionError(str(path), None, "no such file; name an existing file to convert.")
    buffer = _Buffer(path)
    listed = buffer.next_sign() == "["
    if listed:
        buffer.skip()
    number = 0
    while (sign := buffer.next_sign()) not in ("", "]" if listed else ""):
        if listed and number:
            if sign != ",":
                raise buffer.error(f"found {sign!r} after record {number}, expected a comma or a bracket.")
            buffer.skip()
            buffer.next_sign()
        number += 1
        line, data = buffer.line, buffer.value(number)
        if not isinstance(data, dict):
            found = f"record {number} is {shorten(data)}, expected an object"
            raise ConversionError(str(path), line, f"{found} for each document.")
        yield Item(data, str(path), line, number)
    if listed:
        _check_end(buffer, number)


def _check_end(buffer: "_Buffer", number: int) -> None:
    if buffer.next_sign() != "]":
        raise buffer.error(f"the list ends after record {number} without a ]: the file is cut off.")
    buffer.skip()
    if sign := buffer.next_sign():
        raise buffer.error(f"found {sign!r} after the list. Put one list in a file, or one object a line.")


class _Buffer:
    """A file's text from where it was read to, a chunk or more of it.

    line: the number of the line, from 1.
    """

    def __init__(self, path: Path):
        self.path = path
        self.line = 1
        self._text, self._at = "", 0
        self._chunks = _read_chunks(path)

    def error(self, message: str) -> ConversionError:
        return ConversionError(str(self.path), self.line, message)

    def next_sign(self) -> str:
        """The next character that isn't white space, which is skipped; empty at the end of the file."""
        while True:
            while self._at < len(self._text):
                sign = self._text[self._at]
                if sign not in SPACES:
                    return sign
                self.line += sign == "\n"
                self._at += 1
            if not self._more():
                return ""

    def skip(self) -> None:
        self._at += 1

    def value(self, number: int) -> Any:
        """Read the value that begins here."""
        wanted = CHUNK
        while True:
            try:
                data, end = DECODER.raw_decode(self._text, self._at)
                break
            except (ValueError, RecursionError) as err:
                if not (self._may_be_cut(err) and self._more(wanted)):
                    raise self._not_json(err, number) from None
                wanted *= 2  # else a large object would be read again and again
        try:
            check_text(self._text[self._at : end], data)
        except ValueError as err:
            raise self._not_json(err, number) from None
        self.line += self._text.count("\n", self._at, end)
        self._at = end
        return data

    def _may_be_cut(self, err: Exception) -> bool:
        if not isinstance(err, json.JSONDecodeError):
            return False
        return err.msg.startswith("Unterminated string") or err.pos >= len(self._text) - MARGIN

    def _not_json(self, err: Exception, number: int) -> ConversionError:
        if isinstance(err, json.JSONDecodeError):
            line = self.line + self._text.count("\n", self._at, err.pos)
            at_end = self._may_be_cut(err)
            what = f"{err.msg}{', at the end of the file: it is cut off' if at_end else ''}"
        else:
            line, what = self.line, str(err)
        advice = "Write a list of objects, or one object a line"
        return ConversionError(str(self.path), line, f"record {number} isn't JSON: {what}. {advice}.")

    def _more(self, size: int = CHUNK) -> bool:
        """Read on; whether there was something."""
        parts = [self._text[self._at :]]
        read = 0
        while read < size and (chunk := next(self._chunks, "")):
            parts.append(chunk)
            read += len(chunk)
        self._text, self._at = "".join(parts), 0
        return read > 0


def _read_chunks(path: Path) -> Iterator[str]:
    """The text of a UTF-8 file in chunks, none empty, without a byte order mark."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    line = 1
    with path.open("rb") as file_:
        while True:
            raw = file_.read(CHUNK)
            if line == 1 and raw.startswith(b"PK\x03\x04"):
                raise ConversionError(str(path), None, "it is a zip archive. Unpack it first.")
            try:
                text = decoder.decode(raw, final=not raw)
            except UnicodeDecodeError as err:
                line += bytes(err.object[: err.start]).count(b"\n")
                found = f"byte {err.object[err.start]:#04x} isn't UTF-8 ({err.reason})"
                raise ConversionError(str(path), line, f"{found}. Save the file as UTF-8.") from None
            if text:
                line += text.count("\n")
                yield text
            elif not raw:
                return
