import sys
from pathlib import Path

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from hmtl_spacy.nn import pairs as pairs_module
from hmtl_spacy.nn import span_relations
from hmtl_spacy.nn.batch import CandidateSpans, Layout, TokenBatch
from hmtl_spacy.nn.pairs import ordered_pairs
from hmtl_spacy.nn.sentence_spans import gaps_between, range_max, sentence_spans
from hmtl_spacy.nn.span_relations import SpanPairHead

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks import naive_relations

LENGTHS = [6, 3, 1, 9, 4]
LAYOUT = Layout([9, 0, 10, 4], LENGTHS)
N_LABELS, N_TYPES, WIDTH = 2, 3, 11  # width of what the encoder reads and gives together
# nested ones, two that end on one token, one span twice, one that crosses a sentence, one without a known
# label, a sentence with one candidate and a document with none
CANDIDATES = [
    [[0, 2, 0], [1, 2, 2], [3, 6, 1], [3, 4, 2], [3, 4, 0], [5, 7, 1], [7, 8, 1]],
    [],
    [[0, 1, 0], [1, 2, 1], [5, 6, 2], [8, 10, 9], [2, 10, 0]],
    [],
]
# two labels for one pair, both directions, an argument that is no candidate, two in a document without any
GOLD = [
    [[0, 2, 3, 6, 0], [0, 2, 3, 6, 1], [3, 6, 0, 2, 1], [0, 2, 4, 5, 0]],
    [],
    [[8, 10, 1, 2, 1]],
    [[0, 1, 2, 4, 0]],
]


def rows(lists, columns):
    return [numpy.array(of_doc, dtype=numpy.int64).reshape(-1, columns) for of_doc in lists]


GOLD_ROWS = rows(GOLD, 5)


def build(positive_rate=0.3, **options):
    torch.manual_seed(0)
    defaults = {"hidden": 5, "product_width": 3, "context": True, "distances": True, "n_types": N_TYPES}
    defaults["inverse"] = [-1] * N_LABELS
    head = SpanPairHead(
        4,
        WIDTH - 4,
        N_LABELS,
        **{**defaults, **options},
        candidates_from="mentions",
        feature_width=2,
        dropout=0.0,
        positive_rate=positive_rate,
    )
    head.score.weight.data.normal_()
    if head.context:
        head.no_context.data.normal_()
    return head.eval()


def batch(layout=LAYOUT, candidates=None, seed=1):
    torch.manual_seed(seed)
    n = layout.n_tokens
    inputs = (torch.randn(n, 5), torch.randn(n, WIDTH - 9))
    spans = CandidateSpans(rows(CANDIDATES if candidates is None else candidates, 3))
    return TokenBatch(torch.randn(n, 4), layout, inputs=inputs, candidates=spans)


# The head, pair by pair


def naive_candidates(layout, doc, found, gold):
    """The spans of a document that are within a sentence, with the first label that each has."""
    labels = {}
    arguments = [(row[i], row[i + 1], -1) for row in gold for i in (0, 2)]
    for start, end, label in [*map(tuple, found), *arguments]:
        first = int(layout.doc_starts[doc])
        if layout.sentence_of[first + start] == layout.sentence_of[first + end - 1]:
            labels.setdefault((first + start, first + end), label)
    return [(*span, label) for span, label in labels.items()]


def naive(head, tokens, candidates, gold=None):
    """{(document, head, tail): [n_labels]} over all pairs; spans relative to the document."""
    layout, logits = tokens.layout, {}
    x = torch.cat([*tokens.inputs, tokens.vectors], dim=1)
    for doc, found in enumerate(candidates):
        spans = naive_candidates(layout, doc, found, gold[doc] if gold else [])
        first = int(layout.doc_starts[doc])
        for one in spans:
            for other in spans:
                inside = layout.sentence_of[one[0]] == layout.sentence_of[other[0]]
                if inside and one[1] != other[1]:
                    key = tuple((span[0] - first, span[1] - first) for span in (one, other))
                    logits[(doc, *key)] = naive_relations.pair_logits(head, x, one, other)
    return logits


def naive_loss(head, tokens, candidates, gold):
    related = {(d, (a, b), (c, e), label) for d, of_doc in enumerate(gold) for a, b, c, e, label in of_doc}
    total = torch.zeros(())
    for pair, logits in naive(head, tokens, candidates, gold).items():
        target = torch.tensor([float((*pair, label) in related) for label in range(N_LABELS)])
        total = total + F.binary_cross_entropy_with_logits(logits, target, reduction="sum")
    return total / len(tokens.layout.sentence_lengths)


def decoded(head, tokens, threshold):
    found = {}
    for doc, (of_doc, scores) in enumerate(zip(*head.decode(tokens, threshold), strict=True)):
        assert of_doc[:, 0].tolist() == sorted(of_doc[:, 0].tolist())
        for (a, b, c, d, label), score in zip(of_doc.tolist(), scores.tolist(), strict=True):
            assert (doc, (a, b), (c, d), label) not in found
            found[doc, (a, b), (c, d), label] = score
    return found


def naive_decoded(head, tokens, candidates, threshold):
    return {
        (*pair, label): probability
        for pair, logits in naive(head, tokens, candidates).items()
        for label, probability in enumerate(logits.sigmoid().tolist())
        if probability > threshold
    }


SETTINGS = [
    {},
    {"product_width": 0},
    {"context": False},
    {"distances": False},
    {"n_types": 0},
    {"product_width": 0, "context": False, "distances": False, "n_types": 0},
]
each_setting = pytest.mark.parametrize("options", SETTINGS, ids=str)


@each_setting
@pytest.mark.parametrize("threshold", [0.0, 0.3])
def test_decoding_equals_the_naive_one(options, threshold):
    head, tokens = build(**options), batch()
    expected = naive_decoded(head, tokens, CANDIDATES, threshold)
    assert expected and decoded(head, tokens, threshold) == pytest.approx(expected, abs=1e-6)
    if not threshold:
        # two sentences of four spans, two of which end on one token; two of one
        assert len(expected) == N_LABELS * 2 * (4 * 3 - 2)


@each_setting
def test_loss_and_gradients_equal_the_naive_ones(options):
    head, tokens = build(**options), batch()
    leaves = [*head.parameters(), tokens.vectors, *tokens.inputs]
    for leaf in leaves:
        leaf.requires_grad_()
    loss, expected = head.loss(tokens, GOLD_ROWS), naive_loss(head, tokens, CANDIDATES, GOLD)
    torch.testing.assert_close(loss, expected, atol=1e-6, rtol=1e-5)
    ours, naives = (torch.autograd.grad(total, leaves, allow_unused=True) for total in (loss, expected))
    for gradient, of_naive in zip(ours, naives, strict=True):
        assert of_naive is not None and of_naive.any()
        torch.testing.assert_close(gradient, of_naive, atol=1e-6, rtol=1e-5)


# Any candidates, and the parts


def flat_batch(sizes, seed):
    """One document of sentences of these sizes with random candidates, many of them nested, some twice."""
    random = numpy.random.default_rng(seed)
    found, start = [], 0
    for size in sizes:
        for _ in range(random.integers(0, 5)):
            first, last = sorted(random.integers(0, size, 2).tolist())
            found.append([start + first, start + last + 1, int(random.integers(-1, 4))])
        start += size
    return batch(Layout([start], list(sizes)), [found], seed), [found]


@given(st.lists(st.integers(1, 12), min_size=1, max_size=4), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_any_candidates_of_any_sentences(sizes, seed):
    head = build()
    tokens, candidates = flat_batch(sizes, seed)
    expected = naive_decoded(head, tokens, candidates, 0.1)
    assert decoded(head, tokens, 0.1) == pytest.approx(expected, abs=1e-6)
    gold = [[0, 1, sizes[0] - 1, sizes[0], 1]] if sizes[0] > 1 else []
    loss = head.loss(tokens, rows([gold], 5))
    torch.testing.assert_close(loss, naive_loss(head, tokens, candidates, [gold]), atol=1e-5, rtol=1e-5)


@given(st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39)), min_size=1), st.integers(1, 40))
def test_the_largest_over_ranges(bounds, n):
    bounds = [(min(a, b) % n, max(a, b) % n) for a, b in bounds]
    starts, ends = [min(pair) for pair in bounds], [max(pair) + 1 for pair in bounds]
    values = torch.randn(n, 3, requires_grad=True)
    found = range_max(values, torch.tensor(starts), torch.tensor(ends))
    expected = torch.stack([values[start:end].amax(dim=0) for start, end in zip(starts, ends)])
    assert torch.equal(found, expected)
    weight = torch.randn_like(found)
    gradients = [torch.autograd.grad((weight * of).sum(), values)[0] for of in (found, expected)]
    torch.testing.assert_close(*gradients)


def test_a_gap_is_read_once_for_both_directions():
    tokens = batch()
    spans = sentence_spans(LAYOUT, tokens.candidates.rows)
    (pairs,) = ordered_pairs(spans.sizes, 1000)
    gaps = gaps_between(spans, pairs)
    # [0, 2) and [1, 2) before [3, 4) and [3, 6); [11, 12) before [14, 15) and before [17, 19), these two
    assert list(zip(gaps.starts.tolist(), gaps.ends.tolist())) == [(2, 3), (11, 14), (11, 17), (15, 17)]
    assert [int((gaps.gap == number).sum()) for number in range(1, 5)] == [8, 2, 2, 2]


# Batches


def test_small_pieces_are_the_same(monkeypatch):
    head, tokens = build(), batch()
    loss, found = head.loss(tokens, GOLD_ROWS), decoded(head, tokens, 0.1)
    monkeypatch.setattr(pairs_module, "MAX_PAIRS", 3)
    monkeypatch.setattr(span_relations, "SPANS_AT_A_TIME", 2)
    torch.testing.assert_close(head.loss(tokens, GOLD_ROWS), loss)
    assert decoded(head, tokens, 0.1) == pytest.approx(found, abs=1e-6)


def test_a_batch_equals_each_document_alone():
    head, tokens = build(), batch()
    (all_rows, all_scores), total = head.decode(tokens, 0.1), 0.0
    for doc in (0, 2, 3):
        alone = tokens.select_docs([doc])
        (of_doc,), (scores,) = head.decode(alone, 0.1)
        assert numpy.array_equal(of_doc, all_rows[doc])
        numpy.testing.assert_allclose(scores, all_scores[doc], atol=1e-6)
        total = total + head.loss(alone, [GOLD_ROWS[doc]]) * len(alone.layout.sentence_lengths)
    torch.testing.assert_close(head.loss(tokens, GOLD_ROWS), total / len(LENGTHS))
    some = tokens.select_docs([0, 3])  # the documents between them aren't annotated
    expected = naive_loss(head, some, [CANDIDATES[0], CANDIDATES[3]], [GOLD[0], GOLD[3]])
    torch.testing.assert_close(head.loss(some, [GOLD_ROWS[0], GOLD_ROWS[3]]), expected)


def test_a_long_sentence_is_scored_in_pieces():
    layout = Layout([200], [200])
    candidates = [[[i, i + 1 + i % 3, i % N_TYPES] for i in range(190)]]
    head, tokens = build(), batch(layout, candidates)
    sizes = [len(pairs.head) for pairs in ordered_pairs(numpy.array([190]), pairs_module.MAX_PAIRS)]
    assert len(sizes) > 5 and max(sizes) <= pairs_module.MAX_PAIRS
    found = decoded(head, tokens, 0.5)
    expected = naive_decoded(head, tokens, [candidates[0][:30]], 0.5)
    among = {key: score for key, score in found.items() if max(key[1][0], key[2][0]) < 30}
    assert expected and among == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("candidates", [[[], []], [[[0, 1, 0]], []]], ids=["none", "one"])
def test_no_pairs(candidates):
    head, tokens = build(), batch(Layout([3, 0], [3]), candidates)
    found, scores = head.decode(tokens, 0.0)
    assert [of_doc.shape for of_doc in found] == [(0, 5)] * 2 and [len(of) for of in scores] == [0, 0]
    tokens.vectors.requires_grad_()
    loss = head.loss(tokens, rows([[], []], 5))
    loss.backward()
    assert loss == 0.0 and not tokens.vectors.grad.any()


def test_no_tokens():
    found, scores = build().decode(batch(Layout([0, 0], []), [[], []]), 0.5)
    assert [of_doc.shape for of_doc in found] == [(0, 5)] * 2 and [len(of) for of in scores] == [0, 0]


def test_candidates_may_have_no_labels():
    head, tokens = build(), batch()
    tokens.candidates = CandidateSpans([of_doc[:, :2] for of_doc in tokens.candidates.rows])
    unlabelled = [[[start, end, -1] for start, end, _ in of_doc] for of_doc in CANDIDATES]
    expected = naive_decoded(head, tokens, unlabelled, 0.1)
    assert decoded(head, tokens, 0.1) == pytest.approx(expected, abs=1e-6)


def test_candidates_are_needed():
    tokens = batch()
    tokens.candidates = None
    with pytest.raises(ValueError, match="pairs of the spans of 'mentions', but the tokens come without any"):
        build().decode(tokens, 0.5)


def test_the_bias_starts_at_the_prior():
    head = build(positive_rate=0.05)
    assert head.score.bias.sigmoid().tolist() == pytest.approx([0.05, 0.05])


def test_gradient_reaches_every_weight():
    head, tokens = build(), batch()
    tokens.vectors.requires_grad_()
    head.loss(tokens, GOLD_ROWS).backward()
    assert all(p.grad.any() for p in head.parameters())
    assert not tokens.vectors.grad[9].any()  # a sentence of one candidate has no pairs
