"""Rows as they lie on tokens: gold moved from the reference's to the predicted ones, white space trimmed."""

from collections import Counter
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy
from spacy.attrs import IS_SPACE, ORTH
from spacy.tokens import Doc
from spacy.training import Example

from .teaching import teaches

MISALIGNED = "misaligned"
WHITE_SPACE = "white space alone"


class UsableGold(NamedTuple):
    """What a task can learn from a document, on its predicted tokens.

    rows: [n, n_columns]. lost: how many rows can't be learned from, by reason.
    missing: tokens of which nothing is known, bool [n_tokens]; None if the task learns from whole annotation.
    """

    rows: numpy.ndarray
    lost: Counter[str]
    missing: Optional[numpy.ndarray]


def usable_gold(name: str, task: Any, example: Example, sentence_of: numpy.ndarray) -> Optional[UsableGold]:
    """Gold of a task on predicted tokens, without rows that can't be learned from; None if the document isn't
    annotated or isn't meant to teach the task.

    Predicted tokens that a misaligned span touches are missing, as for spaCy's `ner`.
    """
    if not teaches(example.reference, name) or not task.has_gold(example.reference):
        return None
    lost: Counter[str] = Counter()
    rows, visible = trim_rows(example.reference, task.encode(example.reference), task.offset_columns)
    lost[WHITE_SPACE] = int((~visible).sum())
    known, aligned = align_rows(example, rows, task.offset_columns)
    lost[MISALIGNED] = int((~aligned).sum())
    missing = task.missing(example.reference)
    if missing is not None:
        for start, end in rows[~aligned, :2].tolist():
            missing[start:end] = True
        missing = align_tokens(example, missing)
    keep = numpy.ones(len(known), dtype=bool)
    for reason, unusable in task.unusable(known, sentence_of).items():
        lost[reason] += int((unusable & (known[:, -1] >= 0)).sum())  # below nothing is annotated
        keep &= ~unusable
    return UsableGold(known[keep], +lost, missing)


def trim_rows(doc: Doc, rows: numpy.ndarray, offset_columns: int) -> Tuple[numpy.ndarray, numpy.ndarray]:
    """Spans without the tokens of white space that they begin or end with.

    rows: [n, n_columns]; the first `offset_columns` are starts and ends in turn.
    RETURNS: the rows of which something is left, and which those are, bool [n].
    """
    kept = numpy.ones(len(rows), dtype=bool)
    if not len(rows) or not offset_columns:
        return rows, kept
    space = doc.to_array([IS_SPACE]).reshape(-1).astype(bool)  # [n_tokens]
    if not space.any():
        return rows, kept
    token = numpy.arange(len(space))
    # the first token from each on that isn't white space, and the end of the last one before each end
    following = numpy.minimum.accumulate(numpy.where(space, len(space), token)[::-1])[::-1]
    preceding = numpy.maximum.accumulate(numpy.where(space, 0, token + 1))
    trimmed = rows.copy()
    for column in range(0, offset_columns, 2):
        trimmed[:, column] = following[rows[:, column]]
        trimmed[:, column + 1] = preceding[rows[:, column + 1] - 1]
        kept &= trimmed[:, column] < trimmed[:, column + 1]
    return trimmed[kept], kept


def visible_rows(
    doc: Doc, rows: numpy.ndarray, scores: numpy.ndarray, offset_columns: int
) -> Tuple[numpy.ndarray, numpy.ndarray]:
    """Predicted rows without white space at the ends of their spans, and their scores. Where different spans
    become equal, the rows of the first are kept.
    """
    trimmed, kept = trim_rows(doc, rows, offset_columns)
    if trimmed is rows:
        return rows, scores
    offsets = rows[kept, :offset_columns].tolist()
    first: Dict[Tuple[int, ...], List[int]] = {}  # what each trimmed span, or pair, was before
    of_first = [
        first.setdefault(tuple(now), before) == before
        for now, before in zip(trimmed[:, :offset_columns].tolist(), offsets)
    ]
    return trimmed[of_first], scores[kept][of_first]


def align_rows(
    example: Example, rows: numpy.ndarray, offset_columns: int
) -> Tuple[numpy.ndarray, numpy.ndarray]:
    """Move rows to predicted tokens; spans must begin and end where predicted tokens do.

    rows: [n, n_columns]; the first `offset_columns` are starts and ends in turn.
    RETURNS: the rows that could be moved, and which those are, bool [n].
    """
    x, y = example.predicted, example.reference
    if _same_tokens(x, y):
        return rows, numpy.ones(len(rows), dtype=bool)
    moved = rows.copy()
    aligned = numpy.ones(len(rows), dtype=bool)
    x_starts, x_ends = _visible_offsets(x)
    y_starts, y_ends = _visible_offsets(y)
    for column in range(offset_columns):
        if column % 2 == 0:
            target = y_starts[rows[:, column]]
            token = numpy.searchsorted(x_starts, target, side="right") - 1
            matches = x_starts[token.clip(min=0)] == target
            moved[:, column] = token
        else:
            target = y_ends[rows[:, column] - 1]
            token = numpy.searchsorted(x_ends, target, side="left")
            matches = x_ends[token.clip(max=max(len(x_ends) - 1, 0))] == target if len(x_ends) else target < 0
            moved[:, column] = token + 1
        aligned &= matches
    for column in range(0, offset_columns, 2):
        aligned &= moved[:, column] < moved[:, column + 1]  # nothing is left of a span of white space
    return moved[aligned], aligned


def align_tokens(example: Example, chosen: numpy.ndarray) -> numpy.ndarray:
    """The predicted tokens that share a character with chosen tokens of the reference.

    chosen: bool [n_tokens of the reference] -> bool [n_tokens of the predicted document]
    """
    x, y = example.predicted, example.reference
    if _same_tokens(x, y):
        return chosen
    if not chosen.any():
        return numpy.zeros(len(x), dtype=bool)
    x_starts, x_ends = _visible_offsets(x)
    y_starts, y_ends = _visible_offsets(y)
    first = numpy.searchsorted(y_ends, x_starts, side="right")  # the first token that ends behind the start
    stop = numpy.searchsorted(y_starts, x_ends, side="left")  # the first that begins at the end or behind it
    count = numpy.concatenate([[0], numpy.cumsum(chosen)])  # chosen ones before each token
    shares: numpy.ndarray = count[numpy.maximum(stop, first)] > count[first]
    return shares


def _same_tokens(x: Doc, y: Doc) -> bool:
    return len(x) == len(y) and numpy.array_equal(x.to_array([ORTH]), y.to_array([ORTH]))


def _visible_offsets(doc: Doc) -> Tuple[numpy.ndarray, numpy.ndarray]:
    """Where tokens start and end, counting only characters that aren't white space. [n_tokens] each"""
    lengths = numpy.array([len("".join(token.text.split())) for token in doc], dtype=numpy.int64)
    ends = numpy.cumsum(lengths)
    return ends - lengths, ends
