"""What a level's head is: the contract between the network and the modules that tasks bring."""

from typing import List, Optional, Protocol, Tuple, runtime_checkable

import numpy
from torch import Tensor

from .batch import TokenBatch

# Annotation as integers, one array per document, int64 [n, n_columns], offsets relative to the document, and
# one score per row, float32 [n]. `layout.doc_starts` lead from there to the flat tokens of a batch,
# `layout.split_docs` leads back; rows are sorted by their first offset.
Rows = List[numpy.ndarray]
Decoded = Tuple[Rows, List[numpy.ndarray]]


@runtime_checkable
class Head(Protocol):
    """The upper half of a level: a loss to learn by, and rows to annotate.

    A head is a `torch.nn.Module` that has these members; it may inherit them, as in
    `class MyHead(nn.Module, Head)`, and then sets only what differs. Vectors may be on a GPU, the arrays in
    `tokens.features` and `tokens.candidates` are numpy's.

    reads_inputs: whether it needs `tokens.inputs`, what the encoder of its level read.
    takes_candidates: whether `decode` scores the spans in `tokens.candidates`, where there are any, instead
        of spans that it proposes itself.
    candidates_from: the level whose rows are its candidates, in `decode` and in `loss`, where the gold rows
        of that level are joined to the predicted ones; None for a head that proposes its own.
    """

    reads_inputs: bool = False
    takes_candidates: bool = False
    candidates_from: Optional[str] = None

    def loss(self, tokens: TokenBatch, gold: Rows) -> Tensor:
        """A single number, on a scale that doesn't depend on the size of the batch.

        tokens: of documents that are annotated for the task; there is at least one token.
        gold: the rows of every document of the batch, but for those that can't be learned from.
        """
        raise NotImplementedError

    def decode(self, tokens: TokenBatch, threshold: float) -> Decoded:
        """Predict: without gradients and without dropout, also while the network trains, for a level above
        that takes its candidates from these rows. There may be no token at all. Several threads do it at a
        time, so a head keeps nothing of a batch.

        RETURNS: rows and their probabilities, per document; empty arrays where there is nothing.
        """
        raise NotImplementedError


@runtime_checkable
class LabellingHead(Head, Protocol):
    """A head that levels above can also read as a distribution of labels.

    n_tags: width of that distribution.
    """

    n_tags: int

    def label_distribution(self, tokens: TokenBatch) -> Tensor:
        """Tag probabilities of each token, with gradients in training, without dropout. [n_tokens, n_tags]"""
        raise NotImplementedError


@runtime_checkable
class NestingHead(Head, Protocol):
    """A head whose spans may lie within one another.

    nests: True.
    """

    nests: bool


def apart_from(given: numpy.ndarray, predicted: numpy.ndarray) -> numpy.ndarray:
    """Which predicted rows of spans overlap none of the given ones, which may overlap one another. [n]

    >>> given = numpy.array([[2, 4], [0, 3], [7, 8]])
    >>> apart_from(given, numpy.array([[3, 5, 1], [4, 7, 0], [7, 9, 0], [8, 9, 2]])).tolist()
    [False, True, False, True]
    """
    starts, ends = numpy.sort(given[:, 0]), numpy.sort(given[:, 1])
    # as many given spans begin before a row's end as end at or before its start: none reaches into it
    begun = numpy.searchsorted(starts, predicted[:, 1], side="left")
    ended = numpy.searchsorted(ends, predicted[:, 0], side="right")
    apart: numpy.ndarray = begun == ended
    return apart


def join_rows(gold: numpy.ndarray, predicted: numpy.ndarray) -> numpy.ndarray:
    """Gold rows of spans, and such predicted ones as have other offsets, by start and end.

    So a head learns from the right spans and from the mistakes it will be given in use. [n, n_columns]
    """
    known = {(start, end) for start, end in gold[:, :2].tolist()}
    new = [(start, end) not in known for start, end in predicted[:, :2].tolist()]
    rows = numpy.concatenate([gold, predicted[numpy.array(new, dtype=bool)]])
    return rows[numpy.lexsort((rows[:, 1], rows[:, 0]))]
