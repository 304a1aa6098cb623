"""Whole sentences packed into windows that a transformer can read."""

from dataclasses import dataclass, field
from typing import List

import numpy


@dataclass
class Window:
    """pieces: ids of consecutive word pieces; token_of_piece: the flat token of each. [n_pieces]"""

    pieces: List[int] = field(default_factory=list)
    token_of_piece: List[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.pieces)


def pack_windows(
    docs: List[List[List[int]]], sentence_starts: List[numpy.ndarray], max_pieces: int
) -> List[Window]:
    """Fill windows with whole sentences of one document; only a sentence that is longer than a
    window is cut, between tokens. No piece is in two windows.

    docs: per document and token its piece ids. sentence_starts: per document, bool [n_tokens]
    """
    windows: List[Window] = []
    first = 0
    for tokens, starts in zip(docs, sentence_starts):
        window = Window()
        bounds = [0, *(numpy.flatnonzero(starts[1:]) + 1).tolist(), len(tokens)] if tokens else []
        for begin, end in zip(bounds[:-1], bounds[1:]):
            n_pieces = sum(map(len, tokens[begin:end]))
            if window.pieces and len(window.pieces) + n_pieces > max_pieces:
                windows.append(window)
                window = Window()
            for token in range(begin, end):
                pieces = tokens[token][:max_pieces]
                if len(window.pieces) + len(pieces) > max_pieces:
                    windows.append(window)
                    window = Window()
                window.pieces.extend(pieces)
                window.token_of_piece.extend([first + token] * len(pieces))
        if window.pieces:
            windows.append(window)
        first += len(tokens)
    return windows
