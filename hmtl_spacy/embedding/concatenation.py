"""The shared embedding g_e: its parts, each from docs to token vectors, concatenated.

A part is a Thinc model that gives one array of token vectors for all docs, [n_tokens, nO], or, as any
spaCy `tok2vec` layer, one array per doc.
"""

from typing import Any, Dict, List, Optional, Tuple

import numpy
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from .torch_layer import Output, no_vectors

ORDER = ("contextual", "characters", "words", "case")


def Embedding(parts: Dict[str, Optional[Model[List[Doc], Any]]]) -> Model[List[Doc], Floats2d]:
    """Concatenate the parts that aren't null (paper, section 2.1).

    The order doesn't depend on that of the mapping, since a stored config may be sorted: first contextual,
    characters, words and case, then all others by name. `get_ref(name)` is the layer of a part.

    parts: layers from docs to token vectors, by name; null leaves one out.
    """
    named = ((name, parts[name]) for name in sorted(parts, key=_place))
    layers = {name: layer for name, layer in named if layer is not None}
    if not layers:
        raise ValueError(
            f"The embedding has no part: of {sorted(parts)} none is left. Give at least one section "
            f"[components.hmtl.embedding.parts.NAME] a function of the registry: @architectures."
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


def _concatenate(model: Model[List[Doc], Floats2d], docs: List[Doc], is_train: bool) -> Output:
    xp = model.ops.xp
    if not any(len(doc) for doc in docs):
        return no_vectors(model)
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


def _initialize_parts(
    model: Model[List[Doc], Floats2d], X: Optional[List[Doc]] = None, Y: Optional[Floats2d] = None
) -> None:
    for layer in model.layers:
        layer.initialize(X=X)
    sample = [doc for doc in X or [] if len(doc)][:1]
    if not sample:
        raise ValueError(
            "The embedding was initialized without a document that has tokens, so its width is "
            "unknown. Check that the training corpus isn't empty."
        )
    model.set_dim("nO", model.predict(sample).shape[1], force=True)
