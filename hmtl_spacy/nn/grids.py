"""Sentences side by side, padded: how recurrent layers read them where whole layers run at once."""

from typing import List, Tuple

import numpy
import torch

PADDING = 1.5  # cells of a grid over the tokens in it, at most


class Grids:
    """Sentences of similar length as grids of [n_steps, n_sentences], padded at the end.

    Sentences of 3, 1 and 2 tokens make one grid, a column each, the longest first; 6 is no token:

        0  4  3
        1  5  6
        2  6  6

    >>> grids = Grids(numpy.array([3, 1, 2]), numpy.array([0, 3, 4]), reverse=False)
    >>> grids.shapes, grids.read.tolist()
    ([(3, 3)], [0, 4, 3, 1, 5, 6, 2, 6, 6])
    >>> grids.write.tolist()  # token 2 is in cell 6, token 3 in cell 2
    [0, 3, 6, 2, 1, 4]

    lengths, starts: tokens per sentence and the first of each. [n_sentences]
    reverse: whether the last token of a sentence comes first.

    shapes: steps and sentences of each grid. read: the token in each cell of all grids, row by row,
    n_tokens where there is none. [n_cells] write: the cell of each token. [n_tokens]
    """

    def __init__(self, lengths: numpy.ndarray, starts: numpy.ndarray, reverse: bool):
        n_tokens = int(lengths.sum())
        self.shapes: List[Tuple[int, int]] = []
        cells = []
        for group in similar_lengths(lengths):
            of_group = lengths[group]
            step = numpy.arange(of_group.max())[:, None]  # [n_steps, 1]
            token = starts[group] + (of_group - 1 - step if reverse else step)  # [n_steps, n_sentences]
            self.shapes.append(token.shape)
            cells.append(numpy.where(step < of_group, token, n_tokens).ravel())
        read = numpy.concatenate(cells)
        cell_of = numpy.empty(n_tokens + 1, dtype=numpy.int64)  # one more, for what is no token
        cell_of[read] = numpy.arange(len(read))
        self.read = torch.from_numpy(read)
        self.write = torch.from_numpy(cell_of[:-1])


def similar_lengths(lengths: numpy.ndarray) -> List[numpy.ndarray]:
    """Sentences in groups, the longest first, each with at most `PADDING` times as many cells as tokens.

    >>> [group.tolist() for group in similar_lengths(numpy.array([1, 90, 1]))]  # not 3 * 90 cells
    [[1], [0, 2]]

    lengths: tokens per sentence. [n_sentences]
    """
    order = numpy.argsort(-lengths, kind="stable")
    groups, first, tokens = [], 0, 0
    for i, length in enumerate(lengths[order].tolist()):
        tokens += length
        # a grid is as long as its longest sentence, the first
        if (i + 1 - first) * lengths[order[first]] > PADDING * tokens:
            groups.append(order[first:i])
            first, tokens = i, length
    return [*groups, order[first:]]
