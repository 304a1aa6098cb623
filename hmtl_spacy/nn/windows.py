"""Whole sentences packed into windows that a transformer can read."""

from bisect import bisect_right
from itertools import chain
from typing import Iterator, List, NamedTuple, Tuple

import numpy


class Window(NamedTuple):
    """What a transformer reads at once.

    pieces: ids of consecutive word pieces; token_of_piece: the flat token of each. int64 [n_pieces] both
    """

    pieces: numpy.ndarray
    token_of_piece: numpy.ndarray


def pack_windows(
    docs: List[List[List[int]]], sentence_starts: List[numpy.ndarray], max_pieces: int
) -> List[Window]:
    """Fill windows with whole sentences of one document; only a sentence that is longer than a
    window is cut, between tokens. No piece is in two windows.

    Sentences of 2, 1 and 2 tokens, one piece each, in windows of three pieces:

    >>> starts = numpy.array([True, False, True, True, False])
    >>> windows = pack_windows([[[10], [11], [12], [13], [14]]], [starts], max_pieces=3)
    >>> [window.token_of_piece.tolist() for window in windows]
    [[0, 1, 2], [3, 4]]

    docs: per document and token its piece ids; of a token with more than a window's, the first are read.
    sentence_starts: per document, whether each token begins a sentence. bool [n_tokens]
    max_pieces: of a window.
    """
    windows: List[Window] = []
    first = 0  # flat token of the document
    for tokens, starts in zip(docs, sentence_starts):
        counts = numpy.fromiter(map(len, tokens), numpy.int64, len(tokens))  # pieces of each token
        if counts.max(initial=0) > max_pieces:
            tokens = [pieces[:max_pieces] for pieces in tokens]
            counts = counts.clip(max=max_pieces)
        ends = [0, *counts.cumsum().tolist()]  # token t has the pieces ends[t] to ends[t + 1]
        pieces = numpy.fromiter(chain.from_iterable(tokens), numpy.int64, ends[-1])
        token_of_piece = numpy.repeat(numpy.arange(first, first + len(tokens)), counts)
        sentence_ends = [*(numpy.flatnonzero(starts[1:]) + 1).tolist(), len(tokens)]
        for begin, end in _bounds(ends, sentence_ends, max_pieces):
            inside = slice(ends[begin], ends[end])
            if inside.start < inside.stop:  # tokens without pieces, such as spaces, need no window
                windows.append(Window(pieces[inside], token_of_piece[inside]))
        first += len(tokens)
    return windows


def _bounds(ends: List[int], sentence_ends: List[int], max_pieces: int) -> Iterator[Tuple[int, int]]:
    """Where a document is cut into windows.

    ends: how many pieces come before each token, [n_tokens + 1]; sentence_ends: tokens, exclusive.
    YIELDS: the tokens of each window, from and to.
    """
    begin = sentence_begin = 0
    for end in sentence_ends:
        # the sentence doesn't fit the window that was begun: that ends before it
        if ends[end] - ends[begin] > max_pieces and begin < sentence_begin:
            yield begin, sentence_begin
            begin = sentence_begin
        # nor does it fit a window of its own: as many tokens as fit, again and again
        while ends[end] - ends[begin] > max_pieces:
            cut = bisect_right(ends, ends[begin] + max_pieces) - 1
            yield begin, cut
            begin = cut
        sentence_begin = end
    yield begin, sentence_ends[-1]
