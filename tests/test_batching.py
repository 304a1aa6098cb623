import random
from collections import Counter

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.training import Example

from hmtl_spacy.data.batching import batch_by_task, shares
from hmtl_spacy.data.teaching import corpus_name

VOCAB = spacy.blank("en").vocab


def make(name, n_docs, n_words=10, batch_words=0):
    found = []
    for i in range(n_docs):
        reference = Doc(VOCAB, words=[f"{name}{i}"] * n_words)
        reference.user_data["hmtl_teaches"] = {"corpus": name, "batch_words": batch_words, "tasks": None}
        found.append(Example(Doc(VOCAB, words=[t.text for t in reference]), reference))
    return found


def batches(examples, sampling="proportional", words=10, minimum_share=0.0, with_replacement=False, seed=0):
    random.seed(seed)
    return list(batch_by_task(sampling, words, minimum_share, with_replacement)(examples))


def counts(found):
    return Counter(corpus_name(batch[0].reference) for batch in found)


def texts(found):
    return [eg.reference[0].text for batch in found for eg in batch]


def test_every_batch_belongs_to_one_corpus():
    found = batches([*make("a", 9), *make("b", 4)], words=30)
    assert all(len({corpus_name(eg.reference) for eg in batch}) == 1 for batch in found)


def test_proportional_is_one_pass_over_every_document():
    examples = [*make("a", 12), *make("b", 3)]
    found = batches(examples)
    assert counts(found) == {"a": 12, "b": 3}
    assert sorted(texts(found)) == sorted(eg.reference[0].text for eg in examples)


def test_uniform_and_square_root_shares():
    examples = [*make("a", 16), *make("b", 4)]
    assert counts(batches(examples, "uniform")) == {"a": 10, "b": 10}
    assert counts(batches(examples, "square-root")) == {"a": 13, "b": 7}  # 2/3 and 1/3 of 20


def test_small_corpora_are_repeated_pass_by_pass():
    found = batches([*make("a", 16), *make("b", 4)], "uniform")
    seen = Counter(text for text in texts(found) if text.startswith("b"))
    assert set(seen.values()) == {2, 3} and sum(seen.values()) == 10


def test_a_minimum_share_is_given_to_every_corpus():
    examples = [*make("a", 38), *make("b", 1), *make("c", 1)]
    assert counts(batches(examples, minimum_share=0.1)) == {"a": 32, "b": 4, "c": 4}


def test_every_corpus_has_at_least_one_batch():
    assert counts(batches([*make("a", 100), *make("b", 1)]))["b"] == 1


def test_the_order_of_corpora_is_shuffled():
    examples = [*make("a", 20), *make("b", 20)]
    one, other = batches(examples, seed=1), batches(examples, seed=2)
    order = [corpus_name(batch[0].reference) for batch in one]
    assert order != sorted(order)
    assert order != [corpus_name(batch[0].reference) for batch in other]
    assert texts(one) == texts(batches(examples, seed=1))


def test_batches_are_filled_up_to_the_words_of_the_batcher_or_of_the_corpus():
    examples = [*make("a", 8), *make("b", 8, batch_words=40)]
    found = batches(examples, words=25)
    sizes = {name: {len(b) for b in found if corpus_name(b[0].reference) == name} for name in "ab"}
    assert sizes == {"a": {2}, "b": {4}}
    assert counts(found) == {"a": 4, "b": 2}


def test_a_document_longer_than_a_batch_stands_alone():
    found = batches([*make("a", 3, n_words=50)], words=10)
    assert [len(batch) for batch in found] == [1, 1, 1]


def test_with_replacement_draws_the_corpus_of_every_batch():
    examples = [*make("a", 60), *make("b", 20)]
    found = [counts(batches(examples, with_replacement=True, seed=seed)) for seed in range(30)]
    assert all(sum(drawn.values()) == 80 for drawn in found)
    assert len({drawn["b"] for drawn in found}) > 3
    assert sum(drawn["b"] for drawn in found) / 30 == pytest.approx(20, abs=2.5)


def test_a_stream_can_be_read_once_only():
    assert counts(batches(iter(make("a", 5)))) == {"a": 5}


def test_no_examples_no_batches():
    assert batches([]) == []


def test_unknown_sampling():
    with pytest.raises(
        ValueError, match="sampling is 'annealed'. Use one of .*'proportional', 'square-root'"
    ):
        batch_by_task("annealed", 100, 0.0, False)


def test_a_minimum_share_that_is_too_large():
    with pytest.raises(
        ValueError, match="3 corpora can't each have a share of 0.4. Set minimum_share to at most 0.33"
    ):
        shares({"a": 1, "b": 1, "c": 1}, 1.0, 0.4)


def test_shares_by_hand():
    assert shares({"a": 30, "b": 10}, 1.0, 0.0) == pytest.approx({"a": 0.75, "b": 0.25})
    # raising c leaves 0.8, of which b's share would now be too small as well
    assert shares({"a": 70, "b": 21, "c": 9}, 1.0, 0.2) == pytest.approx({"a": 0.6, "b": 0.2, "c": 0.2})


@given(
    st.dictionaries(st.text(max_size=3), st.integers(1, 1000), min_size=1, max_size=6),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.floats(0.0, 1.0),
)
def test_shares_sum_to_one_and_none_is_below_the_minimum(sizes, exponent, part):
    minimum = part / len(sizes)
    found = shares(sizes, exponent, minimum)
    assert list(found) == list(sizes)
    assert sum(found.values()) == pytest.approx(1.0)
    assert min(found.values()) >= minimum - 1e-9
    larger = sorted(sizes, key=sizes.get)
    assert all(found[a] <= found[b] + 1e-9 for a, b in zip(larger, larger[1:]))
