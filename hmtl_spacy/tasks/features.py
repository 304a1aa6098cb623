"""Features of tokens that heads read beside the vectors: an integer per token, 0 where it is unknown."""

from typing import List, Sequence

import numpy
from spacy.attrs import LOWER
from spacy.strings import get_string_id
from spacy.tokens import Doc

from ..nn.antecedents import SPEAKERS, WORDS

__all__ = ["SPEAKERS", "WORDS", "speaker_ids", "word_ids"]


def word_ids(docs: Sequence[Doc]) -> numpy.ndarray:
    """Equal where the lower-cased words are. int64 [n_tokens]"""
    return _joined([doc.to_array([LOWER]).reshape(-1) for doc in docs])


def speaker_ids(docs: Sequence[Doc]) -> numpy.ndarray:
    """Who says each token, by `doc.user_data["speakers"]`: a list with a name, or None, for every token.

    RETURNS: equal where the names are; 0 without a name, and in documents without the list. int64 [n_tokens]
    """
    return _joined([_speakers(doc) for doc in docs])


def _speakers(doc: Doc) -> numpy.ndarray:
    names = doc.user_data.get(SPEAKERS)
    if names is None:
        return numpy.zeros(len(doc), dtype=numpy.uint64)
    if len(names) != len(doc):
        raise ValueError(
            f"doc.user_data['{SPEAKERS}'] has {len(names)} names for {len(doc)} tokens. Give one for every "
            f"token, None where the speaker is unknown."
        )
    return numpy.array([get_string_id(name) if name else 0 for name in names], dtype=numpy.uint64)


def _joined(ids: List[numpy.ndarray]) -> numpy.ndarray:
    return numpy.concatenate(ids).astype(numpy.uint64).view(numpy.int64)
