"""Annotation that names spans of a document, as most tools have it: collected, then written as layers.

The rules that every reader of such files follows by default:

- Mentions with the same span are kept once, the first label stays; identical relations are kept once.
- Relations with a label of coreference are links, in whichever direction; clusters are what links connect.
- A span in pieces with nothing but white space between them is one span, else the extent of them all.
- A relation between entities is one between their nearest mentions.

What isn't kept as it is in the file is counted by reason.
"""

from collections import Counter
from typing import (
    AbstractSet,
    Callable,
    Collection,
    Dict,
    Hashable,
    Iterable,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from ...annotations import Relation, set_clusters, set_mentions, set_relations
from ..evidence import Supported, set_evidence
from .character_spans import realign
from .clusters import Offsets, join_links, resolve_clusters
from .common import ConversionError
from .nearest import Pairs, mention_pairs, sentence_numbers
from .records import shorten
from .rules import Rules, TextRules

ACROSS = "relations across sentences (kept, but no model predicts them)"
LEFT_OUT = "relations with an argument that was left out"


class EntityRelation(NamedTuple):
    """A relation between entities, by their ids. evidence: the numbers of sentences."""

    head: Hashable
    tail: Hashable
    label: str
    evidence: Collection[int]


class Standoff:
    """The annotation of one document. Spans, links and relations come in any order; ids are the caller's.

    doc: the tokens.
    rules: which layer a span belongs to, which relations are links.
    error: makes an error of a message, with the place in the file: `Record.error`, for example.
    dropped: what can't be kept, or is changed, is counted here.
    """

    def __init__(
        self, doc: Doc, rules: Rules, error: Callable[[str], ConversionError], dropped: "Counter[str]"
    ):
        self.doc = doc
        self.text = doc.text
        self.rules = rules
        self.error = error
        self.dropped = dropped
        self._spans: Dict[Hashable, Optional[Offsets]] = {}  # None for what was left out
        self._labels: Dict[str, Dict[Offsets, str]] = {"entities": {}, "mentions": {}}
        self._links: List[Sequence[Hashable]] = []
        self._entities: Dict[Hashable, List[Hashable]] = {}
        self._relations: List[Tuple[Hashable, Hashable, str]] = []
        self._entity_relations: List[EntityRelation] = []

    def span(
        self,
        id: Hashable,
        pieces: Sequence[Offsets],
        label: str,
        names: Sequence[str] = (),
        default: str = "mentions",
    ) -> None:
        """Add a labelled span by its characters.

        id: its name; several spans may have one, if they are the same characters.
        pieces: start and end of each piece, in characters, ends exclusive; most spans have one.
        label: its label, which may be empty.
        names: what else it is called in options: its control, its layer.
        default: its layer, unless options name others.
        """
        self._add(id, self._align(pieces), label, names, default)

    def tokens(
        self,
        id: Hashable,
        place: Offsets,
        label: str,
        names: Sequence[str] = (),
        default: str = "mentions",
    ) -> None:
        """Add a labelled span by its tokens, end exclusive."""
        start, end = place
        if not 0 <= start < end <= len(self.doc):
            expected = f"0 <= start < end <= {len(self.doc)}, the number of tokens"
            raise self.error(f"found a span from token {start} to {end} (exclusive), expected {expected}.")
        self._add(id, place, label, names, default)

    def argument(self, id: Hashable, pieces: Sequence[Offsets]) -> None:
        """Add what may be an argument of relations without being a mention, unless it is a span already."""
        if id not in self._spans:
            self._spans[id] = self._align(pieces)

    def argument_tokens(self, id: Hashable, place: Offsets) -> None:
        """The same by tokens, end exclusive."""
        self._spans.setdefault(id, place)

    def leave_out(self, id: Hashable) -> None:
        """Remember the id of what is no span of ours: links and relations to it are counted, not refused."""
        self._spans.setdefault(id, None)

    def link(self, *ids: Hashable) -> None:
        """Spans of one entity; links that share a span make one cluster."""
        self._links.append(ids)

    def entity(self, id: Hashable, spans: Iterable[Hashable]) -> None:
        """The spans of an entity with an id of its own: a cluster by itself, joined with no other."""
        self._entities.setdefault(id, []).extend(spans)

    def relation(self, head: Hashable, tail: Hashable, label: str) -> None:
        """A relation between spans, or a link if the label means coreference."""
        if self.rules.is_coref(label):
            self.link(head, tail)
        else:
            self._relations.append((head, tail, label))

    def entity_relation(
        self, head: Hashable, tail: Hashable, label: str, evidence: Collection[int] = ()
    ) -> None:
        """A relation between entities, by the ids given to `entity`."""
        self._entity_relations.append(EntityRelation(head, tail, label, evidence))

    def annotate(
        self, layers: AbstractSet[str], *, singletons: bool = False, pairs: Pairs = "nearest"
    ) -> Doc:
        """Write what was added, once.

        layers: which are annotated, "entities", "mentions", "clusters" or "relations"; others stay missing.
        singletons: keep clusters of one mention.
        pairs: between which mentions relations of entities are written.
        RETURNS: the document.
        """
        layers = self.rules.annotated(frozenset(layers))
        named, mentions = (self._labelled(layer) for layer in ("entities", "mentions"))
        if "entities" in layers:
            kept = filter_spans(named)
            self._lose("entities that overlap with a longer one", len(named) - len(kept))
            self.doc.set_ents(kept, default="outside")
        if "mentions" in layers:
            set_mentions(self.doc, mentions)
        if "clusters" in layers:
            linked = join_links([self._found(ids, "links of coreference") for ids in self._links])
            known = [self._found(ids, "entities") for ids in self._entities.values()]
            set_clusters(self.doc, resolve_clusters([*linked, *known], singletons, self.dropped))
        if "relations" in layers:
            set_relations(self.doc, self._resolve_relations(pairs))
        return self.doc

    def _add(
        self, id: Hashable, place: Optional[Offsets], label: str, names: Sequence[str], default: str
    ) -> None:
        layers = self.rules.layers_of((label, *names), default)
        if place is not None and not layers:
            self._lose("spans of none of the layers that are read")
            place = None
        known = self._spans.get(id)
        if known is not None and place not in (None, known):
            raise self.error(f"the id {shorten(id)} is that of two different spans. Ids are unique.")
        self._spans[id] = known or place
        if place is None:
            return
        for layer in layers:
            if place not in self._labels[layer]:
                self._labels[layer][place] = label
            elif self._labels[layer][place] == label:
                self._lose(f"spans that are there twice in {layer!r}")
            else:
                self._lose(f"further labels of a span in {layer!r}, of which the first stays")

    def _labelled(self, layer: str) -> List[Span]:
        return [Span(self.doc, *place, label) for place, label in sorted(self._labels[layer].items())]

    def _align(self, pieces: Sequence[Offsets]) -> Optional[Offsets]:
        """The tokens of a span in characters; None if it is left out."""
        for start, end in pieces:
            if not 0 <= start <= end <= len(self.text):
                expected = f"0 <= start <= end <= {len(self.text)}, the text's length"
                raise self.error(f"found a span from {start} to {end}, expected {expected}.")
        place = self._extent(pieces)
        if place is None:
            return None
        start, end = place
        bare = self.text[start:end].strip()
        if not bare:
            self._lose("spans that are empty or nothing but white space")
            return None
        first = self.text.index(bare, start)
        self._lose("spans with white space at their ends, which was cut off", int(len(bare) < end - start))
        misaligned = self.rules.misaligned if isinstance(self.rules, TextRules) else "expand"
        span = realign(self.doc, first, first + len(bare), misaligned, "", self.error, self.dropped)
        return None if span is None else (span.start, span.end)

    def _extent(self, pieces: Sequence[Offsets]) -> Optional[Offsets]:
        """Start and end of a span in pieces; those that only white space separates are one."""
        joined: List[Offsets] = []
        for start, end in sorted(pieces):
            if joined and not self.text[joined[-1][1] : start].strip():
                joined[-1] = joined[-1][0], max(end, joined[-1][1])
            else:
                joined.append((start, end))
        if len(joined) < 2:
            return joined[0] if joined else None
        kept = self.rules.discontinuous if isinstance(self.rules, TextRules) else "extent"
        if kept == "drop":
            self._lose("spans in several pieces")
            return None
        if kept == "first":
            self._lose("spans in several pieces, of which the first was kept")
            return joined[0]
        self._lose("spans in several pieces, kept from the first to the last")
        return joined[0][0], max(end for _, end in joined)

    def _resolve_relations(self, pairs: Pairs) -> List[Relation]:
        known = self.doc.has_annotation("SENT_START")
        sentences = sentence_numbers(self.doc) if known or self._entity_relations else []
        rows: List[Tuple[Offsets, Offsets, str]] = []
        evidence: List[Supported] = []
        for head, tail, label in self._relations:
            ends = self._found((head, tail), "")
            if len(ends) < 2:
                self._lose(LEFT_OUT)
            else:
                rows.append((ends[0], ends[1], label))
        for relation in self._entity_relations:
            heads, tails = (self._mentions_of(id) for id in (relation.head, relation.tail))
            between = mention_pairs(heads, tails, sentences, relation.evidence, pairs)
            self._lose(LEFT_OUT, int(not between))
            rows.extend((*pair, relation.label) for pair in between)
            evidence.extend(Supported(*pair, relation.label, sorted(relation.evidence)) for pair in between)
        if any(row.sentences for row in evidence):
            set_evidence(self.doc, evidence)
        distinct = list(dict.fromkeys(rows))
        self._lose("relations that are there twice", len(rows) - len(distinct))
        if known:
            self._lose(ACROSS, sum(sentences[head[0]] != sentences[tail[0]] for head, tail, _ in distinct))
        return [Relation(self._argument(head), self._argument(tail), label) for head, tail, label in distinct]

    def _mentions_of(self, entity: Hashable) -> List[Offsets]:
        if entity not in self._entities:
            known = shorten(list(self._entities)) if self._entities else "none"
            raise self.error(f"a relation names the entity {shorten(entity)}, but there are {known}.")
        return self._found(self._entities[entity], "")

    def _found(self, ids: Iterable[Hashable], what: str) -> List[Offsets]:
        """Where the spans with these ids are, without those that were left out."""
        places = []
        for id in ids:
            if id not in self._spans:
                known = shorten(list(self._spans)) if self._spans else "none"
                raise self.error(f"found the span {shorten(id)}, but the ids of spans are {known}.")
            places.append(self._spans[id])
        kept = [place for place in places if place is not None]
        if what:
            self._lose(f"spans in {what} that were left out", len(places) - len(kept))
        return kept

    def _argument(self, place: Offsets) -> Span:
        """A head or tail with its label as a mention, else as an entity."""
        labels = self._labels
        return Span(self.doc, *place, labels["mentions"].get(place) or labels["entities"].get(place, ""))

    def _lose(self, what: str, count: int = 1) -> None:
        if count:
            self.dropped[what] += count
