"""WebAnno TSV 3, an older format of WebAnno and INCEpTION: named entities, spans, relations and chains."""

import re
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple, Union

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..vocabulary import vocabulary
from .clusters import Offsets
from .common import ConversionError
from .converter import Converter
from .folders import read_folder
from .layout import lay_tokens
from .records import shorten
from .rules import Rules, takes
from .standoff import Standoff
from .uima import kind_of, preferred
from .units import Positions, Unit
from .webanno_rows import Layer, Row, Sentence, read_rows, stacked, unescape

LINK = re.compile(r"(.*)->(\d+)-(\d+)", re.DOTALL)  # of a chain: its label, the chain, its place there
SOURCE = re.compile(r"(\d+-\d+(?:\.\d+)?)(?:\[(\d+)_(\d+)\])?")


class Annotation(NamedTuple):
    """A span of a layer: the rows it covers and its features' values."""

    rows: List[Row]
    values: List[str]


@takes(Rules)
def webanno_to_docs(
    lines: Iterable[str],
    *,
    source: str = "<input>",
    vocab: Optional[Vocab] = None,
    repair: bool = False,
    dropped: Counter[str],
    rules: Rules,
) -> Iterator[Doc]:
    """WebAnno TSV 3.3 of INCEpTION. Fills the layers that the header names, of all four.

    The layer Named entity becomes entities, other layers of spans mentions, chains clusters.

    lines: the decoded lines of the file.
    source: the name of the file, for messages.
    vocab: the vocabulary of the documents.
    repair: take a last line without a line feed as whole.
    dropped: what couldn't be kept is counted here.
    YIELDS: the document.
    """
    layers, sentences = read_rows(lines, source)
    document = _lay(sentences, source)
    doc = lay_tokens(vocabulary(vocab), document.text, document.tokens, document.sentences)
    doc.user_data["id"] = Path(source).stem
    yield Reader(doc, document.positions, layers, sentences, source, dropped, rules).annotate()


class Document(NamedTuple):
    """The text of a file, and where its tokens and sentences are in it, in code points."""

    text: str
    positions: Positions
    tokens: Set[Offsets]
    sentences: List[Offsets]


def _lay(sentences: List[Sentence], source: str) -> Document:
    """Put the sentences where the file says, in UTF-16 units; in code points if only these fit."""
    errors = []
    for unit in ("utf16", "codepoint"):
        try:
            return _lay_as(sentences, source, unit)
        except ConversionError as err:
            errors.append(err)
    raise errors[0]


def _lay_as(sentences: List[Sentence], source: str, unit: Unit) -> Document:
    text, length, places = "", 0, []
    for sentence in sentences:
        begin = sentence.rows[0].start if sentence.rows else length
        if begin == length - 1:  # no line feed between the two
            text, length = text[:-1], begin
        line = sentence.rows[0].line if sentence.rows else None
        if begin < length:
            found = f"the sentence {shorten(sentence.text)} begins at {begin}"
            raise ConversionError(source, line, f"{found}, but the one before it ends at {length}.")
        text += " " * (begin - length)
        places.append((len(text), len(text) + len(sentence.text)))
        text += f"{sentence.text}\n"
        length = begin + Positions(sentence.text, unit).size + 1
    positions = Positions(text, unit)
    tokens = set()
    for row in (row for sentence in sentences for row in sentence.rows):
        start, end = positions.find(row.start), positions.find(row.end)
        if start is None or end is None or text[start:end] != row.text:
            there = "outside of the text" if start is None or end is None else repr(text[start:end])
            found = f"the token {row.text!r} is at {row.start}-{row.end}, which is {there}"
            raise ConversionError(source, row.line, f"{found}. Is a part of the file missing or changed?")
        tokens.add((start, end))
    return Document(text, positions, _split_at_parts(tokens), places)


def _split_at_parts(tokens: Set[Offsets]) -> Set[Offsets]:
    """The tokens, divided where a part of one begins or ends."""
    cuts = sorted({offset for token in tokens for offset in token})
    pieces = zip(cuts, cuts[1:])
    whole = sorted(tokens, key=lambda token: (token[0], -token[1]))
    found, i = set(), 0
    for start, end in pieces:
        while i < len(whole) and whole[i][1] <= start:
            i += 1
        if i < len(whole) and whole[i][0] <= start:
            found.add((start, end))
    return found


class Reader:
    """Reads the layers of a document.

    doc: its tokens.
    positions: from the file's offsets to characters.
    dropped: what isn't read is counted here.
    """

    def __init__(
        self,
        doc: Doc,
        positions: Positions,
        layers: List[Layer],
        sentences: List[Sentence],
        source: str,
        dropped: Counter[str],
        rules: Rules,
    ):
        self.positions = positions
        self.layers = layers
        self.rows = [row for sentence in sentences for row in sentence.rows]
        self.source = source
        self.dropped = dropped
        self.line: Optional[int] = None
        self.standoff = Standoff(doc, rules, self._error, dropped)
        self.spans: Dict[str, Dict[Any, Annotation]] = {}  # by layer

    def annotate(self) -> Doc:
        """Write all layers, once."""
        found = {"clusters"} if self.standoff.rules.has_coref else set()
        for layer in self.layers:
            kind = kind_of(layer.type) if layer.kind == "SP" else "mentions"
            if layer.kind == "CH":
                found.add("clusters")
                self._read_chains(layer)
            elif layer.kind == "SP":
                self.spans[layer.type] = self._annotations(layer)
                if kind:
                    found.add(kind)
                    self._read_spans(layer, kind)
                else:
                    self.dropped[f"annotations of the layer {layer.name}"] += len(self.spans[layer.type])
        for layer in self.layers:
            if layer.kind == "RL":
                found |= {"relations"} if self._read_relations(layer) else set()
        self.line = None
        return self.standoff.annotate(found)

    def _error(self, message: str) -> ConversionError:
        return ConversionError(self.source, self.line, message)

    def _offsets(self, rows: List[Row]) -> Offsets:
        places = [(self.positions.find(row.start), self.positions.find(row.end)) for row in rows]
        return min(start or 0 for start, _ in places), max(end or 0 for _, end in places)

    def _annotations(self, layer: Layer) -> Dict[Any, Annotation]:
        """The spans of a layer, by number, else by row."""
        spans: Dict[Any, Annotation] = {}
        for row in self.rows:
            columns = [list(stacked(row.cells[layer.column + i])) for i in range(len(layer.features))]
            for j in range(max(map(len, columns))):
                cells = [column[j] if j < len(column) else None for column in columns]
                there = [cell for cell in cells if cell is not None]
                if there:
                    key = next((cell.number for cell in there if cell.number), row.id)
                    values = [unescape(cell.value) if cell else "" for cell in cells]
                    spans.setdefault(key, Annotation([], values)).rows.append(row)
        return spans

    def _read_spans(self, layer: Layer, kind: str) -> None:
        column = preferred(layer.features)
        for key, annotation in self.spans[layer.type].items():
            self.line = annotation.rows[0].line
            label = annotation.values[column]
            self.dropped["spans without a value, labelled as their layer"] += not label
            place, names = self._offsets(annotation.rows), (layer.name, layer.type)
            self.standoff.span((layer.type, key), [place], label or layer.name, names, kind)

    def _read_chains(self, layer: Layer) -> None:
        links: Dict[Tuple[str, str], List[Row]] = {}
        for row in self.rows:
            cells = [row.cells[layer.column + i] for i in range(len(layer.features))]
            for cell in filter(None, (value for column in cells for value in stacked(column))):
                if match := LINK.fullmatch(cell.value):
                    links.setdefault((match[2], match[3]), []).append(row)
        chains: Dict[str, List[Any]] = {}
        for (chain, link), rows in links.items():
            self.line = rows[0].line
            self.standoff.argument((layer.type, chain, link), [self._offsets(rows)])
            chains.setdefault(chain, []).append((layer.type, chain, link))
        for chain, ids in chains.items():
            self.standoff.entity((layer.type, chain), ids)

    def _read_relations(self, layer: Layer) -> bool:
        """Read the relations of a layer. RETURNS: whether its spans are ours."""
        base = layer.features[-1].removeprefix("BT_")
        column, known = preferred(layer.features[:-1]), base in self.spans and bool(kind_of(base))
        for row in self.rows:
            self.line = row.line
            values = list(stacked(row.cells[layer.column + column]))
            cell = row.cells[layer.column + len(layer.features) - 1]
            sources = [] if cell == "_" else cell.split("|")
            if not known:
                self.dropped[f"relations of the layer {layer.name}"] += len(sources)
                continue
            for i, source in enumerate(sources):
                match = SOURCE.fullmatch(source)
                if match is None:
                    raise self._error(f"found the source {source!r} of a relation, expected 1-1 or 1-1[1_2].")
                head, tail = self._find(base, match[1], match[2]), self._find(base, row.id, match[3])
                value = values[i] if i < len(values) else None
                label = unescape(value.value) if value else ""
                self.dropped["relations without a value, labelled as their layer"] += not label
                self.standoff.relation((base, head), (base, tail), label or layer.name)
        return known

    def _find(self, base: str, row: str, number: Optional[str]) -> str:
        """The span of a layer by its number, else the one that begins in a row."""
        spans = self.spans[base]
        key = number if number and number != "0" else row
        if key not in spans:
            starting = [key for key, span in spans.items() if span.rows[0].id == row]
            if len(starting) != 1 or key != row:
                found = f"a relation names the span {key!r} of {base}, which isn't there"
                raise self._error(f"{found}. Is a part of the file missing?")
            key = starting[0]
        return key


def webanno_folder_to_docs(
    path: Union[str, Path],
    *,
    pattern: str = "*.tsv",
    repair: bool = False,
    vocab: Optional[Vocab] = None,
    dropped: Optional[Counter[str]] = None,
    **options: Any,
) -> Iterator[Doc]:
    """Convert all files in or below a folder.

    path: the folder.
    pattern: what the names of the files are like.
    vocab, repair, dropped: as for a file.
    options: the other options of a file.
    YIELDS: the documents.
    """
    yield from read_folder(
        webanno_to_docs, path, pattern, repair=repair, vocab=vocab, dropped=dropped, **options
    )


converter = Converter(
    webanno_to_docs,
    webanno_folder_to_docs,
    input="A .tsv file, or a folder of such files",
    example="annotation.tsv train.spacy",
    rows=True,
)
