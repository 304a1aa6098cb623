import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.training import Example

from hmtl_spacy.data.gold import align_rows

VOCAB = spacy.blank("en").vocab


def doc(words, spaces=None):
    return Doc(VOCAB, words=words, spaces=spaces)


def align(predicted, reference, rows, offset_columns=2):
    rows = numpy.array(rows, dtype=numpy.int64).reshape(-1, offset_columns + 1)
    found, aligned = align_rows(Example(predicted, reference), rows, offset_columns)
    return found.tolist(), aligned.tolist()


def test_the_same_tokens_keep_their_rows():
    words = ["a", "b", "c"]
    assert align(doc(words), doc(words), [[0, 2, 7], [2, 3, 8]]) == ([[0, 2, 7], [2, 3, 8]], [True, True])


def test_predicted_tokens_are_finer():
    predicted = doc(["New", "York", "-", "based", "Acme"])
    reference = doc(["New", "York-based", "Acme"])
    found = align(predicted, reference, [[0, 1, 0], [1, 2, 1], [2, 3, 2], [0, 3, 3]])
    assert found == ([[0, 1, 0], [1, 4, 1], [4, 5, 2], [0, 5, 3]], [True] * 4)


def test_predicted_tokens_are_coarser():
    predicted = doc(["New", "York-based", "Acme"])
    reference = doc(["New", "York", "-", "based", "Acme"])
    rows = [[0, 1, 0], [0, 2, 1], [1, 4, 2], [3, 5, 3], [4, 5, 4]]
    assert align(predicted, reference, rows) == (
        [[0, 1, 0], [1, 2, 2], [2, 3, 4]],
        [True, False, True, False, True],
    )


def test_only_offset_columns_are_moved_and_each_argument_must_fit():
    predicted = doc(["a", "b", "c", "d"])
    reference = doc(["ab", "c", "d"])
    rows = [[0, 1, 1, 2, 1], [1, 2, 2, 3, 0]]
    assert align(predicted, reference, rows, 4) == ([[0, 2, 2, 3, 1], [2, 3, 3, 4, 0]], [True, True])
    assert align(reference, predicted, [[0, 1, 2, 3, 0], [0, 2, 2, 3, 0]], 4) == (
        [[0, 1, 1, 2, 0]],
        [False, True],
    )


def test_white_space_is_not_compared():
    predicted = doc(["\n", "Ann", " ", "Lee", "\n\n", "sings"], [False] * 6)
    reference = doc(["Ann", "Lee", "sings"])
    rows = [[0, 1, 0], [0, 2, 1], [2, 3, 2]]
    assert align(predicted, reference, rows) == ([[1, 2, 0], [1, 4, 1], [5, 6, 2]], [True] * 3)
    back = [[1, 2, 0], [1, 4, 1], [5, 6, 2], [0, 2, 3], [3, 5, 4]]
    assert align(reference, predicted, back) == (
        [[0, 1, 0], [0, 2, 1], [2, 3, 2], [0, 1, 3], [1, 2, 4]],
        [True] * 5,
    )


@pytest.mark.parametrize("row", [[0, 1, 0], [2, 3, 0], [5, 6, 0]])
def test_a_span_of_nothing_but_white_space_is_misaligned(row):
    reference = doc(["\n", "Ann", " ", "Lee", "sings", "\n"], [False] * 6)
    predicted = doc(["Ann", "Lee", "sings"])
    assert align(predicted, reference, [row]) == ([], [False])


def test_no_rows_and_no_tokens():
    assert align(doc(["a"]), doc(["a"]), []) == ([], [])
    assert align(doc(["a", "b"]), doc(["ab"]), []) == ([], [])
    assert align(doc([]), doc([]), []) == ([], [])


def cut(text, marks):
    """A text's characters as tokens that begin at the marks."""
    bounds = [0, *sorted(marks), len(text)]
    return doc([text[a:b] for a, b in zip(bounds, bounds[1:])], [False] * (len(bounds) - 1))


TEXT = "abcdefghijkl"
marks = st.sets(st.integers(1, len(TEXT) - 1))


@given(marks, marks, st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=6))
def test_rows_are_kept_just_if_both_ends_are_ends_of_predicted_tokens(predicted, reference, pairs):
    x, y = cut(TEXT, predicted), cut(TEXT, reference)
    rows = [(min(a, b), max(a, b) + 1, i) for i, (a, b) in enumerate(pairs) if max(a, b) < len(y)]
    found, aligned = align(x, y, rows)
    expected = []
    for start, end, label in rows:
        span = x.char_span(y[start].idx, y[end - 1].idx + len(y[end - 1]))
        expected.append(None if span is None else [span.start, span.end, label])
    assert found == [row for row in expected if row is not None]
    assert aligned == [row is not None for row in expected]
