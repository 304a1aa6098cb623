import sys
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
import torch
from torch.nn import functional as F

from hmtl_spacy.nn import antecedents, coarse, span_ranking
from hmtl_spacy.nn import batch as batching
from hmtl_spacy.nn.antecedents import distance_bucket
from hmtl_spacy.nn.batch import CandidateSpans, Layout, TokenBatch
from hmtl_spacy.nn.clusters import Links, follow_links
from hmtl_spacy.nn.pruning import prune
from hmtl_spacy.nn.span_ranking import OPEN, UNCHAINED, SpanRankingHead
from hmtl_spacy.nn.spans import HeadAttention, attend, attended_sums, enumerate_spans

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks import naive_coref

DOCS, SENTENCES = [9, 0, 1, 8], [4, 3, 2, 1, 5, 3]
LAYOUT = Layout(DOCS, SENTENCES)
NI, NX = 6, 5
NONE = numpy.zeros((0, 3), dtype=numpy.int64)
GOLD = [
    numpy.array([[0, 2, 0], [3, 4, 1], [4, 5, 0], [7, 9, 0], [5, 7, 1]]),
    NONE,
    NONE,
    numpy.array([[0, 1, 0], [2, 5, 0], [5, 6, 1]]),
]


def build(**changes):
    torch.manual_seed(0)
    settings = {
        "max_width": 3,
        "spans_per_token": 0.6,
        "max_antecedents": 3,
        "coarse_window": 0,
        "hidden": 7,
        "dropout": 0.0,
        "feature_width": 4,
        "string_match": True,
        "speakers": False,
        "mention_weight": 0.5,
        "linking": "best",
        "link_nested": True,
        "singletons": False,
        **changes,
    }
    head = SpanRankingHead(NI, NX, **settings).eval()
    for parameter in head.parameters():
        parameter.data.normal_(std=0.6)
    return head


def batch(seed=1):
    torch.manual_seed(seed)
    n = LAYOUT.n_tokens
    vectors, inputs = torch.randn(n, NI), torch.randn(n, NX).split([1, NX - 1], 1)
    features = {"words": numpy.arange(n) % 4 + 1, "speakers": numpy.arange(n) // 2 % 3}
    return TokenBatch(vectors, LAYOUT, inputs, features=features)


def spans_of(layout, max_width):
    """All candidates, naively. {(start, end)} in flat tokens"""
    found = set()
    for first, n in zip(layout.sentence_starts.tolist(), layout.sentence_lengths.tolist()):
        for start in range(first, first + n):
            found |= {(start, end) for end in range(start + 1, min(start + max_width, first + n) + 1)}
    return found


# The reference implementation reads one document at a time; spans count from the batch's first token here.


def document(tokens, doc):
    """A document of the batch, as the reference implementation reads it."""
    layout = tokens.layout
    inside = slice(layout.doc_starts[doc], layout.doc_starts[doc] + layout.doc_lengths[doc])
    lengths = layout.sentence_lengths[layout.doc_of[layout.sentence_starts] == doc].tolist()
    inputs = torch.cat(tokens.inputs, dim=1)[inside]
    features = {name: ids[inside].tolist() for name, ids in tokens.features.items()}
    return naive_coref.Document(lengths, features, inputs, tokens.vectors[inside])


def naive_mention_scores(head, tokens):
    """{(start, end): score} of all candidates"""
    scores = {}
    for doc in numpy.flatnonzero(tokens.layout.doc_lengths):
        alone, first = document(tokens, doc), int(tokens.layout.doc_starts[doc])
        spans = naive_coref.candidates(alone.lengths, head.max_width)
        of_doc = naive_coref.mention_scores(head, naive_coref.represent(head, spans, alone)[0])
        scores.update(zip(map(tuple, (spans + first).tolist()), of_doc))
    return scores


def naive_kept(head, tokens):
    """Kept spans per document, in document order."""
    layout = tokens.layout
    return [
        [
            (start + first, end + first)
            for start, end in (naive_coref.kept_spans(head, document(tokens, doc)).tolist() if n else ())
        ]
        for doc, (first, n) in enumerate(zip(layout.doc_starts.tolist(), layout.doc_lengths.tolist()))
    ]


def naive_antecedents(head, tokens, kept):
    """Per kept span of one document the indices of those antecedents that are scored, nearest first, and
    scores, the dummy's first.
    """
    if kept:
        doc = tokens.layout.doc_of[kept[0][0]]
        spans = torch.tensor(kept) - int(tokens.layout.doc_starts[doc])
        pairs = naive_coref.score_pairs(head, document(tokens, doc), spans)
        for antecedent, scores in zip(pairs.antecedent.tolist(), pairs.scores):
            scored = scores.isfinite()
            yield [j for j, is_scored in zip(antecedent, scored[1:]) if is_scored], scores[scored]


def naive_loss(head, tokens, gold):
    layout, total = tokens.layout, torch.zeros(())
    mention_scores = naive_mention_scores(head, tokens)
    for doc, kept in enumerate(naive_kept(head, tokens)):
        start, n = layout.doc_starts[doc], layout.doc_lengths[doc]
        if not n:
            continue
        cluster = {(s + start, e + start): c for s, e, c in gold[doc].tolist() if c >= 0}
        is_open = {(s + start, e + start): c for s, e, c in gold[doc].tolist() if c < 0}
        mention = torch.zeros(())
        for span, score in mention_scores.items():
            if start <= span[0] < start + n and span not in is_open:
                target = torch.tensor(float(span in cluster))
                mention = mention + F.binary_cross_entropy_with_logits(score, target)
        ranking = torch.zeros(())
        for i, (before, scores) in enumerate(naive_antecedents(head, tokens, kept)):
            if is_open.get(kept[i]) == OPEN:
                continue
            known = [k for k, j in enumerate(before) if is_open.get(kept[j]) != OPEN]
            scores, before = scores[[0, *(k + 1 for k in known)]], [before[k] for k in known]
            own = cluster.get(kept[i])
            right = [k + 1 for k, j in enumerate(before) if own is not None and cluster.get(kept[j]) == own]
            ranking = ranking - scores.log_softmax(dim=0)[right or [0]].logsumexp(dim=0)
        total = total + (head.mention_weight * mention + ranking) / layout.n_sentences_of_doc[doc]
    return total / len(gold)


@pytest.mark.parametrize("max_width", [1, 2, 3, 9])
def test_candidates_are_all_spans_within_sentences(max_width):
    found = enumerate_spans(LAYOUT, max_width, torch.device("cpu"))
    pairs = list(zip(found.starts.tolist(), found.ends.tolist()))
    assert len(set(pairs)) == len(pairs)
    assert set(pairs) == spans_of(LAYOUT, max_width)
    assert pairs == sorted(pairs, key=lambda span: (span[1] - span[0], span[0]))
    assert found.counts == [sum(e - s == w for s, e in pairs) for w in range(1, max_width + 1)]
    assert found.widths.tolist() == [end - start for start, end in pairs]


def test_attended_sums_equal_a_softmax_over_every_span():
    torch.manual_seed(0)
    attention = HeadAttention(NI)
    vectors, values = torch.randn(18, NI) * 5, torch.randn(18, 4)
    candidates = enumerate_spans(LAYOUT, 4, torch.device("cpu"))
    weights = attention(vectors, LAYOUT)
    scores = attention.score(vectors)[:, 0]
    expected = torch.stack(
        [scores[s:e].softmax(0) @ values[s:e] for s, e in zip(candidates.starts, candidates.ends)]
    )
    torch.testing.assert_close(
        torch.cat(list(attended_sums(weights, values, candidates))), expected, atol=1e-5, rtol=1e-4
    )
    few = torch.tensor([3, 20, 0])
    starts, ends = candidates.starts[few], candidates.ends[few]
    sums, heads = attend(weights, values.split([1, 3], 1), starts, ends)
    torch.testing.assert_close(sums, expected[few], atol=1e-5, rtol=1e-4)
    assert heads.tolist() == [int(s + scores[s:e].argmax()) for s, e in zip(starts, ends)]


def test_gradient_of_attention_equals_softmax():
    torch.manual_seed(0)
    attention = HeadAttention(NI)
    vectors, values = torch.randn(18, NI), torch.randn(18, 4)
    candidates = enumerate_spans(LAYOUT, 3, torch.device("cpu"))
    target = torch.randn(len(candidates.starts), 4)
    found = (torch.cat(list(attended_sums(attention(vectors, LAYOUT), values, candidates))) * target).sum()
    scores = attention.score(vectors)[:, 0]
    naive = torch.stack(
        [scores[s:e].softmax(0) @ values[s:e] for s, e in zip(candidates.starts, candidates.ends)]
    )
    one = torch.autograd.grad(found, attention.score.weight)[0]
    other = torch.autograd.grad((naive * target).sum(), attention.score.weight)[0]
    torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


def test_mention_scores_equal_one_concatenated_vector_per_span():
    head, tokens = build(), batch()
    candidates, scores, _ = head.score_spans(tokens)
    naive = naive_mention_scores(head, tokens)
    assert set(naive) == spans_of(LAYOUT, 3)
    expected = [naive[span] for span in zip(candidates.starts.tolist(), candidates.ends.tolist())]
    torch.testing.assert_close(scores, torch.stack(expected), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("coarse_window", [0, 5])
def test_scores_of_long_documents_are_made_in_pieces_with_the_same_result(monkeypatch, coarse_window):
    head, tokens = build(coarse_window=coarse_window, max_antecedents=2), batch()
    expected = head.score_spans(tokens)[1]
    whole = head.decode(tokens)
    monkeypatch.setattr(batching, "TOKENS_AT_A_TIME", 4)
    monkeypatch.setattr(span_ranking, "SPANS_AT_A_TIME", 2)
    monkeypatch.setattr(antecedents, "VALUES_AT_A_TIME", 5)
    monkeypatch.setattr(coarse, "SCORES_AT_A_TIME", 1)
    assert len(list(LAYOUT.chunks())) > 3
    torch.testing.assert_close(head.score_spans(tokens)[1], expected)
    for of_whole, of_pieces in zip(whole, head.decode(tokens)):
        for one, other in zip(of_whole, of_pieces):
            numpy.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("coarse_window", [0, 50])
@pytest.mark.parametrize("speakers", [True, False])
@pytest.mark.parametrize("string_match", [True, False])
def test_pair_scores_equal_one_concatenated_vector_per_pair(string_match, speakers, coarse_window):
    settings = {"string_match": string_match, "speakers": speakers, "max_antecedents": 2}
    head, tokens = build(**settings, coarse_window=coarse_window), batch()
    candidates, scores, weights = head.score_spans(tokens)
    kept = prune(LAYOUT, candidates, scores, head.spans_per_token)
    found = head.antecedents(tokens, kept, head.represent(tokens, kept, weights))
    row = 0
    for spans in naive_kept(head, tokens):
        for before, expected in naive_antecedents(head, tokens, spans):
            offset = kept.offsets[int(LAYOUT.doc_of[kept.starts[row]])]
            assert (kept.starts[row], kept.ends[row]) == spans[row - offset]
            exists = found.exists[row]
            assert found.antecedent[row, exists].tolist() == [offset + j for j in before]
            of_row = found.scores[row]
            torch.testing.assert_close(of_row[of_row.isfinite()], expected, atol=1e-4, rtol=1e-4)
            assert of_row[1:].isfinite().tolist() == exists.tolist()
            row += 1
    assert row == len(kept.starts)


def test_a_coarse_score_finds_antecedents_that_are_far_away():
    """Of all spans before, not of the nearest ones alone, as many as are compared."""
    head, tokens = build(coarse_window=50, max_antecedents=2, spans_per_token=1.0), batch()
    candidates, scores, weights = head.score_spans(tokens)
    kept = prune(LAYOUT, candidates, scores, head.spans_per_token)
    found = head.antecedents(tokens, kept, head.represent(tokens, kept, weights))
    own = torch.arange(len(kept.starts))[:, None]
    distances = (own - found.antecedent)[found.exists]
    assert found.exists.sum(dim=1).max() == 2 and distances.min() >= 1 and distances.max() > 2
    nearest_first = (found.antecedent[:, :-1] > found.antecedent[:, 1:])[found.exists[:, 1:]]
    assert nearest_first.all()


def test_distance_buckets():
    distances = torch.tensor([1, 2, 3, 4, 5, 7, 8, 15, 16, 31, 32, 63, 64, 1000])
    assert distance_bucket(distances).tolist() == [1, 2, 3, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9]
    assert naive_coref.distance_buckets(1000).tolist() == distance_bucket(torch.arange(1, 1001)).tolist()


def test_pruning_keeps_the_best_of_each_document_by_its_own_length():
    head, tokens = build(), batch()
    candidates, scores, _ = head.score_spans(tokens)
    kept = prune(LAYOUT, candidates, scores, head.spans_per_token)
    assert numpy.diff(kept.offsets).tolist() == [6, 0, 1, 5]  # ceil(0.6 * [9, 0, 1, 8])
    spans = list(zip(kept.starts.tolist(), kept.ends.tolist()))
    assert spans == [span for doc in naive_kept(head, tokens) for span in doc]
    assert torch.equal(kept.scores, scores[kept.candidate])


def test_what_the_encoder_read_is_missing():
    with pytest.raises(ValueError, match="reads what its encoder read"):
        build().score_spans(TokenBatch(torch.randn(LAYOUT.n_tokens, NI), LAYOUT))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("coarse_window", [0, 2, 4, 50])
@pytest.mark.parametrize("string_match, mention_weight", [(True, 0.5), (False, 0.0)])
def test_loss_equals_that_of_the_reference_implementation(string_match, mention_weight, coarse_window, seed):
    settings = {"string_match": string_match, "mention_weight": mention_weight}
    head, tokens = build(**settings, coarse_window=coarse_window), batch(seed)
    torch.testing.assert_close(head.loss(tokens, GOLD), naive_loss(head, tokens, GOLD), atol=1e-4, rtol=1e-4)


def test_what_is_open_is_neither_positive_nor_negative():
    """Open mentions, one of which is a clustered one's nearest candidate, and one without an antecedent."""
    gold = [numpy.concatenate([GOLD[0], [[0, 1, OPEN], [1, 2, UNCHAINED], [6, 7, OPEN]]]), NONE, NONE]
    gold.append(numpy.concatenate([GOLD[3], [[3, 4, UNCHAINED], [6, 7, OPEN]]]))
    losses = []
    for seed in (1, 2, 5):
        head, tokens = build(spans_per_token=1.0, string_match=False), batch(seed)
        found = head.loss(tokens, gold)
        torch.testing.assert_close(found, naive_loss(head, tokens, gold), atol=1e-5, rtol=1e-5)
        losses.append(found.item() - head.loss(tokens, GOLD).item())
    assert all(losses), "what is open is counted"


def test_loss_by_hand():
    # With all scores zero: each candidate's mention term is ln 2; a span with k antecedents has
    # probability 1 / (1 + k) for each of them and the dummy.
    head = build(max_width=1, spans_per_token=1.0, mention_weight=1.0, max_antecedents=9)
    for parameter in head.parameters():
        parameter.data.zero_()
    layout = Layout([3], [2, 1])
    tokens = TokenBatch(
        torch.randn(3, NI), layout, (torch.randn(3, NX),), features={"words": numpy.arange(3)}
    )
    gold = [numpy.array([[0, 1, 0], [1, 2, 0], [2, 3, 0]])]
    # first span: dummy only (0); second: 1 of 2 right (ln 2); third: 2 of 3 right (ln 1.5); 2 sentences
    expected = (3 * numpy.log(2) + numpy.log(2) + numpy.log(1.5)) / 2
    assert head.loss(tokens, gold).item() == pytest.approx(expected, abs=1e-5)


def test_loss_of_a_batch_is_the_mean_of_its_documents():
    head, tokens = build(), batch()
    alone = [head.loss(tokens.select_docs([i]), [GOLD[i]]) for i in (0, 2, 3)]
    torch.testing.assert_close(head.loss(tokens, GOLD), sum(alone) / 4, atol=1e-5, rtol=1e-5)


def test_decoding_a_batch_equals_each_document_alone():
    head, tokens = build(), batch()
    rows, scores = head.decode(tokens)
    assert sum(map(len, rows)) > 3
    for i in (0, 2, 3):
        (rows_alone,), (scores_alone,) = head.decode(tokens.select_docs([i]))
        assert rows[i][:, :2].tolist() == rows_alone[:, :2].tolist()
        same = rows[i][:, None, 2] == rows[i][None, :, 2]
        assert numpy.array_equal(same, rows_alone[:, None, 2] == rows_alone[None, :, 2])
        numpy.testing.assert_allclose(scores[i], scores_alone, atol=1e-5)
    assert rows[1].shape == rows[2].shape == (0, 3)


def test_decoding_links_each_span_to_its_best_antecedent():
    head, tokens = build(), batch()
    rows, scores = head.decode(tokens)
    for doc, kept in enumerate(naive_kept(head, tokens)):
        start = LAYOUT.doc_starts[doc]
        cluster = {(s + start, e + start): c for s, e, c in rows[doc].tolist()}
        score = dict(zip(cluster, scores[doc].tolist()))
        for i, (before, found) in enumerate(naive_antecedents(head, tokens, kept)):
            best = int(found.argmax())
            if best:
                assert cluster[kept[i]] == cluster[kept[before[best - 1]]]
                assert score[kept[i]] == pytest.approx(found.softmax(dim=0)[best].item(), abs=1e-4)


def test_threshold_drops_unlikely_links():
    head, tokens = build(), batch()
    _, scores = head.decode(tokens)
    everything = numpy.concatenate(scores)
    _, kept = head.decode(tokens, float(numpy.median(everything)))
    assert 0 < len(numpy.concatenate(kept)) < len(everything)
    assert numpy.concatenate(kept).min() >= numpy.median(everything)
    assert sum(map(len, head.decode(tokens, 1.01)[0])) == 0


def test_given_spans_are_linked_and_none_is_pruned():
    head, tokens = build(spans_per_token=0.01), batch()
    spans = [[[0, 4], [4, 5], [7, 9], [5, 6]], [], [], [[0, 5], [2, 3], [5, 8]]]  # two wider than 3
    given = [numpy.array(rows, dtype=numpy.int64).reshape(-1, 2) for rows in spans]
    rows, scores = head.decode(replace(tokens, candidates=CandidateSpans(given)))
    linked = set()
    for doc in (0, 3):
        start = int(LAYOUT.doc_starts[doc])
        flat = sorted((s + start, e + start) for s, e in spans[doc])
        for i, (before, found) in enumerate(naive_antecedents(head, tokens, flat)):
            best = int(found.argmax())
            if best:
                linked |= {(doc, *flat[i]), (doc, *flat[before[best - 1]])}
    found = {
        (doc, s + int(LAYOUT.doc_starts[doc]), e + int(LAYOUT.doc_starts[doc]))
        for doc in range(4)
        for s, e, _ in rows[doc].tolist()
    }
    assert found == linked and found
    assert [len(s) for s in scores] == [len(r) for r in rows]


def test_mentions_without_a_link_are_clusters_of_one():
    head, tokens = build(singletons=True), batch()
    with torch.no_grad():
        head.mention_score.bias += 1.95  # some scores are positive, some aren't
        head.antecedents.score.bias -= 2 * 1.95 + 1  # and few spans are linked
    alone, scores = head.decode(tokens, 0.5)
    head.singletons = False
    linked, scores_of_linked = head.decode(tokens, 0.5)
    mention = naive_mention_scores(head, tokens)
    n_alone = 0
    for doc, kept in enumerate(naive_kept(head, tokens)):
        start = int(LAYOUT.doc_starts[doc])
        of_linked = {
            (s + start, e + start): (c, p)
            for (s, e, c), p in zip(linked[doc].tolist(), scores_of_linked[doc])
        }
        found = {(s + start, e + start): (c, p) for (s, e, c), p in zip(alone[doc].tolist(), scores[doc])}
        wanted = {span for span in kept if span in of_linked or mention[span] >= 0}
        assert set(found) == wanted
        clusters = [c for c, _ in found.values()]
        for span in wanted - set(of_linked):
            n_alone += 1
            assert clusters.count(found[span][0]) == 1
            assert found[span][1] == pytest.approx(mention[span].sigmoid().item(), abs=1e-5)
        assert all(found[span][1] == p for span, (_, p) in of_linked.items())
    assert n_alone > 2 and sum(map(len, linked)) > 2


@pytest.mark.parametrize("prune", [False, True])
def test_given_spans_are_mentions_whatever_their_scores(prune):
    head = build(singletons=True, spans_per_token=9.0)
    with torch.no_grad():
        head.mention_score.bias -= 100.0
    spans = [[[0, 4], [0, 2], [5, 6]], [], [[0, 1]], [[0, 3], [2, 3]]]
    given = [numpy.array(rows, dtype=numpy.int64).reshape(-1, 2) for rows in spans]
    rows, scores = head.decode(replace(batch(), candidates=CandidateSpans(given, prune)))
    expected = [sorted(s for s in of_doc if not prune or s[1] - s[0] <= 3) for of_doc in spans]
    assert [of_doc[:, :2].tolist() for of_doc in rows] == expected
    assert all(len(set(of_doc[:, 2])) == len(of_doc) for of_doc in rows)
    assert set(numpy.concatenate(scores)) == {0.5}
    assert sum(map(len, head.decode(batch())[0])) == 0


def test_no_cluster_has_nested_mentions():
    head, tokens = build(link_nested=False), batch()
    with torch.no_grad():
        head.antecedents.score.bias += 100.0  # every span is linked, if it may be
    parted, _ = head.decode(tokens)
    head.link_nested = True
    linked, _ = head.decode(tokens)
    assert n_nested(parted) == 0 < n_nested(linked)


def n_nested(rows):
    """Pairs of spans of a cluster of which one lies within the other."""
    return sum(
        one is not other and one[2] == other[2] and one[0] <= other[0] and other[1] <= one[1]
        for of_doc in map(numpy.ndarray.tolist, rows)
        for one in of_doc
        for other in of_doc
    )


@pytest.mark.parametrize("prune", [False, True])
def test_given_spans_may_all_be_empty(prune):
    nothing = [numpy.zeros((0, 2), dtype=numpy.int64)] * 4
    rows, scores = build().decode(replace(batch(), candidates=CandidateSpans(nothing, prune)))
    assert [len(r) for r in rows] == [len(s) for s in scores] == [0] * 4
    head = build()
    (rows, scores), (own, of_own) = (
        head.decode(tokens)
        for tokens in (replace(batch(), candidates=CandidateSpans(nothing, own=True)), batch())
    )
    for found, expected in ((rows, own), (scores, of_own)):
        assert all(numpy.array_equal(*of_doc) for of_doc in zip(found, expected, strict=True))


def test_given_spans_beside_those_that_pruning_leaves():
    head, tokens = build(spans_per_token=0.25), batch()
    spans = [[[4, 5], [0, 4], [0, 2], [0, 1]], [], [[0, 1]], [[5, 8], [0, 3]]]  # two wider than 3, unsorted
    given = [numpy.array(rows, dtype=numpy.int64).reshape(-1, 2) for rows in spans]
    kept, is_given, _ = head.kept_spans(replace(tokens, candidates=CandidateSpans(given, own=True)))
    own, none_given, _ = head.kept_spans(tokens)
    assert not none_given.any()
    starts = LAYOUT.doc_starts.tolist()
    of_given = {(s + start, e + start) for rows, start in zip(spans, starts) for s, e in rows}
    of_own = dict(zip(zip(own.starts.tolist(), own.ends.tolist()), own.scores.tolist()))
    found = list(zip(kept.starts.tolist(), kept.ends.tolist()))
    assert found == sorted(of_given | set(of_own))
    assert of_given & set(of_own) and set(of_own) - of_given
    assert [span for span, marked in zip(found, is_given) if marked] == sorted(of_given)
    bounds = [0] + [sum(LAYOUT.doc_of[s] <= doc for s, _ in found) for doc in range(4)]
    assert kept.offsets == bounds
    for span, score in zip(found, kept.scores.tolist()):
        assert score == pytest.approx(of_own.get(span, score), abs=1e-5)


def test_given_spans_that_are_candidates_equal_candidates_masked_to_them():
    """As Sanh et al. 2019: all other candidates out of the race, then pruning as ever."""
    head, tokens = build(spans_per_token=0.25), batch()
    spans = [
        [[0, 4], [0, 2], [4, 5], [7, 9], [5, 6], [3, 5], [8, 9]],
        [],
        [[0, 1]],
        [[0, 3], [2, 3], [3, 7], [5, 6]],
    ]
    given = [numpy.array(rows, dtype=numpy.int64).reshape(-1, 2) for rows in spans]
    candidates, scores, _ = head.score_spans(tokens)
    wanted = {
        (s + start, e + start) for rows, start in zip(spans, LAYOUT.doc_starts.tolist()) for s, e in rows
    }
    masked = torch.tensor(
        [(s, e) in wanted for s, e in zip(candidates.starts.tolist(), candidates.ends.tolist())]
    )
    assert masked.sum() == 9  # of twelve: one wider than 3, two across sentences
    kept = prune(LAYOUT, candidates, scores.masked_fill(~masked, -torch.inf), head.spans_per_token)
    expected = {span for span in zip(kept.starts.tolist(), kept.ends.tolist()) if span in wanted}
    assert len(expected) == 3 + 1 + 2
    filtered = head._own_candidates(LAYOUT, given)
    found, _ = head.score_given(tokens, CandidateSpans(filtered))
    assert found.starts.tolist() == sorted(candidates.starts[masked].tolist())
    with torch.no_grad():
        head.antecedents.score.bias += 100.0  # all that is kept gets linked
    rows, _ = head.decode(replace(tokens, candidates=CandidateSpans(given, prune=True)))
    linked = {
        (s + start, e + start) for r, start in zip(rows, LAYOUT.doc_starts.tolist()) for s, e, _ in r.tolist()
    }
    assert linked == {span for span in expected if LAYOUT.doc_of[span[0]] != 2}  # one span has no antecedent


@pytest.mark.parametrize("docs, sentences", [([0], []), ([1], [1]), ([0, 1, 1], [1, 1])])
def test_documents_of_no_or_one_token(docs, sentences):
    head, layout = build(), Layout(docs, sentences)
    n = layout.n_tokens
    tokens = TokenBatch(
        torch.randn(n, NI), layout, (torch.randn(n, NX),), features={"words": numpy.arange(n)}
    )
    rows, scores = head.decode(tokens)
    assert [r.shape for r in rows] == [(0, 3)] * len(docs)
    assert [s.shape for s in scores] == [(0,)] * len(docs)
    if n:
        assert torch.isfinite(head.loss(tokens, [NONE for _ in docs]))


def test_loss_without_gold_is_finite_and_positive():
    assert 0 < build().loss(batch(), [NONE] * 4).item() < 100


def test_gradient_reaches_every_weight():
    head, tokens = build(), batch()
    tokens.vectors.requires_grad_()
    read = torch.cat(tokens.inputs, dim=1).requires_grad_()
    tokens.inputs = read.split([1, NX - 1], 1)
    head.train().loss(tokens, GOLD).backward()
    small = [name for name, p in head.named_parameters() if p.grad is None or p.grad.abs().max() < 1e-5]
    assert set(small) <= {"attention.score.bias"}  # a softmax doesn't change with a shift
    assert tokens.vectors.grad.abs().sum(dim=1).min() > 0
    assert read.grad.abs().sum(dim=1).min() > 0


def links(*antecedents):
    """antecedents: per span the one it is linked to, or None."""
    n = len(antecedents)
    spans = numpy.stack([numpy.arange(n), numpy.arange(n) + 1], axis=1)
    linked = numpy.array([a is not None for a in antecedents], dtype=bool)
    to = numpy.array([a or 0 for a in antecedents], dtype=numpy.int64)
    rows, scores = follow_links(spans, Links(linked, to, numpy.linspace(0.1, 0.9, n)))
    return rows.tolist(), [round(score, 2) for score in scores.tolist()]


def test_follow_links():
    assert links(None, None, None) == ([], [])
    assert links(None, 0, None) == ([[0, 1, 0], [1, 2, 0]], [0.5, 0.5])
    # a chain is one cluster
    assert links(None, 0, 1)[0] == [[0, 1, 0], [1, 2, 0], [2, 3, 0]]
    # two to the same antecedent: the first mention has the better link's confidence
    assert links(None, 0, 0) == ([[0, 1, 0], [1, 2, 0], [2, 3, 0]], [0.9, 0.5, 0.9])
    # two clusters, interleaved, and one span in none
    rows, _ = links(None, None, 0, None, 1)
    assert rows == [[0, 1, 0], [1, 2, 1], [2, 3, 0], [4, 5, 1]]
