"""The loss of relations where labels are unknown or one of a set: by probabilities of what is known."""

from dataclasses import replace

import numpy
import pytest
import torch
from test_multi_head import LAYOUT, LENGTHS, batch, build, naive_logits
from test_span_relations import batch as span_batch
from test_span_relations import build as build_spans
from test_span_relations import naive as naive_spans
from test_span_relations import rows as span_rows

SETS = numpy.array([[False, True, True], [True, True, True]])  # of two labels: at least one, or none too
NONE = numpy.zeros((0, 5), dtype=numpy.int64)


def naive_loss(logits, unknown, related):
    """Over pairs: by everything that their labels can be, which have independent probabilities.

    logits: {pair: [2]}; unknown: of each pair; related: {pair: labels, of 2 and 3 for the sets}
    """
    loss = torch.zeros(())
    for pair, of_pair in logits.items():
        p = of_pair.sigmoid()
        known = related.get(pair, set())
        open_labels = set(numpy.flatnonzero(unknown[pair]).tolist())
        if known & {2, 3}:
            open_labels = {0, 1}
        total = torch.zeros(())
        for first in (0, 1):
            for second in (0, 1):
                values = (first, second)
                fits = all(values[k] == (k in known) for k in (0, 1) if k in known or k not in open_labels)
                if fits and (2 not in known or any(values)):
                    total = total + torch.where(torch.tensor(values) > 0, p, 1 - p).prod()
        loss = loss - total.log()
    return loss


GOLD = [
    # a label, one of both; another label of a pair that has one of both too; a label that isn't annotated
    numpy.array([[0, 1, 1, 2, 0], [2, 3, 4, 5, 2], [3, 4, 4, 5, 1], [3, 4, 4, 5, 2], [4, 5, 2, 3, 3]]),
    NONE,
    numpy.array([[1, 3, 0, 5, 0], [4, 5, 1, 2, 3]]),
    NONE,
]


@pytest.mark.parametrize("unknown_of", [(), (0,), (0, 1)])
def test_pairs_of_tokens(unknown_of):
    head, tokens = build(), batch()
    unannotated = numpy.zeros((13, 2), dtype=bool)
    unannotated[:10, list(unknown_of)] = True  # of the last document all is known
    related = {}
    for doc, start in zip(GOLD, LAYOUT.doc_starts.tolist()):
        for _, head_end, _, tail_end, label in doc.tolist():
            related.setdefault((start + head_end - 1, start + tail_end - 1), set()).add(label)
    logits = naive_logits(head, tokens)
    expected = naive_loss(logits, {pair: unannotated[pair[0]] for pair in logits}, related) / len(LENGTHS)
    found = head.loss(replace(tokens, unannotated=unannotated, label_sets=SETS), GOLD)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    weights = list(head.parameters())
    for one, other in zip(torch.autograd.grad(found, weights), torch.autograd.grad(expected, weights)):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_nothing_open_is_the_usual_loss_bit_by_bit():
    gold = [doc[doc[:, 4] < 2] for doc in GOLD]
    whole = build().loss(batch(), gold)
    nothing = numpy.zeros((13, 2), dtype=bool)
    assert torch.equal(whole, build().loss(replace(batch(), unannotated=nothing, label_sets=SETS), gold))


def test_unlikely_sets_have_a_finite_gradient():
    head = build()
    head.score.bias.data.fill_(-200.0)
    nothing = numpy.zeros((13, 2), dtype=bool)
    loss = head.loss(replace(batch(), unannotated=nothing, label_sets=SETS), GOLD)
    loss.backward()
    assert loss.isfinite() and all(weight.grad.isfinite().all() for weight in head.parameters())


def test_pairs_of_spans():
    head, tokens = build_spans(), span_batch()
    gold = span_rows([[[0, 2, 3, 6, 2], [3, 6, 0, 2, 1]], [], [[8, 10, 1, 2, 3]], []], 5)
    unannotated = numpy.zeros((tokens.layout.n_tokens, 2), dtype=bool)
    unannotated[:9, 0] = True  # of the first document
    logits = naive_spans(head, tokens, tokens.candidates.rows, gold)
    unknown = {pair: unannotated[0] if pair[0] == 0 else numpy.zeros(2) for pair in logits}
    related = {}
    for doc, of_doc in enumerate(gold):
        for a, b, c, d, label in of_doc.tolist():
            related.setdefault((doc, (a, b), (c, d)), set()).add(label)
    assert related.keys() <= logits.keys()
    expected = naive_loss(logits, unknown, related) / len(tokens.layout.sentence_lengths)
    found = head.loss(replace(tokens, unannotated=unannotated, label_sets=SETS), gold)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
