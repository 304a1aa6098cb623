"""What named entities and mentions share: typed spans that a CRF tags, sentence by sentence."""

from typing import Dict, Iterable, List

import numpy
from spacy.tokens import Doc, Span

from ..nn.tagging import TaggingHead
from .base import Task, crosses_sentences


class TaggingTask(Task):
    """Rows are start, end, label."""

    reasons = ("crosses a sentence", "overlaps another")

    def spans(self, doc: Doc) -> List[Span]:
        """The annotated spans of a document that has gold."""
        raise NotImplementedError

    def build_head(self, nI: int, nX: int) -> TaggingHead:
        return TaggingHead(nI, len(self.labels), self.dropout)

    def find_labels(self, docs: Iterable[Doc]) -> List[str]:
        return sorted({span.label_ for doc in docs if self.has_gold(doc) for span in self.spans(doc)})

    def encode(self, doc: Doc) -> numpy.ndarray:
        rows = [(span.start, span.end, self.label_index(span.label_)) for span in self.spans(doc)]
        return numpy.array(rows, dtype=numpy.int64).reshape(-1, 3)

    def decode_spans(self, doc: Doc, rows: numpy.ndarray) -> List[Span]:
        return [Span(doc, start, end, label=self.labels[label]) for start, end, label in rows.tolist()]

    def unusable(self, rows: numpy.ndarray, sentence_of: numpy.ndarray) -> Dict[str, numpy.ndarray]:
        crossing = crosses_sentences(rows[:, 0], rows[:, 1], sentence_of)
        return dict(zip(self.reasons, (crossing, overlapping(rows, ~crossing))))


def overlapping(rows: numpy.ndarray, considered: numpy.ndarray) -> numpy.ndarray:
    """Which spans must go so that no two overlap: longer ones stay, then earlier ones. [n]"""
    lost = numpy.zeros(len(rows), dtype=bool)
    taken = numpy.zeros(int(rows[:, 1].max(initial=0)), dtype=bool)
    for i in numpy.lexsort((rows[:, 0], rows[:, 0] - rows[:, 1])).tolist():
        start, end = rows[i, :2]
        if considered[i]:
            lost[i] = taken[start:end].any()
            taken[start:end] |= not lost[i]
    return lost
