"""The loss over partial annotation equals enumeration; of whole annotation it is the usual one."""

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_crf import GOLD, LAYOUT, LENGTHS, N_TAGS, OUT, head, path_scores, random_crf

from hmtl_spacy.nn.batch import Layout, TokenBatch
from hmtl_spacy.nn.crf import partial_tags, spans_to_tags, tags_to_spans

N_TOKENS = sum(LENGTHS)


def random_constraints(seed, share):
    """Random tags beside those of an annotation that is possible. bool [n_tokens, n_tags]"""
    numbers = torch.Generator().manual_seed(seed)
    allowed = torch.rand(N_TOKENS, N_TAGS, generator=numbers) < share
    allowed[torch.arange(N_TOKENS), torch.tensor(GOLD)] = True
    return allowed


def enumerated(crf, emissions, allowed):
    """log p of all allowed sequences together, by the sum over each of them."""
    total = 0.0
    for part, mask in zip(emissions.split(LENGTHS), allowed.split(LENGTHS)):
        paths, scores = path_scores(crf, part)
        chosen = mask[torch.arange(len(part)), paths].all(dim=1)
        total = total + scores[chosen].logsumexp(dim=0) - scores.logsumexp(dim=0)
    return total


def found_log_p(crf, emissions, allowed, layout=LAYOUT):
    packing = layout.packing
    return crf.marginal_log_likelihood(emissions[packing.order], allowed[packing.order], packing)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.1, 0.3, 0.7, 1.0]), st.sampled_from([1.0, 5.0]))
def test_loss_and_gradient_equal_enumeration(seed, share, scale):
    crf = random_crf(seed).double()
    torch.manual_seed(seed)
    emissions = (scale * torch.randn(N_TOKENS, N_TAGS, dtype=torch.float64)).requires_grad_()
    allowed = random_constraints(seed, share)
    found, expected = found_log_p(crf, emissions, allowed), enumerated(crf, emissions, allowed)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    inputs = [emissions, *crf.parameters()]
    for one, other in zip(torch.autograd.grad(found, inputs), torch.autograd.grad(expected, inputs)):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


def test_single_precision_is_as_good():
    crf = random_crf(3)
    emissions = 3 * torch.randn(N_TOKENS, N_TAGS)
    allowed = random_constraints(3, 0.4)
    torch.testing.assert_close(
        found_log_p(crf, emissions, allowed), enumerated(crf, emissions, allowed), atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_one_sequence_is_the_likelihood_of_its_tags(scale):
    crf, packing = random_crf(1), LAYOUT.packing
    emissions = (scale * torch.randn(N_TOKENS, N_TAGS)).requires_grad_()
    allowed = random_constraints(0, 0.0)
    assert allowed.sum() == N_TOKENS
    tags = torch.tensor(GOLD)
    found = found_log_p(crf, emissions, allowed)
    expected = crf.log_likelihood(emissions[packing.order], tags[packing.order], packing)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-5)
    (gradient,) = torch.autograd.grad(found, [emissions])
    torch.testing.assert_close(gradient, torch.autograd.grad(expected, [emissions])[0], atol=1e-5, rtol=1e-4)


def test_tags_that_lead_nowhere_count_for_nothing():
    """However likely they are: here B0 at the first token, which nothing can follow."""
    crf = random_crf(2)
    emissions = torch.zeros(2, N_TAGS)
    emissions[0, 1] = 900.0
    allowed = torch.zeros(2, N_TAGS, dtype=torch.bool)
    allowed[0, [OUT, 1]] = allowed[1, OUT] = True
    emissions.requires_grad_()
    log_p = found_log_p(crf, emissions, allowed, Layout([2], [2]))
    assert log_p.item() == pytest.approx(-900, abs=20)
    (gradient,) = torch.autograd.grad(log_p, [emissions])
    assert gradient.isfinite().all()
    assert gradient[0, OUT].item() == pytest.approx(1.0, abs=1e-4)


def test_all_tags_allowed_teach_nothing():
    crf = random_crf(4)
    emissions = torch.randn(N_TOKENS, N_TAGS, requires_grad=True)
    log_p = found_log_p(crf, emissions, torch.ones(N_TOKENS, N_TAGS, dtype=torch.bool))
    assert abs(log_p.item()) < 1e-9
    assert torch.autograd.grad(log_p, [emissions])[0].abs().max() < 1e-6


def test_constraints_that_nothing_fits_are_an_error():
    allowed = random_constraints(0, 0.0)
    allowed[3] = False
    allowed[3, 2] = True  # I0 where the sentence of tokens 2 to 4 has no B0
    with pytest.raises(ValueError, match="no sequence of BILOU tags is allowed for the sentence of token 2 "):
        found_log_p(random_crf(), torch.randn(N_TOKENS, N_TAGS), allowed)


def test_partial_tags():
    unannotated = numpy.zeros((6, 2), dtype=bool)
    unannotated[3:5] = [[True, False], [True, True]]
    known = numpy.array([[0, 2, 0], [4, 5, 1]])
    allowed = partial_tags(known, unannotated)
    assert [numpy.flatnonzero(row).tolist() for row in allowed] == [
        [1],
        [3],
        [0],
        [0, 1, 2, 3, 4],
        [8],
        [0],
    ]
    whole = partial_tags(known, numpy.zeros((6, 2), dtype=bool))
    assert whole.sum() == 6 and whole.argmax(axis=1).tolist() == spans_to_tags(known, 6).tolist()


def test_spans_of_the_same_offsets_are_alternatives():
    allowed = partial_tags(numpy.array([[0, 3, 0], [0, 3, 1]]), numpy.zeros((3, 2), dtype=bool))
    assert [numpy.flatnonzero(row).tolist() for row in allowed] == [[1, 5], [2, 6], [3, 7]]


GOLD_ROWS = [
    numpy.array([[0, 2, 0], [3, 4, 1]]),
    numpy.zeros((0, 3), dtype=int),
    numpy.array([[0, 1, 0], [2, 5, 1]]),
    numpy.array([[2, 3, 0]]),
]


def test_the_head_learns_from_what_is_known():
    torch.manual_seed(0)
    model = head()
    vectors = torch.randn(N_TOKENS, 6)
    unannotated = numpy.zeros((N_TOKENS, 2), dtype=bool)
    unannotated[[2, 4, 11]] = True
    tokens = TokenBatch(vectors, LAYOUT, unannotated=unannotated)
    allowed = torch.zeros(N_TOKENS, N_TAGS, dtype=torch.bool)
    allowed[torch.arange(N_TOKENS), torch.tensor(GOLD)] = True
    allowed[[2, 4, 11]] = True
    expected = -enumerated(model.crf, model.emit(vectors), allowed) / len(LENGTHS)
    torch.testing.assert_close(model.loss(tokens, GOLD_ROWS), expected, atol=1e-5, rtol=1e-5)
    part = tokens.select_docs([0, 3])
    assert part.unannotated.tolist() == unannotated[[0, 1, 2, 3, 4, 10, 11, 12]].tolist()


def test_nothing_missing_is_the_loss_of_whole_annotation():
    model = head()
    vectors = torch.randn(N_TOKENS, 6)
    whole = model.loss(TokenBatch(vectors, LAYOUT), GOLD_ROWS)
    nothing_open = numpy.zeros((N_TOKENS, 2), dtype=bool)
    partial = model.loss(TokenBatch(vectors, LAYOUT, unannotated=nothing_open), GOLD_ROWS)
    torch.testing.assert_close(whole, partial, atol=1e-5, rtol=1e-5)


# of two labels: one of both, the first or none, one of both or none
SETS = numpy.array([[False, True, True], [True, True, False], [True, True, True]])


def random_annotation(seed):
    """Spans that don't overlap, of labels and of sets, and by sentence the labels that aren't annotated."""
    numbers = numpy.random.default_rng(seed)
    rows, start = [], 0
    for length in LENGTHS:
        token = 0
        while token < length:
            width = int(numbers.integers(1, length - token + 1))
            if numbers.random() < 0.5:
                rows.append((start + token, start + token + width, int(numbers.integers(2 + len(SETS)))))
            token += width
        start += length
    unknown = numbers.random((len(LENGTHS), 2)) < 0.4
    return numpy.array(rows, dtype=int).reshape(-1, 3), numpy.repeat(unknown, LENGTHS, axis=0)


def is_allowed(tags, rows, unannotated):
    """Whether tags agree with annotation, told from their spans. tags: [n_tokens] of one sentence"""
    labels = [{0}, {1}, *(set(numpy.flatnonzero(row[1:]).tolist()) for row in SETS)]
    found = tags_to_spans(numpy.array(tags)).tolist()
    for start, end, kind in rows.tolist():
        may_be_none = kind >= 2 and SETS[kind - 2, 0]
        met = any(found_span[:2] == [start, end] and found_span[2] in labels[kind] for found_span in found)
        if not met and not may_be_none:
            return False
    for start, end, label in found:
        annotated = any([start, end] == row[:2] and label in labels[row[2]] for row in rows.tolist())
        if not annotated and not unannotated[start:end, label].all():
            return False
    return True


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_sets_and_unknown_labels_equal_enumeration_of_what_spans_are_possible(seed):
    crf = random_crf(seed).double()
    torch.manual_seed(seed)
    emissions = (2 * torch.randn(N_TOKENS, N_TAGS, dtype=torch.float64)).requires_grad_()
    rows, unannotated = random_annotation(seed)
    allowed = torch.from_numpy(partial_tags(rows, unannotated, SETS))
    expected, start = 0.0, 0
    for part in emissions.split(LENGTHS):
        paths, scores = path_scores(crf, part)
        inside = (rows[:, 0] >= start) & (rows[:, 0] < start + len(part))
        of_sentence = rows[inside] - [start, start, 0]
        here = unannotated[start : start + len(part)]
        chosen = torch.tensor([is_allowed(path, of_sentence, here) for path in paths.tolist()])
        expected = expected + scores[chosen].logsumexp(dim=0) - scores.logsumexp(dim=0)
        start += len(part)
    found = found_log_p(crf, emissions, allowed)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    inputs = [emissions, *crf.parameters()]
    for one, other in zip(torch.autograd.grad(found, inputs), torch.autograd.grad(expected, inputs)):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


def test_sets_by_hand():
    rows = numpy.array([[0, 2, 2], [2, 4, 3]])
    allowed = partial_tags(rows, numpy.array([[False, True]] * 5), SETS)
    # the first must be one of both; the second the first label or what is unknown; then what is unknown
    assert [numpy.flatnonzero(row).tolist() for row in allowed] == [
        [1, 5],
        [3, 7],
        [0, 1, 5, 6, 7, 8],
        [0, 3, 5, 6, 7, 8],
        [0, 5, 6, 7, 8],
    ]


def test_the_head_reads_sets():
    torch.manual_seed(0)
    model = head()
    vectors = torch.randn(N_TOKENS, 6)
    of_sets = [rows.copy() for rows in GOLD_ROWS]
    of_sets[0][0, 2], of_sets[2][0, 2] = 2, 3
    nothing = numpy.zeros((N_TOKENS, 2), dtype=bool)
    tokens = TokenBatch(vectors, LAYOUT, unannotated=nothing, label_sets=SETS)
    allowed = torch.from_numpy(partial_tags(LAYOUT.join_docs(of_sets, columns=2), nothing, SETS))
    expected = -enumerated(model.crf, model.emit(vectors), allowed) / len(LENGTHS)
    torch.testing.assert_close(model.loss(tokens, of_sets), expected, atol=1e-5, rtol=1e-5)
    assert tokens.select_docs([0]).label_sets is SETS
