"""From characters to tokens: the spans of one record of our own JSONL, by offsets or by id."""

from collections import Counter
from typing import Any, Dict, List, Literal, Optional, Tuple, get_args

from spacy.tokens import Doc, Span

from ..layers import Scored
from .records import Record, shorten

Misaligned = Literal["error", "drop", "expand"]


def check_misaligned(misaligned: Misaligned) -> None:
    """Raise an error where the option `misaligned` has none of its values."""
    if misaligned not in get_args(Misaligned):
        raise ValueError(f"misaligned is {misaligned!r}, expected one of {', '.join(get_args(Misaligned))}.")


class CharacterSpans:
    """Finds the spans that a record names, and keeps the labelled ones for clusters and relations.

    doc: the tokens.
    record: the line, for messages.
    misaligned: what to do with spans that aren't whole tokens: "error", "drop" or "expand".
    dropped: what was dropped or expanded is counted here.
    """

    def __init__(self, doc: Doc, record: Record, misaligned: Misaligned, dropped: Counter[str]):
        self.doc = doc
        self.text = doc.text
        self.record = record
        self.misaligned = misaligned
        self.dropped = dropped
        self.by_id: Dict[Any, Optional[Span]] = {}  # None for a span that was dropped
        self.by_offsets: Dict[Tuple[int, int], Span] = {}

    def labelled(self, key: str) -> Optional[List[Scored]]:
        """The spans of a layer and their scores, or None if it isn't annotated."""
        values = self.record.layer(key)
        if values is None:
            return None
        spans = []
        for value in values:
            span = self._keep(self.find(value, key, self.record.label(value, "label")), value)
            score = self.record.score(value)
            if span is not None:
                spans.append(Scored(span, score))
        return spans

    def _keep(self, span: Optional[Span], value: Dict[str, Any]) -> Optional[Span]:
        if "id" in value:
            if not isinstance(value["id"], (str, int)) or value["id"] in self.by_id:
                found = f"found the id {shorten(value['id'])}"
                raise self.record.error(f"{found}, expected a string or number that no other span has.")
            self.by_id[value["id"]] = span
        if span is not None:
            self.by_offsets.setdefault((span.start, span.end), span)
        return span

    def refer(self, value: Any, key: str) -> Optional[Span]:
        """A span by the id of a mention or entity or by its own offsets; None if it was dropped."""
        if isinstance(value, dict):
            span = self.find(value, key)
            return None if span is None else self.by_offsets.get((span.start, span.end), span)
        if not isinstance(value, (str, int)) or value not in self.by_id:
            known = shorten(list(self.by_id)) if self.by_id else "none"
            found = f"found {shorten(value)} in {key!r}, but the ids of mentions and entities are {known}"
            raise self.record.error(f"{found}. Name one of them, or give start and end.")
        return self.by_id[value]

    def find(self, value: Any, key: str, label: str = "") -> Optional[Span]:
        """The span at the value's start and end; None if it isn't whole tokens and is to be dropped."""
        start, end = (value.get("start"), value.get("end")) if isinstance(value, dict) else (None, None)
        if not (type(start) is int and type(end) is int):
            found = f"found {shorten(value)} in {key!r}"
            raise self.record.error(f"{found}, expected start and end, counted in characters.")
        if not 0 <= start < end <= len(self.text):
            found = f"found {shorten(value)} in {key!r}"
            expected = f"0 <= start < end <= {len(self.text)}, the text's length"
            raise self.record.error(f"{found}, expected {expected}.")
        span = self.doc.char_span(start, end, label)
        return self._realign(start, end, key, label) if span is None else span

    def _realign(self, start: int, end: int, key: str, label: str) -> Optional[Span]:
        expanded = self.doc.char_span(start, end, label, alignment_mode="expand")
        if self.misaligned == "error":
            found = f"{self.text[start:end]!r} ({start} to {end}) in {key!r} isn't made of whole tokens"
            tokens = shorten([token.text for token in expanded or ()])
            advice = "Correct the offsets, or have such spans dropped or expanded"
            raise self.record.error(f"{found}; the tokens there are {tokens}. {advice}.")
        if self.misaligned == "drop":
            self.dropped[f"spans in {key!r} that aren't whole tokens"] += 1
            return None
        self.dropped[f"spans in {key!r} expanded to whole tokens"] += 1
        return expanded
