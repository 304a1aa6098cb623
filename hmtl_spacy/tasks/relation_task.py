"""What the tasks of relations share: rows of typed, directed pairs of spans, and their scores."""

from typing import Any, Callable, Dict, Iterable, List, Optional, Set, Tuple

import numpy
from spacy.tokens import Doc, Span
from spacy.training import Example

from ..annotations import get_mentions, get_relations, set_relations
from ..data.teaching import label_sets, members, unknown_labels
from ..metrics import RELATION_MODES, relation_key, relation_scores, settle
from .base import Task, annotated_pairs, char_offsets
from .differences import Differences, Item, differences

Offsets = Tuple[int, int]
Typed = Tuple[Offsets, Offsets, str]
Types = Dict[Offsets, str]
TypedRelations = Tuple[List[Typed], Types]  # and the types of what may be an argument


class RelationTask(Task):
    """Typed, directed relations between mentions. Rows are head start, head end, tail start, tail end, label.

    scorer_hidden: width of the pair scorer.
    positive_rate: expected share of related pairs among all pairs that are scored.
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
        mentions_key: str,
        relations_key: str,
        **settings: Any,
    ):
        super().__init__(**settings)
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

    def score_weights(self) -> Dict[str, Optional[float]]:
        weights = {f"rel_{mode}_f": float(mode == "strict") for mode in RELATION_MODES}
        return {**weights, "rel_strict_per_type": None}

    def arguments(self, doc: Doc) -> List[Span]:
        """Entities, but for those that end where a mention does, then mentions."""
        mentions = get_mentions(doc, self.mentions_key) or []
        ends = {span.end for span in mentions}
        return [span for span in doc.ents if span.end not in ends] + mentions

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
        relations = [
            (char_offsets(head), char_offsets(tail), label)
            for head, tail, label, _ in get_relations(doc, self.relations_key) or []
        ]
        types = {char_offsets(span): span.label_ for span in self.arguments(doc)}
        return relations, types


def _item(relation: Typed, mode: str, types: Types) -> Item:
    head, tail, label = relation
    ends = tuple(types.get(span, "no type") for span in (head, tail))
    return Item((head, tail), label, ends if mode == "strict" else ())
