"""DyGIE-style JSON lines (SciERC): mentions, relations and clusters over tokenised sentences.

Offsets count the document's tokens, ends *inclusive*; spaCy's are exclusive.
"""

from collections import Counter
from typing import Any, Dict, Iterable, Iterator, List, Optional

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ...annotations import Relation, set_clusters, set_mentions, set_relations
from .clusters import Offsets, resolve_clusters
from .common import TREEBANK_ESCAPES, make_doc
from .converter import Converter
from .records import Record, read_records, shorten


def dygie_to_docs(
    lines: Iterable[str],
    *,
    source: str = "<input>",
    vocab: Optional[Vocab] = None,
    unescape: bool = True,
    singletons: bool = False,
    dropped: Optional[Counter[str]] = None,
) -> Iterator[Doc]:
    """DyGIE-style JSON lines (SciERC). Fills mentions, relations and coreference clusters.

    A layer whose key is missing, or null, is not annotated.

    lines: the decoded lines of the file, one document each.
    source: the name of the file, for messages.
    vocab: the vocabulary of the documents.
    unescape: write brackets and quotes for -LRB-, `` and so on.
    singletons: keep clusters of one mention.
    dropped: what couldn't be kept is counted here.
    YIELDS: the documents.
    """
    vocab = Vocab() if vocab is None else vocab
    dropped = Counter() if dropped is None else dropped
    for record in read_records(lines, source):
        doc = _make_doc(record, vocab, unescape)
        _annotate(doc, record, singletons, dropped)
        yield doc


def _make_doc(record: Record, vocab: Vocab, unescape: bool) -> Doc:
    sentences = _rows(record, "sentences")
    if sentences is None:
        found = f"found the keys {', '.join(record.data) or 'none'}"
        raise record.error(f"{found}, expected 'sentences', a list of lists of tokens.")
    for sentence in sentences:
        if not all(isinstance(word, str) and word for word in sentence):
            found = f"found the sentence {shorten(sentence)}"
            raise record.error(f"{found}, expected a list of tokens, none empty.")
    words = [word for sentence in sentences for word in sentence]
    if unescape:
        words = [TREEBANK_ESCAPES.get(word, word) for word in words]
    return make_doc(vocab, words, None, [len(sentence) for sentence in sentences], record.id("doc_key"))


def _annotate(doc: Doc, record: Record, singletons: bool, dropped: Counter[str]) -> None:
    labels: Dict[Offsets, str] = {}
    ner, relations, clusters = (_rows(record, key) for key in ("ner", "relations", "clusters"))
    if ner is not None:
        mentions = []
        for row in _flat(ner):
            (start, end), label = _offsets(doc, record, row, 0), record.label(row, 2)
            labels.setdefault((start, end), label)
            mentions.append(Span(doc, start, end, label))
        set_mentions(doc, mentions)
    if relations is not None:
        links = []
        for row in _flat(relations):
            offsets = _offsets(doc, record, row, 0), _offsets(doc, record, row, 2)
            head, tail = (Span(doc, *pair, labels.get(pair, "")) for pair in offsets)
            links.append(Relation(head, tail, record.label(row, 4)))
        set_relations(doc, links)
    if clusters is not None:
        rows = [[_offsets(doc, record, mention, 0) for mention in cluster] for cluster in clusters]
        set_clusters(doc, resolve_clusters(rows, singletons, dropped))


def _rows(record: Record, key: str) -> Optional[List[List[Any]]]:
    """A layer as a list of lists: per sentence its rows, or per cluster its mentions."""
    value = record.layer(key)
    if value is not None and not all(isinstance(rows, list) for rows in value):
        raise record.error(f"found {key!r}: {shorten(value)}, expected a list of lists.")
    return value


def _offsets(doc: Doc, record: Record, row: Any, column: int) -> Offsets:
    pair = row[column : column + 2] if isinstance(row, list) else []
    if len(pair) != 2 or not all(type(value) is int for value in pair):
        raise record.error(f"found {shorten(row)}, expected a start and an end token at {column}.")
    start, end = pair
    if not 0 <= start <= end < len(doc):
        expected = f"0 <= start <= end < {len(doc)}, the document's tokens; ends are inclusive"
        raise record.error(f"found the span {pair} in {shorten(row)}, expected {expected}.")
    return start, end + 1


def _flat(rows: List[List[Any]]) -> Iterator[Any]:
    return (row for sentence in rows for row in sentence)


converter = Converter(dygie_to_docs, example="train.json train.spacy")
