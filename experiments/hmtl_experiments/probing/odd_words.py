"""Sentences in which a noun or a verb was replaced by one that is as frequent beside the same neighbours."""

from collections import Counter
from random import Random
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

from .treebank import Sentence, Word

TAGS = ("NN", "NNS", "VB", "VBD", "VBG", "VBN", "VBP", "VBZ")
PARTS = 10
TRIES = 50
START, END = "<s>", "</s>"


class Frequencies(NamedTuple):
    """How often words and pairs of neighbours occur, in lower case."""

    words: Counter[str]
    pairs: Counter[Tuple[str, str]]


def odd_words(
    sentences: Sequence[Sentence], random: Random
) -> Iterator[Tuple[Tuple[str, ...], str, str, str]]:
    """Replace a noun or a verb in half of the sentences (Conneau et al. 2018, SOMO).

    The replacement has the same tag, and it and the two bigrams that it makes have frequencies that are as
    high as those of what it replaces, in powers of two, the sentence's own occurrence aside.
    YIELDS: the words, "original" or "odd", the part of the lemmas that the chosen word is of, its lemma.
    """
    counts = count(sentences)
    words = sorted({word for sentence in sentences for word in sentence.words if _is_target(word)}, key=_key)
    parts = {lemma: str(random.randrange(PARTS)) for lemma in sorted({word.lemma for word in words})}
    by_kind: Dict[Tuple[str, str, int], List[Word]] = {}
    for word in {_key(word): word for word in words}.values():
        by_kind.setdefault(_kind(word, parts, counts), []).append(word)
    for sentence in sentences:
        targets = [i for i, word in enumerate(sentence.words) if i and _is_target(word)]
        if not targets:
            continue
        i = random.choice(targets)
        target = sentence.words[i]
        candidates = by_kind[_kind(target, parts, counts)]
        found = [
            word.text.lower()
            for word in random.sample(candidates, min(TRIES, len(candidates)))
            if word.lemma != target.lemma and _fits(sentence, i, word, counts)
        ]
        if found:
            odd = random.random() < 0.5
            words_of = list(sentence.texts)
            words_of[i] = found[0] if odd else words_of[i].lower()
            yield tuple(words_of), "odd" if odd else "original", parts[target.lemma], target.lemma


def count(sentences: Sequence[Sentence]) -> Frequencies:
    """Count words and bigrams."""
    words: Counter[str] = Counter()
    pairs: Counter[Tuple[str, str]] = Counter()
    for sentence in sentences:
        texts = [START, *(text.lower() for text in sentence.texts), END]
        words.update(texts)
        pairs.update(zip(texts, texts[1:]))
    return Frequencies(words, pairs)


def _is_target(word: Word) -> bool:
    return word.tag in TAGS and word.pos in ("NOUN", "VERB") and word.text.isalpha()


def _key(word: Word) -> Tuple[str, str, str]:
    return word.text.lower(), word.lemma, word.tag


def _kind(word: Word, parts: Dict[str, str], counts: Frequencies) -> Tuple[str, str, int]:
    return parts[word.lemma], word.tag, counts.words[word.text.lower()].bit_length()


def _fits(sentence: Sentence, i: int, word: Word, counts: Frequencies) -> bool:
    """Whether the bigrams with a word in place i are as frequent as those there, this sentence aside."""
    texts = [START, *(text.lower() for text in sentence.texts), END]
    before, there, after = texts[i : i + 3]
    new = word.text.lower()
    return all(
        counts.pairs[with_new].bit_length() == (counts.pairs[with_old] - 1).bit_length()
        for with_new, with_old in (((before, new), (before, there)), ((new, after), (there, after)))
    )
