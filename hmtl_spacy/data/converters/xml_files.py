"""XML files from anywhere: no entity is expanded, no DTD or other file is read."""

from pathlib import Path
from typing import Dict, Iterable, Iterator, List, NoReturn, Optional, Tuple, Union
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from .common import ConversionError

CHUNK = 1 << 16


def read_elements(
    chunks: Iterable[bytes], tag: str, root: str, source: str
) -> Iterator[Tuple[Element, Dict[Element, int]]]:
    """The elements of a name, one after the other, so that memory grows with the largest.

    chunks: the file's bytes.
    tag: their name.
    root: the name of the file's root.
    source: the name of the file, for messages.
    YIELDS: each element, and the lines in which it and those inside of it begin.
    """
    reader = _Reader(tag, root, source)
    for chunk in chunks:
        reader.feed(chunk)
        yield from reader.take()
    reader.feed(b"", last=True)
    yield from reader.take()


def check_xml(raw: bytes, source: str) -> None:
    """Raise an error for what isn't whole XML, or declares entities; whoever reads it then expands none."""
    reader = _Reader("", "", source)
    reader.feed(raw, last=True)


def chunks_of(path: Union[str, Path]) -> Iterator[bytes]:
    """A file's bytes, piece by piece."""
    with Path(path).open("rb") as file_:
        while chunk := file_.read(CHUNK):
            yield chunk


class _Reader:
    """Builds the elements of a name while it reads. Without a name it builds nothing."""

    def __init__(self, tag: str, root: str, source: str):
        self.tag, self.root, self.source = tag, root, source
        self._done: List[Tuple[Element, Dict[Element, int]]] = []
        self._builder: Optional[TreeBuilder] = None
        self._lines: Dict[Element, int] = {}
        self._depth = 0  # of elements
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data
        self._parser.EntityDeclHandler = self._entity

    def feed(self, chunk: bytes, last: bool = False) -> None:
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as err:
            reason = expat.ErrorString(err.code)
            advice = "Is a part of the file missing?"
            raise ConversionError(self.source, err.lineno, f"not XML: {reason}. {advice}") from None

    def take(self) -> List[Tuple[Element, Dict[Element, int]]]:
        """The elements that are done and haven't been taken yet."""
        done, self._done = self._done, []
        return done

    def _start(self, name: str, attributes: Dict[str, str]) -> None:
        if self._depth == 0 and self.root and name != self.root:
            expected = f"found <{name}>, expected <{self.root}> around everything"
            raise ConversionError(self.source, self._line, f"{expected}. Is it the right format?")
        self._depth += 1
        if self._builder is None and name == self.tag:
            self._builder, self._lines, self._inside = TreeBuilder(), {}, self._depth
        if self._builder is not None:
            self._lines[self._builder.start(name, attributes)] = self._line

    def _end(self, name: str) -> None:
        if self._builder is not None:
            self._builder.end(name)
            if self._depth == self._inside:
                self._done.append((self._builder.close(), self._lines))
                self._builder = None
        self._depth -= 1

    def _data(self, text: str) -> None:
        if self._builder is not None:
            self._builder.data(text)

    def _entity(self, name: str, *_: object) -> NoReturn:
        found = f"found a declaration of the entity {name!r}"
        raise ConversionError(self.source, self._line, f"{found}. Entities aren't read: write their text.")

    @property
    def _line(self) -> int:
        return self._parser.CurrentLineNumber
