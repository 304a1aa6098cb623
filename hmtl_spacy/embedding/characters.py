"""The character part: a CNN over the characters of each word."""

from functools import lru_cache, partial
from typing import List

import numpy
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..nn.characters import CharacterCNN, character_ids, pad_words
from ..shims import TorchShim
from .torch_layer import Output, create, distinct, no_vectors, run


def Characters(*, width: int, filters: int, dropout: float) -> Model[List[Doc], Floats2d]:
    """A character CNN.

    width: of a character's embedding.
    filters: of the CNN; the width of a word's vector.
    dropout: on words' vectors.
    """
    shim = TorchShim(partial(CharacterCNN, width, filters, dropout))
    return Model("hmtl-characters", _character_vectors, init=create, shims=[shim], dims={"nO": filters})


def _character_vectors(model: Model[List[Doc], Floats2d], docs: List[Doc], is_train: bool) -> Output:
    orths, word_of_token = distinct(docs)
    if not len(orths):
        return no_vectors(model)
    strings = docs[0].vocab.strings
    words = [_character_ids(strings[orth]) for orth in orths.tolist()]
    lengths = numpy.array([max(len(word) - 2, 1) for word in words])
    return run(model, is_train, pad_words(words), lengths, word_of_token)


_character_ids = lru_cache(maxsize=100_000)(character_ids)
