"""Thinc glue: docs to token vectors to the torch network to rows."""

import os
import warnings
from contextlib import nullcontext
from typing import Any, Callable, ContextManager, Dict, Iterator, List, NamedTuple, Optional, Tuple, cast

import numpy
import torch
from spacy.attrs import IS_SPACE
from spacy.tokens import Doc
from thinc.api import Model, torch2xp, xp2torch
from thinc.types import Floats1d, Floats2d
from torch import Tensor

from .nn.batch import Layout, TokenBatch
from .nn.head import Decoded
from .nn.network import Arrays, Candidates, Gold, Network
from .shims import TorchShim
from .side_by_side import on_one_thread
from .tasks.base import Task

MAX_SENTENCE = 200
LIKELY = 0.5

if hasattr(os, "register_at_fork"):
    # Torch's thread pool doesn't survive a fork; a child that uses more than one thread hangs.
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


class TrainingBatch(NamedTuple):
    """What one update learns from.

    gold: the rows of the tasks to train, per document; None where one isn't annotated.
    thresholds, candidates, unannotated, label_sets: see `Network.losses`.
    """

    docs: List[Doc]
    gold: Gold
    thresholds: Dict[str, float]
    candidates: Candidates
    unannotated: Arrays
    label_sets: Arrays


def HMTLModel(
    embedding: Model[List[Doc], Floats2d], tasks: Dict[str, Task], blank_line_ends_sentence: bool
) -> Model:
    """The shared embedding and the hierarchy over it.

    Trained, it maps a `TrainingBatch` to one loss per task, and the gradient it takes back is
    the weight of each; otherwise `decode` gives rows, and so does `Model.predict`, at the threshold `LIKELY`.
    """
    shim = TorchShim(NetworkBuilder(tasks, blank_line_ends_sentence))
    return Model(
        "hmtl", forward, init=initialize, layers=[embedding], shims=[shim], refs={"embedding": embedding}
    )


class NetworkBuilder:
    """Builds the network from its input width and the labels of its tasks.

    blank_line_ends_sentence: see `sentence_lengths`. It is kept here because stored `attrs` would come back.
    """

    def __init__(self, tasks: Dict[str, Task], blank_line_ends_sentence: bool):
        self.tasks = tasks
        self.blank_line_ends_sentence = blank_line_ends_sentence

    def __call__(self, nI: int, labels: Dict[str, List[str]]) -> Network:
        if list(labels) != list(self.tasks):
            raise ValueError(
                f"The stored network has the tasks {list(labels)}, but the config's hierarchy is "
                f"{list(self.tasks)}. Load it with the hierarchy it was trained with."
            )
        for name, task_labels in labels.items():
            self.tasks[name].labels = list(task_labels)
        return Network(nI, {name: task.level_settings() for name, task in self.tasks.items()})


def initialize(model: Model, X: Optional[List[Doc]] = None, Y: Optional[Dict[str, List[str]]] = None) -> None:
    """X: docs, for the embedding. Y: the labels of each task."""
    embedding = model.get_ref("embedding")
    embedding.initialize(X=X)
    _shim(model).create(nI=embedding.get_dim("nO"), labels=Y)


def network_of(model: Model) -> Network:
    """The torch network; None before it is initialized."""
    return cast(Network, _shim(model).network)


def forward(model: Model, batch: Any, is_train: bool) -> Tuple[Any, Callable]:
    """batch: a `TrainingBatch`, or documents to predict."""
    if not isinstance(batch, TrainingBatch):
        return decode(model, batch, dict.fromkeys(network_of(model).levels, LIKELY), {}), _no_gradient
    vectors, backprop_vectors = model.get_ref("embedding")(batch.docs, is_train)
    network = network_of(model)
    network.train(is_train)
    torch_vectors = xp2torch(vectors, requires_grad=is_train)
    tokens = token_batch(model, batch.docs, torch_vectors)
    by_task = network.losses(
        tokens, batch.gold, batch.thresholds, batch.candidates, batch.unannotated, batch.label_sets
    )
    losses = torch.stack(list(by_task.values()))  # [n_tasks]

    def backprop(task_weights: Floats1d) -> List[Doc]:
        losses.backward(xp2torch(task_weights))
        if torch_vectors.grad is not None:
            backprop_vectors(torch2xp(torch_vectors.grad))
        return []

    return cast(Floats1d, torch2xp(losses.detach())), backprop


def _no_gradient(gradient: Any) -> List[Doc]:
    raise ValueError("Predicted rows have no gradient: update with a TrainingBatch.")


def decode(
    model: Model,
    docs: List[Doc],
    thresholds: Dict[str, float],
    candidates: Candidates,
) -> Dict[str, Decoded]:
    """Rows and scores of every task, per document. candidates: see `Network.decode`."""
    vectors = model.get_ref("embedding").predict(docs)
    network = network_of(model)
    network.eval()
    with torch.inference_mode():
        tokens = token_batch(model, docs, xp2torch(vectors))
        return network.decode(tokens, thresholds, candidates)


def keep_features(model: Model) -> None:
    """From now on keep the frozen features of texts, as in training: for texts that are read again."""
    for _, shim in _transformers(model):
        shim.cache.active = True


def fill_features(model: Model, docs: List[Doc]) -> None:
    """Where frozen features are kept, compute those of texts that are read for the first time."""
    for layer, shim in _transformers(model):
        if shim.cache.active:
            from .embedding.transformer import fill  # needs an extra

            fill(layer, docs)


def is_fine_tuned(model: Model) -> bool:
    """Whether a transformer in the model has learned in this process, and may be between two updates."""
    return any(shim.cache.active and shim.settings.trainable for _, shim in _transformers(model))


def training_threads(model: Model) -> ContextManager[None]:
    """Torch's threads in a step of training: one on a CPU, where it is many small products that wait for
    each other, unless a transformer learns, whose products are large.
    """
    learns = any(shim.settings.trainable for _, shim in _transformers(model))
    return nullcontext() if learns or model.ops.device_type != "cpu" else on_one_thread()


def _transformers(model: Model) -> Iterator[Tuple[Model, Any]]:
    """The layers with a transformer of their own, and what holds it."""
    return ((layer, shim) for layer in model.walk() for shim in layer.shims if hasattr(shim, "cache"))


def token_batch(model: Model, docs: List[Doc], vectors: Tensor) -> TokenBatch:
    """The tokens of documents, with the features that the tasks ask for. vectors: [n_tokens, nO]"""
    features: Dict[str, numpy.ndarray] = {}
    build = cast(NetworkBuilder, _shim(model).build)
    for task in build.tasks.values():
        for name, ids in task.token_features(docs).items():
            if not numpy.array_equal(features.setdefault(name, ids), ids):
                raise ValueError(
                    f"Two tasks have different values for the token feature '{name}'. Give one of "
                    f"them another name."
                )
    lengths = [n for doc in docs for n in sentence_lengths(doc, build.blank_line_ends_sentence)]
    return TokenBatch(vectors, Layout([len(doc) for doc in docs], lengths), features=features)


def _shim(model: Model) -> TorchShim:
    return cast(TorchShim, model.shims[0])


def sentence_lengths(
    doc: Doc, blank_line_ends_sentence: bool = False, max_length: int = MAX_SENTENCE
) -> List[int]:
    """Tokens of each sentence, as the levels read them. Longer ones, and documents without sentence starts,
    are cut into pieces of at most `max_length` tokens.

    blank_line_ends_sentence: whether a sentence also begins after each blank line; `doc.sents` stays.
    """
    if not len(doc):
        return []
    is_start = doc.to_array("SENT_START").reshape(-1) == 1  # [n_tokens]
    if blank_line_ends_sentence:
        for start, end in blank_lines(doc):
            is_start[start:end] = False  # white space is no sentence, it belongs to the one before
            is_start[end] = True
    starts = numpy.flatnonzero(is_start)
    bounds = [0, *starts[starts > 0].tolist(), len(doc)]
    lengths: List[int] = []
    for length in (end - start for start, end in zip(bounds[:-1], bounds[1:])):
        lengths.extend([max_length] * ((length - 1) // max_length))
        lengths.append((length - 1) % max_length + 1)
    return lengths


def sentence_of(doc: Doc, blank_line_ends_sentence: bool = False) -> numpy.ndarray:
    """The sentence of each token, see `sentence_lengths`. [n_tokens]"""
    lengths = sentence_lengths(doc, blank_line_ends_sentence)
    return numpy.repeat(numpy.arange(len(lengths)), lengths)


def warn_without_sentences(name: str, docs: List[Doc]) -> None:
    if any(len(doc) > 1 and not doc.has_annotation("SENT_START") for doc in docs):
        warnings.warn(
            f"'{name}' got documents without sentence boundaries and cuts them into windows. Put a "
            f'sentencizer before it: nlp.add_pipe("sentencizer", before="{name}").',
            stacklevel=3,
        )


def blank_lines(doc: Doc) -> Iterator[Tuple[int, int]]:
    """White space between words that has a blank line: its first token and the one behind it."""
    space = doc.to_array([IS_SPACE]).reshape(-1) > 0  # [n_tokens]
    if space.any():
        edges = numpy.flatnonzero(numpy.diff(space, prepend=False, append=False)).reshape(-1, 2)
        for start, end in edges.tolist():
            if start > 0 and end < len(doc) and doc[start:end].text.count("\n") > 1:
                yield start, end
