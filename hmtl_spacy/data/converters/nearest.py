"""Relations between entities, as relations between their mentions."""

from itertools import accumulate, product
from typing import Collection, Iterable, List, Literal, Tuple

from spacy.pipeline import Sentencizer
from spacy.tokens import Doc

from .clusters import Offsets

Pairs = Literal["nearest", "sentence", "all"]


def sentence_numbers(doc: Doc) -> List[int]:
    """The number of each token's sentence, from 0; by punctuation where sentences aren't annotated."""
    if doc.has_annotation("SENT_START"):
        starts = [bool(token.is_sent_start) for token in doc]
    else:
        starts = Sentencizer().predict([doc])[0]
    return list(accumulate(int(start and i > 0) for i, start in enumerate(starts)))


def mention_pairs(
    heads: Iterable[Offsets],
    tails: Iterable[Offsets],
    sentences: List[int],
    evidence: Collection[int] = (),
    pairs: Pairs = "nearest",
) -> List[Tuple[Offsets, Offsets]]:
    """Which mentions of two entities a relation between these is written between.

    heads, tails: the mentions of each, in tokens.
    sentences: the number of each token's sentence.
    evidence: the numbers of the sentences that support the relation.
    pairs: "nearest": the two with the fewest tokens between them, of those in one sentence if there are
        any, of those in one sentence of the evidence if there are any. "sentence": all that are in one
        sentence, else the nearest. "all": all.
    RETURNS: pairs of a head and a tail, none if an entity has no mention.
    """
    found = sorted(set(product(heads, tails)))
    found = [pair for pair in found if pair[0] != pair[1]] or found  # an entity's relation to itself
    if pairs == "all" or not found:
        return found

    def rank(pair: Tuple[Offsets, Offsets]) -> Tuple[bool, bool, int]:
        (start, end), (other_start, other_end) = pair
        inside = {sentences[i] for i in (start, end - 1, other_start, other_end - 1)}
        apart = max(start, other_start) - min(end, other_end)
        return not (len(inside) == 1 and inside <= set(evidence)), len(inside) > 1, max(apart, 0)

    together = [pair for pair in found if not rank(pair)[1]]
    return together if pairs == "sentence" and together else [min(found, key=rank)]
