"""Exact scores for entities, mentions, relations and coreference, on plain tuples.

Spans are token offsets (start, end), ends exclusive. Gold and prediction are sequences
of equal length with one entry per document; scores are floats in 0..1, over the corpus.
"""

from .coref import CorefScorer, coref_scores, links, partition
from .label_sets import settle
from .relations import RELATION_MODES, relation_key, relation_scores
from .spans import prf, span_scores

__all__ = [
    "RELATION_MODES",
    "CorefScorer",
    "coref_scores",
    "links",
    "partition",
    "prf",
    "relation_key",
    "relation_scores",
    "settle",
    "span_scores",
]
