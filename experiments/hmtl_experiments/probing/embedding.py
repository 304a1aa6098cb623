"""Sentence embeddings of the layers of a trained pipeline, and of two baselines."""

from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy
import torch
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Model, xp2torch
from tqdm import tqdm

from hmtl_spacy.embedding.transformer import shims_of
from hmtl_spacy.evaluation.evaluate import get_component
from hmtl_spacy.model import network_of, token_batch
from hmtl_spacy.nn.network import Ascent
from hmtl_spacy.side_by_side import batches_of_words

Words = Tuple[str, ...]
Embeddings = Dict[Tuple[str, str], numpy.ndarray]  # by layer and pooling, [n_sentences, width]
SHARED = "g_e"  # the shared embedding, beneath all levels
TRANSFORMER = "transformer"  # its last layer, without the mix; as it came, if it was frozen in training
VECTORS = "word vectors"
POOLINGS = ("max", "mean")
BATCH_WORDS = 4096


def embed(nlp: Language, sentences: Sequence[Words]) -> Embeddings:
    """Sentence embeddings of g_e and every level's encoder: the maximum and the mean over the tokens.

    Every sentence is a document of its own. Nothing is dropped out.
    """
    docs = [_doc(nlp, words) for words in sentences]
    model = get_component(nlp).model
    pooled: Dict[Tuple[str, str], List[numpy.ndarray]] = {}
    with tqdm(total=len(docs), unit=" sentences", disable=None, leave=False) as bar:
        for batch in batches_of_words(docs, BATCH_WORDS):
            lengths = [len(doc) for doc in batch]
            for layer, vectors in layers(model, batch):
                for pooling in POOLINGS:
                    pooled.setdefault((layer, pooling), []).append(pool(vectors, lengths, pooling))
            bar.update(len(batch))
    return {key: numpy.concatenate(parts) for key, parts in pooled.items()}


def embed_with_vectors(vocab: Any, sentences: Sequence[Words]) -> Embeddings:
    """Bags of word vectors: those of the words in lower case that have one, zeros if none has."""
    zero = numpy.zeros((1, vocab.vectors_length), dtype="f")
    pooled: Dict[Tuple[str, str], List[numpy.ndarray]] = {(VECTORS, pooling): [] for pooling in POOLINGS}
    for words in sentences:
        known = [vocab.get_vector(word.lower()) for word in words if vocab.has_vector(word.lower())]
        vectors = numpy.stack(known) if known else zero
        for pooling in POOLINGS:
            pooled[VECTORS, pooling].append(pool(vectors, [len(vectors)], pooling))
    return {key: numpy.concatenate(parts) for key, parts in pooled.items()}


def pool(vectors: numpy.ndarray, lengths: Sequence[int], pooling: str) -> numpy.ndarray:
    """Make one vector of those of each sentence. vectors: [n_tokens, width] -> [n_sentences, width]"""
    starts = numpy.cumsum([0, *lengths[:-1]])
    if pooling == "max":
        return numpy.maximum.reduceat(vectors, starts)
    return numpy.add.reduceat(vectors, starts) / numpy.asarray(lengths)[:, None]


def _doc(nlp: Language, words: Words) -> Doc:
    return Doc(nlp.vocab, words=list(words), sent_starts=[True, *[False] * (len(words) - 1)])


def layers(model: Model, docs: List[Doc]) -> Iterator[Tuple[str, numpy.ndarray]]:
    """YIELDS: the name of a layer and its token vectors, [n_tokens, width], lowest layer first."""
    last = transformer_layer(model, docs, -1)
    if last is not None:
        yield TRANSFORMER, last
    embedding, network = model.get_ref("embedding"), network_of(model)
    network.eval()
    with torch.inference_mode():
        vectors = embedding.predict(docs)
        yield SHARED, model.ops.to_numpy(vectors)
        tokens = token_batch(model, docs, xp2torch(vectors))
        ascent = Ascent(network, tokens, dict.fromkeys(network.levels, 0.5), {})
        for level in network.levels:
            yield level, ascent.encode(level).vectors.cpu().numpy()


def transformer_layer(model: Model, docs: List[Doc], place: int) -> Optional[numpy.ndarray]:
    """Compute a layer of the transformer, [n_tokens, width]; None if the pipeline has no transformer.

    place: 0 for its word pieces, before any of them has seen another; -1 for its last layer.
    """
    embedding = model.get_ref("embedding")
    if not embedding.has_ref("contextual") or embedding.get_ref("contextual").name != "hmtl-transformer":
        return None
    with torch.inference_mode(), _one_layer(embedding.get_ref("contextual"), place) as transformer:
        return model.ops.to_numpy(transformer.predict(docs))


@contextmanager
def _one_layer(transformer: Model, place: int) -> Iterator[Model]:
    """Let one layer alone count in the mix of the layers, for a while."""
    _, shim = shims_of(transformer)
    mix = shim.network
    learned = {name: weights.clone() for name, weights in mix.state_dict().items()}
    only = torch.full_like(mix.weights, -torch.inf)
    only[place] = 0.0
    mix.load_state_dict({"weights": only, "scale": torch.ones_like(mix.scale)})
    try:
        yield transformer
    finally:
        mix.load_state_dict(learned)
