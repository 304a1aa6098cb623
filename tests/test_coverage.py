from collections import Counter

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from tiny import ANNOTATED, annotate, example, make_examples, make_pipeline

from hmtl_spacy.data.coverage import coverage_table, measure
from hmtl_spacy.data.gold import usable_gold
from hmtl_spacy.factories import make_coref, make_mentions, make_relations
from hmtl_spacy.model import sentence_of

VOCAB = spacy.blank("en").vocab
WORDS = "Ann met Bob. He sings well today ."  # "Bob." is one token


@pytest.fixture
def tasks():
    mentions, relations = make_mentions(), make_relations()
    mentions.labels, relations.labels = ["P"], ["R"]
    return {"mentions": mentions, "coref": make_coref(max_width=2), "relations": relations}


def finer(reference):
    """An example whose predicted tokens have "Bob" and "." apart."""
    words = WORDS.replace("Bob.", "Bob .").split()
    spaces = [True, True, False, True, True, True, True, True, False]
    starts = [i in (0, 4) for i in range(len(words))]
    return Example(Doc(VOCAB, words=words, spaces=spaces, sent_starts=starts), reference)


def coarser(reference):
    words = ["Ann", "met", "Bob.", "He", "sings well", "today", "."]
    return Example(Doc(VOCAB, words=words, sent_starts=[i in (0, 3) for i in range(len(words))]), reference)


def bad_document():
    return annotate(
        VOCAB,
        WORDS,
        {0, 3},
        mentions=[(0, 1, "P"), (2, 4, "P"), (0, 2, "P"), (4, 5, "P"), (3, 4, "P")],
        clusters=[[(0, 1), (3, 4)], [(2, 4), (3, 6), (4, 5)]],
        relations=[(0, 1, 2, 3, "R"), (0, 1, 3, 4, "R"), (0, 2, 1, 2, "R"), (4, 5, 3, 4, "R")],
    )


def test_what_is_lost_is_counted_by_reason(tasks):
    found = measure([coarser(bad_document())], tasks, sentence_of)
    assert list(found) == [("", "mentions"), ("", "coref"), ("", "relations")]
    mentions, coref, relations = found.values()
    assert (mentions.docs, mentions.sentences, mentions.annotations, mentions.usable) == (1, 2, 5, 2)
    assert mentions.lost == {"misaligned": 1, "crosses a sentence": 1, "overlaps another": 1}
    assert (coref.annotations, coref.usable) == (5, 3)
    assert coref.lost == {"misaligned": 1, "crosses a sentence": 1}
    assert (relations.annotations, relations.usable) == (4, 1)
    assert relations.lost == {"misaligned": 1, "crosses a sentence": 1, "arguments end on one token": 1}


def test_too_wide_is_counted_on_predicted_tokens(tasks):
    reference = annotate(VOCAB, WORDS, {0, 3}, clusters=[[(0, 3), (1, 3), (3, 4)]])
    assert measure([example(reference)], tasks, sentence_of)["", "coref"].lost == {"too wide": 1}
    assert measure([finer(reference)], tasks, sentence_of)["", "coref"].lost == {"too wide": 2}


def test_links_that_the_window_misses_are_counted(tasks):
    task = tasks["coref"]
    task.spans_per_token, task.max_antecedents = 0.5, 1  # a window of two tokens
    doc = annotate(VOCAB, WORDS, {0, 3}, clusters=[[(0, 1), (3, 4)], [(1, 2), (2, 3)], [(5, 6)]])
    coverage = measure([example(doc), example(doc)], tasks, sentence_of)["", "coref"]
    assert coverage.out_of_reach == {"links farther than max_antecedents": 2}  # one in each document
    assert coverage.usable == coverage.annotations == 10
    assert "2 links farther than max_antecedents" in coverage_table({("", "coref"): coverage})


def test_usable_rows_are_on_predicted_tokens(tasks):
    reference = annotate(VOCAB, WORDS, {0, 3}, mentions=[(2, 3, "P"), (3, 4, "P")])
    eg = finer(reference)
    rows, lost, _ = usable_gold("mentions", tasks["mentions"], eg, sentence_of(eg.predicted))
    assert rows.tolist() == [[2, 4, 0], [4, 5, 0]] and lost == Counter()


def test_missing_gold_is_none_and_empty_gold_is_not(tasks):
    missing = example(Doc(VOCAB, words=["a"]))
    empty = example(annotate(VOCAB, "a", {0}))
    for name, task in tasks.items():
        assert usable_gold(name, task, missing, sentence_of(missing.predicted)) is None
        assert len(usable_gold(name, task, empty, sentence_of(empty.predicted)).rows) == 0
    assert measure([missing], tasks, sentence_of) == {}
    assert measure([empty], tasks, sentence_of)["", "coref"].docs == 1


def test_a_corpus_is_measured_only_for_the_tasks_it_teaches(tasks):
    one, other = (annotate(VOCAB, WORDS, {0, 3}, mentions=[(0, 1, "P")]) for _ in range(2))
    one.user_data["hmtl_teaches"] = {"corpus": "news", "tasks": ["mentions"]}
    other.user_data["hmtl_teaches"] = {"corpus": "stories", "tasks": ["coref"]}
    found = measure([example(one), example(other), example(one.copy())], tasks, sentence_of)
    assert {key: coverage.docs for key, coverage in found.items()} == {
        ("news", "mentions"): 2,
        ("stories", "coref"): 1,
    }


def test_empty_documents_have_no_sentences(tasks):
    found = measure([example(annotate(VOCAB, [], set()))], tasks, sentence_of)
    assert (found["", "mentions"].docs, found["", "mentions"].sentences) == (1, 0)


def test_the_table_has_a_line_per_corpus_and_task(tasks):
    bad = bad_document()
    bad.user_data["hmtl_teaches"] = {"corpus": "news", "tasks": None}
    lines = coverage_table(measure([coarser(bad)], tasks, sentence_of)).strip().splitlines()
    assert lines[0].split() == ["corpus", "task", "docs", "sentences", "annotations", "usable", "lost"]
    assert lines[2].split()[:6] == ["news", "mentions", "1", "2", "5", "40.0%"]
    for reason in ("1 misaligned", "1 crosses a sentence", "1 overlaps another"):
        assert reason in lines[2]
    assert len(lines) == 5


def test_the_table_is_logged_before_training_starts(caplog, monkeypatch):
    nlp = make_pipeline()
    monkeypatch.setattr(spacy.util.logger, "propagate", True)
    with caplog.at_level("INFO", logger="spacy"):
        nlp.initialize(lambda: make_examples(nlp.vocab))
    text = caplog.text
    assert "What 'hmtl' can learn from:" in text
    n_mentions = sum(len(values[3]) for values in ANNOTATED)
    assert ["-", "mentions", "4", "7", str(n_mentions), "100.0%"] in [
        line.split() for line in text.splitlines()
    ]
