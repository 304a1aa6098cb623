"""Relations between last tokens, widened to mentions of one sentence: `doc._.relations`."""

from typing import Any, Dict, List

import numpy
from spacy.tokens import Doc, Span
from spacy.training import Example

from ..annotations import Relation
from ..nn.multi_head import MultiHeadSelection
from .base import annotated_pairs
from .relation_task import RelationTask


class Relations(RelationTask):
    """Relations whose head predicts pairs of last tokens (as the paper does); each is widened to the mention,
    else the entity, that ends there.

    unmatched: what happens to a predicted relation with an argument that is neither a mention nor an
        entity: "token" keeps it with a one-token argument, "drop" removes it. Both are counted,
        in `doc.spans["relations"].attrs["unmatched"]`.
    """

    def __init__(self, *, unmatched: str, **settings: Any):
        super().__init__(**settings)
        if unmatched not in ("token", "drop"):
            raise ValueError(f"Relations: unmatched is '{unmatched}'. Set it to 'token' or 'drop'.")
        self.unmatched = unmatched

    def build_head(self, nI: int, nX: int) -> MultiHeadSelection:
        return MultiHeadSelection(
            nI,
            len(self.labels),
            hidden=self.scorer_hidden,
            dropout=self.dropout,
            positive_rate=self.positive_rate,
            inverse=self.directions.by_index(self.labels),
        )

    def unusable(self, rows: numpy.ndarray, sentence_of: numpy.ndarray) -> Dict[str, numpy.ndarray]:
        last_tokens = rows[:, [1, 1, 3, 3]] - [1, 0, 1, 0]  # all that is learned, as spans
        return super().unusable(last_tokens, sentence_of)

    def annotate(self, doc: Doc, rows: numpy.ndarray, scores: numpy.ndarray) -> None:
        arguments = self.arguments(doc)
        ending_at: Dict[int, Span] = {}
        for span in sorted(arguments, key=lambda span: (span.label_ != "", span.end - span.start)):
            ending_at[span.end] = span
        relations, unmatched = [], 0
        for (head_start, head_end, tail_start, tail_end, label), score in zip(rows.tolist(), scores.tolist()):
            head = _widened(doc, head_start, head_end, ending_at)
            tail = _widened(doc, tail_start, tail_end, ending_at)
            known = head.end in ending_at and tail.end in ending_at
            unmatched += not known
            if known or self.unmatched == "token":
                relations.append(Relation(head, tail, self.labels[label], score))
        self.write(doc, relations)
        doc.spans[self.relations_key].attrs["unmatched"] = unmatched

    def score(self, examples: List[Example]) -> Dict[str, Any]:
        pairs = annotated_pairs(self, examples)
        groups = [predicted.spans.get(self.relations_key) for predicted, _ in pairs]
        unmatched = sum(group.attrs.get("unmatched", 0) for group in groups if group is not None)
        return {**super().score(examples), "rel_unmatched": float(unmatched)}


def _widened(doc: Doc, start: int, end: int, ending_at: Dict[int, Span]) -> Span:
    """An argument that is one token, as the mention or entity that ends there, if there is one."""
    wider = ending_at.get(end) if end - start == 1 else None
    return Span(doc, start if wider is None else wider.start, end)
