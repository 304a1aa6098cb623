"""The way back: a `Doc` as a line of our own JSONL."""

from typing import Any, Dict

from spacy.tokens import Doc, Span

from ...annotations import get_clusters, get_mentions, get_relations, has_entities


def to_jsonl(doc: Doc) -> Dict[str, Any]:
    """Describe a document as `jsonl_to_docs` reads it; layers that aren't annotated are left out.

    doc (Doc): The document.
    RETURNS (Dict[str, Any]): One line of JSONL, for `srsly.write_jsonl`.
    """
    record: Dict[str, Any] = {"text": doc.text}
    if "id" in doc.user_data:
        record["id"] = doc.user_data["id"]
    if doc.has_annotation("SENT_START"):
        record["sentences"] = [[sent.start_char, sent.end_char] for sent in doc.sents]
    if has_entities(doc):
        record["entities"] = [_labelled(ent) for ent in doc.ents]
    mentions, clusters, relations = get_mentions(doc), get_clusters(doc), get_relations(doc)
    if mentions is not None:
        record["mentions"] = [_labelled(mention) for mention in mentions]
    if clusters is not None:
        record["clusters"] = [[_offsets(span) for span in cluster] for cluster in clusters]
    if relations is not None:
        record["relations"] = [
            {"head": _offsets(relation.head), "tail": _offsets(relation.tail), "label": relation.label}
            for relation in relations
        ]
    return record


def _offsets(span: Span) -> Dict[str, int]:
    return {"start": span.start_char, "end": span.end_char}


def _labelled(span: Span) -> Dict[str, Any]:
    return {**_offsets(span), "label": span.label_}
