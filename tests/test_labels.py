"""Corpora with other labels: rules that map them, training over what they leave open, and scores by them."""

import random
import re
from pathlib import Path

import numpy
import pytest
import spacy
import torch
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from spacy.util import registry
from tiny import ANNOTATED, annotate, make_pipeline

from hmtl_spacy.annotations import Relation, get_relations, set_clusters, set_mentions, set_relations
from hmtl_spacy.component import score_tasks
from hmtl_spacy.data.batch_gold import gold_of_batch
from hmtl_spacy.data.corpus import read_corpora
from hmtl_spacy.data.label_rules import make_rules, rules_from_file
from hmtl_spacy.data.relabelling import count_mapped, mapping_table
from hmtl_spacy.data.teaching import teaching, unknown_labels
from hmtl_spacy.factories import make_task_corpus
from hmtl_spacy.logger import coverage_report
from hmtl_spacy.model import network_of
from hmtl_spacy.overlay import merge_configs

TASKS = ["ner", "mentions", "coref", "relations"]
WORDS = "Ann of Rome saw Acme ; she rode Bolt ."
RULES = {
    "labels": {
        "ner": {"Peop": "PER", "Loc": ["GPE", "LOC"], "Thing": ["ORG", "VEH", ""], "Misc": "*"},
        "mentions": {"Peop": "PER", "Loc": ["GPE", "LOC"]},
        "relations": {"Live": ["LIVE", "BORN"], "Kin": "FAM"},
    },
    "unknown": {"ner": ["DATE"], "relations": ["WORK"]},
}


def reference(vocab=None):
    return annotate(
        vocab or spacy.blank("en").vocab,
        WORDS,
        {0, 6},
        entities=[(0, 1, "Peop"), (2, 3, "Loc"), (4, 5, "Thing"), (8, 9, "Misc")],
        mentions=[(0, 1, "Peop"), (2, 3, "Loc"), (6, 7, "Peop")],
        clusters=[[(0, 1), (6, 7)]],
        relations=[(0, 1, 2, 3, "Live")],
    )


def store(path, docs):
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


@pytest.fixture
def path(tmp_path):
    return store(tmp_path / "other.spacy", [reference()])


def read(path, nlp=None, **rules):
    return list(make_task_corpus(path, **rules)(nlp or make_pipeline()))


LABELS = {
    "ner": ["DATE", "GPE", "LOC", "ORG", "PER", "VEH"],
    "mentions": ["GPE", "LOC", "PER"],
    "coref": [],
    "relations": ["BORN", "FAM", "LIVE", "WORK"],
}


def labelled_tasks(nlp):
    tasks = nlp.get_pipe("hmtl").tasks
    for name, task in tasks.items():
        task.labels = LABELS[name]
    return tasks


# Rules


def test_documents_have_the_pipelines_labels_and_the_names_of_sets(path):
    (eg,) = read(path, **RULES)
    assert [(ent.text, ent.label_) for ent in eg.reference.ents] == [
        ("Ann", "PER"),
        ("Rome", "GPE or LOC"),
        ("Acme", "ORG or VEH or none"),
    ]
    assert eg.reference[8].ent_iob_ == "O", "left out: outside"
    assert [span.label_ for span in eg.reference.spans["mentions"]] == ["PER", "GPE or LOC", "PER"]
    assert [relation.label for relation in get_relations(eg.reference)] == ["LIVE or BORN"]


def test_documents_that_are_read_again_are_as_they_were(path):
    nlp = make_pipeline()
    corpus = read_corpora({"other": make_task_corpus(path, **RULES)})
    first, second = ([eg.reference for eg in corpus(nlp)] for _ in range(2))
    assert [ent.label_ for ent in second[0].ents] == ["PER", "GPE or LOC", "ORG or VEH or none"]
    assert teaching(first[0]) == teaching(second[0]) and teaching(second[0])["corpus"] == "other"


def test_missing_and_blocked_tokens_and_ids_stay(tmp_path):
    doc = Doc(spacy.blank("en").vocab, words="a b c d e".split())
    ent = Span(doc, 0, 1, label="X", kb_id="Q1", span_id="i")
    doc.set_ents([ent, Span(doc, 1, 2, label="Y")], missing=[doc[2:3]], blocked=[doc[3:4]], default="outside")
    (eg,) = read(store(tmp_path / "a.spacy", [doc]), labels={"ner": {"X": "A", "Y": "*"}})
    (found,) = eg.reference.ents
    assert (found.label_, found.kb_id_, found.id_) == ("A", "Q1", "i")
    assert [token.ent_iob_ for token in eg.reference] == ["B", "O", "", "B", "O"]


def test_the_labels_of_a_pipeline_are_those_that_corpora_are_mapped_to(path):
    nlp = make_pipeline()
    examples = read(path, nlp, **{**RULES, "unknown": {}})
    nlp.initialize(lambda: examples)
    assert nlp.get_pipe("hmtl").label_data == {
        "ner": ["GPE", "LOC", "ORG", "PER", "VEH"],
        "mentions": ["GPE", "LOC", "PER"],
        "coref": [],
        "relations": ["BORN", "LIVE"],
    }


def test_labels_without_a_rule_are_an_error_that_lists_them_all(path, tmp_path):
    store(tmp_path / "more.spacy", [reference(), reference()])
    rules = {"ner": {"Peop": "PER"}, "relations": {"Kin": "FAM"}}
    with pytest.raises(ValueError) as error:
        read(tmp_path, labels=rules)
    message = str(error.value)
    assert "has labels that its rules don't name (ner: 'Loc' (3), 'Thing' (3), 'Misc' (3);" in message
    assert "relations: 'Live' (3)" in message and "{'ner': ['Peop'], 'relations': ['Kin']}" in message


def test_a_task_without_a_table_keeps_its_labels(path):
    (eg,) = read(path, labels={"relations": {"Live": "LIVE"}}, unknown={"ner": ["DATE"]})
    assert [ent.label_ for ent in eg.reference.ents] == ["Peop", "Loc", "Thing", "Misc"]
    assert [span.label_ for span in eg.reference.spans["mentions"]] == ["Peop", "Loc", "Peop"]


@pytest.mark.parametrize(
    "rules, message",
    [
        ({"labels": {"ner": "PER"}}, "labels of the task 'ner' are 'PER'. Give a table"),
        ({"labels": {"ner": {}}}, "are {}. Give a table"),
        ({"labels": {"ner": {"A": []}}}, r"the label 'A' is said to be \[\]. Give a label of the pipeline"),
        ({"labels": {"ner": {"A": ""}}}, "'A' is said to be ''"),
        ({"labels": {"ner": {"A": ["X", "*"]}}}, r"'A' is said to be \['X', '\*'\]"),
        ({"labels": {"ner": {"A": ["X", "X"]}}}, r"'A' is said to be \['X', 'X'\]"),
        ({"labels": {"ner": {"A": 3}}}, "'A' is said to be 3"),
        ({"unknown": {"ner": "DATE"}}, "unknown labels of the task 'ner' are 'DATE'. Give a list"),
        ({"chains": {"type": ["PER"]}}, r"chains has \['type'\]. Expected 'types' and 'singletons'"),
        ({"chains": {"types": "PER"}}, "the types of chains are 'PER'. Give the list"),
        ({"chains": {"singletons": "no"}}, "singletons of chains is 'no'. Set it to true or false"),
    ],
)
def test_rules_are_checked(rules, message):
    with pytest.raises(ValueError, match=message):
        make_task_corpus("a.spacy", **rules)


def test_tasks_are_checked(path):
    with pytest.raises(ValueError, match=r"listed with the tasks \['entities'\].*`labels or unknown`"):
        read(path, labels={"entities": {"Peop": "PER"}})
    with pytest.raises(ValueError, match=r"has rules for the labels of \['coref'\].*said under `chains`"):
        read(path, unknown={"coref": ["PER"]})
    (eg,) = read(path, make_pipeline(hierarchy=["ner"]), **{**RULES, "unknown": {"relations": ["WORK"]}})
    assert eg.reference.ents[0].label_ == "PER", "rules for tasks outside the hierarchy are ignored"


def test_unknown_labels_must_be_in_some_corpus(path):
    nlp = make_pipeline()
    examples = list(read_corpora({"other": make_task_corpus(path, **RULES)})(nlp))
    with pytest.raises(
        ValueError, match=r"'other' says that the labels \['DATE'\] of the task 'ner' are unk"
    ):
        nlp.initialize(lambda: examples)


def test_files_of_rules(tmp_path):
    ini = tmp_path / "rules.cfg"
    ini.write_text(
        '[labels.ner]\nPeop = "PER"\nLoc = ["GPE","LOC"]\nOther = "*"\n\n[unknown]\nner = ["DATE"]\n\n'
        '[chains]\ntypes = ["PER"]\nsingletons = false\n'
    )
    as_json = tmp_path / "rules.json"
    as_json.write_text(
        '{"labels": {"ner": {"Peop": "PER", "Loc": ["GPE", "LOC"], "Other": "*"}}, '
        '"unknown": {"ner": ["DATE"]}, "chains": {"types": ["PER"], "singletons": false}}'
    )
    labels = {"ner": {"Peop": "PER", "Loc": ["GPE", "LOC"], "Other": "*"}}
    expected = make_rules(labels, {"ner": ["DATE"]}, {"types": ["PER"], "singletons": False}, "")
    assert rules_from_file(ini) == rules_from_file(as_json) == expected
    ini.write_text("[label]\nPeop = 1\n")
    with pytest.raises(ValueError, match="have .*'label'.*. Expected some of"):
        rules_from_file(ini)
    as_json.write_text("{")
    with pytest.raises(
        ValueError, match="Can't read the label rules .*JSON into a file that ends with .json"
    ):
        rules_from_file(as_json)


def test_every_mapping_is_counted(path):
    examples = list(read_corpora({"other": make_task_corpus(path, **RULES)})(make_pipeline()))
    assert dict(count_mapped(examples)) == {
        ("other", "ner", "Peop", "PER"): 1,
        ("other", "ner", "Loc", "GPE or LOC"): 1,
        ("other", "ner", "Thing", "ORG or VEH or none"): 1,
        ("other", "ner", "Misc", "left out"): 1,
        ("other", "mentions", "Peop", "PER"): 2,
        ("other", "mentions", "Loc", "GPE or LOC"): 1,
        ("other", "relations", "Live", "LIVE or BORN"): 1,
        ("other", "ner", "(tokens)", "unknown: DATE"): 10,
        ("other", "relations", "(tokens)", "unknown: WORK"): 10,
    }
    lines = [line.split() for line in mapping_table(count_mapped(examples)).splitlines()]
    assert ["other", "ner", "Loc", "GPE", "or", "LOC", "1"] in lines


def test_the_table_is_logged_before_training(path, caplog):
    nlp = make_pipeline()
    caplog.set_level("INFO", logger="spacy")
    examples = read(path, nlp, **{**RULES, "unknown": {}})
    nlp.initialize(lambda: examples)
    assert "What 'hmtl' learns labels as" in caplog.text and "LIVE or BORN" in caplog.text
    _, table = coverage_report(nlp)
    assert table.startswith("What 'hmtl' learns labels as") and "LIVE or BORN" in table
    caplog.clear()
    examples = read(path, nlp)
    nlp.initialize(lambda: examples)
    assert "learns labels" not in caplog.text and len(list(coverage_report(nlp))) == 1


# Training


def test_what_a_batch_leaves_open(path):
    nlp = make_pipeline()
    tasks, examples = labelled_tasks(nlp), read(path, nlp, **RULES)
    batch = gold_of_batch(examples, tasks, nlp.get_pipe("hmtl").sentence_of)
    assert list(batch.rows) == TASKS and list(batch.unannotated) == ["ner", "mentions", "relations"]
    assert batch.rows["ner"][0].tolist() == [[0, 1, 4], [2, 3, 6], [4, 5, 7]]
    # none, DATE, GPE, LOC, ORG, PER, VEH
    assert batch.label_sets["ner"].astype(int).tolist() == [[0, 0, 1, 1, 0, 0, 0], [1, 0, 0, 0, 1, 0, 1]]
    assert batch.unannotated["ner"].tolist() == [[True] + [False] * 5] * 10
    assert not batch.unannotated["mentions"].any()
    assert batch.unannotated["relations"].tolist() == [[False, False, False, True]] * 10
    assert batch.rows["relations"][0].tolist() == [[0, 1, 2, 3, 4]]
    one_to_one = read(path, nlp, labels={"mentions": {"Peop": "PER", "Loc": "LOC"}}, tasks=["mentions"])
    batch = gold_of_batch(one_to_one, tasks, nlp.get_pipe("hmtl").sentence_of)
    assert (batch.unannotated, batch.label_sets) == ({}, {})


def weights_after(examples, nlp, steps=6):
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(steps):
        nlp.update(examples, sgd=optimizer, losses={})
    network = network_of(nlp.get_pipe("hmtl").model)
    return {name: weight.detach().clone() for name, weight in network.state_dict().items()}


def test_labels_that_are_mapped_one_to_one_train_bit_identically(tmp_path):
    vocab = spacy.blank("en").vocab
    plain = store(tmp_path / "plain.spacy", [annotate(vocab, *of_doc) for of_doc in ANNOTATED])
    renamed = [
        (
            words,
            starts,
            *([(*row[:-1], row[-1].lower()) for row in layer] for layer in of_doc[:2]),
            of_doc[2],
            [(*row[:-1], row[-1].lower()) for row in of_doc[3]],
        )
        for words, starts, *of_doc in ANNOTATED
    ]
    other = store(tmp_path / "other.spacy", [annotate(vocab, *of_doc) for of_doc in renamed])
    spans = {"per": "PER", "org": "ORG", "loc": "LOC"}
    rules = {"ner": spans, "mentions": spans, "relations": {"work": "WORK", "live": "LIVE", "none": "*"}}
    found = []
    for path, labels in ((plain, None), (other, rules)):
        random.seed(0)
        spacy.util.fix_random_seed(0)
        nlp = make_pipeline()
        found.append(weights_after(read(path, nlp, labels=labels, unknown={} if labels else None), nlp))
    one, two = found
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_corpus_with_coarser_labels_teaches_without_forgetting(tmp_path):
    """Two corpora: one has places and dates, the other calls all places Loc and dates nothing."""
    vocab = spacy.blank("en").vocab
    texts = [("Ann left Rome yesterday .", [(0, 1, "PER"), (2, 3, "GPE"), (3, 4, "DATE")])]
    texts.append(("Bob saw Etna today .", [(0, 1, "PER"), (2, 3, "LOC"), (3, 4, "DATE")]))
    fine = [annotate(vocab, words, {0}, entities=entities) for words, entities in texts]
    coarse = [
        annotate(vocab, "Cid likes Rome yesterday .", {0}, entities=[(0, 1, "Peop"), (2, 3, "Loc")]),
        annotate(vocab, "Eve likes Etna today .", {0}, entities=[(0, 1, "Peop"), (2, 3, "Loc")]),
    ]
    nlp = make_pipeline(hierarchy=["ner"])
    rules = {"labels": {"ner": {"Peop": "PER", "Loc": ["GPE", "LOC"]}}, "unknown": {"ner": ["DATE"]}}
    examples = read(store(tmp_path / "fine.spacy", fine), nlp)
    examples += read(store(tmp_path / "coarse.spacy", coarse), nlp, **rules)
    spacy.util.fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(60):
        nlp.update(examples, sgd=optimizer)
    found = [[(ent.text, ent.label_) for ent in nlp(doc.text).ents] for doc in coarse]
    assert found == [
        [("Cid", "PER"), ("Rome", "GPE"), ("yesterday", "DATE")],
        [("Eve", "PER"), ("Etna", "LOC"), ("today", "DATE")],
    ]


def test_chains(tmp_path):
    doc = annotate(
        spacy.blank("en").vocab,
        "Ann saw Bob in Rome ; she left Rome .",
        {0, 6},
        mentions=[(0, 1, "P"), (2, 3, "P"), (4, 5, "L"), (6, 7, "P"), (8, 9, "L")],
        clusters=[[(0, 1), (6, 7)]],
    )
    path = store(tmp_path / "a.spacy", [doc])
    nlp = make_pipeline()
    labels = {"mentions": {"P": "PER", "L": ["GPE", "LOC"]}}

    def rows(**chains):
        (eg,) = read(path, nlp, labels=labels, chains=chains)
        return nlp.get_pipe("hmtl").tasks["coref"].encode(eg.reference).tolist(), eg

    chained = [[0, 1, 0], [6, 7, 0]]
    assert rows()[0] == rows(singletons=True)[0] == rows(types=["PER", "GPE", "LOC"])[0] == chained
    found, eg = rows(types=["PER", "GPE"])
    assert found == [[0, 1, 0], [4, 5, -1], [6, 7, 0], [8, 9, -1]], "either of the labels may be open"
    assert count_mapped([eg])["", "coreference", "(mentions)", "left open: their types have no chains"] == 0
    found, eg = rows(types=["PER"], singletons=False)
    assert found == [[0, 1, 0], [2, 3, -2], [4, 5, -1], [6, 7, 0], [8, 9, -1]]
    counts = {key[2:]: n for key, n in count_mapped([eg]).items() if key[1] == "coreference"}
    assert counts == {
        ("(mentions)", "left open: their types have no chains"): 2,
        ("(mentions)", "left open: singletons aren't annotated"): 1,
    }
    del doc.spans["mentions"]
    with pytest.raises(ValueError, match="its documents have no mentions .span group 'mentions'."):
        read(store(path, [doc]), nlp, chains={"types": ["PER"]})


# Scores


def predicted(eg, entities=(), mentions=(), clusters=(), relations=()):
    doc = eg.predicted
    doc.set_ents([Span(doc, *entity) for entity in entities], default="outside")
    set_mentions(doc, [Span(doc, *mention) for mention in mentions])
    set_clusters(doc, clusters)
    set_relations(doc, [Relation(doc[a:b], doc[c:d], label) for a, b, c, d, label in relations])
    return eg


def scores_of(eg, nlp):
    return score_tasks([eg], tasks=labelled_tasks(nlp))


def test_predictions_agree_with_sets_and_unknown_ones_are_left_out(path):
    nlp = make_pipeline()
    (eg,) = read(path, nlp, **RULES)
    entities = [(0, 1, "PER"), (2, 3, "LOC"), (6, 8, "DATE")]
    predicted(eg, entities, [(0, 1, "PER"), (2, 3, "GPE"), (6, 7, "PER")], [[(0, 1), (6, 7)]])
    scores = scores_of(eg, nlp)
    assert (scores["ents_p"], scores["ents_r"]) == (1.0, 1.0), "what may be none needn't be found"
    assert set(scores["ents_per_type"]) == {"PER", "GPE or LOC"}
    assert scores["spans_mentions_f"] == scores["coref_f"] == 1.0
    assert scores["rel_boundaries_r"] == 0.0
    (parts,) = labelled_tasks(nlp)["ner"].differences(eg.predicted, eg.reference).values()
    assert (len(parts.correct), parts.missed, parts.spurious) == (2, [], [])


def test_what_disagrees_is_wrong(path):
    nlp = make_pipeline()
    (eg,) = read(path, nlp, **RULES)
    predicted(eg, [(2, 3, "PER"), (4, 5, "VEH"), (6, 7, "GPE"), (8, 9, "DATE")])
    scores = scores_of(eg, nlp)
    # of PER, VEH and GPE one is right; of PER, GPE or LOC, and ORG or VEH or none one is found
    assert (scores["ents_p"], scores["ents_r"]) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert scores["ents_per_type"]["ORG or VEH or none"]["f"] == 1.0
    assert scores["ents_per_type"]["GPE or LOC"]["p"] == 0.0, "GPE is spurious as one of them"


@pytest.mark.parametrize("label, right", [("LIVE", 1.0), ("BORN", 1.0), ("FAM", 0.0)])
def test_relations_agree_with_sets_of_labels_and_of_argument_types(path, label, right):
    nlp = make_pipeline()
    (eg,) = read(path, nlp, **RULES)
    relations = [(0, 1, 2, 3, label), (6, 7, 0, 1, "WORK")]
    predicted(eg, mentions=[(0, 1, "PER"), (2, 3, "LOC")], relations=relations)
    scores = scores_of(eg, nlp)
    for mode in ("last_token", "boundaries", "strict"):
        assert scores[f"rel_{mode}_p"] == scores[f"rel_{mode}_r"] == right
    found = labelled_tasks(nlp)["relations"].differences(eg.predicted, eg.reference)["rel_strict"]
    assert (len(found.correct), len(found.spurious)) == (int(right), int(1 - right))


def test_open_mentions_and_singletons_are_not_scored(tmp_path):
    doc = annotate(
        spacy.blank("en").vocab,
        "Ann saw Rome ; she left Rome .",
        {0, 4},
        mentions=[(0, 1, "PER"), (2, 3, "LOC"), (4, 5, "PER"), (6, 7, "LOC")],
        clusters=[[(0, 1), (4, 5)]],
    )
    path = store(tmp_path / "a.spacy", [doc])
    nlp = make_pipeline()
    nlp.get_pipe("hmtl").tasks["coref"].singletons = True
    clusters = [[(0, 1), (4, 5)], [(2, 3), (6, 7)], [(5, 6)]]
    found = []
    for chains in ({}, {"types": ["PER"]}, {"types": ["PER"], "singletons": False}):
        (eg,) = read(path, nlp, chains=chains)
        found.append(scores_of(predicted(eg, clusters=clusters), nlp)["coref_mention_p"])
    assert found == [pytest.approx(2 / 5), pytest.approx(2 / 3), 1.0]


def test_nothing_is_settled_without_rules():
    vocab = spacy.blank("en").vocab
    gold, guess = reference(vocab), reference(vocab)
    nlp = make_pipeline()
    scores = score_tasks([Example(guess, gold)], tasks=labelled_tasks(nlp))
    assert scores["ents_f"] == scores["rel_strict_f"] == scores["coref_f"] == 1.0
    assert numpy.isclose(scores["spans_mentions_f"], 1.0)


# The page


ROOT = Path(__file__).parent.parent


def test_the_examples_of_the_page(tmp_path):
    page = ROOT / "docs" / "labels.md"
    if not page.exists():
        pytest.skip("the tests run without the project's docs")
    overlay, rules = re.findall(r"```ini\n(.*?)```", page.read_text("utf8"), re.DOTALL)
    (tmp_path / "labels.cfg").write_text(overlay)
    (tmp_path / "conll04.cfg").write_text(rules)
    config = merge_configs(ROOT / "configs" / "hmtl.cfg", [tmp_path / "labels.cfg"])
    corpora = config["corpora"]["train"]["corpora"]
    assert corpora["uner"]["labels"]["ner"]["LOC"] == ["GPE", "LOC", "FAC"]
    # a config resolves to a reader with these rules
    reader = {**corpora["uner"], "path": str(store(tmp_path / "uner.spacy", [uner()]))}
    (eg,) = registry.resolve({"corpus": reader})["corpus"](make_pipeline())
    assert [ent.label_ for ent in eg.reference.ents] == ["PERSON", "GPE or LOC or FAC"]
    assert unknown_labels(eg.reference, "ner") == corpora["uner"]["unknown"]["ner"]
    assert rules_from_file(tmp_path / "conll04.cfg").labels["ner"]["Other"][-1] == ""


def uner():
    return annotate(spacy.blank("en").vocab, "Ann saw Rome .", {0}, [(0, 1, "PER"), (2, 3, "LOC")])
