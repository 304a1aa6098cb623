"""From characters to tokens: the spans of one record of our own JSONL, by offsets or by id."""

from collections import Counter
from typing import Any, Callable, Dict, List, Literal, NamedTuple, Optional, Sequence, Set, get_args

from spacy.tokens import Doc, Span

from ..layers import Scored
from .clusters import Offsets
from .common import ConversionError
from .records import Record, shorten

Misaligned = Literal["error", "drop", "expand"]
PLACE = ("start", "end", "start_token", "end_token", "text", "score")  # of a span that is referred to
LABELLED = ("id", "label", *PLACE)


def check_misaligned(misaligned: Misaligned) -> None:
    """Raise an error where the option `misaligned` has none of its values."""
    if misaligned not in get_args(Misaligned):
        raise ValueError(f"misaligned is {misaligned!r}, expected one of {', '.join(get_args(Misaligned))}.")


def realign(
    doc: Doc,
    start: int,
    end: int,
    misaligned: Misaligned,
    where: str,
    error: Callable[[str], ConversionError],
    dropped: Counter[str],
) -> Optional[Span]:
    """The tokens of a span in characters, as the option `misaligned` has it if these aren't whole tokens.

    start, end: characters of the text, end exclusive, of which some aren't white space.
    where: what follows "spans" in messages, " in 'mentions'" for example.
    error: makes an error of a message.
    dropped: what was dropped or expanded is counted here.
    RETURNS: a span without a label; None if it is to be dropped.
    """
    span = doc.char_span(start, end)
    if span is not None:
        return span
    expanded = doc.char_span(start, end, alignment_mode="expand")
    if misaligned == "error":
        found = f"{doc.text[start:end]!r} ({start} to {end}){where} isn't made of whole tokens"
        tokens = shorten([token.text for token in expanded or ()])
        advice = "Correct the offsets, or have such spans dropped or expanded"
        raise error(f"{found}; the tokens there are {tokens}. {advice}.")
    if misaligned == "drop":
        dropped[f"spans{where} that aren't whole tokens"] += 1
        return None
    dropped[f"spans{where} expanded to whole tokens"] += 1
    return expanded


class Row(NamedTuple):
    """A span of a layer as the file has it. whole: whether it was whole tokens."""

    value: Dict[str, Any]
    scored: Scored
    whole: bool


class CharacterSpans:
    """Finds the spans that a record names, and keeps the labelled ones for clusters and relations.

    doc: the tokens.
    record: the line, for messages.
    misaligned: what to do with spans that aren't whole tokens: "error", "drop" or "expand".
    dropped: what was dropped or expanded, and what follows from it, is counted here.
    """

    def __init__(self, doc: Doc, record: Record, misaligned: Misaligned, dropped: Counter[str]):
        self.doc = doc
        self.text = doc.text
        self.record = record
        self.misaligned = misaligned
        self.dropped = dropped
        self.moved: Dict[str, Set[Offsets]] = {}  # by layer, where spans lie that were expanded
        self._by_id: Dict[Any, Optional[Span]] = {}  # None for a span that was dropped
        self._by_offsets: Dict[Offsets, Span] = {}

    def labelled(self, key: str) -> Optional[List[Scored]]:
        """The spans of a layer and their scores, each once; None if the layer isn't annotated."""
        values = self.record.layer(key)
        if values is None:
            return None
        rows = []
        for value in values:
            span = self.find(value, key, self.record.label(value, "label"))
            self._check_keys(value, key, LABELLED)
            self._name(value, None)
            if span is not None:
                scored = Scored(span, self.record.score(value))
                rows.append(Row(value, scored, self._is_whole(span, value)))
        return self._distinct(rows, key)

    def lose(self, what: str, count: int = 1) -> None:
        """Count what couldn't be kept."""
        if count:
            self.dropped[what] += count

    def _distinct(self, rows: List[Row], key: str) -> List[Scored]:
        """Without the second of two that are the same; a span that was expanded to where another is, or to
        where another was expanded to, becomes that one.
        """
        kept: Dict[int, Scored] = {}
        known: Dict[Any, Span] = {}  # by offsets, and by offsets and label
        for i in sorted(range(len(rows)), key=lambda i: not rows[i].whole):
            value, scored, whole = rows[i]
            offsets = scored.span.start, scored.span.end
            labelled = (*offsets, scored.span.label)
            if not whole and offsets in known:
                self.lose(f"spans in {key!r} that expanding made the same as another")
            elif labelled in known:
                self.lose(f"duplicates in {key!r}")
            else:
                kept[i] = scored
                known[labelled] = scored.span
                known.setdefault(offsets, scored.span)
                self._by_offsets.setdefault(offsets, scored.span)
            self._name(value, known.get(labelled, known[offsets]))
        return [kept[i] for i in sorted(kept)]

    def _name(self, value: Dict[str, Any], span: Optional[Span]) -> None:
        """Remember a span by its id: first None, which stays if the span is dropped."""
        if "id" not in value:
            return
        known = not isinstance(value["id"], (str, int)) or value["id"] in self._by_id
        if span is None and known:
            found = f"found the id {shorten(value['id'])}"
            raise self.record.error(f"{found}, expected a string or number that no other span has.")
        self._by_id[value["id"]] = span

    def refer(self, value: Any, key: str) -> Optional[Span]:
        """A span by the id of a mention or entity or by its own offsets; None if it was dropped."""
        if isinstance(value, dict):
            span = self.find(value, key)
            self._check_keys(value, key, PLACE)
            return None if span is None else self._by_offsets.get((span.start, span.end), span)
        if not isinstance(value, (str, int)) or value not in self._by_id:
            known = shorten(list(self._by_id)) if self._by_id else "none"
            found = f"found {shorten(value)} in {key!r}, but the ids of mentions and entities are {known}"
            raise self.record.error(f"{found}. Name one of them, or give start and end.")
        return self._by_id[value]

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
        if value.get("text") not in (None, self.text[start:end]):
            found = f"found 'text': {shorten(value['text'])} in {key!r}"
            there = f"but {start} to {end} is {shorten(self.text[start:end])}"
            raise self.record.error(f"{found}, {there}. Correct the offsets, or leave 'text' out.")
        span = self.doc.char_span(start, end, label)
        if span is None:
            return self._realign(start, end, key, label)
        self._check_tokens(span, value, key)
        return span

    def _check_keys(self, value: Dict[str, Any], key: str, known: Sequence[str]) -> None:
        advice = "Put what else the file should hold under the line's 'meta'."
        self.record.check_keys(value, known, f" in {key!r}", advice)

    def _check_tokens(self, span: Span, value: Dict[str, Any], key: str) -> None:
        """Numbers of tokens must be those of the span, where the line itself says what its tokens are."""
        for name, number in (("start_token", span.start), ("end_token", span.end)):
            if name in value and "tokens" in self.record.data and value[name] != number:
                found = f"found {name!r}: {shorten(value[name])} in {key!r}"
                there = f"{value['start']} to {value['end']} are the tokens {span.start} to {span.end}"
                raise self.record.error(f"{found}, but {there}. Correct one, or leave the tokens out.")

    def _is_whole(self, span: Span, value: Dict[str, Any]) -> bool:
        return (span.start_char, span.end_char) == (value["start"], value["end"])

    def _realign(self, start: int, end: int, key: str, label: str) -> Optional[Span]:
        where = f" in {key!r}"
        span = realign(self.doc, start, end, self.misaligned, where, self.record.error, self.dropped)
        if span is None:
            return None
        self.moved.setdefault(key, set()).add((span.start, span.end))
        return Span(self.doc, span.start, span.end, label)

    def were_moved(self, *places: Offsets, layer: Optional[str] = None) -> bool:
        """Whether expanding has put a span in one of these places, of one layer or of any."""
        layers = self.moved if layer is None else (layer,)
        return any(place in self.moved.get(name, ()) for name in layers for place in places)
