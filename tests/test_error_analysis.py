"""Errors one by one: as many as the scores say, each in its place, with what is there instead."""

import json
import re

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.cli._util import app
from spacy.tokens import Doc, DocBin, Span
from tiny import annotate
from typer.testing import CliRunner

from hmtl_spacy.annotations import Relation, set_clusters, set_mentions, set_relations
from hmtl_spacy.evaluation.error_analysis import find_errors, page, to_json
from hmtl_spacy.evaluation.error_analysis.cases import Source
from hmtl_spacy.evaluation.error_analysis.confusion import but_for, confusion
from hmtl_spacy.evaluation.error_analysis.finding import Measure, _cases
from hmtl_spacy.evaluation.error_analysis.table import DISTANCES, groups, length_of, spread
from hmtl_spacy.evaluation.report import group_scores
from hmtl_spacy.factories import make_coref, make_mentions, make_ner, make_relations
from hmtl_spacy.metrics import coref_scores, links, partition
from hmtl_spacy.tasks.differences import Item
from hmtl_spacy.tasks.ner import NER

PREFIXES = [
    *("ents", "spans_mentions", "coref_mention", "coref_muc"),
    *("rel_last_token", "rel_boundaries", "rel_strict"),
]


@pytest.fixture
def data(tmp_path, docs):
    """The small documents with annotations that the trained pipeline doesn't agree with."""
    first, second, third, _ = docs
    first.ents = [Span(first, 0, 1, "PER"), Span(first, 4, 6, "LOC")]
    set_mentions(first, [Span(first, 0, 2, "PER"), Span(first, 9, 10, "<b>")])
    set_relations(first, [Relation(first[4:6], first[0:2], "WORK"), Relation(first[0:1], first[4:6], "WORK")])
    set_clusters(second, [[(4, 5), (0, 2)], [(8, 9), (6, 7)]])
    set_clusters(third, [[(0, 1), (2, 4), (5, 6)]])
    first.user_data["title"] = "<i>First</i>"
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "data.spacy")
    return tmp_path / "data.spacy"


def counted(one):
    return one["correct"], one["missed"], one["spurious"]


@pytest.mark.parametrize("singletons", [False, True])
def test_counts_are_those_of_the_evaluation(trained, data, singletons):
    errors = find_errors(trained, data, singletons=singletons)
    counts = to_json(errors)
    assert list(counts) == PREFIXES and errors.unsupported == []
    wrong = 0
    for measure in errors.measures:
        one = counts[measure.prefix]
        scores = group_scores(errors.evaluation.tasks[measure.task].scores)[0][measure.prefix]
        assert {key: one[key] for key in "prf"} == {key: scores[key] for key in "prf"}, measure.prefix
        for label, of_label in scores["per_type"].items():
            assert {key: one["by_type"][label][key] for key in "prf"} == of_label
        for by in ("by_type", "by_length"):
            sums = [sum(numbers) for numbers in zip(*map(counted, one[by].values()))]
            assert tuple(sums) == counted(one)
        assert len(one["errors"]) == one["missed"] + one["spurious"]
        wrong += len(one["errors"])
    assert wrong > 10


def test_a_perfect_pipeline_has_no_errors(trained, tmp_path, docs):
    DocBin(docs=docs).to_disk(tmp_path / "data.spacy")
    counts = to_json(find_errors(trained, tmp_path / "data.spacy", tasks=["ner", "relations"]))
    assert [counted(one) for one in counts.values()] == [(6, 0, 0), (3, 0, 0), (3, 0, 0), (3, 0, 0)]


CLUSTERS = st.lists(st.lists(st.integers(0, 11), min_size=1, max_size=5, unique=True), max_size=5)


@given(CLUSTERS, CLUSTERS, st.booleans())
def test_links_are_as_many_as_muc_counts(gold, found, singletons):
    gold, found = (partition(clusters, singletons) for clusters in (gold, found))
    kept, missed = links(gold, found)
    _, spurious = links(found, gold)
    scores = coref_scores([gold], [found], keep_singletons=True)
    assert scores["muc_p"] == pytest.approx(len(kept) / max(1, len(kept) + len(spurious)))
    assert scores["muc_r"] == pytest.approx(len(kept) / max(1, len(kept) + len(missed)))
    cluster_of = {mention: i for i, cluster in enumerate(gold) for mention in cluster}
    found_in = {mention: j for j, cluster in enumerate(found) for mention in cluster}
    assert all(one < other and cluster_of[one] == cluster_of[other] for one, other in kept + missed)
    assert all(found_in[one] == found_in[other] for one, other in kept)
    assert not any(found_in.get(one, -1) == found_in.get(other, -2) for one, other in missed)


def spans_of(doc, item):
    return [doc.text[start:end] for start, end in item.spans]


def make(nlp, **layers):
    return annotate(nlp.vocab, "Ann Lee works for Acme Corp . She likes it .", {0, 7}, **layers)


@pytest.mark.parametrize("task, layer", [(make_ner(), "entities"), (make_mentions(), "mentions")])
def test_differences_of_spans(nlp, task, layer):
    gold = make(nlp, **{layer: [(0, 2, "PER"), (4, 6, "ORG")]})
    found = make(nlp, **{layer: [(1, 2, "PER"), (4, 6, "ORG")]})
    (told,) = task.differences(found, gold).values()
    assert told.correct == [Item(((18, 27),), "ORG")]
    assert told.missed == [Item(((0, 7),), "PER")] and told.spurious == [Item(((4, 7),), "PER")]


def test_differences_of_clusters(nlp):
    gold = make(nlp, clusters=[[(0, 2), (7, 8)], [(4, 6), (9, 10)]])
    found = make(nlp, clusters=[[(0, 2), (7, 8), (9, 10)]])
    told = make_coref().differences(found, gold)
    assert [spans_of(gold, item) for item in told["coref_mention"].missed] == [["Acme Corp"]]
    assert [spans_of(gold, item) for item in told["coref_muc"].correct] == [["Ann Lee", "She"]]
    assert [spans_of(gold, item) for item in told["coref_muc"].missed] == [["Acme Corp", "it"]]
    assert [spans_of(gold, item) for item in told["coref_muc"].spurious] == [["She", "it"]]


def test_differences_of_relations(nlp):
    mentions = [(0, 2, "PER"), (4, 6, "ORG"), (7, 8, "PER")]
    gold = make(nlp, mentions=mentions, relations=[(0, 2, 4, 6, "WORK"), (4, 6, 7, 8, "OWN")])
    wrong = [(0, 2, "LOC"), *mentions[1:]]
    found = make(nlp, mentions=wrong, relations=[(0, 2, 4, 6, "WORK"), (5, 6, 7, 8, "OWN")])
    told = make_relations().differences(found, gold)
    assert [len(told[f"rel_{mode}"].correct) for mode in ("last_token", "boundaries", "strict")] == [2, 1, 0]
    assert [spans_of(found, item) for item in told["rel_boundaries"].spurious] == [["Corp", "She"]]
    assert told["rel_strict"].missed[0] == Item(((0, 7), (18, 27)), "WORK", ("PER", "ORG"))
    assert told["rel_strict"].spurious[0].types == ("LOC", "ORG")


def test_each_error_tells_its_sentence_and_what_is_there_instead(trained, data):
    counts = to_json(find_errors(trained, data))
    missed, spurious = (
        next(e for e in counts["ents"]["errors"] if e["kind"] == kind and e["label"] == "PER")
        for kind in ("missed", "spurious")
    )
    assert missed == {
        "kind": "missed",
        "label": "PER",
        "length": 1,
        "document": "<i>First</i>",
        "spans": [{"start": 0, "end": 3, "text": "Ann"}],
        "sentences": ["Ann Lee works for Acme Corp ."],
        "instead": ["Ann Lee PER"],
    }
    assert spurious["length"] == 2 and spurious["instead"] == ["Ann PER"]
    strict = [one for one in counts["rel_strict"]["errors"] if one["kind"] == "spurious"]
    assert strict[0]["instead"] == ["Ann (PER) WORK → Acme Corp (LOC)"]
    assert strict[0]["length"] == 4  # from Lee to Corp
    link = next(one for one in counts["coref_muc"]["errors"] if one["kind"] == "missed")
    assert link["sentences"] == ["My mom lives in Lyon ."]
    assert [span["text"] for span in link["spans"]] == ["My mom", "Lyon"]
    assert link["label"] == "name" and link["document"] == "document 2"
    across = next(one for one in counts["coref_muc"]["errors"] if one["kind"] == "spurious")
    assert across["sentences"] == ["My mom lives in Lyon . It rains there ."]


def measured(task, prefix, gold, found):
    told = task.differences(found, gold)[prefix]
    return Measure("task", prefix, task.layer, cases=_cases(Source(gold, "t"), Source(found, "t"), told))


def test_what_is_taken_for_what(nlp):
    gold = make(nlp, entities=[(0, 2, "PER"), (4, 6, "ORG"), (7, 8, "PER")])
    found = make(nlp, entities=[(1, 2, "PER"), (4, 6, "LOC"), (9, 10, "ORG")])
    measure = measured(make_ner(), "ents", gold, found)
    assert but_for(measure) == {"boundary": 1, "type": 1}
    assert confusion(measure) == {"": {"ORG": 1}, "ORG": {"LOC": 1}, "PER": {"": 1, "PER": 1}}


def test_each_error_is_paired_once_with_the_closest(nlp):
    gold = make(nlp, entities=[(0, 6, "ORG")])
    found = make(nlp, entities=[(0, 2, "PER"), (4, 6, "ORG")])
    measure = measured(make_ner(), "ents", gold, found)
    assert but_for(measure) == {"boundary": 1, "type": 0}
    assert confusion(measure) == {"": {"PER": 1}, "ORG": {"ORG": 1}}


def test_relations_that_are_nearly_right(nlp):
    mentions = [(0, 2, "PER"), (4, 6, "ORG"), (7, 8, "PER")]
    gold = make(nlp, mentions=mentions, relations=[(0, 2, 4, 6, "WORK"), (4, 6, 7, 8, "OWN")])
    found = make(
        nlp, mentions=[(1, 2, "LOC"), *mentions[1:]], relations=[(1, 2, 4, 6, "OWN"), (4, 6, 7, 8, "OWN")]
    )
    by_last, by_boundary, strict = (
        measured(make_relations(), f"rel_{mode}", gold, found)
        for mode in ("last_token", "boundaries", "strict")
    )
    assert but_for(by_last) == {"boundary": 0, "type": 1}
    assert but_for(by_boundary) == but_for(strict) == {"boundary": 0, "type": 0}  # both are wrong
    assert confusion(strict) == {"OWN": {"OWN": 1}, "WORK": {"OWN": 1}}
    found = make(nlp, mentions=[(0, 2, "LOC"), *mentions[1:]], relations=[(0, 2, 4, 6, "WORK")])
    assert but_for(measured(make_relations(), "rel_strict", gold, found)) == {"boundary": 0, "type": 1}


def test_confusions_add_up_to_the_counts(trained, data):
    for measure in find_errors(trained, data).measures:
        table, kinds = confusion(measure), [case.kind for case in measure.cases]
        if measure.layer == "clusters":
            assert table == {} and but_for(measure)["type"] == 0
            continue
        gold = sum(sum(line.values()) for label, line in table.items() if label)
        predicted = sum(n for line in table.values() for label, n in line.items() if label)
        assert gold == kinds.count("correct") + kinds.count("missed"), measure.prefix
        assert predicted == kinds.count("correct") + kinds.count("spurious"), measure.prefix


def test_the_page_names_measures_in_words_and_has_the_worst_type_first(trained, data):
    errors = find_errors(trained, data)
    html = page(errors)
    assert re.findall("<h2>(.*?) <small>", html) == [
        *("Named entities", "Mentions", "Coreference, mentions", "Coreference, links"),
        *("Relations, last tokens", "Relations, boundaries", "Relations, strict"),
    ]
    for one in to_json(errors).values():
        wrong = [counts["missed"] + counts["spurious"] for counts in one["by_type"].values()]
        assert wrong == sorted(wrong, reverse=True)
    counts = to_json(errors)["ents"]
    assert f"Right but for the boundary: {counts['right_but_for']['boundary']}; but for the type: " in html
    assert 'title="PER predicted as PER: ' in html and 'title="LOC predicted as ORG: 1"' in html
    rows = html[html.index('id="ents"') :].split('<tr class="examples">')
    assert '<span class="type" data-type="0">PER</span>' in rows[0].split("<tr>")[-1]
    assert '<li class="missed"><b>missed: PER</b>' in rows[1].split("</tr>")[0]


def test_lengths_come_in_ranges(trained, data):
    measures = {one.prefix: one for one in find_errors(trained, data).measures}
    assert list(groups(measures["ents"], "length")) == ["1", "2"]
    assert measures["coref_muc"].unit == "distance" and measures["coref_mention"].unit == "width"
    name, case = length_of(measures["coref_muc"]), measures["coref_muc"].cases[0]
    found = []
    for length in (1, *(edge + 1 for edge in DISTANCES)):
        case.length = length
        found.append(name(case))
    assert found == ["1–2", "3–5", "6–10", "11–20", "21–50", "51–100", "101+"]


def test_examples_are_spread_over_the_data(trained, data):
    cases = find_errors(trained, data).measures[1].cases
    right = [case for case in cases if case.kind == "correct"]
    some, total = spread(cases, "correct", 3)
    assert total == len(right) and [right.index(case) for case in some] == [0, total // 3, 2 * total // 3]
    assert spread(cases, "correct", 0) == (right, total) == spread(cases, "correct", 99)


def test_the_page_shows_text_as_text(trained, data):
    html = page(find_errors(trained, data), title="<u>", limit=1)
    assert "<title>&lt;u&gt;</title>" in html and "&lt;i&gt;First&lt;/i&gt;" in html and "&lt;b&gt;" in html
    assert not any(text in html for text in ("<i>", "<u>", "<script", "http", "src=", "@import", "url("))
    assert "<mark>Ann</mark> Lee works for Acme Corp ." in html
    assert "<mark><sup>head PER</sup>Ann Lee</mark>" in html
    assert 'class="more">and ' in html and 'class="more">and ' not in page(
        find_errors(trained, data), limit=0
    )


def test_tasks_that_do_not_tell_are_named(trained, data, monkeypatch):
    monkeypatch.setattr(NER, "differences", lambda self, predicted, reference: {})
    errors = find_errors(trained, data)
    assert errors.unsupported == ["ner"] and "These tasks don&#x27;t tell" not in page(errors)
    assert "These tasks don't report single errors: ner." in page(errors)


def test_without_sentences_the_words_around_are_shown(nlp):
    gold, found = (Doc(nlp.vocab, words=[f"w{i}" for i in range(100)]) for _ in range(2))
    gold.ents = [Span(gold, 50, 51, "A")]
    (item,) = make_ner().differences(found, gold)["ents"].missed
    ((start, end),) = Source(gold, "title").contexts(item)
    assert gold.text[start:end].split() == [f"w{i}" for i in range(35, 66)]


def run(*args):
    spacy.registry.cli.get_all()  # as `python -m spacy` does
    result = CliRunner().invoke(app, ["hmtl", "errors", *map(str, args)])
    return result.exit_code, " ".join(result.output.split())


def test_command_line(trained, data, tmp_path):
    trained.to_disk(tmp_path / "model")
    out, found = tmp_path / "new" / "errors.html", tmp_path / "new" / "errors.json"
    args = [tmp_path / "model", data, out]
    code, output = run(*args, "--json", found, "--tasks", "ner, relations", "--limit", 1)
    assert code == 0, output
    written = json.loads(found.read_text("utf-8"))
    assert list(written["measures"]) == ["ents", "rel_last_token", "rel_boundaries", "rel_strict"]
    ents = written["measures"]["ents"]
    assert f"ents {ents['correct']} {ents['missed']} {ents['spurious']}" in output
    assert "<title>Errors of model on data.spacy</title>" in out.read_text("utf-8")
    code, output = run(*args, "--tasks", "events")
    assert code == 1 and "Can't evaluate ['events']" in output
    code, output = run(*args, "--threshold", "relations=1.0", "--singletons", "--no-gold-sentences")
    assert code == 0 and "rel_strict 0 " in output
