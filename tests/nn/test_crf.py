import itertools

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hmtl_spacy.nn.batch import Layout, TokenBatch
from hmtl_spacy.nn.crf import CRF, bilou_constraints, spans_to_tags, tags_to_spans
from hmtl_spacy.nn.tagging import TaggingHead

N_TAGS = 9  # two labels
OUT, B0, I0, L0, U0, B1, I1, L1, U1 = range(N_TAGS)
LENGTHS = [2, 3, 1, 4, 3]
LAYOUT = Layout([5, 0, 5, 3], LENGTHS)
GOLD = [B0, L0, OUT, U1, OUT, U0, OUT, B1, I1, L1, OUT, OUT, U0]


def random_crf(seed=0, scale=1.0):
    torch.manual_seed(seed)
    crf = CRF(2)
    for parameter in crf.parameters():
        parameter.data.normal_(std=scale)
    return crf


def allowed_sequences(n):
    """All BILOU sequences of n tags, told by a rule that is written down independently."""
    kinds = ["O", "B0", "I0", "L0", "U0", "B1", "I1", "L1", "U1"]

    def may_follow(before, after):
        if before[0] in "BI":
            return after[0] in "IL" and after[1] == before[1]
        return after[0] in "OBU"

    for tags in itertools.product(range(N_TAGS), repeat=n):
        names = [kinds[tag] for tag in tags]
        if names[0][0] in "OBU" and names[-1][0] in "OLU" and all(map(may_follow, names, names[1:])):
            yield list(tags)


def path_scores(crf, emissions):
    """Score of every allowed sequence of one sentence. [n_sequences, n], [n_sequences]"""
    paths = torch.tensor(list(allowed_sequences(len(emissions))))
    score = crf.start[paths[:, 0]] + crf.end[paths[:, -1]]
    score = score + emissions[torch.arange(len(emissions)), paths].sum(dim=1)
    return paths, score + crf.transitions[paths[:, :-1], paths[:, 1:]].sum(dim=1)


def enumerated_log_likelihood(crf, emissions, tags):
    total = 0.0
    for part, gold in zip(emissions.split(LENGTHS), tags.split(LENGTHS)):
        paths, scores = path_scores(crf, part)
        total = total + scores[(paths == gold).all(dim=1)].sum() - scores.logsumexp(dim=0)
    return total


def test_constraints_allow_exactly_bilou():
    allowed, start, end = bilou_constraints(2)
    for n in (1, 2, 3):
        expected = {tuple(tags) for tags in allowed_sequences(n)}
        found = {
            tags
            for tags in itertools.product(range(N_TAGS), repeat=n)
            if start[tags[0]] and end[tags[-1]] and all(allowed[a, b] for a, b in zip(tags, tags[1:]))
        }
        assert found == expected


def test_log_likelihood_and_its_gradient_equal_enumeration():
    crf = random_crf()
    emissions = torch.randn(13, N_TAGS, requires_grad=True)
    tags = torch.tensor(GOLD)
    packing = LAYOUT.packing
    found = crf.log_likelihood(emissions[packing.order], tags[packing.order], packing)
    expected = enumerated_log_likelihood(crf, emissions, tags)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-5)
    inputs = [emissions, *crf.parameters()]
    found_gradients = torch.autograd.grad(found, inputs)
    expected_gradients = torch.autograd.grad(expected, inputs)
    for one, other in zip(found_gradients, expected_gradients):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_probabilities_of_allowed_sequences_sum_to_one():
    crf = random_crf(1)
    emissions = torch.randn(3, N_TAGS)
    packing = Layout([3], [3]).packing
    total = sum(
        crf.log_likelihood(emissions, torch.tensor(tags), packing).exp().item()
        for tags in allowed_sequences(3)
    )
    assert total == pytest.approx(1.0, abs=1e-4)


def test_forbidden_sequences_have_no_probability():
    crf = random_crf(2)
    emissions = torch.randn(3, N_TAGS)
    packing = Layout([3], [3]).packing
    allowed = set(map(tuple, allowed_sequences(3)))
    for tags in itertools.product(range(N_TAGS), repeat=3):
        if tags not in allowed:
            assert crf.log_likelihood(emissions, torch.tensor(tags), packing).exp() == 0.0


@pytest.mark.parametrize("seed", range(4))
def test_viterbi_equals_enumeration(seed):
    crf = random_crf(seed)
    emissions = torch.randn(13, N_TAGS) * 2
    packing = LAYOUT.packing
    found = crf.viterbi(emissions[packing.order], packing)[packing.inverse]
    expected = []
    for part in emissions.split(LENGTHS):
        paths, scores = path_scores(crf, part)
        expected.extend(paths[scores.argmax()].tolist())
    assert found.tolist() == expected


def test_viterbi_never_gives_an_invalid_sequence_even_if_emissions_ask_for_one():
    crf = random_crf()
    emissions = torch.zeros(4, N_TAGS)
    emissions[0, I0] = emissions[1, L1] = emissions[2, B0] = emissions[3, I1] = 50.0
    packing = Layout([4], [4]).packing
    tags = crf.viterbi(emissions, packing).tolist()
    assert tags in list(allowed_sequences(4))


def test_extreme_emissions_give_finite_loss_and_gradient():
    crf = random_crf()
    emissions = torch.zeros(4, N_TAGS)
    emissions[0, I0] = emissions[1, B1] = emissions[2, B0] = emissions[3, I1] = 200.0
    emissions.requires_grad_()
    packing = Layout([4], [4]).packing
    loss = -crf.log_likelihood(emissions, torch.tensor([OUT, OUT, OUT, OUT]), packing)
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(x.grad).all() for x in (emissions, *crf.parameters()))


def test_emissions_hundreds_of_nats_apart_equal_enumeration():
    """Where the likeliest tag of a token can't follow, the others decide, however unlikely they are."""
    crf = random_crf()
    emissions = torch.randn(13, N_TAGS)
    emissions[:, [I0, B1]] += 290.0
    emissions[2, L0] += 250.0
    emissions.requires_grad_()
    packing, tags = LAYOUT.packing, torch.tensor(GOLD)
    found = crf.log_likelihood(emissions[packing.order], tags[packing.order], packing)
    expected = enumerated_log_likelihood(crf, emissions, tags)
    torch.testing.assert_close(found, expected, atol=1e-2, rtol=1e-5)
    for one, other in zip(
        torch.autograd.grad(found, [emissions, *crf.parameters()]),
        torch.autograd.grad(expected, [emissions, *crf.parameters()]),
    ):
        torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-3)


def test_span_probabilities_equal_enumeration():
    crf = random_crf(3)
    emissions = torch.randn(13, N_TAGS)
    packing = LAYOUT.packing
    tags = torch.tensor(GOLD)
    rows = tags_to_spans(tags.numpy())
    starts, ends = packing.inverse[rows[:, 0]], packing.inverse[rows[:, 1] - 1]
    found = crf.span_probabilities(emissions[packing.order], tags[packing.order], packing, starts, ends)
    expected = []
    for start, end, _ in rows.tolist():
        sentence = LAYOUT.sentence_of[start]
        first = LAYOUT.sentence_starts[sentence]
        paths, scores = path_scores(crf, emissions[first : first + LENGTHS[sentence]])
        same = (paths[:, start - first : end - first] == tags[start:end]).all(dim=1)
        expected.append(scores.softmax(dim=0)[same].sum())
    torch.testing.assert_close(found, torch.stack(expected), atol=1e-5, rtol=1e-4)


def test_pytorch_crf_agrees():
    torchcrf = pytest.importorskip("torchcrf")
    crf = random_crf(4)
    oracle = torchcrf.CRF(N_TAGS, batch_first=True)
    with torch.no_grad():
        transitions, start, end = crf.weights()
        oracle.transitions.copy_(transitions)
        oracle.start_transitions.copy_(start)
        oracle.end_transitions.copy_(end)
    lengths = [9, 4, 1, 7]
    layout = Layout([sum(lengths)], lengths)
    emissions = torch.randn(sum(lengths), N_TAGS)
    tags = torch.tensor([tag for n in lengths for tag in ([U1] if n == 1 else [B0, *[I0] * (n - 2), L0])])
    padded = torch.nn.utils.rnn.pad_sequence(emissions.split(lengths), batch_first=True)
    padded_tags = torch.nn.utils.rnn.pad_sequence(tags.split(lengths), batch_first=True)
    mask = torch.arange(9)[None, :] < torch.tensor(lengths)[:, None]
    packing = layout.packing
    found = crf.log_likelihood(emissions[packing.order], tags[packing.order], packing)
    torch.testing.assert_close(found, oracle(padded, padded_tags, mask), atol=1e-3, rtol=1e-5)
    best = crf.viterbi(emissions[packing.order], packing)[packing.inverse]
    assert best.tolist() == [tag for sentence in oracle.decode(padded, mask) for tag in sentence]


@st.composite
def tagged(draw):
    """Rows of spans that don't overlap, by start, and a number of tokens."""
    rows, position = [], 0
    for gap, width, label in draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.integers(0, 2)), max_size=6)
    ):
        rows.append([position + gap, position + gap + width, label])
        position += gap + width
    return numpy.array(rows, dtype=numpy.int64).reshape(-1, 3), position + draw(st.integers(0, 2))


@given(tagged())
def test_spans_to_tags_and_back(case):
    rows, n_tokens = case
    tags = spans_to_tags(rows, n_tokens)
    assert len(tags) == n_tokens
    assert numpy.array_equal(tags_to_spans(tags), rows)


def test_bilou_tags_by_hand():
    rows = numpy.array([[0, 1, 0], [1, 3, 1], [4, 8, 0]])
    assert spans_to_tags(rows, 9).tolist() == [U0, B1, L1, OUT, B0, I0, I0, L0, OUT]


def head():
    torch.manual_seed(0)
    model = TaggingHead(6, 2, 0.0).eval()
    model.emit.weight.data *= 4
    for parameter in model.crf.parameters():
        parameter.data.normal_()
    return model


def alone(tokens, doc):
    return tokens.select_docs([doc])


def test_tagging_batched_equals_alone():
    model = head()
    tokens = TokenBatch(torch.randn(13, 6), LAYOUT)
    rows, scores = model.decode(tokens)
    assert sum(map(len, rows)) > 2
    for doc in range(4):
        (rows_alone,), (scores_alone,) = model.decode(alone(tokens, doc))
        assert numpy.array_equal(rows[doc], rows_alone)
        numpy.testing.assert_allclose(scores[doc], scores_alone, atol=1e-5)


def test_tagging_loss_is_the_mean_over_sentences():
    model = head()
    tokens = TokenBatch(torch.randn(13, 6), LAYOUT)
    gold = [
        numpy.array([[0, 2, 0]]),
        numpy.zeros((0, 3), int),
        numpy.array([[2, 5, 1]]),
        numpy.array([[2, 3, 0]]),
    ]
    n_sentences = LAYOUT.n_sentences_of_doc
    parts = [
        model.loss(alone(tokens, doc), [gold[doc]]) * n_sentences[doc] for doc in range(4) if n_sentences[doc]
    ]
    torch.testing.assert_close(model.loss(tokens, gold), sum(parts) / 5)
    tags = torch.from_numpy(numpy.concatenate([spans_to_tags(g, n) for g, n in zip(gold, [5, 0, 5, 3])]))
    expected = -enumerated_log_likelihood(model.crf, model.emit(tokens.vectors), tags) / 5
    torch.testing.assert_close(model.loss(tokens, gold), expected, atol=1e-4, rtol=1e-4)


def test_tagging_threshold_leaves_out_what_is_less_likely():
    model = head()
    tokens = TokenBatch(torch.randn(13, 6), LAYOUT)
    rows, scores = model.decode(tokens)
    threshold = float(numpy.median(numpy.concatenate(scores)))
    few, kept = model.decode(tokens, threshold)
    assert 0 < sum(map(len, few)) < sum(map(len, rows))
    for doc in range(4):
        assert numpy.array_equal(few[doc], rows[doc][scores[doc] >= threshold])
        assert (kept[doc] >= threshold).all()


def test_tagging_without_tokens():
    rows, scores = head().decode(TokenBatch(torch.zeros(0, 6), Layout([0, 0], [])))
    assert [part.shape for part in rows] == [(0, 3), (0, 3)]
    assert [part.shape for part in scores] == [(0,), (0,)]


def test_label_distribution_is_over_tags():
    model = head()
    found = model.label_distribution(TokenBatch(torch.randn(13, 6), LAYOUT))
    assert found.shape == (13, model.n_tags)
    torch.testing.assert_close(found.sum(dim=1), torch.ones(13))
