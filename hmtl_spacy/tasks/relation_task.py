"""What the tasks of relations share: rows of typed, directed pairs of spans, and their scores."""

from itertools import product
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Set, Tuple

import numpy
from spacy.tokens import Doc, Span
from spacy.training import Example

from ..annotations import Relation, get_mentions, get_relations, set_relations
from ..calibration import Judgement
from ..data.teaching import label_sets, members, teaches, unknown_labels
from ..metrics import RELATION_MODES, relation_key, relation_scores, settle
from .base import Task, annotated_pairs, char_offsets
from .differences import Differences, Item, differences
from .directions import Directions
from .triples import ANY, SEEN, Allowed, Triple, check_form, check_labels, is_allowed

Offsets = Tuple[int, int]
Typed = Tuple[Offsets, Offsets, str]
Types = Dict[Offsets, str]
TypedRelations = Tuple[List[Typed], Types]  # and the types of what may be an argument


class RelationTask(Task):
    """Typed, directed relations between mentions. Rows are head start, head end, tail start, tail end, label.

    scorer_hidden: width of the pair scorer.
    positive_rate: expected share of related pairs among all pairs that are scored.
    symmetric: labels whose direction means nothing; inverse: pairs of labels that say the same, each from its
        side. Both ways are one relation: learned, scored, and written one way; see `Directions`.
    allowed: between which types relations are predicted: null for any, "seen" for those that the training
        data relates, or triples of the head's type, the label and the tail's type. Arguments without a type
        have the type "". What is left out is counted, in `doc.spans["relations"].attrs["disallowed"]`.
    mentions_key: the span group of the mentions.
    relations_key: the span group of the relations.
    """

    layer = "relations"
    threshold_filters = True
    learns_partially = True
    offset_columns = 4
    reasons = ("crosses a sentence", "arguments end on one token")

    def __init__(
        self,
        *,
        scorer_hidden: int,
        positive_rate: float,
        symmetric: Sequence[str],
        inverse: Sequence[Sequence[str]],
        allowed: Allowed,
        mentions_key: str,
        relations_key: str,
        **settings: Any,
    ):
        super().__init__(**settings)
        check_form(allowed)
        self.directions = Directions(symmetric, inverse)
        self.allowed = allowed
        self.seen: Set[Triple] = set()
        self.triples: Set[Triple] = set()
        self.scorer_hidden = scorer_hidden
        self.positive_rate = positive_rate
        self.mentions_key = mentions_key
        self.relations_key = relations_key

    @property
    def keys(self) -> Dict[str, Optional[str]]:
        return {"mentions": self.mentions_key, "relations": self.relations_key}

    def has_gold(self, doc: Doc) -> bool:
        return self.relations_key in doc.spans

    def find_labels(self, docs: Iterable[Doc]) -> List[str]:
        of_docs = ((doc, get_relations(doc, self.relations_key) or []) for doc in docs)
        sets = ((label_sets(doc, self.name), relations) for doc, relations in of_docs)
        return sorted({x for of_doc, relations in sets for r in relations for x in members(r.label, of_doc)})

    def annotated_labels(self, doc: Doc) -> List[str]:
        return [relation.label for relation in get_relations(doc, self.relations_key) or []]

    def relabel(self, doc: Doc, rename: Callable[[str], Optional[str]]) -> None:
        relations = get_relations(doc, self.relations_key) or []
        named = [(relation, rename(relation.label)) for relation in relations]
        kept = [relation._replace(label=label) for relation, label in named if label is not None]
        set_relations(doc, kept, self.relations_key)

    def encode(self, doc: Doc) -> numpy.ndarray:
        rows = [
            (head.start, head.end, tail.start, tail.end, self.row_label(doc, label))
            for head, tail, label, _ in get_relations(doc, self.relations_key) or []
        ]
        return numpy.array(rows, dtype=numpy.int64).reshape(-1, 5)

    def unusable(self, rows: numpy.ndarray, sentence_of: numpy.ndarray) -> Dict[str, numpy.ndarray]:
        sentences = sentence_of[rows[:, :4] - [0, 1, 0, 1]]  # of the arguments' first and last tokens, [n, 4]
        crossing = (sentences != sentences[:, :1]).any(axis=1)
        return dict(zip(self.reasons, (crossing, (rows[:, 1] == rows[:, 3]) & ~crossing)))

    def observe(self, docs: Iterable[Doc]) -> List[List[str]]:
        """The triples of types and labels that relations have; "*" for types that a corpus doesn't teach."""
        seen: Set[Triple] = set()
        for doc in docs:
            types = self._types_on(doc)
            for head, tail, label, _ in get_relations(doc, self.relations_key) or []:
                ends = [types.get((span.start, span.end), self._untyped(doc)) for span in (head, tail)]
                labels = members(label, label_sets(doc, self.name))
                seen.update((h, x, t) for h, x, t in product(ends[0], labels, ends[1]))
        return [list(triple) for triple in sorted(seen)]

    def prepare(self, observed: Any) -> None:
        if unknown := [label for label in self.directions.of if label not in self.labels]:
            raise ValueError(
                f"The task '{self.name}' has {unknown} among its symmetric or inverse labels, but its labels "
                f"are {self.labels}. Correct the setting, or train with data that has them."
            )
        self.seen = _both_ways(observed or [], self.directions)
        if self.allowed == SEEN and observed is None:
            raise ValueError(
                f"The task '{self.name}' has allowed = \"{SEEN}\", but the pipeline was trained before what "
                f"was seen in training was stored with it. Train it again, or list the triples."
            )
        if isinstance(self.allowed, (list, tuple)):
            levels = self.typing_levels()
            types = [label for name in levels for label in self.below[name].labels] if levels else None
            check_labels(self.allowed, self.labels, types)
        self.triples = self.seen if self.allowed == SEEN else _both_ways(self.allowed or [], self.directions)

    def write(self, doc: Doc, relations: List[Relation]) -> None:
        """Write predicted relations: each one way, and only those that are allowed."""
        best: Dict[Tuple[Offsets, Offsets, str], Relation] = {}
        for head, tail, label, score in relations:
            head, tail, label = self.directions.one_way(head, tail, label, _offsets)
            place = (_offsets(head), _offsets(tail), label)
            if place not in best or score > best[place].score:
                best[place] = Relation(head, tail, label, score)
        found = list(best.values()) if self.directions.of else relations
        kept = found
        if self.allowed is not None:
            kept = self._between(self.triples, doc, found)
        set_relations(doc, kept, self.relations_key)
        if self.allowed is not None:
            doc.spans[self.relations_key].attrs["disallowed"] = len(found) - len(kept)

    def score(self, examples: List[Example]) -> Dict[str, Any]:
        pairs = annotated_pairs(self, examples)
        scores: Dict[str, Any] = {}
        read = [self._read(*pair) for pair in pairs]
        for mode in RELATION_MODES:
            sides = [self._settled(reference, *of_pair, mode) for (_, reference), of_pair in zip(pairs, read)]
            of_mode = relation_scores(
                [gold for gold, _ in sides],
                [relations for _, relations in sides],
                mode=mode,
                gold_types=[types for (_, types), _ in read],
                predicted_types=[types for _, (_, types) in read],
            )
            scores.update({f"rel_{mode}_{key}": value for key, value in of_mode.items()})
        return scores

    def differences(self, predicted: Doc, reference: Doc) -> Dict[str, Differences]:
        by_mode = {}
        read = self._read(predicted, reference)
        for mode in RELATION_MODES:
            settled = self._settled(reference, *read, mode)
            items = {
                side: {relation_key(item, mode, types, side): _item(item, mode, types) for item in relations}
                for side, relations, (_, types) in zip(("gold", "predicted"), settled, read)
            }
            by_mode[f"rel_{mode}"] = differences(items["gold"], items["predicted"])
        return by_mode

    def judgements(self, predicted: Doc, reference: Doc) -> List[Judgement]:
        """By the strict rules: with the boundaries and types of the arguments. Relations whose label the gold
        annotation leaves open are left out.
        """
        gold, found = self._read(predicted, reference)
        expected, judged = self._settled(reference, gold, found, "strict")
        right = {relation_key(item, "strict", gold[1], "gold") for item in expected}
        relations = get_relations(predicted, self.relations_key) or []
        confidence = {item: relation.score for item, relation in zip(found[0], relations)}
        return [
            (confidence[item], relation_key(item, "strict", found[1], "predicted") in right)
            for item in judged
            if item in confidence
        ]

    def score_weights(self) -> Dict[str, Optional[float]]:
        weights = {f"rel_{mode}_f": float(mode == "strict") for mode in RELATION_MODES}
        return {**weights, "rel_strict_per_type": None}

    def arguments(self, doc: Doc) -> List[Span]:
        """Entities, but for those that end where a mention does, then mentions."""
        mentions = get_mentions(doc, self.mentions_key) or []
        ends = {span.end for span in mentions}
        return [span for span in doc.ents if span.end not in ends] + mentions

    def showed(self, doc: Doc, relations: List[Relation]) -> List[Relation]:
        """Those of a document's relations that are between types that training showed."""
        return self._between(self.seen, doc, relations)

    def _between(self, triples: Set[Triple], doc: Doc, relations: List[Relation]) -> List[Relation]:
        types = {_offsets(span): span.label_ for span in self.arguments(doc)}
        return [relation for relation in relations if is_allowed(relation, types, triples)]

    def typing_levels(self) -> List[str]:
        """The levels whose labels are the types of arguments."""
        return [name for name, task in self.below.items() if task.layer in ("entities", "mentions")]

    def _types_on(self, doc: Doc) -> Dict[Offsets, List[str]]:
        """The types that each argument of a gold document may have, those of sets of labels one by one."""
        if not all(teaches(doc, name) for name in self.typing_levels()):
            return {}
        sets = label_sets(doc)
        return {_offsets(span): members(span.label_, sets) for span in self.arguments(doc)}

    def _untyped(self, doc: Doc) -> List[str]:
        """The types that an argument without any may have: what the corpus doesn't teach or annotate."""
        levels = self.typing_levels()
        if not all(teaches(doc, name) for name in levels):
            return [ANY]
        return ["", *(label for name in levels for label in unknown_labels(doc, name))]

    def _read(self, predicted: Doc, reference: Doc) -> Tuple[TypedRelations, TypedRelations]:
        """Gold and predicted relations; where a gold argument may have one of several types, a predicted one
        that has one of them has the name of the set.
        """
        gold, found = self._char_relations(reference), self._char_relations(predicted)
        of_arguments = label_sets(reference)
        for span, name in gold[1].items():
            if found[1].get(span) in of_arguments.get(name, ()):
                found[1][span] = name
        return gold, found

    def _settled(
        self, reference: Doc, gold: TypedRelations, found: TypedRelations, mode: str
    ) -> Tuple[Set[Typed], Set[Typed]]:
        """Gold and predicted relations as they are compared in a mode."""
        settled: Tuple[Set[Typed], Set[Typed]] = settle(
            gold[0],
            found[0],
            label_sets(reference, self.name),
            unknown_labels(reference, self.name),
            lambda item: relation_key(item, mode, gold[1], "gold")[:2],
            lambda item: relation_key(item, mode, found[1], "predicted")[:2],
        )
        return settled

    def _char_relations(self, doc: Doc) -> TypedRelations:
        found = get_relations(doc, self.relations_key) or []
        one_way = (self.directions.one_way(*relation[:3], _offsets) for relation in found)
        relations = [(char_offsets(head), char_offsets(tail), label) for head, tail, label in one_way]
        types = {char_offsets(span): span.label_ for span in self.arguments(doc)}
        return relations, types


def _offsets(span: Span) -> Offsets:
    return span.start, span.end


def _both_ways(triples: Iterable[Sequence[str]], directions: Directions) -> Set[Triple]:
    """Triples, and what those of symmetric and inverse labels are from the tail's side."""
    given = {(head, label, tail) for head, label, tail in triples}
    return given | {(tail, directions.of[x], head) for head, x, tail in given if x in directions.of}


def _item(relation: Typed, mode: str, types: Types) -> Item:
    head, tail, label = relation
    ends = tuple(types.get(span, "no type") for span in (head, tail))
    return Item((head, tail), label, ends if mode == "strict" else ())
