"""Gold on the reference's tokens, moved to the tokens of the predicted document."""

from typing import Tuple

import numpy
from spacy.attrs import ORTH
from spacy.tokens import Doc
from spacy.training import Example


def align_rows(
    example: Example, rows: numpy.ndarray, offset_columns: int
) -> Tuple[numpy.ndarray, numpy.ndarray]:
    """Move rows to predicted tokens; spans must begin and end where predicted tokens do.

    rows: [n, n_columns]; the first `offset_columns` are starts and ends in turn.
    RETURNS: the rows that could be moved, and which those are, bool [n].
    """
    x, y = example.predicted, example.reference
    if len(x) == len(y) and numpy.array_equal(x.to_array([ORTH]), y.to_array([ORTH])):
        return rows, numpy.ones(len(rows), dtype=bool)
    moved = rows.copy()
    aligned = numpy.ones(len(rows), dtype=bool)
    x_starts, x_ends = _visible_offsets(x)
    y_starts, y_ends = _visible_offsets(y)
    for column in range(offset_columns):
        if column % 2 == 0:
            wanted = y_starts[rows[:, column]]
            token = numpy.searchsorted(x_starts, wanted, side="right") - 1
            found = x_starts[token.clip(min=0)] == wanted
            moved[:, column] = token
        else:
            wanted = y_ends[rows[:, column] - 1]
            token = numpy.searchsorted(x_ends, wanted, side="left")
            found = x_ends[token.clip(max=max(len(x_ends) - 1, 0))] == wanted if len(x_ends) else wanted < 0
            moved[:, column] = token + 1
        aligned &= found
    for column in range(0, offset_columns, 2):
        aligned &= moved[:, column] < moved[:, column + 1]  # nothing is left of a span of white space
    return moved[aligned], aligned


def _visible_offsets(doc: Doc) -> Tuple[numpy.ndarray, numpy.ndarray]:
    """Where tokens start and end, counting only characters that aren't white space. [n_tokens] each"""
    lengths = numpy.array([len("".join(token.text.split())) for token in doc], dtype=numpy.int64)
    ends = numpy.cumsum(lengths)
    return ends - lengths, ends
