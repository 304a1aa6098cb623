"""Named entity recognition: `doc.ents`."""

import warnings
from typing import Any, Callable, Dict, List, Optional

import numpy
from spacy.attrs import ENT_IOB
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from ..annotations import has_entities, write_layer
from .tagging import TaggingTask


class NER(TaggingTask):
    """Named entities, which go to `doc.ents`.

    overwrite: replace entities that a document already has; if not, they and blocked tokens stay, and
        predicted ones that overlap them are left out.
    scores_key: the span group that holds the predicted entities with their confidences in
        `attrs["scores"]`; null for none.
    """

    layer = "entities"

    def __init__(self, *, overwrite: bool, scores_key: Optional[str], **settings: Any):
        super().__init__(**settings)
        self.overwrite = overwrite
        self.scores_key = scores_key
        self.has_warned = False

    @property
    def keys(self) -> Dict[str, Optional[str]]:
        return {"entities": self.scores_key}

    @property
    def scored_group(self) -> Optional[str]:
        return self.scores_key

    @property
    def prefix(self) -> str:
        return "ents"

    def has_gold(self, doc: Doc) -> bool:
        return has_entities(doc)

    def missing(self, doc: Doc) -> numpy.ndarray:
        """Tokens without an entity value; blocked ones ("never an entity") have one."""
        missing: numpy.ndarray = doc.to_array([ENT_IOB]).reshape(-1) == 0
        return missing

    def spans(self, doc: Doc) -> List[Span]:
        return list(doc.ents)

    def relabel(self, doc: Doc, rename: Callable[[str], Optional[str]]) -> None:
        named = [(ent, rename(ent.label_)) for ent in doc.ents]
        kept = [
            Span(doc, ent.start, ent.end, label=label, kb_id=ent.kb_id, span_id=ent.id)
            for ent, label in named
            if label is not None
        ]
        doc.set_ents(kept, outside=[ent for ent, label in named if label is None], default="unmodified")

    def annotate(self, doc: Doc, rows: numpy.ndarray, scores: numpy.ndarray) -> None:
        entities = self.decode_spans(doc, rows)
        if self.overwrite:
            self._warn_of_loss(doc, entities)
        self._write_scores(doc, entities, scores.tolist())
        if self.overwrite:
            doc.set_ents(filter_spans(entities), default="outside")
        else:
            self._add(doc, entities)

    def annotate_beside(self, doc: Doc, rows: numpy.ndarray, scores: numpy.ndarray) -> None:
        group = doc.spans.get(self.scores_key) if self.scores_key else None
        before = [] if group is None else zip(group, group.attrs.get("scores", ()))
        kept = [(span, score) for span, score in before if span in doc.ents]  # of an earlier run
        entities = self.decode_spans(doc, rows)
        self._write_scores(
            doc,
            [*(span for span, _ in kept), *entities],
            [*(score for _, score in kept), *scores.tolist()],
        )
        self._add(doc, entities)

    def _write_scores(self, doc: Doc, entities: List[Span], scores: List[float]) -> None:
        if self.scores_key:
            write_layer(doc, "entities", self.scores_key, entities, scores=scores)

    def _add(self, doc: Doc, entities: List[Span]) -> None:
        """Set those that overlap neither an entity of the document nor a blocked token; these stay."""
        blocked = [
            doc[token.i : token.i + 1] for token in doc if token.ent_iob_ == "B" and not token.ent_type
        ]
        present = {i for span in (*doc.ents, *blocked) for i in range(span.start, span.end)}
        new = [ent for ent in entities if present.isdisjoint(range(ent.start, ent.end))]
        doc.set_ents(filter_spans([*doc.ents, *new]), blocked=blocked, default="outside")

    def _warn_of_loss(self, doc: Doc, entities: List[Span]) -> None:
        """Say once that entities of another component, such as `ner`, are replaced."""
        own = {*entities, *(doc.spans.get(self.scores_key, ()) if self.scores_key else ())}
        kept = {(ent.start, ent.end, ent.label) for ent in own}
        lost = [ent for ent in doc.ents if (ent.start, ent.end, ent.label) not in kept]
        if lost and not self.has_warned:
            self.has_warned = True
            warnings.warn(
                f"The entities that other components have set, such as '{lost[0].text}' ({lost[0].label_}), "
                f"are replaced. To keep them and add only what doesn't overlap them, set "
                f"`overwrite = false` in the settings of the task (hmtl_spacy.NER.v1).",
                stacklevel=2,
            )

    def score_weights(self) -> Dict[str, Optional[float]]:
        return {"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None}
