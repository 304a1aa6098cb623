"""Task sampling: every batch belongs to one corpus and so to its tasks."""

import random
from typing import Callable, Dict, Iterable, Iterator, List

from spacy.training import Example

from .teaching import batch_words, corpus_name

EXPONENTS = {"proportional": 1.0, "square-root": 0.5, "uniform": 0.0}


def batch_by_task(
    sampling: str, words: int, minimum_share: float, with_replacement: bool
) -> Callable[[Iterable[Example]], Iterator[List[Example]]]:
    """Batches of one corpus each, for one pass over the data.

    sampling: a corpus's share of the batches is in proportion to its own number of batches
        ("proportional", as in the paper), to the root of that ("square-root"), or the same for
        all ("uniform").
    words: words per batch, for corpora that don't set their own.
    minimum_share: share of the batches that every corpus gets at least.
    with_replacement: draw the corpus of each batch anew, as the paper does, instead of
        shuffling batches in their shares, which gives the same with less variance.
    """
    if sampling not in EXPONENTS:
        raise ValueError(
            f"hmtl_spacy.batch_by_task.v1: sampling is '{sampling}'. Use one of {sorted(EXPONENTS)}."
        )

    def batches(examples: Iterable[Example]) -> Iterator[List[Example]]:
        by_corpus = _by_corpus(examples)
        counts = _counts(by_corpus, words)
        total = sum(counts.values())
        share = shares(counts, EXPONENTS[sampling], minimum_share)
        if with_replacement:
            order = random.choices(list(share), weights=list(share.values()), k=total)
        else:
            order = [name for name, part in share.items() for _ in range(max(1, round(part * total)))]
            random.shuffle(order)
        streams = {name: _endless(corpus, words) for name, corpus in by_corpus.items()}
        for name in order:
            yield next(streams[name])

    return batches


def count_batches(examples: Iterable[Example], words: int) -> Dict[str, int]:
    """How many batches a pass over each corpus has; their sum is that of a pass of `batch_by_task`, or
    nearly: shares are rounded.

    words: words per batch, for corpora that don't set their own.
    """
    return _counts(_by_corpus(examples), words)


def _counts(by_corpus: Dict[str, List[Example]], words: int) -> Dict[str, int]:
    return {name: sum(1 for _ in _fill(corpus, words)) for name, corpus in by_corpus.items()}


def _by_corpus(examples: Iterable[Example]) -> Dict[str, List[Example]]:
    by_corpus: Dict[str, List[Example]] = {}
    for example in examples:
        by_corpus.setdefault(corpus_name(example.reference), []).append(example)
    return by_corpus


def shares(counts: Dict[str, int], exponent: float, minimum: float) -> Dict[str, float]:
    """The share of each corpus in the batches; they sum to 1.

    counts: batches per corpus.
    """
    if minimum * len(counts) > 1.0:
        raise ValueError(
            f"hmtl_spacy.batch_by_task.v1: {len(counts)} corpora can't each have a share of "
            f"{minimum}. Set minimum_share to at most {1.0 / len(counts):.2f}."
        )
    weights = {name: count**exponent for name, count in counts.items()}
    raised: Dict[str, float] = {}
    while True:
        rest = sum(weight for name, weight in weights.items() if name not in raised)
        left = 1.0 - minimum * len(raised)
        share = {name: weight / rest * left for name, weight in weights.items() if name not in raised}
        low = [name for name, part in share.items() if part < minimum]
        if not low:
            return {name: raised.get(name, share.get(name, 0.0)) for name in counts}
        raised.update(dict.fromkeys(low, minimum))


def _endless(examples: List[Example], words: int) -> Iterator[List[Example]]:
    """Batches of a corpus, pass after pass, each in a new order."""
    while True:
        shuffled = random.sample(examples, len(examples))
        yield from _fill(shuffled, words)


def _fill(examples: List[Example], words: int) -> Iterator[List[Example]]:
    """Batches of about as many words as the corpus or the batcher says, of at least one document."""
    batch: List[Example] = []
    n_words = 0
    for example in examples:
        limit = batch_words(example.reference) or words
        n = len(example.predicted)
        if batch and n_words + n > limit:
            yield batch
            batch, n_words = [], 0
        batch.append(example)
        n_words += n
    if batch:
        yield batch
