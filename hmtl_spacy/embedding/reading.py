"""Documents as a transformer reads them: padded batches of windows, and its layers as vectors of tokens."""

from typing import Any, Iterator, List, NamedTuple, Tuple

import numpy
import torch
from spacy.tokens import Doc
from torch import Tensor
from torch.nn import functional as F

from ..nn.windows import Window, pack_windows
from .word_pieces import WordPieces, sentence_starts


class Batch(NamedTuple):
    """Windows that are read together. A place is counted over windows laid end to end, padding included.

    ids, mask: of word pieces. int64 [n_windows, n_pieces]
    pieces: the places of tokens' pieces, [n]; firsts: which of these are the first of a token, whose pieces
        follow each other; tokens: these tokens, counted over all documents. int64 [n_tokens] both
    places: of all pieces but padding; rows: the same pieces, counted over the windows of all documents
        without padding. int64 [n_rows] both
    """

    ids: Tensor
    mask: Tensor
    pieces: Tensor
    firsts: Tensor
    tokens: Tensor
    places: Tensor
    rows: Tensor

    def run(self, transformer: torch.nn.Module) -> Tuple[Tensor, ...]:
        """The layers of a transformer, its embeddings first. [n_windows, n_pieces, width] each"""
        output: Any = transformer(input_ids=self.ids, attention_mask=self.mask, output_hidden_states=True)
        return tuple(output.hidden_states)

    def token_vectors(self, states: Tensor) -> Tensor:
        """Average a layer over each token's pieces and layer-norm it. [n_tokens, width]"""
        means = F.embedding_bag(self.pieces, states.flatten(0, 1).float(), self.firsts, mode="mean")
        return F.layer_norm(means, means.shape[1:])

    def padded(self, states: Tensor) -> Tensor:
        """States of rows as a transformer reads them, zero for padding. [n_windows, n_pieces, width]"""
        grid = states.new_zeros(self.ids.numel(), states.shape[1])
        return grid.index_copy_(0, self.places, states[self.rows]).view(*self.ids.shape, -1)


class Reading:
    """Documents, cut into windows.

    window: the most word pieces in one.
    """

    def __init__(self, docs: List[Doc], pieces: WordPieces, window: int):
        self.pieces = pieces
        self.windows = pack_windows(
            [pieces.of_doc(doc) for doc in docs], [sentence_starts(doc) for doc in docs], window
        )
        around = len(pieces.before) + len(pieces.after)
        self.n_rows = numpy.array([len(w.pieces) + around for w in self.windows], dtype=numpy.int64)
        self.first_rows = self.n_rows.cumsum() - self.n_rows
        self.n_tokens = [len(doc) for doc in docs]

    def rows_of_docs(self) -> List[int]:
        """How many rows each document has. A document's windows follow each other, and so do their rows."""
        ends = numpy.cumsum(self.n_tokens)
        docs = numpy.searchsorted(ends, [w.token_of_piece[0] for w in self.windows], side="right")
        counts = numpy.bincount(docs.astype(numpy.int64), self.n_rows, minlength=len(self.n_tokens))
        return [int(n) for n in counts]

    def batches(self, batch_pieces: int, device: torch.device) -> Iterator[Batch]:
        """Windows of similar length, the longest first, at most `batch_pieces` pieces with padding."""
        order = sorted(range(len(self.windows)), key=lambda i: len(self.windows[i].pieces), reverse=True)
        batch: List[int] = []
        for i in order:
            if batch and (len(batch) + 1) * (len(self.windows[batch[0]].pieces) + 2) > batch_pieces:
                yield self._pad(batch, device)
                batch = []
            batch.append(i)
        if batch:
            yield self._pad(batch, device)

    def _pad(self, numbers: List[int], device: torch.device) -> Batch:
        windows: List[Window] = [self.windows[i] for i in numbers]
        ids, mask, pieces = self.pieces.pad(windows)
        token_of_piece = numpy.concatenate([window.token_of_piece for window in windows])
        firsts = numpy.flatnonzero(numpy.diff(token_of_piece, prepend=-1))
        rows = [
            numpy.arange(first, first + n) for first, n in zip(self.first_rows[numbers], self.n_rows[numbers])
        ]
        arrays = (
            ids,
            mask,
            pieces,
            firsts,
            token_of_piece[firsts],
            numpy.flatnonzero(mask),
            numpy.concatenate(rows),
        )
        return Batch(*(torch.from_numpy(array).to(device) for array in arrays))
