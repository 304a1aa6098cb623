"""Entity mention detection: names, nominals and pronouns in `doc.spans["mentions"]`."""

from typing import Any, Dict, List, Optional

import numpy
from spacy.tokens import Doc, Span
from spacy.training import Example

from ..annotations import MENTIONS, get_mentions, set_mentions
from ..metrics import span_scores
from .base import annotated_pairs
from .tagging import TaggingTask


class Mentions(TaggingTask):
    """
    spans_key: the span group of the mentions; their confidences are in its `attrs["scores"]`.
    """

    def __init__(self, *, spans_key: str = MENTIONS, **settings: Any):
        super().__init__(**settings)
        self.spans_key = self.mentions_key = spans_key

    def has_gold(self, doc: Doc) -> bool:
        return self.spans_key in doc.spans

    def spans(self, doc: Doc) -> List[Span]:
        return get_mentions(doc, self.spans_key) or []

    def annotate(self, doc: Doc, rows: numpy.ndarray, scores: numpy.ndarray) -> None:
        set_mentions(doc, self.decode_spans(doc, rows), scores.tolist(), self.spans_key)

    def score(self, examples: List[Example]) -> Dict[str, Any]:
        pairs = annotated_pairs(self, examples)
        gold = [{(m.start_char, m.end_char, m.label_) for m in self.spans(ref)} for _, ref in pairs]
        found = [{(m.start_char, m.end_char, m.label_) for m in self.spans(pred)} for pred, _ in pairs]
        return {f"spans_{self.spans_key}_{key}": value for key, value in span_scores(gold, found).items()}

    def score_weights(self) -> Dict[str, Optional[float]]:
        prefix = f"spans_{self.spans_key}_"
        return {f"{prefix}f": 1.0, f"{prefix}p": 0.0, f"{prefix}r": 0.0, f"{prefix}per_type": None}
