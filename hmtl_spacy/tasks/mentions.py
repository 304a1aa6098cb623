"""Entity mention detection: names, nominals and pronouns in `doc.spans["mentions"]`."""

from typing import Any, Callable, Dict, List, Optional

import numpy
from spacy.tokens import Doc, Span

from ..annotations import get_mentions, set_mentions, write_layer
from ..data.layers import STANDARD, spans_to_json
from .tagging import TaggingTask


class Mentions(TaggingTask):
    """Typed mentions of entities, none of which overlap in training and in prediction.

    mentions_key: the span group of the mentions; their confidences are in its `attrs["scores"]`.
    layer: "mentions", or another name for a second level whose spans are of another kind, such as the
        arguments of a corpus's relations: a layer of its own, which coreference and entities don't read.
    """

    def __init__(self, *, mentions_key: str, layer: str = "mentions", **settings: Any):
        super().__init__(**settings)
        if layer in STANDARD and layer != "mentions":
            raise ValueError(
                f"The layer of mentions is '{layer}', which other tasks fill. Leave it 'mentions', or give "
                f"it a name of its own."
            )
        self.mentions_key = mentions_key
        self.layer = layer

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
