"""Entity mention detection: names, nominals and pronouns in `doc.spans["mentions"]`."""

from typing import Any, Callable, Dict, List, Optional

import numpy
from spacy.tokens import Doc, Span

from ..annotations import get_mentions, set_mentions, write_layer
from ..data.layers import STANDARD, spans_to_json
from ..nn.crossing import best_without_crossing
from ..nn.head import LabellingHead
from ..nn.span_labels import SpanLabelHead
from .base import crosses_sentences
from .tagging import TaggingTask


class Mentions(TaggingTask):
    """Typed mentions of entities, none of which overlap in training and in prediction, unless they may nest.

    nested: mentions may lie within one another: every span of a sentence is scored, in place of tags.
    max_width: widest mention that may be nested, in tokens.
    scorer_hidden, product_width: of the scorer of spans, the vectors of spans and of the product of their
        first and last tokens; 0 for no product.
    mentions_key: the span group of the mentions; their confidences are in its `attrs["scores"]`.
    layer: "mentions", or another name for a second level whose spans are of another kind, such as the
        arguments of a corpus's relations: a layer of its own, which coreference and entities don't read.
    """

    def __init__(
        self,
        *,
        nested: bool = False,
        max_width: int = 20,
        scorer_hidden: int = 64,
        product_width: int = 64,
        mentions_key: str,
        layer: str = "mentions",
        **settings: Any,
    ):
        super().__init__(**settings)
        if layer in STANDARD and layer != "mentions":
            raise ValueError(
                f"The layer of mentions is '{layer}', which other tasks fill. Leave it 'mentions', or give "
                f"it a name of its own."
            )
        if max_width < 1 or scorer_hidden < 1 or product_width < 0:
            raise ValueError(
                f"Mentions: max_width is {max_width}, scorer_hidden {scorer_hidden} and product_width "
                f"{product_width}. Give the first two 1 or more, and the last 0 or more."
            )
        if nested:
            self.reasons = ("crosses a sentence", "too wide", "same span as another")
        self.nested = nested
        self.max_width = max_width
        self.scorer_hidden = scorer_hidden
        self.product_width = product_width
        self.mentions_key = mentions_key
        self.layer = layer

    def build_head(self, nI: int, nX: int) -> LabellingHead:
        if not self.nested:
            return super().build_head(nI, nX)
        return SpanLabelHead(
            nI,
            len(self.labels),
            max_width=self.max_width,
            hidden=self.scorer_hidden,
            product_width=self.product_width,
            dropout=self.dropout,
        )

    @property
    def keys(self) -> Dict[str, Optional[str]]:
        return {self.layer: self.mentions_key} if self.layer in STANDARD else {}

    @property
    def scored_group(self) -> str:
        return self.mentions_key

    @property
    def prefix(self) -> str:
        return f"spans_{self.mentions_key}"

    def has_gold(self, doc: Doc) -> bool:
        return self.mentions_key in doc.spans

    def spans(self, doc: Doc) -> List[Span]:
        return get_mentions(doc, self.mentions_key) or []

    def unusable(self, rows: numpy.ndarray, sentence_of: numpy.ndarray) -> Dict[str, numpy.ndarray]:
        if not self.nested:
            return super().unusable(rows, sentence_of)
        crossing = crosses_sentences(rows[:, 0], rows[:, 1], sentence_of)
        wide = (rows[:, 1] - rows[:, 0] > self.max_width) & ~crossing
        again = numpy.ones(len(rows), dtype=bool)
        again[numpy.unique(rows[:, :2], axis=0, return_index=True)[1]] = False  # the first of each stays
        return dict(zip(self.reasons, (crossing, wide, again & ~crossing & ~wide)))

    def out_of_reach(self, rows: numpy.ndarray) -> Dict[str, int]:
        """With nested mentions: those that are left out so that none crosses another."""
        if not self.nested:
            return {}
        kept = best_without_crossing(rows[:, 0], rows[:, 1], numpy.zeros(len(rows)))
        return {"crosses another": int((~kept).sum())} if not kept.all() else {}

    def relabel(self, doc: Doc, rename: Callable[[str], Optional[str]]) -> None:
        named = [(span, rename(span.label_)) for span in self.spans(doc)]
        kept = [Span(doc, s.start, s.end, label=label) for s, label in named if label is not None]
        set_mentions(doc, kept, key=self.mentions_key, layer=self.layer)

    def annotate(self, doc: Doc, rows: numpy.ndarray, scores: numpy.ndarray) -> None:
        set_mentions(doc, self.decode_spans(doc, rows), scores.tolist(), self.mentions_key, self.layer)

    def annotate_beside(self, doc: Doc, rows: numpy.ndarray, scores: numpy.ndarray) -> None:
        present = self.spans(doc)
        attrs = dict(doc.spans[self.mentions_key].attrs) if self.has_gold(doc) else {}
        attrs["scores"] = [*(attrs.get("scores") or [1.0] * len(present)), *scores.tolist()]
        attrs.pop("layer", None)
        write_layer(doc, self.layer, self.mentions_key, [*present, *self.decode_spans(doc, rows)], **attrs)

    def to_json(self, doc: Doc) -> Optional[Any]:
        return super().to_json(doc) if self.layer in STANDARD else spans_to_json(doc, self.mentions_key)

    def score_weights(self) -> Dict[str, Optional[float]]:
        prefix = self.prefix
        return {f"{prefix}_f": 1.0, f"{prefix}_p": 0.0, f"{prefix}_r": 0.0, f"{prefix}_per_type": None}
