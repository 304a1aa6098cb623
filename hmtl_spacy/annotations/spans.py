"""The spans of a layer's group, on the tokens that its document has now."""

from typing import List, Optional, Sequence

from spacy.tokens import Doc, Span


def spans_of(doc: Doc, key: str, scored: int = 1) -> List[Span]:
    """The spans of a group, on the document's tokens as they are now.

    Where tokens were merged or split after the spans were written, their characters say where they are.

    scored: how many spans share a score of the group's `attrs["scores"]`.
    Raises if that isn't possible, or if the group has scores for more or fewer spans than it holds.
    """
    group = doc.spans[key]
    scores = group.attrs.get("scores")
    if scores is not None and len(group) != scored * len(scores):
        raise ValueError(
            f"doc.spans['{key}'] holds {len(group)} spans, but scores for {scored * len(scores)}: it was "
            f"changed by hand. Write it with the functions of hmtl_spacy.annotations, which keep both."
        )
    return [_on_tokens(doc, key, span) for span in group]


def _on_tokens(doc: Doc, key: str, span: Span) -> Span:
    """The span, or if tokens have changed since it was written the one with its characters."""
    start, end = span.start_char, span.end_char
    if span.end <= len(doc) and doc[span.start].idx == start:
        last = doc[span.end - 1]
        if last.idx + len(last) == end:
            return span
    moved = doc.char_span(start, end, label=span.label, kb_id=span.kb_id, span_id=span.id)
    if moved is None:
        raise ValueError(
            f"doc.spans['{key}'] has a span at the characters {start} to {end}, {doc.text[start:end]!r}, but "
            f"the tokens were changed afterwards and none begins or ends there. Put components that merge or "
            f"split tokens, such as merge_entities, before the one that annotates."
        )
    return moved


def confidences(scores: Optional[Sequence[float]], n: int) -> List[float]:
    return [1.0] * n if scores is None else [float(score) for score in scores]
