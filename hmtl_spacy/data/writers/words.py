"""A document's words without its white space: the tokens that formats of words have."""

from bisect import bisect_right
from collections import Counter
from itertools import accumulate
from typing import Any, Iterable, List, Optional, Sequence, Tuple

from spacy.tokens import Doc, Span

from ..converters.common import TREEBANK_ESCAPES
from ..layers import Layers

Offsets = Tuple[int, int]
CROSSING = "coreference mentions that cross another of their cluster or are only white space"
ESCAPED = "words that readers take for an escaped sign"


class Words:
    """The words of a document and where its spans are among them.

    texts: the tokens that aren't white space.
    sentences: start and end of each sentence in words; the document if none are annotated.
    """

    def __init__(self, doc: Doc, layers: Layers, lost: Counter[str]):
        words = [token for token in doc if not token.is_space]
        self.texts = [token.text for token in words]
        self._before = list(accumulate((not token.is_space for token in doc), initial=0))
        self.sentences = list(filter(None, map(self.offsets, layers.sentences or [doc[:]])))
        lost["tokens of white space"] += len(doc) - len(words)
        lost[ESCAPED] += sum(text in TREEBANK_ESCAPES for text in self.texts)
        if layers.sentences is None and words:
            lost["documents without sentence boundaries, written as one sentence"] += 1

    def offsets(self, span: Span) -> Optional[Offsets]:
        """Start and end of a span in words, None if it is nothing but white space."""
        start, end = self._before[span.start], self._before[span.end]
        return (start, end) if start < end else None

    def sentence(self, start: int) -> int:
        """The number of the sentence in which a word is."""
        return bisect_right(self.sentences, start, key=lambda sentence: sentence[1])


def lose_scores(layers: Iterable[Optional[Sequence[Any]]], lost: Counter[str]) -> None:
    """Count what a format holds without its score.

    layers: layers with a score last in each of their items.
    lost: is added to.
    """
    lost["scores"] += sum(item[-1] is not None for layer in layers for item in layer or ())


def nested(spans: List[Optional[Offsets]]) -> List[Tuple[int, int]]:
    """The spans, but for those that cross an earlier one: a bracket closes what its cluster opened last."""
    kept: List[Tuple[int, int]] = []
    open_ends: List[int] = []
    for start, end in sorted(filter(None, set(spans)), key=lambda span: (span[0], -span[1])):
        while open_ends and open_ends[-1] <= start:
            open_ends.pop()
        if not open_ends or end <= open_ends[-1]:
            kept.append((start, end))
            open_ends.append(end)
    return kept
