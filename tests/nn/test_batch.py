import numpy
import pytest
import torch

from hmtl_spacy.nn.batch import CandidateSpans, Layout, TokenBatch

LAYOUT = Layout([5, 0, 7, 2], [2, 3, 4, 3, 2])


def test_layout_places():
    assert LAYOUT.n_tokens == 14
    assert LAYOUT.doc_starts.tolist() == [0, 5, 5, 12]
    assert LAYOUT.sentence_starts.tolist() == [0, 2, 5, 9, 12]
    assert LAYOUT.sentence_of.tolist() == [0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 4]
    assert LAYOUT.doc_of.tolist() == [0] * 5 + [2] * 7 + [3] * 2
    assert LAYOUT.n_sentences_of_doc.tolist() == [2, 0, 2, 1]


@pytest.mark.parametrize("docs, sentences", [([3], [2]), ([3], [3, 0]), ([], [1])])
def test_layout_refuses_sentences_that_do_not_divide_the_documents(docs, sentences):
    with pytest.raises(ValueError, match="Give every token of every document to exactly one sentence"):
        Layout(docs, sentences)


def test_layout_without_tokens():
    layout = Layout([0, 0], [])
    assert layout.n_tokens == 0
    assert layout.n_sentences_of_doc.tolist() == [0, 0]
    assert layout.packing.sizes == []
    assert [len(rows) for rows in layout.split_docs(numpy.zeros((0, 3), dtype=int), 2)] == [0, 0]


def test_rows_are_divided_by_document_and_made_relative():
    rows = numpy.array([[0, 2, 7], [4, 5, 8], [5, 6, 9], [12, 14, 1]])
    split = LAYOUT.split_docs(rows, 2)
    assert [part.tolist() for part in split] == [[[0, 2, 7], [4, 5, 8]], [], [[0, 1, 9]], [[0, 2, 1]]]
    assert rows[3].tolist() == [12, 14, 1]  # the caller's rows are left alone


def test_packing_is_the_order_of_torch():
    values = torch.arange(14)
    sentences = values.split([2, 3, 4, 3, 2])
    packed = torch.nn.utils.rnn.pack_sequence(list(sentences), enforce_sorted=False)
    packing = LAYOUT.packing
    assert packing.sizes == packed.batch_sizes.tolist()
    assert torch.equal(packing.batch_sizes, packed.batch_sizes)
    # Ties may be ordered in more than one way; both orders hold the same tokens at every step.
    for ours, theirs in zip(packing.order.split(packing.sizes), packed.data.split(packing.sizes)):
        assert sorted(ours.tolist()) == sorted(theirs.tolist())
    assert torch.equal(values[packing.order][packing.inverse], values)


def test_packing_knows_the_token_before_and_the_last_one():
    packing = LAYOUT.packing
    order = packing.order
    n_first = packing.sizes[0]
    assert torch.equal(order[n_first:] - 1, order[packing.previous])
    assert sorted(order[packing.last].tolist()) == [1, 4, 8, 11, 13]
    # `last` follows the packed order of the sentences
    first_of_last = [LAYOUT.sentence_starts[LAYOUT.sentence_of[t]] for t in order[packing.last].tolist()]
    assert first_of_last == order[:n_first].tolist()


def test_packing_knows_the_token_as_far_from_the_other_end():
    packing = LAYOUT.packing
    backwards = torch.cat([part.flip(0) for part in torch.arange(14).split([2, 3, 4, 3, 2])])
    assert torch.equal(packing.order[packing.mirror], backwards[packing.order])
    assert torch.equal(packing.mirror[packing.mirror], torch.arange(14))


def test_documents_are_selected_with_their_sentences():
    tokens = TokenBatch(
        vectors=torch.arange(14.0)[:, None],
        layout=LAYOUT,
        inputs=(torch.arange(14.0)[:, None] * 10, torch.arange(14.0)[:, None]),
        candidates=CandidateSpans([numpy.full((1, 2), doc) for doc in range(len(LAYOUT.doc_lengths))], True),
        features={"words": numpy.arange(14) + 100},
    )
    chosen = tokens.select_docs([1, 2])
    assert chosen.layout.doc_lengths.tolist() == [0, 7]
    assert chosen.layout.sentence_lengths.tolist() == [4, 3]
    assert chosen.vectors[:, 0].tolist() == list(range(5, 12))
    assert chosen.inputs[0][:, 0].tolist() == list(range(50, 120, 10))
    assert chosen.inputs[1][:, 0].tolist() == list(range(5, 12))
    assert chosen.candidates.prune and [int(rows[0, 0]) for rows in chosen.candidates.rows] == [1, 2]
    assert chosen.features["words"].tolist() == list(range(105, 112))
    assert tokens.select_docs([1]).layout.n_tokens == 0


def test_pieces_are_of_whole_sentences():
    layout = Layout([5, 0, 9], [2, 3, 1, 6, 2])
    found = [
        (inside.start, inside.stop, piece.sentence_lengths.tolist()) for inside, piece in layout.chunks(5)
    ]
    assert found == [(0, 5, [2, 3]), (5, 6, [1]), (6, 12, [6]), (12, 14, [2])]
    ((inside, piece),) = layout.chunks(14)
    assert (inside, piece) == (slice(0, 14), layout)
