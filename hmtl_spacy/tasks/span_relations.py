"""Relations between the spans that another level finds: `doc._.relations`."""

from functools import partial
from typing import Any, Dict, List, Optional

import numpy
from spacy.tokens import Doc

from ..annotations import Relation, get_mentions
from ..data.layers import STANDARD
from ..nn.span_relations import SpanPairHead
from .base import offset_rows
from .relation_task import RelationTask


class SpanRelations(RelationTask):
    """Relations whose head scores pairs of mentions, with the words between them.

    candidates_from: the level whose spans are the candidates; if it isn't in the hierarchy, they are the
        mentions that documents have already, in the span group `mentions_key`.
    product_width: of the product of head and tail; 0 for none.
    context: whether the words between two mentions are read.
    types: whether the labels of the candidates are read, if their level is in the hierarchy.
    distances: whether the order and the distance of two mentions are read.
    feature_width: width of the embeddings of widths, labels and distances.
    """

    def __init__(
        self,
        *,
        candidates_from: str,
        product_width: int,
        context: bool,
        types: bool,
        distances: bool,
        feature_width: int,
        **settings: Any,
    ):
        super().__init__(**settings)
        self.candidates_from = candidates_from
        self.types = types
        self._make_head = partial(
            SpanPairHead,
            candidates_from=candidates_from,
            hidden=self.scorer_hidden,
            product_width=product_width,
            context=context,
            distances=distances,
            feature_width=feature_width,
            dropout=self.dropout,
            positive_rate=self.positive_rate,
        )

    @property
    def keys(self) -> Dict[str, Optional[str]]:
        """Without the group of the mentions if the candidates are a layer of their own."""
        keys = super().keys
        return {layer: key for layer, key in keys.items() if layer != "mentions" or not self._own_kind}

    def build_head(self, nI: int, nX: int) -> SpanPairHead:
        source = self.below.get(self.candidates_from) if self.types else None
        n_types = 0 if source is None else len(source.labels)
        return self._make_head(
            nI, nX, len(self.labels), n_types=n_types, inverse=self.directions.by_index(self.labels)
        )

    def typing_levels(self) -> List[str]:
        return [self.candidates_from] if self._own_kind else super().typing_levels()

    @property
    def _own_kind(self) -> bool:
        """Whether the candidates come from a level whose spans are a layer of their own."""
        source = self.below.get(self.candidates_from)
        return source is not None and source.layer not in STANDARD

    def candidate_rows(self, doc: Doc) -> Optional[numpy.ndarray]:
        mentions = get_mentions(doc, self.mentions_key)
        return None if mentions is None else offset_rows(mentions)

    def annotate(self, doc: Doc, rows: numpy.ndarray, scores: numpy.ndarray) -> None:
        relations = [
            Relation(doc[a:b], doc[c:d], self.labels[label], score)
            for (a, b, c, d, label), score in zip(rows.tolist(), scores.tolist())
        ]
        self.write(doc, relations)
