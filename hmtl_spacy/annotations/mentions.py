"""Entity mentions: a group of typed spans."""

from typing import Iterable, List, Optional, Sequence

from spacy.tokens import Doc, Span

from .keys import MENTIONS, write_layer
from .spans import confidences, spans_of


def set_mentions(
    doc: Doc,
    mentions: Iterable[Span],
    scores: Optional[Sequence[float]] = None,
    key: str = MENTIONS,
    layer: str = "mentions",
) -> None:
    """Store typed mentions; they may nest and overlap.

    scores: confidences in 0..1, one per mention; all 1.0 if not given.
    layer: which layer the group is; another name for mentions of a second kind.
    """
    mentions = list(mentions)
    write_layer(doc, layer, key, mentions, scores=confidences(scores, len(mentions)))


def get_mentions(doc: Doc, key: str = MENTIONS) -> Optional[List[Span]]:
    """The mentions of a document, or None if it isn't annotated with them."""
    return spans_of(doc, key) if key in doc.spans else None
