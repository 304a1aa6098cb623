"""Ten probing tasks made of a treebank: what SentEval has (Conneau et al. 2018), rebuilt.

A task yields candidates; `splitting` makes balanced splits of them. Where SentEval used constituent trees of
a parser, these are gold dependency trees: docs/experiments.md says what stands in for what.
"""

from collections import Counter
from random import Random
from typing import Callable, Dict, Iterator, List, NamedTuple, Sequence, Tuple

from . import inverting
from .odd_words import odd_words
from .treebank import Sentence

PAST, PRESENT = ("VBD",), ("VBP", "VBZ")
SINGULAR, PLURAL = ("NN",), ("NNS",)
DEPTHS = range(4, 8)
BIN = 4  # words in a bin of lengths
N_WORDS, COMMONER_WORDS = 50, 100  # of word content; those that are more frequent than these
N_SEQUENCES = 9  # of top constituents; all others are one more class
PHRASES = {
    **dict.fromkeys(("nsubj", "expl", "obj", "dislocated", "vocative"), "NP"),
    **dict.fromkeys(("csubj", "advcl"), "SBAR"),
    **dict.fromkeys(("ccomp", "parataxis"), "S"),
    "obl": "PP",
    "advmod": "ADVP",
    "cc": "CC",
    "discourse": "INTJ",
    "mark": "IN",
}


class Example(NamedTuple):
    """A sentence that is to be classified.

    group: what must not be in two splits: the lemma that the label is of, a document, a sentence.
    unit: what is drawn together for an interval; empty for the group.
    """

    words: Tuple[str, ...]
    label: str
    group: str
    unit: str = ""


Examples = Iterator[Example]


def sentence_length(sentences: Sequence[Sentence], random: Random) -> Examples:
    """Label: how many words a sentence has, in bins."""
    for sentence in sentences:
        yield Example(sentence.texts, _bin(sentence), sentence.doc)


def word_content(sentences: Sequence[Sentence], random: Random) -> Examples:
    """Label: which of some words of medium frequency a sentence has; it has exactly one of them."""
    words = [{text.lower() for text in sentence.texts if text.isalpha()} for sentence in sentences]
    counts = Counter(word for of_sentence in words for word in of_sentence)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    frequent = set(ranked[COMMONER_WORDS : COMMONER_WORDS + N_WORDS * 3 // 2])
    # words that mostly come with others of these would leave few sentences for all
    alone = Counter(word for found in words if len(found & frequent) == 1 for word in found & frequent)
    targets = set(sorted(frequent, key=lambda word: (-alone[word], word))[:N_WORDS])
    for i, (sentence, of_sentence) in enumerate(zip(sentences, words)):
        found = of_sentence & targets
        if len(found) == 1:
            yield Example(sentence.texts, found.pop(), str(i))


def tree_depth(sentences: Sequence[Sentence], random: Random) -> Examples:
    """Label: the depth of the tree, as often in every bin of lengths as every other, so that length doesn't
    tell it.
    """
    cells: Dict[Tuple[str, int], List[Sentence]] = {}
    for sentence in sentences:
        cells.setdefault((_bin(sentence), sentence.depth), []).append(sentence)
    for length in sorted({length for length, _ in cells}):
        of_length = [cells.get((length, depth), []) for depth in DEPTHS]
        n = min(map(len, of_length))
        for depth, cell in zip(DEPTHS, of_length):
            for sentence in random.sample(cell, n):
                yield Example(sentence.texts, str(depth), sentence.doc)


def top_constituents(sentences: Sequence[Sentence], random: Random) -> Examples:
    """Label: what the sentence consists of at the top, one of the most frequent sequences or another."""
    found = [(sentence, _top(sentence)) for sentence in sentences]
    counts = Counter(top for _, top in found)
    frequent = sorted(counts, key=lambda top: (-counts[top], top))[:N_SEQUENCES]
    for sentence, top in found:
        yield Example(sentence.texts, top if top in frequent else "other", sentence.doc)


def bigram_shift(sentences: Sequence[Sentence], random: Random) -> Examples:
    """Label: whether two neighbouring words have changed places. Never the first, whose capital would tell,
    nor punctuation.
    """
    for sentence in sentences:
        words = list(sentence.texts)
        places = [i for i in range(1, len(words) - 1) if _can_swap(sentence, i)]
        if not places:
            continue
        if random.random() < 0.5:
            yield Example(tuple(words), "original", sentence.doc)
        else:
            i = random.choice(places)
            words[i], words[i + 1] = words[i + 1], words[i]
            yield Example(tuple(words), "shifted", sentence.doc)


def tense(sentences: Sequence[Sentence], random: Random) -> Examples:
    """Label: the tense of the main verb. Group: its lemma."""
    for sentence in sentences:
        verb = sentence.words[sentence.root]
        if verb.tag in (*PAST, *PRESENT):
            yield Example(sentence.texts, "past" if verb.tag in PAST else "present", verb.lemma)


def subject_number(sentences: Sequence[Sentence], random: Random) -> Examples:
    """Label: the number of the main clause's subject, a common noun. Group: its lemma."""
    return _number(sentences, "nsubj")


def object_number(sentences: Sequence[Sentence], random: Random) -> Examples:
    """Label: the number of the main clause's direct object, a common noun. Group: its lemma."""
    return _number(sentences, "obj")


def coordination_inversion(sentences: Sequence[Sentence], random: Random) -> Examples:
    """Label: whether two coordinate clauses have changed places. Each sentence is there both ways."""
    for sentence in sentences:
        inverted = inverting.inverted(sentence)
        if inverted:
            yield Example(sentence.texts, "original", sentence.doc)
            yield Example(inverted, "inverted", sentence.doc)


def odd_man_out(sentences: Sequence[Sentence], random: Random) -> Examples:
    """Label: whether a noun or a verb was replaced by another. Group: one of ten parts of all their lemmas;
    both words are of it.
    Unit: the lemma of the word that was, or might have been, replaced.
    """
    for words, label, group, lemma in odd_words(sentences, random):
        yield Example(words, label, group, lemma)


TASKS: Dict[str, Callable[[Sequence[Sentence], Random], Examples]] = {
    "SentLen": sentence_length,
    "WC": word_content,
    "TreeDepth": tree_depth,
    "TopConst": top_constituents,
    "BShift": bigram_shift,
    "Tense": tense,
    "SubjNum": subject_number,
    "ObjNum": object_number,
    "SOMO": odd_man_out,
    "CoordInv": coordination_inversion,
}


def _bin(sentence: Sentence) -> str:
    first = (len(sentence.words) - 1) // BIN * BIN + 1
    return f"{first}-{first + BIN - 1}"


def _top(sentence: Sentence) -> str:
    """The phrases that dependents before the root head, the root's own, and what ends the sentence."""
    root = sentence.words[sentence.root]
    before = [sentence.words[i].relation for i in sentence.children[sentence.root] if i < sentence.root]
    clause = root.pos in ("VERB", "AUX") or sentence.dependents(sentence.root, "cop")
    end = sentence.words[-1].text
    phrases = [PHRASES[relation] for relation in before if relation in PHRASES]
    return " ".join([*phrases, "VP" if clause else root.pos, *(end if end in (".", "?", "!") else "")])


def _can_swap(sentence: Sentence, i: int) -> bool:
    first, second = sentence.words[i : i + 2]
    return "PUNCT" not in (first.pos, second.pos) and first.text.lower() != second.text.lower()


def _number(sentences: Sequence[Sentence], relation: str) -> Examples:
    for sentence in sentences:
        for i in sentence.dependents(sentence.root, relation)[:1]:
            noun = sentence.words[i]
            if noun.tag in (*SINGULAR, *PLURAL):
                yield Example(sentence.texts, "singular" if noun.tag in SINGULAR else "plural", noun.lemma)
