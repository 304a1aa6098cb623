"""A reference implementation of the component's network, with the component's weights: eager, one sentence
at a time (coreference one document at a time), as the original of Sanh et al. runs it.

Every sum, product and maximum is the component's; only what is computed together differs. The
transformer's vectors are the component's own, a document at a time.
"""

from functools import partial
from typing import Any, Callable, Dict, Iterable, List, Tuple

import numpy
import torch
from spacy.tokens import Doc
from torch import Tensor

from hmtl_spacy.component import HMTL
from hmtl_spacy.embedding.case import case_of
from hmtl_spacy.model import sentence_lengths
from hmtl_spacy.nn.characters import character_ids
from hmtl_spacy.nn.words import NOTHING, UNKNOWN
from hmtl_spacy.tasks.base import Task

from .naive_coref import Document, decode_coref
from .naive_heads import decode_relations, decode_tags, label_distribution
from .naive_relations import decode_span_relations

Rows = Tuple[numpy.ndarray, numpy.ndarray]


def use_naive(component: HMTL, probabilities: bool = True) -> None:
    """Let a component predict with the reference implementation from now on."""
    component.predict = partial(predict, component, probabilities=probabilities)


@torch.inference_mode()
def predict(component: HMTL, docs: Iterable[Doc], probabilities: bool = True) -> Dict[str, Tuple[List, List]]:
    """Rows and scores of every task, per document; as `HMTL.predict`.

    probabilities: of tagged spans; without them, as in the original, each counts as certain.
    """
    tagger = partial(decode_tags, probabilities=probabilities)
    network = component.model.shims[0].network.eval()
    predictions: Dict[str, Tuple[List, List]] = {name: ([], []) for name in component.tasks}
    for doc in docs:
        encoded = encode(network, embed(component, doc))
        for name, level in network.levels.items():
            inputs, outputs = encoded[name]
            threshold = component.cfg["thresholds"][name]
            if hasattr(level.head, "crf"):
                rows, scores = over_sentences(tagger, level.head, outputs, threshold, 3, 2)
            elif source := level.head.candidates_from:
                found = predictions[source][0][-1].tolist()
                rows, scores = span_relations(level.head, inputs, outputs, found, threshold)
            elif hasattr(level.head, "from_tail"):
                rows, scores = over_sentences(decode_relations, level.head, outputs, threshold, 5, 4)
            else:
                of_doc = document(component.tasks[name], doc, inputs, outputs)
                rows, scores = decode_coref(level.head, of_doc, threshold)
            predictions[name][0].append(rows)
            predictions[name][1].append(scores)
    return predictions


def document(task: Task, doc: Doc, inputs: List[Tensor], outputs: List[Tensor]) -> Document:
    """A document as the coreference head reads it.

    inputs, outputs: of the encoder, per sentence. [n_tokens, width] each
    """
    features = {name: ids.tolist() for name, ids in task.token_features([doc]).items()}
    read, given = (torch.cat(vectors) if vectors else torch.zeros(0, 0) for vectors in (inputs, outputs))
    return Document([len(vectors) for vectors in outputs], features, read, given)


def span_relations(
    head: Any, inputs: List[Tensor], outputs: List[Tensor], candidates: List[List[int]], threshold: float
) -> Rows:
    """inputs, outputs: of the encoder, per sentence. [n_tokens, width] each"""
    if not outputs:
        return numpy.zeros((0, 5), dtype=numpy.int64), numpy.zeros(0, dtype=numpy.float32)
    x = torch.cat([torch.cat(inputs), torch.cat(outputs)], dim=1)
    found = list(decode_span_relations(head, [len(vectors) for vectors in outputs], x, candidates, threshold))
    rows = numpy.array([row for row, _ in found], dtype=numpy.int64).reshape(-1, 5)
    return rows, numpy.array([score for _, score in found], dtype=numpy.float32)


def over_sentences(
    decode: Callable, head: Any, outputs: List[Tensor], threshold: float, columns: int, offsets: int
) -> Rows:
    """Decode sentence by sentence. columns: of a row; the first `offsets` are token offsets."""
    rows, scores, first = [], [], 0
    for vectors in outputs:
        for row, score in decode(head, vectors, threshold):
            rows.append([value + first * (i < offsets) for i, value in enumerate(row)])
            scores.append(score)
        first += len(vectors)
    return numpy.array(rows, dtype=numpy.int64).reshape(-1, columns), numpy.array(scores, numpy.float32)


def encode(network: Any, embedded: List[Tensor]) -> Dict[str, Tuple[List[Tensor], List[Tensor]]]:
    """What each level's encoder reads and gives, per sentence. embedded: [n_tokens, nI] each"""
    encoded: Dict[str, Tuple[List[Tensor], List[Tensor]]] = {}
    for name, level in network.levels.items():
        inputs, outputs = [], []
        for number, vectors in enumerate(embedded):
            parts = [vectors]
            for below in level.inputs:
                lower = encoded[below][1][number]
                parts.append(lower)
                if below in level.label_embeddings:
                    tags = label_distribution(network.levels[below].head, lower)
                    parts.append(level.label_embeddings[below].project(tags))
            inputs.append(torch.cat(parts, dim=1))
            outputs.append(level.encoder.lstm(inputs[-1][:, None])[0][:, 0])
        encoded[name] = inputs, outputs
    return encoded


def embed(component: HMTL, doc: Doc) -> List[Tensor]:
    """The shared embedding of each sentence. [n_tokens, nI] each"""
    layers = component.model.get_ref("embedding").layers
    whole = {layer.name: torch.as_tensor(layer.predict([doc])) for layer in layers if layer.name not in PARTS}
    sentences, start = [], 0
    for length in sentence_lengths(doc, component.blank_line_ends_sentence):
        parts = [
            PARTS[layer.name](layer, doc, start, start + length)
            if layer.name in PARTS
            else whole[layer.name][start : start + length]
            for layer in layers
        ]
        sentences.append(torch.cat(parts, dim=1))
        start += length
    return sentences


def characters(layer: Any, doc: Doc, start: int, end: int) -> Tensor:
    network = layer.shims[0].network
    ids = [character_ids(token.text) for token in doc[start:end]]
    longest = max(map(len, ids))
    padded = torch.tensor([word + [0] * (longest - len(word)) for word in ids])
    windows = network.convolve(network.embed(padded).transpose(1, 2)).relu()  # [n_tokens, nO, positions]
    lengths = torch.tensor([max(len(word) - 2, 1) for word in ids])
    beyond = torch.arange(windows.shape[2]) >= lengths[:, None]
    return windows.masked_fill(beyond[:, None], 0.0).amax(dim=2)


def words(layer: Any, doc: Doc, start: int, end: int) -> Tensor:
    keys = layer.attrs["keys"]
    vectors = []
    for token in doc[start:end]:
        static = None
        if layer.attrs["static"] and (token.has_vector or doc.vocab.has_vector(token.lower)):
            static = torch.as_tensor(doc.vocab.get_vector(token.orth if token.has_vector else token.lower))
        place = int(numpy.searchsorted(keys, numpy.uint64(token.lower)))
        known = place < len(keys) and keys[place] == token.lower
        row = place + 2 if known else UNKNOWN if static is None else NOTHING
        vector = layer.shims[0].network.offsets.weight[row]
        vectors.append(vector if static is None else vector + static)
    return torch.stack(vectors)


def case(layer: Any, doc: Doc, start: int, end: int) -> Tensor:
    return layer.shims[0].network(torch.tensor([case_of(token.text) for token in doc[start:end]]))


PARTS = {"hmtl-characters": characters, "hmtl-words": words, "hmtl-case": case}
