"""The case part: an embedding of how a word is capitalised."""

from functools import lru_cache, partial
from typing import List

import numpy
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d
from torch import nn

from ..shims import TorchShim
from .torch_layer import Output, create, distinct, no_vectors, run

CASES = ("other", "lower", "Title", "UPPER", "mixedCase", "number", "with number", "X")


def Case(*, width: int) -> Model[List[Doc], Floats2d]:
    """An embedding of how a word is capitalised; useful beside an uncased transformer.

    width: of the embedding.
    """
    shim = TorchShim(partial(CaseEmbedding, width))
    return Model("hmtl-case", _case_vectors, init=create, shims=[shim], dims={"nO": width})


class CaseEmbedding(nn.Embedding):
    """A vector for each of CASES."""

    def __init__(self, width: int):
        super().__init__(len(CASES), width)


@lru_cache(maxsize=100_000)
def case_of(word: str) -> int:
    """The index of a word's case in CASES."""
    if any(character.isdigit() for character in word):
        return 5 if not any(character.isalpha() for character in word) else 6
    if word.islower():
        return 1
    if word.isupper():
        return 3 if len(word) > 1 else 7
    if word.istitle():
        return 2
    return 4 if any(character.isupper() for character in word) else 0


def _case_vectors(model: Model[List[Doc], Floats2d], docs: List[Doc], is_train: bool) -> Output:
    orths, word_of_token = distinct(docs)
    if not len(orths):
        return no_vectors(model)
    strings = docs[0].vocab.strings
    cases = numpy.array([case_of(strings[orth]) for orth in orths.tolist()])
    return run(model, is_train, cases[word_of_token])
