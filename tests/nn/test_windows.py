import numpy
from hypothesis import given
from hypothesis import strategies as st

from hmtl_spacy.nn.windows import pack_windows


def pieces(windows):
    return [window.pieces.tolist() for window in windows]


def tokens_of(windows):
    return [window.token_of_piece.tolist() for window in windows]


def starts(n, *marked):
    return numpy.isin(numpy.arange(n), marked)


def test_whole_sentences_share_a_window():
    tokens = [[1], [2, 3], [4], [5], [6]]
    windows = pack_windows([tokens], [starts(5, 0, 2, 4)], 5)
    assert pieces(windows) == [[1, 2, 3, 4, 5], [6]]
    assert tokens_of(windows) == [[0, 1, 1, 2, 3], [4]]


def test_only_a_sentence_longer_than_a_window_is_cut():
    tokens = [[1], [2], [3], [4], [5, 6], [7]]
    windows = pack_windows([tokens], [starts(6, 0, 1)], 3)
    assert pieces(windows) == [[1], [2, 3, 4], [5, 6, 7]]


def test_documents_do_not_share_a_window():
    windows = pack_windows([[[1]], [], [[2]]], [starts(1, 0), starts(0), starts(1, 0)], 100)
    assert (pieces(windows), tokens_of(windows)) == ([[1], [2]], [[0], [1]])


def test_white_space_has_no_pieces_but_counts_as_a_token():
    windows = pack_windows([[[], [1], []], [[]], [[2]]], [starts(3), starts(1), starts(1)], 4)
    assert (pieces(windows), tokens_of(windows)) == ([[1], [2]], [[1], [4]])


def test_a_token_longer_than_a_window_loses_its_end():
    windows = pack_windows([[[1, 2, 3, 4], [5]]], [starts(2, 0)], 3)
    assert pieces(windows) == [[1, 2, 3], [5]]


documents = st.lists(
    st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=12).map(
        lambda tokens: ([[9] * n for n, _ in tokens], numpy.array([s for _, s in tokens], dtype=bool))
    ),
    max_size=4,
)


@given(documents, st.integers(3, 9))
def test_every_piece_is_in_one_window_in_order_and_none_is_too_long(docs, size):
    windows = pack_windows([tokens for tokens, _ in docs], [marked for _, marked in docs], size)
    flat = [tokens for doc, _ in docs for tokens in doc]
    expected = [i for i, ids in enumerate(flat) for _ in ids]
    assert [t for window in windows for t in window.token_of_piece] == expected
    assert all(0 < len(window.pieces) <= size for window in windows)
    doc_of = numpy.repeat(numpy.arange(len(docs)), [len(doc) for doc, _ in docs])
    assert all(len({doc_of[t] for t in window.token_of_piece}) == 1 for window in windows)
    sentence_of = numpy.concatenate([[0], *(numpy.r_[True, m[1:]] for _, m in docs if len(m))]).cumsum()[1:]
    length = numpy.bincount(sentence_of[expected]) if expected else []
    for window in windows:
        # A sentence that fits lies in one window.
        for sentence in {sentence_of[t] for t in window.token_of_piece}:
            inside = sum(sentence_of[t] == sentence for t in window.token_of_piece)
            assert inside == length[sentence] or length[sentence] > size
