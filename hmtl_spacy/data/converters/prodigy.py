"""Prodigy's JSON lines: spans by characters, relations by tokens; ends of tokens are *inclusive*."""

from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab

from .clusters import Offsets
from .converter import Converter
from .json_items import Item, read_items
from .records import shorten
from .rules import Rules, TextRules, takes
from .standoff import Standoff
from .tokens import lay_tokens, load_tokenizer

ENTITIES = ("ner", "ner_manual")  # the views whose spans are named entities
OUR_ID = "hmtl_id"  # the document's id, as our writer has it in `meta`


@takes(TextRules)
def prodigy_to_docs(
    path: Path,
    *,
    vocab: Optional[Vocab] = None,
    rules: TextRules,
    annotator: Optional[str] = None,
    unanswered: bool = False,
    dropped: Counter[str],
) -> Iterator[Doc]:
    """Prodigy's JSON lines. Fills entities or mentions, coreference and relations.

    Spans of the views `ner` and `ner_manual` are named entities, others mentions. Relations labelled `COREF`
    make clusters. Only what was accepted is read.

    path: the file.
    vocab: the vocabulary of the documents.
    rules: which layer a span belongs to, by its label or its view.
    annotator: the annotator or session whose tasks are read.
    unanswered: read tasks without an answer too, such as suggestions.
    dropped: what couldn't be kept is counted here.
    YIELDS: the documents.
    """
    nlp = load_tokenizer(rules.lang, rules.model, vocab)
    has_coref = rules.has_coref or any(
        _has_coref(item, rules)
        for item in read_items(path)
        if _is_read(item, annotator, unanswered, Counter())
    )
    seen: Dict[Any, int] = {}  # what was annotated of each input
    for item in read_items(path):
        if not _is_read(item, annotator, unanswered, dropped):
            continue
        _count_repeated(item, seen, dropped)
        doc, tokens = _make_tokens(nlp, item)
        doc.user_data["id"], meta = _id_and_meta(item)
        if meta is not None:
            doc.user_data["meta"] = meta
        annotation = Standoff(doc, rules, item.error, dropped)
        layers = _add_spans(annotation, item)
        relations = item.layer("relations")
        if relations is not None:
            layers |= {"relations", "clusters"} if has_coref else {"relations"}
            _add_relations(annotation, item, relations, tokens, dropped)
        yield annotation.annotate(layers)


def _is_read(item: Item, annotator: Optional[str], unanswered: bool, dropped: Counter[str]) -> bool:
    answer = item.data.get("answer")
    if answer != "accept" and not (answer is None and unanswered):
        kind = "tasks without an answer" if answer is None else f"tasks with the answer {shorten(answer)}"
        dropped[kind] += 1
        return False
    if annotator is not None and annotator not in (
        str(item.data.get(key)) for key in ("_annotator_id", "_session_id")
    ):
        dropped["tasks of other annotators"] += 1
        return False
    if not isinstance(item.data.get("text"), str):
        dropped["tasks without a text"] += 1
        return False
    return True


def _has_coref(item: Item, rules: Rules) -> bool:
    relations = item.layer("relations") or ()
    return any(rules.is_coref(str(row.get("label"))) for row in relations if isinstance(row, dict))


def _count_repeated(item: Item, seen: Dict[Any, int], dropped: Counter[str]) -> None:
    """Count texts that are there several times: each answer is a document of its own."""
    key = item.data.get("_input_hash")
    if not isinstance(key, (int, str)):
        return
    content = hash(str([_places(item, "spans"), _places(item, "relations")]))
    if key in seen:
        agree = "which agree" if seen[key] == content else "which differ"
        dropped[f"further answers on a text (kept as documents), {agree}"] += 1
    seen.setdefault(key, content)


def _places(item: Item, layer: str) -> List[str]:
    keys = ("start", "end", "head", "child", "label")
    rows = item.layer(layer) or ()
    return sorted(str([row.get(key) for key in keys]) for row in rows if isinstance(row, dict))


def _make_tokens(nlp: Language, item: Item) -> Tuple[Doc, Optional[List[Offsets]]]:
    """The document, and the characters of each of Prodigy's tokens; None if the task has no tokens."""
    tokens = item.layer("tokens")
    if tokens is None:
        return nlp.tokenizer(item.data["text"]), None
    places = []
    for token in tokens:
        places.append(_place(item, token, "the token"))
    return lay_tokens(nlp.vocab, item.data["text"], places, item.error), places


def _place(item: Item, value: Any, what: str) -> Offsets:
    """Start and end in characters, of which the text is what the value says."""
    start, end = (value.get("start"), value.get("end")) if isinstance(value, dict) else (None, None)
    text = item.data["text"]
    if not (type(start) is int and type(end) is int and 0 <= start <= end <= len(text)):
        found = f"found {what} {shorten(value)}, expected start and end, characters of the text"
        raise item.error(f"{found}, which has {len(text)}.")
    if value.get("text") not in (None, text[start:end]):
        raise item.error(f"found {what} {shorten(value)}, but the text is {text[start:end]!r} there.")
    return start, end


def _id_and_meta(item: Item) -> Tuple[str, Any]:
    """The task's number and its `meta`, or what our writer has put there."""
    meta = item.meta("meta")
    if not isinstance(meta, dict) or OUR_ID not in meta:
        return str(item.number), meta
    return item.replaced(meta).id(OUR_ID), meta.get("meta")


def _add_spans(annotation: Standoff, item: Item) -> Set[str]:
    """RETURNS: the layer of the spans, if they are annotated."""
    view = str(item.data.get("_view_id", ""))
    layer = "entities" if view in ENTITIES else "mentions"
    spans = item.layer("spans")
    for value in spans or ():
        place = _place(item, value, "the span")
        if value.get("label") is None and view == "relations":  # words with a relation, and no more
            annotation.argument(place, [place])
        else:
            annotation.span(place, [place], item.label(value, "label"), [view], layer)
    return {layer} if spans is not None or view in (*ENTITIES, "spans_manual", "relations") else set()


def _add_relations(
    annotation: Standoff,
    item: Item,
    relations: List[Any],
    tokens: Optional[List[Offsets]],
    dropped: Counter[str],
) -> None:
    for value in relations:
        if not isinstance(value, dict):
            raise item.error(f"found the relation {shorten(value)}, expected head, child and label.")
        if not value.get("label"):
            dropped["relations without a label"] += 1
            continue
        head, child = (_argument(item, value, key, tokens) for key in ("head", "child"))
        for place in (head, child):
            annotation.argument(place, [place])
        annotation.relation(head, child, item.label(value, "label"))


def _argument(item: Item, value: Dict[str, Any], key: str, tokens: Optional[List[Offsets]]) -> Offsets:
    """Where a head or child is: its span, else the span that ends with its token, else the token."""
    if value.get(f"{key}_span") is not None:
        return _place(item, value[f"{key}_span"], f"the {key}")
    number = value.get(key)
    if tokens is None or type(number) is not int or not 0 <= number < len(tokens):
        known = "no tokens" if tokens is None else f"{len(tokens)} tokens, the first of which is 0"
        raise item.error(f"found the {key} {shorten(number)} of a relation, but the task has {known}.")
    spans = [_place(item, span, "the span") for span in item.layer("spans") or ()]
    ending = [place for place in spans if place[1] == tokens[number][1]]
    return min(ending, default=tokens[number])


converter = Converter(prodigy_to_docs, example="annotations.jsonl train.spacy --coref-label SAME", paths=True)
