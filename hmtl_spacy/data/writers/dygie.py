"""A `Doc` as a line of DyGIE's JSON: words, mentions, relations and clusters, ends *inclusive*."""

import json
from collections import Counter
from typing import Any, Dict, List, Optional

from spacy.tokens import Doc, Span

from ..layers import Layers, lose_further
from .words import Words, lose_scores
from .writer import Writer


def doc_to_dygie(doc: Doc, layers: Layers, lost: Counter[str]) -> str:
    """A document as a line of JSON.

    `ner` has the mentions, or the named entities of a document without a layer of mentions.

    doc: the document.
    layers: what it has.
    lost: what the format can't hold is counted here.
    RETURNS: the line.
    """
    words = Words(doc, layers, lost)
    if layers.mentions is not None:
        lost["named entities (of DyGIE's one layer, the mentions)"] += len(layers.entities or ())
    named = layers.entities if layers.mentions is None else layers.mentions
    relations, clusters = layers.relations, layers.clusters
    lose_further(layers, lost)
    lose_scores([named, relations, *(clusters or ())], lost)
    record: Dict[str, Any] = {"sentences": [words.texts[start:end] for start, end in words.sentences]}
    if "id" in doc.user_data:
        record["doc_key"] = doc.user_data["id"]
    if "meta" in doc.user_data:
        record["_meta"] = doc.user_data["meta"]  # DyGIE++ leaves keys with _ alone
    if named is not None:
        rows = [_row(words, [span], span.label_, lost) for span, _ in named]
        record["ner"] = _by_sentence(words, rows)
    if relations is not None:
        rows = [_row(words, [head, tail], label, lost) for head, tail, label, _ in relations]
        record["relations"] = _by_sentence(words, rows)
    if clusters is not None:
        mentions = ([_row(words, [span], None, lost) for span, _ in cluster] for cluster in clusters)
        record["clusters"] = [[row for row in rows if row] for rows in mentions]
    return json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"


def _row(words: Words, spans: List[Span], label: Optional[str], lost: Counter[str]) -> Optional[List[Any]]:
    """Start and end of each span, then the label if there is one; None if a span is white space only."""
    pairs = [pair for pair in map(words.offsets, spans) if pair is not None]
    if len(pairs) < len(spans):
        lost["spans of nothing but white space"] += 1
        return None
    return [offset for start, end in pairs for offset in (start, end - 1)] + ([label] if label else [])


def _by_sentence(words: Words, rows: List[Optional[List[Any]]]) -> List[List[List[Any]]]:
    """Each row in the list of the sentence in which its first span begins."""
    sentences: List[List[List[Any]]] = [[] for _ in words.sentences]
    for row in filter(None, rows):
        sentences[words.sentence(row[0])].append(row)
    return sentences


writer = Writer(doc_to_dygie, (".json",))
