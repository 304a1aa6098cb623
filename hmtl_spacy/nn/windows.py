"""Whole sentences packed into windows that a transformer can read."""

from bisect import bisect_right
from itertools import chain
from typing import Iterator, List, NamedTuple, Tuple

import numpy


class Window(NamedTuple):
    """pieces: ids of consecutive word pieces; token_of_piece: the flat token of each. int64 [n_pieces]"""

    pieces: numpy.ndarray
    token_of_piece: numpy.ndarray


def pack_windows(
    docs: List[List[List[int]]], sentence_starts: List[numpy.ndarray], max_pieces: int
) -> List[Window]:
    """Fill windows with whole sentences of one document; only a sentence that is longer than a
    window is cut, between tokens. No piece is in two windows.

    docs: per document and token its piece ids; of a token with more than a window's, the first are read.
    sentence_starts: per document, bool [n_tokens]
    """
    windows: List[Window] = []
    first = 0
    for tokens, starts in zip(docs, sentence_starts):
        counts = numpy.fromiter(map(len, tokens), numpy.int64, len(tokens))
        if counts.max(initial=0) > max_pieces:
            tokens = [pieces[:max_pieces] for pieces in tokens]
            counts = counts.clip(max=max_pieces)
        ends = [0, *counts.cumsum().tolist()]
        pieces = numpy.fromiter(chain.from_iterable(tokens), numpy.int64, ends[-1])
        token_of_piece = numpy.repeat(numpy.arange(first, first + len(tokens)), counts)
        sentence_ends = [*(numpy.flatnonzero(starts[1:]) + 1).tolist(), len(tokens)]
        for begin, end in _bounds(ends, sentence_ends, max_pieces):
            inside = slice(ends[begin], ends[end])
            if inside.start < inside.stop:
                windows.append(Window(pieces[inside], token_of_piece[inside]))
        first += len(tokens)
    return windows


def _bounds(ends: List[int], sentence_ends: List[int], max_pieces: int) -> Iterator[Tuple[int, int]]:
    """YIELDS: the tokens of each window of a document, from and to.

    ends: the pieces up to each token, [n_tokens + 1]; sentence_ends: tokens.
    """
    begin = sentence_begin = 0
    for end in sentence_ends:
        if ends[end] - ends[begin] > max_pieces and begin < sentence_begin:
            yield begin, sentence_begin
            begin = sentence_begin
        while ends[end] - ends[begin] > max_pieces:
            cut = bisect_right(ends, ends[begin] + max_pieces) - 1
            yield begin, cut
            begin = cut
        sentence_begin = end
    yield begin, sentence_ends[-1]
