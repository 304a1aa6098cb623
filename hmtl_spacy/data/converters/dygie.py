"""DyGIE-style JSON lines (SciERC): mentions, relations and clusters over tokenised sentences.

Offsets count the document's tokens, ends *inclusive*; spaCy's are exclusive.
"""

from collections import Counter
from itertools import accumulate
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ...annotations import Relation, set_clusters, set_mentions, set_relations
from ..vocabulary import vocabulary
from .clusters import Offsets, resolve_clusters
from .common import TREEBANK_ESCAPES, make_doc
from .converter import Converter
from .records import Record, read_records, shorten
from .repair import Repair

LAYERS = ("ner", "relations", "clusters")
KEYS = ("doc_key", "sentences", *LAYERS)
NOT_READ = ("events", "event_clusters", "dataset", "weight")  # DyGIE++ has them
PREDICTED = "predicted_"  # the beginning of keys with what DyGIE++ predicts, beside the gold annotation
BESIDE = ("_", PREDICTED)
META = "_meta"  # as our writer calls it
ACROSS = "across sentences (kept, but no model predicts them)"


def dygie_to_docs(
    lines: Iterable[str],
    *,
    source: str = "<input>",
    vocab: Optional[Vocab] = None,
    unescape: bool = True,
    singletons: bool = False,
    repair: bool = False,
    predictions: bool = False,
    dropped: Optional[Counter[str]] = None,
) -> Iterator[Doc]:
    """DyGIE-style JSON lines (SciERC). Fills mentions, relations and coreference clusters.

    A layer whose key is missing, or null, is not annotated.

    lines: the decoded lines of the file, one document each.
    source: the name of the file, for messages.
    vocab: the vocabulary of the documents.
    unescape: write brackets and quotes for -LRB-, `` and so on.
    singletons: keep clusters of one mention.
    repair: read lines of one `sentence`, whose layers aren't lists of sentences.
    predictions: read `predicted_ner` and so on in place of `ner` and so on.
    dropped: what couldn't be kept is counted here.
    YIELDS: the documents.
    """
    vocab = vocabulary(vocab)
    dropped = Counter() if dropped is None else dropped
    for record in read_records(lines, source):
        if "sentence" in record.data:
            record = _of_one_sentence(record, Repair(repair, source, dropped))
        if predictions:
            record = _of_predictions(record)
        _check_keys(record, dropped)
        doc = _make_doc(record, vocab, unescape)
        _annotate(doc, record, singletons, dropped)
        yield doc


def _of_one_sentence(record: Record, repair: Repair) -> Record:
    """A line whose tokens are under `sentence`, as one of `sentences`."""
    data = dict(record.data)
    words = data.pop("sentence")
    found = f"found the key 'sentence': {shorten(words)}, expected 'sentences', a list of lists of tokens."
    repair.mend(record.line, found, "lines of one sentence, read as a document")
    if "sentences" in data or not isinstance(words, list) or any(isinstance(word, list) for word in words):
        raise record.error(f"{found} Only a list of tokens, and no 'sentences' beside it, can be repaired.")
    data["sentences"] = [words]
    for key in ("ner", "relations"):
        rows = record.layer(key)
        if rows is not None and not any(isinstance(cell, list) for row in rows[:1] for cell in row or [[]]):
            data[key] = [rows]
    return Record(data, record.source, record.line)


def _of_predictions(record: Record) -> Record:
    """A line with what was predicted of it as its annotation; the gold annotation is gone."""
    data = {key: value for key, value in record.data.items() if key not in LAYERS}
    for layer in LAYERS:
        if PREDICTED + layer in data:
            data[layer] = data.pop(PREDICTED + layer)
    return Record(data, record.source, record.line)


def _check_keys(record: Record, dropped: Counter[str]) -> None:
    """Events, what DyGIE++ says of a line, and keys that begin with _, which it leaves alone, are counted."""
    for key in record.data:
        if key in NOT_READ or (key.startswith(BESIDE) and key != META):
            dropped[f"values of {key!r}, which isn't read"] += 1
    known = (*KEYS, META, *NOT_READ, *(key for key in record.data if key.startswith(BESIDE)))
    if unknown := [key for key in record.data if key not in known]:
        found = f"found the key {unknown[0]!r}, expected some of {', '.join(KEYS)}"
        advice = "Rename it if it is one of them ('coref' to 'clusters'), or remove it"
        raise record.error(f"{found}. {advice}; keys that begin with _ are left alone.")


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
    doc = make_doc(vocab, words, None, [len(sentence) for sentence in sentences], record.id("doc_key"))
    if (meta := record.meta(META)) is not None:
        doc.user_data["meta"] = meta
    return doc


def _annotate(doc: Doc, record: Record, singletons: bool, dropped: Counter[str]) -> None:
    bounds = _bounds(record)
    labels: Dict[Offsets, str] = {}
    ner, relations, clusters = (_rows(record, key) for key in LAYERS)
    if ner is not None:
        mentions: Dict[Tuple[Offsets, str], Span] = {}
        for row, sentence in _by_sentence(ner, bounds, record, "ner"):
            place, label = _offsets(doc, record, row, 0), record.label(row, 2)
            _check_place(place, sentence, row, record, "ner")
            dropped["values after [start, end, label] in 'ner', such as scores (not read)"] += len(row) - 3
            labels.setdefault(place, label)
            dropped["duplicates in 'ner'"] += (place, label) in mentions
            dropped[f"mentions {ACROSS}"] += place[1] > sentence[1]
            mentions[place, label] = Span(doc, *place, label)
        set_mentions(doc, mentions.values())
    if relations is not None:
        links: Dict[Tuple[Offsets, Offsets, str], Relation] = {}
        for row, sentence in _by_sentence(relations, bounds, record, "relations"):
            places = _offsets(doc, record, row, 0), _offsets(doc, record, row, 2)
            _check_place(places[0], sentence, row, record, "relations")
            head, tail = (Span(doc, *place, labels.get(place, "")) for place in places)
            label = record.label(row, 4)
            dropped["values after the label in 'relations', such as scores (not read)"] += len(row) - 5
            if (*places, label) in links:
                dropped["duplicates in 'relations'"] += 1
                continue
            inside = all(sentence[0] <= start and end <= sentence[1] for start, end in places)
            dropped[f"relations {ACROSS}"] += not inside
            links[(*places, label)] = Relation(head, tail, label)
        set_relations(doc, links.values())
    if clusters is not None:
        rows = [[_offsets(doc, record, mention, 0) for mention in cluster] for cluster in clusters]
        for mention in (mention for cluster in clusters for mention in cluster):
            if len(mention) != 2:
                raise record.error(f"found {shorten(mention)}, expected [start, end] and nothing else.")
        set_clusters(doc, resolve_clusters(rows, singletons, dropped))


def _bounds(record: Record) -> List[Offsets]:
    """Start and end of each sentence, in tokens of the document."""
    ends = list(accumulate(map(len, record.data["sentences"]), initial=0))
    return list(zip(ends, ends[1:], strict=False))


def _by_sentence(
    rows: List[List[Any]], bounds: List[Offsets], record: Record, key: str
) -> Iterator[Tuple[Any, Offsets]]:
    """Each row of a layer with start and end of the sentence in whose list it is."""
    if len(rows) != len(bounds):
        found = f"found {len(rows)} lists in {key!r} for {len(bounds)} sentences"
        raise record.error(f"{found}, expected one a sentence, empty where nothing is annotated.")
    return (
        (row, sentence) for of_sentence, sentence in zip(rows, bounds, strict=True) for row in of_sentence
    )


def _check_place(place: Offsets, sentence: Offsets, row: Any, record: Record, key: str) -> None:
    """The first span of a row begins in the sentence in whose list it is."""
    if not sentence[0] <= place[0] < sentence[1]:
        found = (
            f"found {shorten(row)} in the list of {key!r} for the tokens {sentence[0]} to {sentence[1] - 1}"
        )
        expected = "expected a span that begins there"
        raise record.error(f"{found}, {expected}. Offsets count the document's tokens, not the sentence's.")


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


converter = Converter(dygie_to_docs, example="train.json train.spacy")
