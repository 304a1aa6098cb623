import json

import pytest
import spacy
import torch
from spacy.cli._util import app
from spacy.tokens import DocBin, Span
from tiny import ANNOTATED, annotate, make_examples, make_pipeline
from typer.testing import CliRunner

from hmtl_spacy.annotations import get_clusters, set_clusters, set_mentions, set_relations
from hmtl_spacy.evaluation.evaluate import evaluate, find_component, parse_thresholds
from hmtl_spacy.evaluation.report import group_scores, report, to_json

TASKS = ["ner", "mentions", "coref", "relations"]


def write(path, docs):
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


@pytest.fixture
def data(tmp_path, docs):
    return write(tmp_path / "data.spacy", docs)


def test_every_measure_of_every_task(trained, data):
    result = evaluate(trained, data)
    assert list(result.tasks) == TASKS
    assert (result.docs, result.words) == (4, 35)
    assert result.words_per_second > 0
    for name, key in zip(TASKS, ("ents_f", "spans_mentions_f", "coref_f", "rel_strict_f")):
        assert result.tasks[name].scores[key] == 1.0
        assert result.tasks[name].docs == 4
    assert [task.gold for task in result.tasks.values()] == [6, 11, 8, 3]
    assert result.tasks["ner"].per_label == {"LOC": 2, "ORG": 1, "PER": 3}
    for key in ("muc_f", "b3_f", "ceafe_f", "conll_f", "lea_f", "mention_p", "mention_r", "mention_f"):
        assert result.tasks["coref"].scores[f"coref_{key}"] == 1.0
    for mode in ("last_token", "boundaries", "strict"):
        assert {f"rel_{mode}_{key}" for key in ("p", "macro_f", "per_type")} <= set(
            result.tasks["relations"].scores
        )
    assert result.tasks["relations"].scores["rel_unmatched"] == 0.0


def test_scores_are_the_components_own(trained, data, examples):
    for eg in examples:
        eg.predicted = trained(eg.predicted)
    expected = trained.get_pipe("hmtl").score(examples)
    assert to_json(evaluate(trained, data))["scores"] == expected


def test_chosen_tasks_keep_the_hierarchys_order(trained, data):
    assert list(evaluate(trained, data, tasks=["relations", "ner"]).tasks) == ["ner", "relations"]
    with pytest.raises(ValueError, match=r"Can't evaluate \['events'\]: .* has the tasks \['ner', 'ment"):
        evaluate(trained, data, tasks=["events"])


def test_a_task_without_gold_is_told_apart_from_a_bad_one(trained, tmp_path, nlp):
    doc = nlp("Ann Lee works for Acme Corp .")
    set_mentions(doc, [Span(doc, 0, 2, label="PER")])
    path = write(tmp_path / "data.spacy", [doc])
    result = evaluate(trained, path)
    assert [name for name, task in result.tasks.items() if task] == ["mentions"]
    assert "=== coref ===\nThe data has no gold annotation for this task." in report(result)
    with pytest.raises(ValueError, match=r"no gold annotation for \['ner'\].*some for \['mentions'\]"):
        evaluate(trained, path, tasks=["ner", "mentions"])


def test_gold_mentions_are_all_that_is_linked(trained, tmp_path, nlp):
    doc = annotate(nlp.vocab, *ANNOTATED[0])
    set_clusters(doc, [[(0, 2), (4, 6)]])
    path = write(tmp_path / "data.spacy", [doc])
    assert evaluate(trained, path, tasks=["coref"]).tasks["coref"].scores["coref_mention_p"] < 1.0
    for kind in ("paper", "any"):
        given = evaluate(trained, path, tasks=["coref"], gold_mentions=kind)
        assert given.given == {"coref": kind}
        assert given.tasks["coref"].scores[f"coref_gm_{kind}_mention_p"] in (0.0, 1.0)
        assert f"(gm_{kind})." in report(given)


@pytest.mark.parametrize("kind", ["paper", "any"])
def test_gold_mentions_find_what_the_model_finds_itself(trained, data, kind):
    assert evaluate(trained, data, gold_mentions=kind).tasks["coref"].scores[f"coref_gm_{kind}_f"] == 1.0


def test_the_two_kinds_of_gold_mentions(trained, tmp_path, nlp):
    """Wider than max_width (4), or across a sentence: linked only where any width is allowed."""
    doc = annotate(nlp.vocab, *ANNOTATED[0])
    set_clusters(doc, [[(0, 2), (7, 8)], [(1, 6), (9, 10)], [(6, 8), (2, 3)]])
    path = write(tmp_path / "data.spacy", [doc])
    hmtl = trained.get_pipe("hmtl")
    head = hmtl.model.shims[0].network.levels["coref"].head
    with torch.no_grad():
        head.antecedents.score.bias += 10_000.0  # all spans are linked, if they may be
    head.link_nested = True
    result = {kind: evaluate(trained, path, tasks=["coref"], gold_mentions=kind) for kind in ("paper", "any")}
    scores = {kind: result[kind].tasks["coref"].scores for kind in result}
    assert scores["any"]["coref_gm_any_mention_r"] == 1.0
    assert scores["paper"]["coref_gm_paper_mention_r"] == pytest.approx(4 / 6)
    assert not any("gm" not in key for found in scores.values() for key in found)
    assert "scored as missed: 1 (too wide)" in report(result["paper"])
    assert "scored as missed: 1 (crosses a sentence)" in report(result["paper"])
    assert "scored as missed" not in report(result["any"])
    head.spans_per_token = 0.2  # of the four left, three are kept: there are eleven tokens
    pruned = evaluate(trained, path, tasks=["coref"], gold_mentions="paper").tasks["coref"].scores
    assert pruned["coref_gm_paper_mention_r"] == pytest.approx(3 / 6)
    anyway = evaluate(trained, path, tasks=["coref"], gold_mentions="any").tasks["coref"].scores
    assert anyway["coref_gm_any_mention_r"] == 1.0


def test_gold_mentions_are_of_a_kind(trained, data):
    with pytest.raises(ValueError, match="gold mentions 'all'. Ask for 'paper' .* or 'any'"):
        evaluate(trained, data, gold_mentions="all")


def test_gold_mentions_need_a_task_that_takes_them(data):
    nlp = make_pipeline(hierarchy=["ner"])
    nlp.initialize(lambda: make_examples(nlp.vocab))
    with pytest.raises(ValueError, match=r"none of the tasks \['ner'\] can take them"):
        evaluate(nlp, data, gold_mentions="any")
    with pytest.raises(ValueError, match="knows singletons"):
        evaluate(nlp, data, singletons=True)


def test_singletons_count_on_both_sides_if_wanted(trained, tmp_path, nlp):
    doc = annotate(nlp.vocab, *ANNOTATED[0])
    set_clusters(doc, [*ANNOTATED[0][4], [(2, 3)]])
    path = write(tmp_path / "data.spacy", [doc])
    without, kept = (evaluate(trained, path, singletons=value) for value in (False, True))
    assert without.tasks["coref"].scores["coref_mention_r"] == 1.0
    assert kept.tasks["coref"].scores["coref_mention_r"] == 0.8
    assert "Clusters of one mention are left out, in gold and prediction alike." in report(without)
    assert "Clusters of one mention count, in gold and prediction alike." in report(kept)
    assert evaluate(trained, path).tasks["coref"].settings == {"singletons": False}, "the model's own"


def test_singletons_are_predicted_if_wanted(trained, tmp_path, nlp):
    doc = annotate(nlp.vocab, *ANNOTATED[0])
    path = write(tmp_path / "data.spacy", [doc])
    head = trained.get_pipe("hmtl").head("coref")
    with torch.no_grad():
        head.antecedents.score.bias -= 10_000.0  # nothing is linked
    found = []
    for wanted in (False, True):
        evaluate(trained, path, singletons=wanted, inspect=lambda name, task, egs: found.append((name, egs)))
    without, kept = (get_clusters(egs[0].predicted) for name, egs in found if name == "coref")
    assert without == [] and set(map(len, kept)) == {1}
    assert not head.singletons
    assert get_clusters(trained(doc.text)) == []


def test_thresholds(trained, data):
    result = evaluate(trained, data, thresholds={"relations": 1.0})
    assert result.tasks["relations"].scores["rel_strict_r"] == 0.0
    assert evaluate(trained, data).tasks["relations"].scores["rel_strict_r"] == 1.0
    with pytest.raises(ValueError, match="threshold of 'ner' is 1.5: give a probability from 0 to 1"):
        evaluate(trained, data, thresholds={"ner": 1.5})
    with pytest.raises(ValueError, match=r"Can't evaluate \['events'\]"):
        evaluate(trained, data, thresholds={"events": 0.5})
    assert parse_thresholds(["ner=0.25", " coref = 1"]) == {"ner": 0.25, "coref": 1.0}
    with pytest.raises(ValueError, match="Can't read the threshold 'ner': write it as task=0.4"):
        parse_thresholds(["ner"])


def test_where_sentence_boundaries_came_from(trained, data, tmp_path, docs):
    assert evaluate(trained, data).sentences == "of the data"
    assert evaluate(trained, data, gold_sentences=False).sentences == "of the pipeline"
    bare = [annotate(doc.vocab, [t.text for t in doc], set(), mentions=[(0, 1, "PER")]) for doc in docs]
    for doc in bare:
        for token in doc:
            token.is_sent_start = None
    path = write(tmp_path / "bare.spacy", bare)
    assert evaluate(trained, path).sentences == "of the pipeline"
    trained.remove_pipe("sentencizer")
    with pytest.warns(UserWarning, match="without sentence boundaries"):
        assert evaluate(trained, path).sentences == "none, cut into windows"


def test_gold_out_of_reach_and_unknown_labels_are_counted(trained, tmp_path, nlp):
    words, starts = ANNOTATED[0][:2]
    doc = annotate(
        nlp.vocab, words, starts, mentions=[(5, 8, "PER"), (9, 10, "THING")], clusters=[[(0, 5), (9, 10)]]
    )
    trained_labels = list(trained.get_pipe("hmtl").tasks["mentions"].labels)
    result = evaluate(trained, write(tmp_path / "data.spacy", [doc]))
    mentions, coref = result.tasks["mentions"], result.tasks["coref"]
    assert mentions.unusable == {"crosses a sentence": 1}
    assert mentions.unknown == ["THING"]
    assert (mentions.gold, mentions.per_label["THING"]) == (2, 1)
    assert coref.unusable == {"too wide": 1}
    assert trained.get_pipe("hmtl").tasks["mentions"].labels == trained_labels
    text = report(result)
    assert "Out of the model's reach, and scored as missed: 1 (too wide)." in text
    assert "Labels that the model never learned: THING." in text


def test_the_component_is_found_or_named():
    nlp = spacy.blank("en")
    with pytest.raises(ValueError, match=r"pipeline is \[\], the HMTL components in it are \[\]"):
        find_component(nlp)
    nlp.add_pipe("hmtl", name="one")
    assert find_component(nlp) == "one"
    nlp.add_pipe("hmtl", name="two")
    assert find_component(nlp, "two") == "two"
    with pytest.raises(ValueError, match=r"without a name for it: .* \['one', 'two'\]\. Name one of them"):
        find_component(nlp)
    with pytest.raises(ValueError, match="Can't evaluate 'three'"):
        find_component(nlp, "three")


def test_scores_of_any_task_can_be_tabled():
    per_type = {"A": {"p": 0.5, "r": 0.25, "f": 1 / 3}}
    scores = {"x_p": 0.5, "x_r": 0.25, "x_f": 1 / 3, "x_per_type": per_type, "y_f": 0.5, "lost": 3.0}
    groups, other = group_scores(scores)
    assert groups == {"x": {"p": 0.5, "r": 0.25, "f": 1 / 3, "per_type": per_type}}
    assert other == {"y_f": 0.5, "lost": 3.0}


def test_report(trained, data):
    lines = [line.split() for line in report(evaluate(trained, data)).splitlines()]
    assert ["ents", "100.00", "100.00", "100.00", "6"] in lines
    assert ["LOC", "100.00", "100.00", "100.00", "2"] in lines
    assert ["coref_lea", "100.00", "100.00", "100.00"] in lines
    assert ["rel_boundaries_macro", "100.00", "100.00", "100.00"] in lines
    assert ["rel_unmatched:", "0"] in lines


def run(*args, command="evaluate"):
    spacy.registry.cli.get_all()  # as `python -m spacy` does
    result = CliRunner().invoke(app, ["hmtl", command, *map(str, args)])
    return result.exit_code, " ".join(result.output.split())


def test_command_line(trained, data, tmp_path):
    trained.to_disk(tmp_path / "model")
    found = tmp_path / "new" / "scores.json"
    args = [tmp_path / "model", data, "--json", found]
    code, output = run(*args, "--tasks", "ner, relations", "--threshold", "relations=0.4")
    assert code == 0, output
    assert "=== relations ===" in output and "=== coref ===" not in output
    written = json.loads(found.read_text())
    assert written["scores"]["rel_strict_f"] == 1.0
    assert written["tasks"]["ner"]["per_label"] == {"LOC": 2, "ORG": 1, "PER": 3}
    assert written["data"] == str(data)
    code, output = run(*args[:2], "--tasks", "events")
    assert code == 1 and "Can't evaluate ['events']" in output
    code, output = run(*args[:2], "--no-gold-sentences", "--singletons", "--gold-mentions", "any")
    assert code == 0 and "boundaries of the pipeline" in output and "mention count, in gold" in output
    assert "coref_gm_any_lea" in output


def test_labels_of_another_scheme(trained, docs, tmp_path):
    """People are Peop there, places and organizations Loc, and nobody is said to live anywhere."""
    for doc in docs:
        names = {"PER": "Peop", "LOC": "Loc", "ORG": "Loc"}
        doc.set_ents([Span(doc, e.start, e.end, label=names[e.label_]) for e in doc.ents], default="outside")
    path = write(tmp_path / "other.spacy", docs)
    rules = tmp_path / "rules.cfg"
    rules.write_text('[labels.ner]\nPeop = "PER"\nLoc = ["LOC","ORG"]\n\n[unknown]\nrelations = ["LIVE"]\n')
    trained.to_disk(tmp_path / "model")
    args = [tmp_path / "model", path, "--json", tmp_path / "scores.json"]
    code, output = run(*args, "--labels", rules)
    assert code == 0, output
    assert "What the labels of the data are scored as" in output and "Loc LOC or ORG" in output
    written = json.loads((tmp_path / "scores.json").read_text())
    assert written["scores"]["ents_f"] == 1.0
    assert written["tasks"]["ner"]["per_label"] == {"LOC": 0, "ORG": 0, "PER": 3, "LOC or ORG": 3}
    assert {"task": "ner", "label": "Loc", "scored as": "LOC or ORG", "count": 3} in written["mapped"]
    assert run(*args)[0] == 0
    assert json.loads((tmp_path / "scores.json").read_text())["scores"]["ents_f"] == 0.0
    rules.write_text('[labels.ner]\nPeop = "PER"\n')
    code, output = run(*args, "--labels", rules)
    assert code == 1 and "has labels that its rules don't name (ner: 'Loc' (3))" in output
    for kind in ("paper", "any"):
        rules.write_text('[labels.mentions]\nPER = "PER"\nLOC = ["LOC","ORG"]\nORG = ["ORG","LOC"]\n')
        assert run(*args, "--labels", rules, "--gold-mentions", kind)[0] == 0


def test_other_commands_take_labels_too(trained, docs, tmp_path):
    """In the data, WORK is called Work_For, and some live somewhere."""
    for doc in docs:
        relations = [r._replace(label={"WORK": "Work_For"}.get(r.label, "Lives_In")) for r in doc._.relations]
        set_relations(doc, relations)
    path = write(tmp_path / "other.spacy", docs)
    rules = tmp_path / "rules.cfg"
    rules.write_text('[labels.relations]\nWork_For = "WORK"\nLives_In = "LIVE"\n')
    model, page, found = tmp_path / "model", tmp_path / "page.html", tmp_path / "errors.json"
    trained.to_disk(model)
    code, output = run(model, path, page, "--json", found, "--labels", rules, command="errors")
    assert code == 0, output
    counts = json.loads(found.read_text())["measures"]["rel_strict"]
    assert (counts["correct"], counts["missed"], counts["spurious"]) == (3, 0, 0)
    code, output = run(model, path, command="tune")
    assert code == 0 and "is 0 at every threshold" in output
    code, output = run(model, path, "--labels", rules, command="tune")
    assert code == 0 and "Set the threshold of 'relations'" in output and "100.00" in output
    code, output = run(path, page, "--labels", rules, "--model", model, command="visualize")
    assert code == 0 and "Lives_In" not in page.read_text() and "LIVE" in page.read_text()
    code, output = run(path, page, command="visualize")
    assert code == 0 and "Lives_In" in page.read_text()
    code, output = run(path, page, "--labels", rules, command="visualize")
    assert code == 1 and "relates the data's labels to those of a pipeline" in output


def test_relations_between_entities(trained, data):
    assert "rel_entity_f" not in evaluate(trained, data, tasks=["relations"]).tasks["relations"].scores
    result = evaluate(trained, data, entity_relations=True)
    scores = result.tasks["relations"].scores
    assert scores["rel_entity_f"] == scores["rel_gold_entity_f"] == 1.0
    assert "rel_gold_entity_ign_f" not in scores and "rel_gold_entity" in report(result)
    given = evaluate(trained, data, gold_mentions="any", seen=data).tasks["relations"].scores
    assert given["rel_gold_entity_r"] == 1.0
    assert (given["rel_gold_entity_ign_p"], given["rel_gold_entity_ign_r"]) == (0.0, 1.0), "all were seen"


def test_the_command_scores_relations_between_entities(tmp_path, trained, data):
    trained.to_disk(tmp_path / "model")
    code, output = run(tmp_path / "model", data, "--seen", data, "--tasks", "relations")
    assert code == 0, output
    assert "rel_entity" in output and "rel_gold_entity_ign" in output
