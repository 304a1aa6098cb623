"""The word part: static vectors, and an offset learned for each word of the training data."""

from functools import partial
from typing import List, Optional, cast

import numpy
from spacy.attrs import LOWER
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Model, xp2torch
from thinc.types import Floats2d

from ..nn.words import NOTHING, UNKNOWN, WordEmbedding
from ..shims import TorchShim
from .torch_layer import Output, distinct, no_vectors, run, shim_of


def Words(*, width: int, dropout: float, word_dropout: float) -> Model[List[Doc], Floats2d]:
    """Word vectors: the pipeline's static vectors plus an offset learned for each training word.

    Together that is fine-tuning: all rows of the vectors are kept, a word that training never
    showed still has its vector, and only the offsets are stored. Words are compared in lower case.

    width: of the learned vectors where the pipeline has no static vectors; theirs otherwise.
    dropout: on words' vectors.
    word_dropout: how often, 0 to 1, a training word is taken for an unseen one.
    """
    shim = TorchShim(partial(_build_words, dropout, word_dropout))
    return Model(
        "hmtl-words",
        _word_vectors,
        init=_initialize_words,
        shims=[shim],
        attrs={"width": width, "keys": numpy.zeros(0, dtype=numpy.uint64), "static": False},
        dims={"nO": None},
    )


def _build_words(dropout: float, word_dropout: float, n_words: int, width: int) -> WordEmbedding:
    return WordEmbedding(n_words, width, dropout, word_dropout)


def _initialize_words(
    model: Model[List[Doc], Floats2d], X: Optional[List[Doc]] = None, Y: Optional[Floats2d] = None
) -> None:
    if not X:
        raise ValueError("The word embedding needs documents to take its vocabulary from; none were given.")
    vocab = X[0].vocab
    keys, _ = distinct(X, LOWER)
    width = vocab.vectors.shape[1] if vocab.vectors.size else model.attrs["width"]
    model.attrs["keys"] = keys
    model.attrs["static"] = bool(vocab.vectors.size)
    model.set_dim("nO", width, force=True)
    network = shim_of(model).create(n_words=len(keys), width=width)
    vectors = static_vectors(vocab, keys)
    static = xp2torch(model.ops.alloc2f(len(keys), width) if vectors is None else vectors)
    network.initialize(static, static.any(dim=1))


def _word_vectors(model: Model[List[Doc], Floats2d], docs: List[Doc], is_train: bool) -> Output:
    orths, word_of_token = distinct(docs)
    if not len(orths):
        return no_vectors(model)
    vocab = docs[0].vocab
    lowers = numpy.array([vocab[orth].lower for orth in orths.tolist()], dtype=numpy.uint64)
    static = None
    if model.attrs["static"]:
        static = static_vectors(vocab, orths, lowers)
        _require_width(static, shim_of(model).cfg["width"])
    keys = model.attrs["keys"]
    place = numpy.searchsorted(keys, lowers).clip(max=len(keys) - 1)
    known = keys[place] == lowers
    unknown = numpy.full(len(lowers), UNKNOWN)
    if static is not None:
        unknown = numpy.where(model.ops.to_numpy(static.any(axis=1)), NOTHING, UNKNOWN)
    rows = numpy.where(known, place + 2, unknown)
    return run(model, is_train, rows, word_of_token, None if static is None else xp2torch(static))


def _require_width(static: Optional[Floats2d], width: int) -> None:
    if static is None or static.shape[1] != width:
        actual = "none" if static is None else f"vectors of width {static.shape[1]}"
        raise ValueError(
            f"The word embedding was trained with static vectors of width {width}, but the pipeline has "
            f"{actual}. Give the pipeline the vectors that the component was trained with."
        )


def static_vectors(vocab: Vocab, *keys: numpy.ndarray) -> Optional[Floats2d]:
    """The static vector of each word under the first key that has one, else zeros. [n, width]

    keys: hashes of the words, in several spellings. [n] each
    """
    vectors = vocab.vectors
    if not vectors.size:
        return None
    if vectors.mode != "default":
        return cast(Floats2d, vectors.get_batch(keys[0].tolist()))
    rows = vectors.find(keys=keys[0].tolist())
    for more in keys[1:]:
        rows = numpy.where(rows < 0, vectors.find(keys=more.tolist()), rows)
    static: Floats2d = vectors.data[rows]
    static[rows < 0] = 0.0
    return static
