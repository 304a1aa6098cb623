"""DyGIE-style JSON lines (SciERC): mentions, relations and clusters over tokenised sentences.

Offsets count the document's tokens, ends *inclusive*; spaCy's are exclusive.
"""

import json
from collections import Counter
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ...annotations import Relation, set_clusters, set_mentions, set_relations
from .clusters import resolve_clusters
from .reading import ConversionError, make_doc

ESCAPES = {
    "-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}", "``": '"', "''": '"',
}  # fmt: skip


def dygie_to_docs(
    lines: Iterable[str],
    *,
    source: str = "<input>",
    vocab: Optional[Vocab] = None,
    unescape: bool = True,
    singletons: bool = False,
    dropped: Optional[Counter] = None,
) -> Iterator[Doc]:
    """Convert DyGIE's JSON lines. A layer whose key is missing, or null, is not annotated.

    lines (Iterable[str]): The decoded lines of the file, one document each.
    source (str): The name of the file, for messages.
    vocab (Optional[Vocab]): The vocabulary of the documents.
    unescape (bool): Write brackets and quotes instead of the treebank's -LRB-, `` and so on.
    singletons (bool): Keep clusters of one mention.
    dropped (Optional[Counter]): What couldn't be kept is counted here.
    YIELDS (Doc): The documents.
    """
    vocab = Vocab() if vocab is None else vocab
    dropped = Counter() if dropped is None else dropped
    for number, line in enumerate(lines, start=1):
        if line.strip():
            reader = _Record(line, number, source)
            doc = reader.doc(vocab, unescape)
            reader.annotate(doc, singletons, dropped)
            yield doc


class _Record:
    """One line of the file; knows where it stands, so that every error can tell."""

    def __init__(self, line: str, number: int, source: str):
        self.number = number
        self.source = source
        try:
            self.data: Dict[str, Any] = json.loads(line)
        except json.JSONDecodeError as err:
            found = f"not JSON: {err.msg} at column {err.colno}"
            raise self.error(f"{found}. Write one document per line.") from None
        if not isinstance(self.data, dict) or not isinstance(self.data.get("sentences"), list):
            raise self.error("expected an object with the key 'sentences', a list of lists of tokens.")

    def error(self, message: str) -> ConversionError:
        return ConversionError(self.source, self.number, message)

    def doc(self, vocab: Vocab, unescape: bool) -> Doc:
        sentences = self.data["sentences"]
        for sentence in sentences:
            if not isinstance(sentence, list) or not all(isinstance(word, str) and word for word in sentence):
                raise self.error(f"found the sentence {sentence!r}, expected a list of tokens, none empty.")
        words = [word for sentence in sentences for word in sentence]
        if unescape:
            words = [ESCAPES.get(word, word) for word in words]
        doc_key = self.data.get("doc_key")
        id = str(self.number) if doc_key is None else str(doc_key)
        return make_doc(vocab, words, None, [len(sentence) for sentence in sentences], id)

    def annotate(self, doc: Doc, singletons: bool, dropped: Counter) -> None:
        labels: Dict[Tuple[int, int], str] = {}
        ner, relations, clusters = (self.rows(key) for key in ("ner", "relations", "clusters"))
        if ner is not None:
            mentions = []
            for row in _flat(ner):
                (start, end), label = self.offsets(row, 0, doc), self.label(row, 2)
                labels.setdefault((start, end), label)
                mentions.append(Span(doc, start, end, label))
            set_mentions(doc, mentions)
        if relations is not None:
            found = []
            for row in _flat(relations):
                offsets = self.offsets(row, 0, doc), self.offsets(row, 2, doc)
                head, tail = (Span(doc, *pair, labels.get(pair, "")) for pair in offsets)
                found.append(Relation(head, tail, self.label(row, 4)))
            set_relations(doc, found)
        if clusters is not None:
            rows = [[self.offsets(mention, 0, doc) for mention in cluster] for cluster in clusters]
            set_clusters(doc, resolve_clusters(rows, singletons, dropped))

    def rows(self, key: str) -> Optional[List[List[Any]]]:
        """A layer as a list of lists: per sentence its rows, or per cluster its mentions."""
        value = self.data.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(rows, list) for rows in value):
            found = f"found {key} = {str(value):.80}, expected a list of lists"
            raise self.error(f"{found}. Leave the key out if it isn't annotated.")
        return value

    def offsets(self, row: Any, column: int, doc: Doc) -> Tuple[int, int]:
        pair = row[column : column + 2] if isinstance(row, list) else []
        if len(pair) != 2 or not all(type(value) is int for value in pair):
            raise self.error(f"found {row!r}, expected a start and an end token at position {column}.")
        start, end = pair
        if not 0 <= start <= end < len(doc):
            expected = f"0 <= start <= end < {len(doc)}, the document's tokens; ends are inclusive"
            raise self.error(f"found the span {pair} in {row!r}, expected {expected}.")
        return start, end + 1

    def label(self, row: List[Any], column: int) -> str:
        if len(row) <= column or not isinstance(row[column], str) or not row[column]:
            raise self.error(f"found {row!r}, expected a label at position {column}.")
        return row[column]


def _flat(rows: List[List[Any]]) -> Iterator[Any]:
    return (row for sentence in rows for row in sentence)
