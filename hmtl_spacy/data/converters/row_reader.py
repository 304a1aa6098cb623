"""One row of named columns as a document, in whichever of the usual forms its values are."""

from collections import Counter
from itertools import accumulate
from typing import Any, Dict, Hashable, List, Literal, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from .clusters import Offsets
from .json_items import Item
from .records import Record, shorten
from .rules import TextRules
from .standoff import Standoff
from .tagging import Scheme, TaggedToken, tags_to_spans
from .tokens import make_tokens

LABELS = ("label", "type", "entity_type")
ENDS = (("head", "tail"), ("arg1_id", "arg2_id"), ("from_id", "to_id"), ("head_id", "tail_id"))
BOUNDS = (("start", "end"), ("start_offset", "end_offset"), ("begin", "end"))
Unit = Literal["auto", "character", "token", "token-inclusive"]


def objects(value: Any) -> Optional[List[Any]]:
    """The objects of a column, stored as a list of objects or as an object of lists; None without one."""
    if isinstance(value, dict):
        return [dict(zip(value, items, strict=False)) for items in zip(*value.values(), strict=False)]
    return value if isinstance(value, list) else None


def label_of(value: Any) -> Any:
    return next((value[key] for key in LABELS if key in value), None) if isinstance(value, dict) else None


def flat(value: Any) -> Tuple[Optional[List[Any]], List[int]]:
    """A list, of which each item may be a list: all items, and how many each list has."""
    if not isinstance(value, list) or not value or not isinstance(value[0], list):
        return value, []
    return [item for part in value for item in part], [len(part) for part in value]


def tag_list(row: Record, value: Any, names: Sequence[str]) -> List[str]:
    """The tags of a row by their names.

    names: of those that are numbers.
    """
    tags = flat(value)[0] or []
    named = [names[tag] if type(tag) is int and 0 <= tag < len(names) else tag for tag in tags]
    if unnamed := [tag for tag in named if not isinstance(tag, str) or not tag]:
        advice = "Name them in their order (--tag-names O,B-PER,I-PER)"
        raise row.error(f"found the tag {shorten(unnamed[0])}, for which the file has no name. {advice}.")
    return named


class RowReader:
    """Reads the layers of a row.

    row: its values by what they are: "text", "tokens", "tags" and so on.
    nlp: the pipeline whose tokenizer is used where there are no tokens.
    offsets: what the offsets of spans count.
    dropped: what can't be kept is counted here.
    """

    def __init__(self, row: Item, nlp: Language, rules: TextRules, offsets: Unit, dropped: "Counter[str]"):
        self.row = row
        self.dropped = dropped
        words, lengths = flat(row.data.get("tokens"))
        text = row.data.get("text")
        if text is None and words is None:
            text = ""
        self.doc = make_tokens(nlp, row.replaced({"text": text, "tokens": words}))
        starts = set(accumulate(lengths, initial=0))
        for token in self.doc if lengths else ():
            token.is_sent_start = token.i in starts
        self.unit = ("token" if text is None else "character") if offsets == "auto" else offsets
        self.standoff = Standoff(self.doc, rules, row.error, dropped)
        self.names: Dict[Hashable, Hashable] = {}  # what relations and clusters call a span

    def annotate(self, scheme: Scheme, has_coref: bool, tag_names: Sequence[str]) -> Doc:
        """Write all layers, once.

        scheme: that of the tags. tag_names: of tags that are numbers.
        has_coref: whether relations of the data set mean coreference.
        """
        layers = set()
        if self.row.data.get("tags") is not None:
            layers.add("entities")
            self._add_tags(tag_list(self.row, self.row.data["tags"], tag_names), scheme)
        for layer in ("entities", "mentions"):
            if (spans := self._rows(layer)) is not None:
                layers.add(layer)
                self._add_spans(spans, layer)
        if (clusters := self._rows("clusters")) is not None:
            layers.add("clusters")
            for number, cluster in enumerate(clusters):
                members = cluster.get("entity_ids") if isinstance(cluster, dict) else cluster
                if not isinstance(members, list):
                    raise self.row.error(f"found the cluster {shorten(cluster)}, expected a list of spans.")
                self.standoff.entity(number, [self._refer(member, "clusters") for member in members])
        if (relations := self._rows("relations")) is not None:
            layers |= {"relations", "clusters"} if has_coref else {"relations"}
            for relation in relations:
                self._add_relation(relation)
        return self.standoff.annotate(layers)

    def _rows(self, what: str) -> Optional[List[Any]]:
        value = self.row.data.get(what)
        rows = objects(value)
        if value is not None and rows is None:
            raise self.row.error(f"found {what!r}: {shorten(value)}, expected a list.")
        return rows

    def _add_tags(self, tags: List[str], scheme: Scheme) -> None:
        if len(tags) != len(self.doc):
            found = f"found {len(tags)} tags for {len(self.doc)} tokens"
            raise self.row.error(f"{found}. Name the column of their tokens (--tokens-column).")
        tokens = [TaggedToken(word.text, tag, self.row.number) for word, tag in zip(self.doc, tags)]
        sents = self.doc.sents if self.doc.has_annotation("SENT_START") else [self.doc[:]]
        for sent in sents if tokens else ():
            for start, end, label in tags_to_spans(tokens[sent.start : sent.end], scheme, self.row.source):
                place = sent.start + start, sent.start + end
                self.standoff.tokens(("tags", place), place, label, default="entities")

    def _add_spans(self, spans: List[Any], layer: str) -> None:
        for i, value in enumerate(spans):
            label = label_of(value)
            if not isinstance(label, str) or not label:
                found = f"found {shorten(value)} in {layer!r}"
                raise self.row.error(f"{found}, expected a label under {', '.join(LABELS)}.")
            pieces, key = self._pieces(value, layer), (layer, i)
            if self.unit == "character":
                self.standoff.span(key, pieces, label, default=layer)
            else:
                self.standoff.tokens(key, pieces[0], label, default=layer)
            self.dropped["scores"] += value.get("score") is not None
            self.names[i] = key
            if value.get("id") is not None:
                self.names[value["id"]] = key

    def _add_relation(self, value: Any) -> None:
        label = label_of(value)
        ends = next((ends for ends in ENDS if isinstance(value, dict) and ends[0] in value), None)
        if ends is None or ends[1] not in value or not isinstance(label, str) or not label:
            expected = "expected head, tail and label (or arg1_id, arg2_id and type)"
            raise self.row.error(f"found the relation {shorten(value)}, {expected}.")
        self.dropped["scores"] += value.get("score") is not None
        head, tail = (self._refer(value[end], "relations") for end in ends)
        self.standoff.relation(head, tail, label)

    def _refer(self, value: Any, where: str) -> Hashable:
        """A span by its id, by its place among the spans, or by its own offsets."""
        if isinstance(value, (str, int)):
            if value not in self.names:
                known = shorten(list(self.names)) if self.names else "none"
                raise self.row.error(f"found the span {value!r} in {where!r}, but there are {known}.")
            return self.names[value]
        pieces = self._pieces(value, where)
        key = ("argument", tuple(pieces))
        if self.unit == "character":
            self.standoff.argument(key, pieces)
        else:
            self.standoff.argument_tokens(key, pieces[0])
        return key

    def _pieces(self, value: Any, where: str) -> List[Offsets]:
        """Start and end of each piece of a span, ends exclusive: an object, a pair, or one with `offsets`."""
        pairs: List[Any] = [value]
        if isinstance(value, dict):
            bounds = next((keys for keys in BOUNDS if keys[0] in value), BOUNDS[0])
            pairs = value.get("offsets") or [[value.get(key) for key in bounds]]
        if not all(_is_pair(pair) for pair in pairs) or (self.unit != "character" and len(pairs) > 1):
            raise self.row.error(f"found {shorten(value)} in {where!r}, expected start and end, or an id.")
        more = self.unit == "token-inclusive"
        pieces = [(start, end + more) for start, end in pairs]
        if self.unit != "character" and not 0 <= pieces[0][0] < pieces[0][1] <= len(self.doc):
            expected = f"two of the {len(self.doc)} tokens"
            raise self.row.error(f"found {shorten(value)} in {where!r}, expected {expected}.")
        return pieces


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(item) is int for item in value)
