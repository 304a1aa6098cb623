"""doccano's JSON lines: spans with labels, and relations where the project has them.

Offsets count UTF-16 units, or graphemes in projects made so: the file doesn't say which.
"""

from collections import Counter
from pathlib import Path
from typing import Any, Hashable, Iterator, List, NamedTuple, Optional

from spacy.tokens import Doc
from spacy.vocab import Vocab

from .converter import Converter
from .json_items import Item, read_items
from .records import shorten
from .rules import Rules, TextRules, takes
from .standoff import Standoff
from .tokens import load_tokenizer
from .units import Positions, Unit

SPANS = ("entities", "label", "labels", "annotations")  # where a line may have its spans
NOT_META = ("id", "text", "relations", "Comments", "comments", *SPANS)
OUR_ID = "hmtl_id"  # the document's id, as our writer has it: doccano gives ids of its own


class Row(NamedTuple):
    """A span as the file has it. id: None if it has none."""

    id: Optional[Hashable]
    start: int
    end: int
    label: str


@takes(TextRules)
def doccano_to_docs(
    path: Path,
    *,
    vocab: Optional[Vocab] = None,
    rules: TextRules,
    text_key: str = "text",
    label_key: Optional[str] = None,
    offsets: Unit = "utf16",
    dropped: Counter[str],
) -> Iterator[Doc]:
    """doccano's JSON lines, of projects with relations or without. Fills mentions, coreference and relations.

    Spans are mentions unless options say that they are named entities. Relations of the type `COREF` make
    clusters.

    path: the file.
    vocab: the vocabulary of the documents.
    rules: which layer a span belongs to, by its label.
    text_key: where a line has its text.
    label_key: where a line has its spans; by default `entities`, `label`, `labels` or `annotations`.
    offsets: what offsets count; `grapheme` for projects made so, `codepoint` for files that programs made.
    dropped: what couldn't be kept is counted here.
    YIELDS: the documents.
    """
    has_coref = rules.has_coref or any(_has_coref(item, rules) for item in read_items(path))
    nlp = load_tokenizer(rules.lang, rules.model, vocab)
    for item in read_items(path):
        text = item.data.get(text_key)
        if not isinstance(text, str):
            found = f"found {text_key!r}: {shorten(text)}, expected the text"
            raise item.error(f"{found}. Name its key (--text-key): there are {', '.join(item.data)}.")
        doc = nlp.tokenizer(text)
        doc.user_data["id"] = item.id(OUR_ID if OUR_ID in item.data else "id")
        if (meta := _meta(item, text_key, label_key)) is not None:
            doc.user_data["meta"] = meta
        key = label_key or next((key for key in SPANS if key in item.data), "entities")
        rows, relations = item.layer(key), item.layer("relations")
        annotation = Standoff(doc, rules, item.error, dropped)
        if rows is not None:
            _add_spans(annotation, item, rows, offsets, dropped)
        for relation in relations or ():
            _relate(annotation, item, relation)
        layers = {"mentions"} if rows is not None else set()
        layers |= {"relations"} if relations is not None else set()
        yield annotation.annotate(layers | ({"clusters"} if relations is not None and has_coref else set()))


def _has_coref(item: Item, rules: Rules) -> bool:
    relations = item.layer("relations") or ()
    return any(rules.is_coref(str(row.get("type"))) for row in relations if isinstance(row, dict))


def _meta(item: Item, text_key: str, label_key: Optional[str]) -> Any:
    """What else a line has: doccano keeps the metadata of an example flat beside its text."""
    known = (*NOT_META, OUR_ID, text_key, label_key)
    others = {key: value for key, value in item.data.items() if key not in known}
    ours = OUR_ID in item.data and list(others) == ["meta"]
    return item.replaced({"meta": others["meta"] if ours else others or None}).meta("meta")


def _add_spans(annotation: Standoff, item: Item, rows: List[Any], unit: Unit, dropped: Counter[str]) -> None:
    positions = Positions(annotation.text, unit)
    if positions.differs:
        dropped[f"documents in which it matters that offsets count {unit} (see --offsets)"] += 1
    for number, value in enumerate(rows):
        row = _read_row(item, value, dropped)
        id = ("row", number) if row.id is None else row.id
        if row.start >= row.end:
            dropped["spans that end before they begin, which doccano doesn't show"] += 1
            annotation.leave_out(id)
            continue
        start, end = positions.find(row.start), positions.find(row.end)
        if start is None or end is None:
            found = (
                f"found the span {shorten(value)}, which ends outside of the text or inside of a character"
            )
            raise item.error(f"{found}, counted by {unit}. Say what offsets count (--offsets).")
        annotation.span(id, [(start, end)], row.label)


def _read_row(item: Item, value: Any, dropped: Counter[str]) -> Row:
    """A span as an object, or as a list of start, end and label."""
    id, start, end, label = None, None, None, None
    if isinstance(value, dict):
        id, start, end, label = map(value.get, ("id", "start_offset", "end_offset", "label"))
    elif isinstance(value, list) and len(value) == 3:
        start, end, label = value
    if type(label) is int:  # before 1.0
        dropped["labels that are numbers of a table of labels"] += 1
        label = str(label)
    if not (type(start) is int and type(end) is int and isinstance(label, str) and label):
        found = f"found the span {shorten(value)}"
        raise item.error(f"{found}, expected start_offset, end_offset and label, or a list of them.")
    return Row(id, start, end, label)


def _relate(annotation: Standoff, item: Item, value: Any) -> None:
    if not isinstance(value, dict) or not {"from_id", "to_id", "type"} <= set(value):
        raise item.error(f"found the relation {shorten(value)}, expected from_id, to_id and type.")
    annotation.relation(value["from_id"], value["to_id"], item.label(value, "type"))


converter = Converter(
    doccano_to_docs, example="all.jsonl train.spacy --entities GPE,PER --mentions '*'", paths=True
)
