"""The shared embedding g_e: contextual vectors, characters, words and case, concatenated.

Every part is a Thinc model from docs to one array of token vectors, [n_tokens, nO]; any
spaCy `tok2vec` layer (one array per doc) can stand where the contextual part does.
"""

from functools import lru_cache, partial
from typing import Callable, Dict, List, Optional, Tuple

import numpy
import torch
from spacy.attrs import LOWER, ORTH
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Model, torch2xp, xp2torch
from thinc.types import Floats2d
from torch import nn

from ..nn.characters import CharacterCNN, character_ids, pad_words
from ..nn.words import NOTHING, UNKNOWN, WordEmbedding
from ..shims import TorchShim

ORDER = ("contextual", "characters", "words", "case")


def Embedding(parts: Dict[str, Optional[Model]]) -> Model[List[Doc], Floats2d]:
    """Concatenate the parts that aren't null (paper, section 2.1).

    The order doesn't depend on that of the mapping, since a stored config may be sorted: first contextual,
    characters, words and case, then all others by name. Each part can be had by `get_ref(name)`.

    parts: layers from docs to token vectors, by name; one array for all docs or one per doc.
    """
    layers = {name: parts[name] for name in sorted(parts, key=_place) if parts[name] is not None}
    if not layers:
        raise ValueError(
            f"The embedding has no part: of {sorted(parts)} none is left. Give at least one of "
            f"[components.hmtl.embedding.parts] a function of the registry: @architectures."
        )
    for name, layer in layers.items():
        if not isinstance(layer, Model):
            raise ValueError(
                f"[components.hmtl.embedding.parts.{name}] is of type {type(layer).__name__}, not a layer. "
                f"Give the section a function of the registry that returns one: @architectures."
            )
    return Model(
        "hmtl-embedding",
        _concatenate,
        init=_initialize_parts,
        layers=list(layers.values()),
        refs=dict(layers),
        dims={"nO": None},
    )


def _place(name: str) -> Tuple[int, str]:
    return (ORDER.index(name) if name in ORDER else len(ORDER)), name


def _concatenate(model: Model, docs: List[Doc], is_train: bool) -> Tuple[Floats2d, Callable]:
    xp = model.ops.xp
    if not any(len(doc) for doc in docs):
        return _nothing(model)
    outputs, backprops = zip(*(layer(docs, is_train) for layer in model.layers))
    ragged = [isinstance(output, list) for output in outputs]
    # a listener's array for an empty doc doesn't have its width
    flat = [
        xp.concatenate([array for array in out if len(array)]) if per_doc else out
        for out, per_doc in zip(outputs, ragged)
    ]
    bounds = numpy.cumsum([array.shape[1] for array in flat])[:-1].tolist()
    ends = numpy.cumsum([len(doc) for doc in docs])[:-1].tolist()

    def backprop(d_vectors: Floats2d) -> List[Doc]:
        for d_part, per_doc, backprop_part in zip(xp.split(d_vectors, bounds, axis=1), ragged, backprops):
            d_part = xp.ascontiguousarray(d_part)
            backprop_part(xp.split(d_part, ends) if per_doc else d_part)
        return []

    return xp.concatenate(flat, axis=1), backprop


def _initialize_parts(model: Model, X: Optional[List[Doc]] = None, Y=None) -> None:
    for layer in model.layers:
        layer.initialize(X=X)
    sample = [doc for doc in X or [] if len(doc)][:1]
    if not sample:
        raise ValueError(
            "The embedding was initialized without a document that has tokens, so its width is "
            "unknown. Check that the training corpus isn't empty."
        )
    model.set_dim("nO", model.predict(sample).shape[1], force=True)


def distinct(docs: List[Doc], attribute: int = ORTH) -> Tuple[numpy.ndarray, numpy.ndarray]:
    """The different values of an attribute, and which one each token has.

    RETURNS: uint64 [n_distinct], int64 [n_tokens]
    """
    values = [doc.to_array([attribute]).reshape(-1) for doc in docs]
    found, inverse = numpy.unique(numpy.concatenate(values).astype(numpy.uint64), return_inverse=True)
    return found, inverse.reshape(-1)


def Characters(width: int = 16, filters: int = 64, dropout: float = 0.1) -> Model[List[Doc], Floats2d]:
    """Character CNN. width: of a character's embedding; filters: width of a word's vector."""
    shim = TorchShim(partial(CharacterCNN, width, filters, dropout))
    return Model("hmtl-characters", _character_vectors, init=_create, shims=[shim], dims={"nO": filters})


def _character_vectors(model: Model, docs: List[Doc], is_train: bool) -> Tuple[Floats2d, Callable]:
    orths, word_of_token = distinct(docs)
    if not len(orths):
        return _nothing(model)
    strings = docs[0].vocab.strings
    words = [_character_ids(strings[orth]) for orth in orths.tolist()]
    lengths = numpy.array([max(len(word) - 2, 1) for word in words])
    return _run(model, is_train, pad_words(words), lengths, word_of_token)


_character_ids = lru_cache(maxsize=100_000)(character_ids)


CASES = ("other", "lower", "Title", "UPPER", "mixedCase", "number", "with number", "X")


def Case(width: int = 8) -> Model[List[Doc], Floats2d]:
    """An embedding of how a word is capitalised; useful beside an uncased transformer."""
    shim = TorchShim(partial(CaseEmbedding, width))
    return Model("hmtl-case", _case_vectors, init=_create, shims=[shim], dims={"nO": width})


class CaseEmbedding(nn.Embedding):
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


def _case_vectors(model: Model, docs: List[Doc], is_train: bool) -> Tuple[Floats2d, Callable]:
    orths, word_of_token = distinct(docs)
    if not len(orths):
        return _nothing(model)
    strings = docs[0].vocab.strings
    cases = numpy.array([case_of(strings[orth]) for orth in orths.tolist()])
    return _run(model, is_train, cases[word_of_token])


def Words(width: int = 100, dropout: float = 0.2, word_dropout: float = 0.05) -> Model[List[Doc], Floats2d]:
    """Word vectors: the pipeline's static vectors plus an offset learned for each training word.

    Together that is fine-tuning: all rows of the vectors are kept, a word that training never
    showed still has its vector, and only the offsets are stored. Words are compared in lower case.

    width: of the learned vectors where the pipeline has no static vectors; theirs otherwise.
    word_dropout: how often a training word is taken for an unseen one.
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


def _initialize_words(model: Model, X: Optional[List[Doc]] = None, Y=None) -> None:
    if not X:
        raise ValueError("The word embedding needs documents to take its vocabulary from; none were given.")
    vocab = X[0].vocab
    keys, _ = distinct(X, LOWER)
    width = vocab.vectors.shape[1] if vocab.vectors.size else model.attrs["width"]
    model.attrs["keys"] = keys
    model.attrs["static"] = bool(vocab.vectors.size)
    model.set_dim("nO", width, force=True)
    network = model.shims[0].create(n_words=len(keys), width=width)
    static = _static_vectors(vocab, keys)
    if static is None:
        static = model.ops.alloc2f(len(keys), width)
    static = xp2torch(static)
    network.initialize(static, static.any(dim=1))


def _word_vectors(model: Model, docs: List[Doc], is_train: bool) -> Tuple[Floats2d, Callable]:
    orths, word_of_token = distinct(docs)
    if not len(orths):
        return _nothing(model)
    vocab = docs[0].vocab
    lowers = numpy.array([vocab[orth].lower for orth in orths.tolist()], dtype=numpy.uint64)
    static = _static_vectors(vocab, orths, lowers)
    width = model.shims[0].cfg["width"]
    found = "none" if static is None else f"vectors of width {static.shape[1]}"
    if model.attrs["static"] and (static is None or static.shape[1] != width):
        raise ValueError(
            f"The word embedding was trained with static vectors of width {width}, but the pipeline has "
            f"{found}. Give the pipeline the vectors that the component was trained with."
        )
    static = static if model.attrs["static"] else None
    keys = model.attrs["keys"]
    place = numpy.searchsorted(keys, lowers).clip(max=len(keys) - 1)
    known = keys[place] == lowers
    unknown = numpy.full(len(lowers), UNKNOWN)
    if static is not None:
        unknown = numpy.where(model.ops.to_numpy(static.any(axis=1)), NOTHING, UNKNOWN)
    rows = numpy.where(known, place + 2, unknown)
    static_vectors = None if static is None else xp2torch(static)
    return _run(model, is_train, rows, word_of_token, static_vectors)


def _static_vectors(vocab: Vocab, *keys: numpy.ndarray) -> Optional[Floats2d]:
    """The static vector of each word under the first key that has one, else zeros. [n, width]"""
    vectors = vocab.vectors
    if not vectors.size:
        return None
    if vectors.mode != "default":
        return vectors.get_batch(keys[0].tolist())
    rows = vectors.find(keys=keys[0].tolist())
    for more in keys[1:]:
        rows = numpy.where(rows < 0, vectors.find(keys=more.tolist()), rows)
    found = vectors.data[rows]
    found[rows < 0] = 0.0
    return found


def _create(model: Model, X=None, Y=None) -> None:
    model.shims[0].create()


def _nothing(model: Model) -> Tuple[Floats2d, Callable]:
    return model.ops.alloc2f(0, model.get_dim("nO")), lambda d_vectors: []


def _run(model: Model, is_train: bool, *inputs) -> Tuple[Floats2d, Callable]:
    """Run the torch network of a layer on arrays of indices and tensors."""
    device = model.shims[0].device
    tensors = [torch.from_numpy(x).to(device) if isinstance(x, numpy.ndarray) else x for x in inputs]
    output, torch_backprop = model.shims[0].run(is_train, *tensors)

    def backprop(d_vectors: Floats2d) -> List[Doc]:
        torch_backprop(xp2torch(d_vectors))
        return []

    return torch2xp(output), backprop
