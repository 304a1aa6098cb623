"""The head of nested spans, against loops over all spans and labels."""

from itertools import combinations

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl_spacy.nn import pairs as pairs_module
from hmtl_spacy.nn.batch import Layout, TokenBatch
from hmtl_spacy.nn.crossing import best_without_crossing, crossing_pairs, nested_beside
from hmtl_spacy.nn.head import Head, LabellingHead, NestingHead
from hmtl_spacy.nn.span_labels import SpanLabelHead, SpansByStart
from hmtl_spacy.nn.tagging import TaggingHead

LENGTHS = [6, 3, 1, 9, 4]
LAYOUT = Layout([9, 0, 10, 4], LENGTHS)
N_LABELS, WIDTH, MAX_WIDTH = 3, 5, 4
# nested, crossing, single tokens, a document with none and an empty one
GOLD = [[[0, 4, 0], [1, 4, 1], [3, 4, 2], [3, 6, 0], [6, 7, 1]], [], [[0, 1, 2], [2, 6, 0], [8, 10, 1]], []]
# the second set may be none
SETS = numpy.array([[False, True, False, True], [True, False, True, False]])
OPEN_GOLD = [[[0, 4, 3], [1, 4, 1], [3, 4, 4]], [], [[0, 1, 4], [2, 6, 0]], [[0, 2, 3], [0, 2, 1]]]


def rows(lists):
    return [numpy.array(of_doc, dtype=numpy.int64).reshape(-1, 3) for of_doc in lists]


def build(product_width=3, dropout=0.0, n_labels=N_LABELS):
    torch.manual_seed(0)
    head = SpanLabelHead(
        WIDTH,
        n_labels,
        max_width=MAX_WIDTH,
        hidden=7,
        product_width=product_width,
        dropout=dropout,
        positive_rate=0.3,
    )
    return head.double()


def batch(layout=LAYOUT, **more):
    torch.manual_seed(1)
    vectors = 2 * torch.randn(layout.n_tokens, WIDTH, dtype=torch.float64)
    return TokenBatch(vectors.requires_grad_(), layout, **more)


def naive_logits(head, tokens):
    """Every span of the flat batch with its logits, one after the other."""
    x, logits, start_of = tokens.vectors, {}, 0
    for length in tokens.layout.sentence_lengths.tolist():
        for start in range(start_of, start_of + length):
            for end in range(start + 1, min(start + MAX_WIDTH, start_of + length) + 1):
                first, last = x[start], x[end - 1]
                hidden = head.from_first(first) + head.from_last(last) + head.width.weight[end - start - 1]
                if head.product_width:
                    hidden = hidden + head.from_product(head.first_factor(first) * head.last_factor(last))
                logits[start, end] = head.score(torch.relu(hidden))
        start_of += length
    return logits


def flat_gold(layout, gold):
    return [
        (s + offset, e + offset, label)
        for of_doc, offset in zip(gold, layout.doc_starts.tolist())
        for s, e, label in of_doc
    ]


def naive_loss(head, tokens, gold):
    loss = 0.0
    of_span = {}
    for start, end, label in flat_gold(tokens.layout, gold):
        of_span.setdefault((start, end), []).append(label)
    for (start, end), logits in naive_logits(head, tokens).items():
        p = logits.softmax(dim=0)
        allowed = set()
        if (start, end) not in of_span:
            allowed = {0}
        for label in of_span.get((start, end), []):
            if label < N_LABELS:
                allowed.add(label + 1)
            else:
                allowed.update(numpy.flatnonzero(SETS[label - N_LABELS]).tolist())
        if tokens.unannotated is not None and 0 in allowed:
            allowed.update(1 + k for k in range(N_LABELS) if tokens.unannotated[start:end, k].all())
        loss = loss - torch.log(sum(p[k] for k in allowed))
    return loss / len(tokens.layout.sentence_lengths)


def naive_rows(head, tokens, threshold):
    found = []
    for (start, end), logits in naive_logits(head, tokens).items():
        p = logits.detach().softmax(dim=0)
        label = int(p.argmax())
        if label and float(p[label]) >= threshold:
            found.append((float(p[label]), start, end, label - 1))
    chosen = []
    for p, start, end, label in sorted(found, key=lambda item: (-item[0], item[1], -item[2])):
        if not any(crosses((start, end), other[:2]) for other in chosen):
            chosen.append((start, end, label, p))
    return sorted(chosen, key=lambda row: (row[0], -row[1]))


def crosses(one, other):
    return one[0] < other[0] < one[1] < other[1] or other[0] < one[0] < other[1] < one[1]


@pytest.mark.parametrize("product_width", [3, 0])
@pytest.mark.parametrize("at_a_time", [5, 4096])
def test_the_loss_is_that_of_the_naive_rendition_and_so_are_gradients(product_width, at_a_time, monkeypatch):
    monkeypatch.setattr(pairs_module, "MAX_PAIRS", at_a_time)
    head, tokens = build(product_width), batch()
    loss, naive = head.loss(tokens, rows(GOLD)), naive_loss(head, tokens, GOLD)
    torch.testing.assert_close(loss, naive)
    inputs = [tokens.vectors, *head.parameters()]
    gradients = (torch.autograd.grad(value, inputs) for value in (loss, naive))
    for ours, theirs in zip(*gradients):
        torch.testing.assert_close(ours, theirs)


def test_open_annotation_sums_what_is_allowed():
    unannotated = numpy.zeros((LAYOUT.n_tokens, N_LABELS), dtype=bool)
    unannotated[:, 2] = True  # a label that the corpus doesn't have
    unannotated[10:14] = True  # tokens of which nothing is known
    head, tokens = build(), batch(unannotated=unannotated, label_sets=SETS)
    loss, naive = head.loss(tokens, rows(OPEN_GOLD)), naive_loss(head, tokens, OPEN_GOLD)
    torch.testing.assert_close(loss, naive)
    for ours, theirs in zip(*(torch.autograd.grad(v, [*head.parameters()]) for v in (loss, naive))):
        torch.testing.assert_close(ours, theirs)
    everything = numpy.ones_like(unannotated)
    free = head.loss(batch(unannotated=everything, label_sets=SETS), rows([[]] * 4))
    assert float(free.detach()) == pytest.approx(0.0, abs=1e-12)  # nothing is known, nothing is learned
    nothing_open = batch(unannotated=numpy.zeros_like(unannotated), label_sets=SETS)
    torch.testing.assert_close(head.loss(nothing_open, rows(GOLD)), head.loss(batch(), rows(GOLD)))


@pytest.mark.parametrize("threshold", [0.0, 0.6])
@pytest.mark.parametrize("at_a_time", [5, 4096])
def test_what_is_decoded_is_that_of_the_naive_rendition(threshold, at_a_time, monkeypatch):
    monkeypatch.setattr(pairs_module, "MAX_PAIRS", at_a_time)
    head, tokens = build(), batch()
    naive = naive_rows(head, tokens, threshold)
    found, scores = head.decode(tokens, threshold)
    flat = [
        (s + offset, e + offset, label)
        for of_doc, offset in zip(found, LAYOUT.doc_starts.tolist())
        for s, e, label in of_doc.tolist()
    ]
    assert flat == [row[:3] for row in naive] and len(flat) > 4
    numpy.testing.assert_allclose(numpy.concatenate(scores), [row[3] for row in naive])
    nested = [pair for pair in combinations(flat, 2) if pair[0][1] >= pair[1][1] > pair[0][0] + 1]
    assert nested or threshold  # of which some lie within others
    all_rows = naive_rows(head, tokens, 0.0)
    assert naive == [row for row in all_rows if row[3] >= threshold]  # a threshold only filters


def test_the_distribution_has_the_highest_probability_that_a_span_begins_or_ends():
    head, tokens = build(), batch()
    expected = torch.zeros(LAYOUT.n_tokens, 2, N_LABELS, dtype=torch.float64)
    for (start, end), logits in naive_logits(head, tokens).items():
        p = logits.softmax(dim=0)[1:]
        expected[start, 0] = torch.maximum(expected[start, 0], p)
        expected[end - 1, 1] = torch.maximum(expected[end - 1, 1], p)
    found = head.label_distribution(tokens)
    assert found.shape == (LAYOUT.n_tokens, head.n_tags)
    torch.testing.assert_close(found, expected.flatten(1))


def test_documents_alone_give_what_they_give_in_a_batch():
    head, tokens = build(), batch()
    together = head.decode(tokens)
    for i in range(4):
        alone = head.decode(tokens.select_docs([i]))
        numpy.testing.assert_array_equal(alone[0][0], together[0][i])
        numpy.testing.assert_allclose(alone[1][0], together[1][i])


def test_without_tokens_or_labels():
    head = build()
    found, scores = head.decode(batch(Layout([0, 0], [])))
    assert [of_doc.shape for of_doc in found] == [(0, 3), (0, 3)] and [len(s) for s in scores] == [0, 0]
    no_labels = build(n_labels=0)
    assert [len(of_doc) for of_doc in no_labels.decode(batch())[0]] == [0, 0, 0, 0]
    assert float(no_labels.loss(batch(), rows([[]] * 4)).detach()) == 0.0


def test_what_kinds_of_head_it_is():
    head = build()
    assert isinstance(head, Head) and isinstance(head, LabellingHead) and isinstance(head, NestingHead)
    assert not isinstance(TaggingHead(4, 2, 0.0), NestingHead)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 6), st.integers(0, 3)), max_size=14, unique=True))
def test_crossing_is_what_loops_find(drawn):
    spans = sorted({(start, start + width) for start, width, _ in drawn}, key=lambda s: (s[0] * 7 % 4, s))
    scores = numpy.array([(7 * s + e) % 5 / 5 for s, e in spans])
    starts, ends = (numpy.array([s[i] for s in spans], dtype=numpy.int64) for i in (0, 1))
    first, second = crossing_pairs(starts, ends)
    loops = {
        frozenset(pair) for pair in combinations(range(len(spans)), 2) if crosses(*(spans[i] for i in pair))
    }
    assert len(first) == len(loops)
    assert {frozenset(pair) for pair in zip(first.tolist(), second.tolist())} == loops
    chosen = []
    for i in sorted(range(len(spans)), key=lambda i: (-scores[i], spans[i][0], -spans[i][1])):
        if not any(crosses(spans[i], spans[j]) for j in chosen):
            chosen.append(i)
    kept = best_without_crossing(starts, ends, scores)
    assert numpy.flatnonzero(kept).tolist() == sorted(chosen)
    given_rows, predicted = numpy.split(numpy.stack([starts, ends, starts], axis=1), [len(spans) // 2])
    beside = [
        not any(crosses(p[:2], g[:2]) or p[:2] == g[:2] for g in given_rows.tolist())
        for p in predicted.tolist()
    ]
    assert nested_beside(given_rows, predicted).tolist() == beside


def test_spans_by_start_are_all_spans_once():
    spans = SpansByStart(LAYOUT, MAX_WIDTH)
    found = list(zip(spans.starts.tolist(), spans.ends.tolist()))
    assert found == sorted(naive_logits(build(), batch()))
    every = numpy.array(found)
    assert spans.index(every[::-1]).tolist() == list(range(len(found)))[::-1]
