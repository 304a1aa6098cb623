"""Span groups with other names than the usual ones, everywhere that a document or a pipeline is read."""

import json
import pickle
from copy import deepcopy

import httpx
import pytest
import spacy
from annotating import files
from serving import serving
from spacy.cli._util import app
from spacy.tokens import Doc, DocBin, Span
from tiny import ANNOTATED, TINY_TASKS, annotate, make_pipeline
from typer.testing import CliRunner

from hmtl_spacy.annotate import annotate as annotate_files
from hmtl_spacy.annotations import (
    KEYS,
    Keys,
    Relation,
    keys_of_doc,
    merge_keys,
    set_clusters,
    set_mentions,
    set_relations,
)
from hmtl_spacy.data.layers import keys_of, read_layers, tasks_of
from hmtl_spacy.data.writers.jsonl import to_jsonl
from hmtl_spacy.entities import entity_graph, resolve, set_extensions
from hmtl_spacy.evaluation.error_analysis import find_errors, to_json
from hmtl_spacy.evaluation.error_analysis import page as page_of_errors
from hmtl_spacy.evaluation.evaluate import evaluate
from hmtl_spacy.registry import registry
from hmtl_spacy.visualize import render

OTHER = Keys("sure", "found", "chains", "triples")
TEXT = "Ann Lee works for Acme Corp . She likes it ."


def renamed_tasks(keys=OTHER):
    tasks = deepcopy(TINY_TASKS)
    tasks["ner"]["scores_key"] = keys.entities
    tasks["mentions"]["mentions_key"] = tasks["relations"]["mentions_key"] = keys.mentions
    tasks["coref"]["clusters_key"] = keys.clusters
    tasks["relations"]["relations_key"] = keys.relations
    return tasks


@pytest.fixture
def renamed(trained_bytes):
    """The trained pipeline with other names for its span groups."""
    config = deepcopy(trained_bytes[0])
    for name, settings in renamed_tasks().items():
        config["components"]["hmtl"]["tasks"][name].update(settings)
    return spacy.util.load_model_from_config(config, auto_fill=True).from_bytes(trained_bytes[1])


def copies(doc):
    """A document after each way that one travels."""
    binned = DocBin(docs=[doc]).to_bytes()
    yield doc
    yield Doc(doc.vocab).from_bytes(doc.to_bytes())
    yield pickle.loads(pickle.dumps(doc))
    yield next(DocBin().from_bytes(binned).get_docs(doc.vocab))
    yield doc.copy()


def described(doc):
    return json.loads(json.dumps(to_jsonl(doc)))


def test_tasks_name_their_groups(renamed):
    assert renamed.get_pipe("hmtl").keys == OTHER == keys_of(tasks_of(renamed))
    assert make_pipeline().get_pipe("hmtl").keys == KEYS == keys_of({})
    subset = make_pipeline(hierarchy=["ner", "mentions"], tasks=renamed_tasks())
    assert subset.get_pipe("hmtl").keys == Keys(entities="sure", mentions="found")


def test_of_two_components_the_last_names_the_groups():
    nlp = make_pipeline(tasks=renamed_tasks())
    nlp.add_pipe("hmtl", name="second", config={"hierarchy": ["ner", "mentions"]})
    assert keys_of(tasks_of(nlp)) == OTHER._replace(entities="ents", mentions="mentions")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_pipelines_with_different_groups_in_one_process(trained, renamed, order):
    pipelines = [trained, renamed]
    docs = [pipelines[i](TEXT) for i in order]
    for i, doc in zip(order, docs):
        keys = (KEYS, OTHER)[i]
        assert set(keys) < set(doc.spans) and set((OTHER, KEYS)[i]).isdisjoint(doc.spans)
        for other in copies(doc):
            assert keys_of_doc(other) == keys
            assert [[span.text for span in cluster] for cluster in other._.coref_clusters] == [
                ["Ann Lee", "She"],
                ["Acme Corp", "it"],
            ]
            assert [relation.label for relation in other._.relations] == ["WORK"]
            assert other._.coref_resolved == "Ann Lee works for Acme Corp . Ann Lee likes Acme Corp ."
            assert len(other._.entity_graph.entities) == 2 and len(other._.entity_graph.relations) == 1
            assert len(other[7:8]._.coref_cluster) == 2
    first, second = map(described, docs)
    assert first == second
    assert all("score" in entity for entity in first["entities"])


def test_groups_are_known_from_documents_of_several_processes(renamed):
    [first, second] = renamed.pipe([TEXT, TEXT], n_process=2)
    assert keys_of_doc(first) == keys_of_doc(second) == OTHER
    assert resolve(first).count("Ann Lee") == 2 and len(second._.relations) == 1


def test_explicit_keys_come_before_what_a_document_says(renamed):
    doc = renamed(TEXT)
    assert read_layers(doc, KEYS).mentions is None and len(read_layers(doc).mentions) == 4
    assert resolve(doc, keys=KEYS) == doc.text != resolve(doc, keys=OTHER)
    assert entity_graph(doc, keys=KEYS).relations == () != entity_graph(doc, keys=OTHER).relations


def test_of_several_groups_the_last_written_is_the_layer(nlp):
    doc = annotate(nlp.vocab, "Ann saw her", {0}, mentions=[(0, 1, "PER")])
    set_mentions(doc, [], key="m")
    set_clusters(doc, [[(0, 1), (2, 3)]], key="c")
    for other in copies(doc):
        assert keys_of_doc(other) == Keys(mentions="m", clusters="c")
    set_mentions(doc, [Span(doc, 0, 1, "PER")])
    for other in copies(doc):
        assert keys_of_doc(other) == Keys(clusters="c")


def test_a_copied_group_is_not_the_layer(nlp):
    doc = annotate(nlp.vocab, "Ann saw her", {0}, mentions=[(0, 1, "PER")])
    doc.spans["before"] = doc.spans["mentions"].copy()
    doc.spans["mine"] = [doc[2:3]]
    for other in copies(doc):
        assert keys_of_doc(other) == KEYS
    assert keys_of_doc(nlp("Ann"), OTHER) == OTHER
    assert keys_of_doc(doc, OTHER) == KEYS._replace(entities="sure")


def test_pages_show_renamed_groups(trained, renamed):
    page, usual = render(renamed(TEXT)), render(trained(TEXT))
    assert page == usual and "WORK" in page and 'class="bar coref' in page
    explicit = render(renamed(TEXT), keys=KEYS)
    assert "WORK" not in explicit and 'class="bar mentions' not in explicit


def test_gold_that_says_nothing_is_read_as_the_document_beside_it(renamed, trained):
    doc = renamed(TEXT)
    bare = Doc(doc.vocab).from_bytes(doc.to_bytes())
    for key in OTHER:
        del bare.spans[key].attrs["layer"]
    assert keys_of_doc(bare) == KEYS
    page = render(doc, gold=bare)
    assert page.count("<b>WORK") == 2 and " ≠" not in page.split("<script>")[0]
    assert render(doc, gold=trained(TEXT)).count("<b>WORK") == 2  # gold that says where its layers are


def test_files_hold_renamed_groups(trained, renamed, tmp_path):
    (tmp_path / "in.txt").write_text(f"{TEXT}\n", encoding="utf8")
    for name in ("out.jsonl", "out.conll", "out.json"):
        usual, other = tmp_path / "usual" / name, tmp_path / "other" / name
        assert annotate_files(trained, tmp_path / "in.txt", usual).written["relations"] == 1
        assert annotate_files(renamed, tmp_path / "in.txt", other).written["relations"] == 1
        assert files(usual) == files(other) and files(other)
    summary = annotate_files(renamed, tmp_path / "in.txt", tmp_path / "out.spacy")
    assert (summary.written["mentions"], summary.written["clusters"]) == (4, 2)
    [doc] = DocBin().from_disk(tmp_path / "out.spacy" / "00000.spacy").get_docs(spacy.blank("en").vocab)
    assert keys_of_doc(doc) == OTHER and doc._.coref_resolved.count("Ann Lee") == 2


def test_renamed_groups_are_served(renamed):
    expected = described(renamed(TEXT))
    with serving(renamed) as url:
        answer = httpx.post(f"{url}/api/annotate", json={"text": TEXT, "html": True}, timeout=30).json()
    assert "WORK" in (html := answer.pop("html")) and 'class="bar coref' in html
    assert answer.keys() == expected.keys() and answer["relations"] == expected["relations"]


@pytest.fixture
def data(nlp, tmp_path):
    """Gold in renamed groups."""
    docs = []
    for words, starts, entities, mentions, clusters, relations in ANNOTATED:
        doc = annotate(nlp.vocab, words, starts, entities)
        for key in KEYS[1:]:
            del doc.spans[key]
        set_mentions(doc, [Span(doc, s, e, label=label) for s, e, label in mentions], key="found")
        set_clusters(doc, clusters, key="chains")
        pairs = [Relation(doc[a:b], doc[c:d], label) for a, b, c, d, label in relations]
        set_relations(doc, pairs, key="triples")
        docs.append(doc)
    DocBin(docs=docs).to_disk(tmp_path / "data.spacy")
    return tmp_path / "data.spacy"


def test_renamed_groups_are_evaluated(renamed, data, tmp_path):
    result = evaluate(renamed, data)
    scores = {name: task.scores for name, task in result.tasks.items()}
    assert scores["mentions"]["spans_found_f"] == scores["coref"]["coref_f"] == 1.0
    assert scores["relations"]["rel_strict_f"] == scores["ner"]["ents_f"] == 1.0
    assert result.tasks["mentions"].gold == 11


def test_errors_in_renamed_groups_have_their_forms(renamed, data):
    errors = find_errors(renamed, data, thresholds={"mentions": 1.0, "coref": 1.0})
    counts = to_json(errors)
    assert counts["spans_found"]["missed"] == 11 and not errors.unsupported
    assert set(counts["coref_mention"]["by_type"]) == {"name", "pronoun"}
    assert 'id="spans_found"' in page_of_errors(errors)


def test_the_command_shows_renamed_groups(renamed, data, tmp_path):
    renamed.to_disk(tmp_path / "model")
    spacy.registry.cli.get_all()  # as `python -m spacy` does
    for model in ([], ["--model", tmp_path / "model"]):
        arguments = ["hmtl", "visualize", data, tmp_path / "page.html", *model]
        done = CliRunner().invoke(app, list(map(str, arguments)))
        assert done.exit_code == 0, done.output
        page = (tmp_path / "page.html").read_text("utf8")
        assert page.count("<b>WORK <") == (2 if model else 1) and 'class="bar mentions' in page


def test_tasks_that_disagree_are_an_error():
    tasks = renamed_tasks()
    tasks["relations"]["mentions_key"] = "other"
    expected = (
        r"The tasks 'mentions' and 'relations' name different span groups for the mentions: 'found' and "
        r"'other'\. If you change `mentions_key` of mentions, also change it in relations\."
    )
    with pytest.raises(ValueError, match=expected):
        make_pipeline(tasks=tasks)
    with pytest.raises(ValueError, match=r"The tasks 'a' and 'b' .* 'x' and None. If you change `scores"):
        merge_keys({"a": {"entities": "x"}, "b": {"entities": None}})
    with pytest.raises(ValueError, match=r"The task 'a' names span groups for \['event'\]; expected"):
        merge_keys({"a": {"event": "x"}})


def test_building_a_task_changes_nothing_outside_it():
    set_extensions()
    Doc.remove_extension("coref_clusters")
    Doc.remove_extension("relations")
    try:
        for name in ("Coref", "Relations"):
            registry.hmtl_tasks.get(f"hmtl_spacy.{name}.v1")()
        assert not Doc.has_extension("coref_clusters") and not Doc.has_extension("relations")
        make_pipeline()
        assert Doc.has_extension("coref_clusters") and Doc.has_extension("relations")
    finally:
        set_extensions()
