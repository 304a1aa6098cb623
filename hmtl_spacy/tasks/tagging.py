"""What named entities and mentions share: typed spans that a CRF tags, sentence by sentence."""

from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple

import numpy
from spacy.tokens import Doc, Span
from spacy.training import Example

from ..calibration import Judgement
from ..data.teaching import label_sets, members, unknown_labels
from ..metrics import settle, span_scores
from ..nn.head import LabellingHead
from ..nn.sentence_spans import NO_LABEL
from ..nn.tagging import TaggingHead
from .base import Task, annotated_pairs, char_offsets, crosses_sentences
from .differences import Differences, differences, span_items

LabelledSpan = Tuple[int, int, str]


class TaggingTask(Task):
    """Typed spans that don't overlap. Rows are start, end, label."""

    reasons: Sequence[str] = ("crosses a sentence", "overlaps another")
    learns_partially = True
    takes_spans = True

    def spans(self, doc: Doc) -> List[Span]:
        """The annotated spans of a document that has gold."""
        raise NotImplementedError

    @property
    def prefix(self) -> str:
        """Of the names of its scores."""
        raise NotImplementedError

    def missing(self, doc: Doc) -> numpy.ndarray:
        return numpy.zeros(len(doc), dtype=bool)

    def build_head(self, nI: int, nX: int) -> LabellingHead:
        return TaggingHead(nI, len(self.labels), self.dropout)

    def find_labels(self, docs: Iterable[Doc]) -> List[str]:
        annotated = [(doc, label_sets(doc, self.name)) for doc in docs if self.has_gold(doc)]
        return sorted(
            {x for doc, sets in annotated for s in self.spans(doc) for x in members(s.label_, sets)}
        )

    def annotated_labels(self, doc: Doc) -> List[str]:
        return [span.label_ for span in self.spans(doc)]

    def encode(self, doc: Doc) -> numpy.ndarray:
        rows = [(span.start, span.end, self.row_label(doc, span.label_)) for span in self.spans(doc)]
        return numpy.array(rows, dtype=numpy.int64).reshape(-1, 3)

    def candidate_rows(self, doc: Doc) -> Optional[numpy.ndarray]:
        if not self.has_gold(doc):
            return None
        known = {label: i for i, label in enumerate(self.labels)}
        rows = [(span.start, span.end, known.get(span.label_, NO_LABEL)) for span in self.spans(doc)]
        return numpy.array(rows, dtype=numpy.int64).reshape(-1, 3)

    def decode_spans(self, doc: Doc, rows: numpy.ndarray) -> List[Span]:
        return [Span(doc, start, end, label=self.labels[label]) for start, end, label in rows.tolist()]

    def unusable(self, rows: numpy.ndarray, sentence_of: numpy.ndarray) -> Dict[str, numpy.ndarray]:
        crossing = crosses_sentences(rows[:, 0], rows[:, 1], sentence_of)
        return dict(zip(self.reasons, (crossing, overlapping(rows, ~crossing))))

    def score(self, examples: List[Example]) -> Dict[str, Any]:
        pairs = annotated_pairs(self, examples)
        gold, judged = zip(*(self._compared(*pair) for pair in pairs)) if pairs else ((), ())
        return {f"{self.prefix}_{key}": value for key, value in span_scores(gold, judged).items()}

    def differences(self, predicted: Doc, reference: Doc) -> Dict[str, Differences]:
        gold, judged = self._compared(predicted, reference)
        return {self.prefix: differences(span_items(gold), span_items(judged))}

    def judgements(self, predicted: Doc, reference: Doc) -> List[Judgement]:
        gold, judged = self._compared(predicted, reference)
        confidence = self.confidences(predicted)
        return [(confidence[s, e], (s, e, label) in gold) for s, e, label in judged if (s, e) in confidence]

    def _compared(self, predicted: Doc, reference: Doc) -> Tuple[Set[LabelledSpan], Set[LabelledSpan]]:
        """Gold and predicted spans as they are compared."""
        gold, judged = self._char_spans(reference), self._judged(predicted, reference)
        sets, unknown = label_sets(reference, self.name), unknown_labels(reference, self.name)
        return settle(gold, judged, sets, unknown)

    def _judged(self, predicted: Doc, reference: Doc) -> Set[LabelledSpan]:
        """Predicted spans, without those that touch a token whose annotation is missing: they are neither
        right nor wrong.
        """
        spans = self._char_spans(predicted)
        missing = self.missing(reference)
        if not missing.any():
            return spans
        unknown = numpy.zeros(len(reference.text), dtype=bool)  # [n_characters]
        for token in numpy.flatnonzero(missing).tolist():
            unknown[reference[token].idx :][: len(reference[token])] = True
        return {span for span in spans if not unknown[span[0] : span[1]].any()}

    def _char_spans(self, doc: Doc) -> Set[LabelledSpan]:
        return {(*char_offsets(span), span.label_) for span in self.spans(doc)}


def overlapping(rows: numpy.ndarray, considered: numpy.ndarray) -> numpy.ndarray:
    """Which spans must go so that no two overlap. [n]

    Repeatedly drop the span with most overlaps; ties: the shorter, then the later.

    considered: spans that take part at all. [n]
    """
    lost = numpy.zeros(len(rows), dtype=bool)
    for group in _overlap_groups(rows, numpy.flatnonzero(considered)):
        starts, ends = rows[group, 0], rows[group, 1]
        overlap = (starts[:, None] < ends[None, :]) & (starts[None, :] < ends[:, None])
        numpy.fill_diagonal(overlap, False)
        while overlap.any():
            worst = numpy.lexsort((starts, starts - ends, overlap.sum(axis=1)))[-1]
            lost[group[worst]] = True
            overlap[worst] = overlap[:, worst] = False
    return lost


def _overlap_groups(rows: numpy.ndarray, considered: numpy.ndarray) -> Iterator[numpy.ndarray]:
    """Indices of spans that overlap one another, directly or through others."""
    order = considered[numpy.lexsort((rows[considered, 1], rows[considered, 0]))]
    reach = numpy.maximum.accumulate(rows[order, 1])
    breaks = numpy.flatnonzero(rows[order[1:], 0] >= reach[:-1]) + 1
    return (group for group in numpy.split(order, breaks) if len(group) > 1)
