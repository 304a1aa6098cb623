"""Named entities: `doc.ents`."""

from spacy.tokens import Doc


def has_entities(doc: Doc) -> bool:
    """Whether `doc.ents` is annotated; an empty document counts as annotated."""
    return len(doc) == 0 or doc.has_annotation("ENT_IOB")
