"""Vectors of spans from each layer of a trained pipeline, and from two lexical baselines."""

from contextlib import contextmanager
from copy import copy
from typing import Dict, Iterator, List, Sequence, Set, Tuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Model
from tqdm import tqdm

from hmtl_spacy.evaluation.evaluate import get_component
from hmtl_spacy.model import fill_features, keep_features
from hmtl_spacy.side_by_side import batches_of_words

from ..embedding import BATCH_WORDS, layers, transformer_layer
from .targets import Offsets, Target

WORDS = "words"  # a random vector for each word: which words these are, and nothing else
WORD_PIECES = "word pieces"  # the transformer before its first layer: nothing of the context but the place
WIDTH = 256  # of `WORDS`

Place = Tuple[int, Offsets]  # a document and a span
Vectors = Dict[str, numpy.ndarray]  # by layer, [n_spans, width]


def embed(nlp: Language, docs: List[Doc], targets: Sequence[Target]) -> Tuple[Vectors, Dict[Place, int]]:
    """Average the token vectors of all spans of the targets, whose documents are read whole.

    RETURNS: the vectors by layer, lowest first, and the row of each span.
    """
    rows: Dict[Place, int] = {}
    wanted: Dict[int, Set[Offsets]] = {}
    for target in targets:
        wanted.setdefault(target.doc, set()).update(target.spans)
    model = get_component(nlp).model
    parts: Dict[str, List[numpy.ndarray]] = {}
    done = 0
    bar = tqdm(total=len(docs), unit=" documents", disable=None, leave=False)
    with bar:
        for batch in batches_of_words(docs, BATCH_WORDS):
            spans = [(i, span) for i in range(done, done + len(batch)) for span in sorted(wanted.get(i, ()))]
            starts = numpy.cumsum([0, *map(len, batch)]).tolist()
            inside = [(starts[i - done] + start, starts[i - done] + end) for i, (start, end) in spans]
            rows.update(zip(spans, range(len(rows), len(rows) + len(spans))))
            with _transformer_once(model, batch):
                for layer, vectors in _all_layers(model, batch):
                    means = [vectors[start:end].mean(axis=0) for start, end in inside]
                    parts.setdefault(layer, []).extend(means)
            done += len(batch)
            bar.update(len(batch))
    return {layer: numpy.stack(of_layer) for layer, of_layer in parts.items()}, rows


def features(vectors: numpy.ndarray, rows: Dict[Place, int], targets: Sequence[Target]) -> numpy.ndarray:
    """Make one vector of each target: of a pair both and their product, element by element."""
    places = numpy.array([[rows[target.doc, span] for span in target.spans] for target in targets])
    found = [vectors[column] for column in places.T]
    return numpy.concatenate(found if len(found) == 1 else [*found, found[0] * found[1]], axis=1)


def _all_layers(model: Model, docs: List[Doc]) -> Iterator[Tuple[str, numpy.ndarray]]:
    yield WORDS, numpy.stack([_random_vector(token.lower_) for doc in docs for token in doc])
    lowest = transformer_layer(model, docs, 0)
    if lowest is not None:
        yield WORD_PIECES, lowest
    yield from layers(model, docs)


@contextmanager
def _transformer_once(model: Model, docs: List[Doc]) -> Iterator[None]:
    """Keep what a transformer gives for documents while a `with` block lasts: all layers are made of it."""
    shims = [shim for layer in model.walk() for shim in layer.shims if hasattr(shim, "cache")]
    before = [shim.cache for shim in shims]
    for shim in shims:
        shim.cache = copy(shim.cache)  # an empty one
    keep_features(model)
    fill_features(model, docs)
    try:
        yield
    finally:
        for shim, cache in zip(shims, before):
            shim.cache = cache


def _random_vector(word: str) -> numpy.ndarray:
    """The same for the same word, on any machine."""
    seed = list(word.encode("utf8"))
    return numpy.random.default_rng(seed).normal(size=WIDTH).astype("f")
