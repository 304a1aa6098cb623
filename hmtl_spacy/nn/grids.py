"""Sentences side by side, padded: how recurrent layers read them where whole layers run at once."""

from typing import List, Tuple

import numpy
import torch

PADDING = 1.5  # cells of a grid over the tokens in it, at most


class Grids:
    """Sentences of similar length as grids of [n_steps, n_sentences], padded at the end.

    lengths, starts: tokens per sentence and the first of each. [n_sentences]
    reverse: the last token of a sentence comes first.
    """

    def __init__(self, lengths: numpy.ndarray, starts: numpy.ndarray, reverse: bool):
        n_tokens = int(lengths.sum())
        self.shapes: List[Tuple[int, int]] = []
        cells = []
        for group in similar_lengths(lengths):
            of_group = lengths[group]
            step = numpy.arange(of_group.max())[:, None]
            token = starts[group] + (of_group - 1 - step if reverse else step)
            self.shapes.append(token.shape)
            cells.append(numpy.where(step < of_group, token, n_tokens).ravel())
        read = numpy.concatenate(cells)
        cell_of = numpy.empty(n_tokens + 1, dtype=numpy.int64)
        cell_of[read] = numpy.arange(len(read))
        self.read = torch.from_numpy(read)  # the token in each cell, n_tokens where there is none
        self.write = torch.from_numpy(cell_of[:-1])  # the cell of each token


def similar_lengths(lengths: numpy.ndarray) -> List[numpy.ndarray]:
    """Sentences in groups, the longest first, each with at most `PADDING` times as many cells as tokens."""
    order = numpy.argsort(-lengths, kind="stable")
    groups, first, tokens = [], 0, 0
    for i, length in enumerate(lengths[order].tolist()):
        tokens += length
        if (i + 1 - first) * lengths[order[first]] > PADDING * tokens:
            groups.append(order[first:i])
            first, tokens = i, length
    return [*groups, order[first:]]
