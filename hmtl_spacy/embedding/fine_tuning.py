"""A transformer whose weights change: its layers, with no more memory than is asked for."""

from functools import partial
from math import inf
from typing import Callable, List, NamedTuple, Optional, Tuple

import torch
from spacy.tokens import Doc
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from .frozen import Features
from .precision import autocast
from .reading import Batch, Reading
from .split import Parts
from .transformer_shim import TransformerShim

Run = Callable[[Batch], Tuple[Tensor, ...]]


class Pieces(NamedTuple):
    """How many word pieces there may be, padding included.

    window: in a window, without padding.
    run: in windows that are run together.
    kept: of which all is kept that backpropagation needs; that of others is computed again. None for all.
    """

    window: int
    run: int
    kept: Optional[int]


class FineTuned:
    """A transformer in training. Its frozen layers, if any, are computed once per text."""

    def __init__(self, shim: TransformerShim, pieces: Pieces):
        self.shim, self.pieces = shim, pieces
        self.transformer = shim._model
        self.device = next(shim._model.parameters()).device

    def layers(self, docs: List[Doc], is_train: bool) -> Tensor:
        """All layers, the embeddings first. [n_layers, n_tokens, width]"""
        reading = Reading(docs, self.shim.pieces, self.pieces.window)
        n_layers = self.transformer.config.num_hidden_layers + 1
        if not self.shim.split.n_frozen or not reading.windows:
            self.transformer.train(is_train)
            return self._trained(reading, lambda batch: batch.run(self.transformer), n_layers, is_train)
        parts = self.shim.split.of(self.transformer)
        parts.upper.train(is_train)
        # also in evaluations, whose batches come one by one
        kept = self.shim.cache.get(docs, partial(self._frozen, parts), self.device, keep=True)
        lower = torch.cat([features for features, _ in kept], dim=1)
        states = torch.cat([of_doc for _, of_doc in kept])

        def run(batch: Batch) -> Tuple[Tensor, ...]:
            return parts.run_upper(batch.padded(states), batch.ids, batch.mask)

        return torch.cat([lower, self._trained(reading, run, n_layers - len(lower), is_train)])

    def _trained(self, reading: Reading, run: Run, n_layers: int, is_train: bool) -> Tensor:
        """The layers that `run` gives. [n_layers, n_tokens, width]"""
        shape = n_layers, sum(reading.n_tokens), self.transformer.config.hidden_size
        features = torch.zeros(shape, device=self.device)
        kept = inf if self.pieces.kept is None or not is_train else self.pieces.kept
        for batch in reading.batches(self.pieces.run, self.device):
            kept -= batch.ids.numel()
            compute = partial(self._vectors, run, batch)
            vectors = compute() if kept >= 0 else checkpoint(compute, use_reentrant=False)
            features.index_copy_(1, batch.tokens, vectors)
        return features

    @torch.no_grad()
    def _frozen(self, parts: Parts, docs: List[Doc]) -> List[Features]:
        """Of each document the frozen layers, [n_frozen + 1, n_tokens, width], and the output of the last one
        for all word pieces, from which those above continue. [n_rows, width]
        """
        reading = Reading(docs, self.shim.pieces, self.pieces.window)
        n_rows, width = reading.rows_of_docs(), self.transformer.config.hidden_size
        features = torch.zeros(self.shim.split.n_frozen + 1, sum(reading.n_tokens), width, device=self.device)
        states = torch.zeros(sum(n_rows), width, device=self.device)
        for batch in reading.batches(self.pieces.run, self.device):
            with autocast(self.shim.inference.precision, self.device):
                layers = batch.run(parts.lower)
            vectors = torch.stack([batch.token_vectors(layer) for layer in layers])
            features.index_copy_(1, batch.tokens, vectors)
            states.index_copy_(0, batch.rows, layers[-1].flatten(0, 1)[batch.places].float())
        return list(zip(features.split(reading.n_tokens, dim=1), states.split(n_rows)))

    def _vectors(self, run: Run, batch: Batch) -> Tensor:
        """The layers of a batch. [n_layers, n_tokens, width]"""
        with autocast(self.shim.inference.precision, self.device):
            layers = run(batch)
        return torch.stack([batch.token_vectors(layer) for layer in layers])
