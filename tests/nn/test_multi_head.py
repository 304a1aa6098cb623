import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from hmtl_spacy.nn import pairs as pairs_module
from hmtl_spacy.nn.batch import Layout, TokenBatch
from hmtl_spacy.nn.multi_head import MultiHeadSelection
from hmtl_spacy.nn.pairs import ordered_pairs

LENGTHS = [2, 3, 1, 4, 3]
LAYOUT = Layout([5, 0, 5, 3], LENGTHS)
N_LABELS = 2
NONE = numpy.zeros((0, 5), dtype=numpy.int64)
GOLD = [
    numpy.array([[0, 1, 1, 2, 0], [0, 1, 1, 2, 1], [2, 4, 4, 5, 1]]),
    NONE,
    numpy.array([[1, 3, 0, 5, 0], [4, 5, 1, 2, 0]]),
    NONE,
]


def build(positive_rate=0.3, inverse=(-1, -1)):
    torch.manual_seed(0)
    head = MultiHeadSelection(
        6, N_LABELS, hidden=5, dropout=0.0, positive_rate=positive_rate, inverse=inverse
    ).eval()
    head.score.weight.data.normal_(std=1.0)
    return head


def batch():
    torch.manual_seed(1)
    return TokenBatch(torch.randn(13, 6), LAYOUT)


def naive_logits(head, tokens):
    """{(head token, tail token): [n_labels]} over all pairs of different tokens of a sentence."""
    logits = {}
    for i, head_vector in enumerate(tokens.vectors):
        for j, tail_vector in enumerate(tokens.vectors):
            if i != j and LAYOUT.sentence_of[i] == LAYOUT.sentence_of[j]:
                weight = torch.cat([head.from_head.weight, head.from_tail.weight], dim=1)
                hidden = F.linear(torch.cat([head_vector, tail_vector]), weight, head.from_head.bias).relu()
                logits[i, j] = F.linear(hidden, head.score.weight, head.score.bias)
    return logits


def naive_rows(head, tokens, threshold):
    """{(document, head end, tail end, label): probability}, ends relative to the document"""
    found = {}
    for (i, j), logits in naive_logits(head, tokens).items():
        doc = int(LAYOUT.doc_of[i])
        start = int(LAYOUT.doc_starts[doc])
        for label, probability in enumerate(logits.sigmoid().tolist()):
            if probability > threshold:
                found[doc, i - start + 1, j - start + 1, label] = probability
    return found


def decoded(head, tokens, threshold):
    rows, scores = head.decode(tokens, threshold)
    for part in rows:
        assert (part[:, 1] - part[:, 0] == 1).all() and (part[:, 3] - part[:, 2] == 1).all()
    return {
        (doc, row[1], row[3], row[4]): score
        for doc in range(len(rows))
        for row, score in zip(rows[doc].tolist(), scores[doc].tolist())
    }


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.4])
def test_decoding_equals_naive_loops_and_the_threshold(threshold):
    head, tokens = build(), batch()
    expected = naive_rows(head, tokens, threshold)
    found = decoded(head, tokens, threshold)
    assert found.keys() == expected.keys() and found
    assert found == pytest.approx(expected, abs=1e-5)


def test_a_token_is_never_related_to_itself():
    head = build(positive_rate=0.999)
    head.score.weight.data.zero_()
    rows, _ = head.decode(batch(), 0.5)
    # everything is predicted but i = j: n * (n - 1) pairs per sentence, times the labels
    assert [len(part) for part in rows] == [N_LABELS * n for n in (2 + 6, 0, 0 + 12, 6)]
    assert all((part[:, 1] != part[:, 3]).all() for part in rows)


def test_loss_equals_the_naive_sum():
    head, tokens = build(), batch()
    related = {(d, row[1], row[3], row[4]) for d in range(4) for row in GOLD[d].tolist()}
    total = torch.zeros(())
    for (i, j), logits in naive_logits(head, tokens).items():
        doc = int(LAYOUT.doc_of[i])
        start = int(LAYOUT.doc_starts[doc])
        target = [float((doc, i - start + 1, j - start + 1, label) in related) for label in range(N_LABELS)]
        total = total + F.binary_cross_entropy_with_logits(logits, torch.tensor(target), reduction="sum")
    torch.testing.assert_close(head.loss(tokens, GOLD), total / len(LENGTHS), atol=1e-4, rtol=1e-5)


def test_the_bias_starts_at_the_prior():
    head = MultiHeadSelection(6, N_LABELS, hidden=5, dropout=0.0, positive_rate=0.01, inverse=[-1, -1])
    assert head.score.bias.sigmoid().tolist() == pytest.approx([0.01, 0.01])


def test_decoding_and_loss_in_small_pieces_are_the_same(monkeypatch):
    head, tokens = build(), batch()
    loss, found = head.loss(tokens, GOLD), decoded(head, tokens, 0.3)
    monkeypatch.setattr(pairs_module, "MAX_PAIRS", 5)
    assert len(list(ordered_pairs(LAYOUT.sentence_lengths, 5))) > 2
    torch.testing.assert_close(head.loss(tokens, GOLD), loss)
    assert decoded(head, tokens, 0.3) == pytest.approx(found, abs=1e-6)


def test_a_batch_equals_each_document_alone():
    head, tokens = build(), batch()
    rows, scores = head.decode(tokens, 0.3)
    total = 0.0
    for doc in (0, 2, 3):
        alone = tokens.select_docs([doc])
        (rows_alone,), (scores_alone,) = head.decode(alone, 0.3)
        assert numpy.array_equal(rows[doc], rows_alone)
        numpy.testing.assert_allclose(scores[doc], scores_alone, atol=1e-6)
        total = total + head.loss(alone, [GOLD[doc]]) * len(alone.layout.sentence_lengths)
    torch.testing.assert_close(head.loss(tokens, GOLD), total / len(LENGTHS))
    assert rows[1].shape == (0, 5) and scores[1].shape == (0,)


def test_no_tokens():
    rows, scores = build().decode(TokenBatch(torch.zeros(0, 6), Layout([0, 0], [])), 0.5)
    assert [part.shape for part in rows] == [(0, 5), (0, 5)]
    assert [part.shape for part in scores] == [(0,), (0,)]


def test_gradient_reaches_every_weight():
    head, tokens = build(), batch()
    tokens.vectors.requires_grad_()
    head.loss(tokens, GOLD).backward()
    assert all(p.grad.any() for p in head.parameters())
    assert tokens.vectors.grad[5].abs().sum() == 0  # a sentence of one token has no pairs
    assert tokens.vectors.grad.abs().sum(dim=1)[[0, 4, 6, 12]].min() > 0


@given(st.lists(st.integers(1, 5), min_size=1, max_size=7), st.integers(1, 40))
def test_pieces_hold_every_pair_once_and_find_it_again(sizes, max_pairs):
    seen = []
    for pairs in ordered_pairs(numpy.array(sizes), max_pairs):
        assert len(pairs.head) <= max_pairs or pairs.end == pairs.start + 1
        assert set(pairs.head.tolist()) == set(range(pairs.start, pairs.end))
        assert numpy.array_equal(pairs.index(pairs.head, pairs.tail), numpy.arange(len(pairs.head)))
        seen.extend(zip(pairs.head.tolist(), pairs.tail.tolist()))
    of = numpy.repeat(numpy.arange(len(sizes)), sizes)
    n = len(of)
    assert seen == [(i, j) for i in range(n) for j in range(n) if of[i] == of[j]]
