"""Sentences of two coordinate clauses, and the same with the clauses in the other order."""

from typing import Optional, Tuple

from .treebank import Sentence, Word

SUBJECTS = ("nsubj", "csubj", "expl")


def inverted(sentence: Sentence) -> Optional[Tuple[str, ...]]:
    """Change the places of the two clauses; what stands between and after them stays where it is.

    The word that comes first gets its capital, the one that came first loses it, unless it is a name or "I".
    RETURNS: None unless the sentence is one clause, a conjunction, another clause, and what ends it.
    """
    words = sentence.words
    conjuncts = sentence.dependents(sentence.root, "conj")
    if len(conjuncts) != 1 or not all(_has_subject(sentence, i) for i in (sentence.root, *conjuncts)):
        return None
    conjunctions = sentence.dependents(conjuncts[0], "cc")
    second = sentence.subtree(conjuncts[0])
    if len(conjunctions) != 1 or conjunctions[0] != min(i for i in second if words[i].pos != "PUNCT"):
        return None
    begin, between = conjunctions[0] + 1, conjunctions[0]
    while between and words[between - 1].pos == "PUNCT":
        between -= 1  # a comma before the conjunction
    end = len(words)
    while end and words[end - 1].pos == "PUNCT":
        end -= 1
    whole = second >= set(range(begin, end)) and min(second) >= between
    if not (whole and 0 < between < begin < end):
        return None
    first = [_lower(words[0]), *(word.text for word in words[1:between])]
    moved = [words[begin].text[:1].upper() + words[begin].text[1:], *_texts(sentence, begin + 1, end)]
    return (*moved, *_texts(sentence, between, begin), *first, *_texts(sentence, end, len(words)))


def _has_subject(sentence: Sentence, i: int) -> bool:
    return any(sentence.words[child].relation in SUBJECTS for child in sentence.children[i])


def _texts(sentence: Sentence, start: int, end: int) -> Tuple[str, ...]:
    return sentence.texts[start:end]


def _lower(word: Word) -> str:
    keep = word.pos == "PROPN" or word.text == "I" or word.text[1:] != word.text[1:].lower()
    return word.text if keep else word.text.lower()
