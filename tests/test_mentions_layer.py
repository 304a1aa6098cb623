"""A second level of mentions, of another kind: a layer of its own, between which relations are."""

import pytest
import spacy
from spacy.tokens import DocBin, Span
from tiny import TINY_TASKS, layers, make_examples, make_pipeline, train

from hmtl_spacy.data.layers import read_layers, tasks_of
from hmtl_spacy.evaluation.evaluate import evaluate

PAIRS = {key: TINY_TASKS["relations"][key] for key in ("hidden", "depth", "dropout", "scorer_hidden")}
ARGUMENTS = {"mentions_key": "arguments", "layer": "arguments"}
TASKS = {
    **TINY_TASKS,
    "arguments": {**TINY_TASKS["mentions"], **ARGUMENTS},
    "relations": {
        "@hmtl_tasks": "hmtl_spacy.SpanRelations.v1",
        **PAIRS,
        "inputs": ["arguments"],
        "candidates_from": "arguments",
        "mentions_key": "arguments",
        "allowed": "seen",
    },
}
HIERARCHY = ["ner", "mentions", "coref", "arguments", "relations"]


def two_kinds(vocab):
    """The tiny examples with the arguments of relations as a group of their own, with other labels."""
    examples = make_examples(vocab)
    for eg in examples:
        doc = eg.reference
        ends = {
            (span.start, span.end, span.label_): span
            for relation in doc._.relations
            for span in (relation.head, relation.tail)
        }
        doc.spans["arguments"] = [Span(doc, s.start, s.end, label="A") for s in ends.values()]
    return examples


@pytest.fixture(scope="module")
def trained():
    nlp = make_pipeline(hierarchy=HIERARCHY, tasks=TASKS)
    train(nlp, two_kinds(nlp.vocab), steps=80)
    return nlp


def found_arguments(doc):
    return sorted((s.start, s.end, s.label_) for s in doc.spans["arguments"])


def test_both_kinds_are_learned_and_relations_are_between_the_second(trained):
    hmtl = trained.get_pipe("hmtl")
    assert hmtl.tasks["arguments"].labels == ["A"] and hmtl.head("relations").n_types == 1
    assert hmtl.tasks["relations"].seen == {("A", "WORK", "A"), ("A", "LIVE", "A")}
    assert hmtl.keys.mentions == "mentions"
    for eg in two_kinds(trained.vocab):
        doc = trained(eg.predicted)
        assert layers(doc) == layers(eg.reference)
        assert found_arguments(doc) == found_arguments(eg.reference)
        assert len(doc.spans["arguments"].attrs["scores"]) == len(doc.spans["arguments"])


def test_the_second_is_a_further_layer_as_data(trained):
    doc = trained("Ann Lee works for Acme Corp . She likes it .")
    of_doc = read_layers(doc, trained.get_pipe("hmtl").keys, tasks_of(trained))
    assert [scored.span.text for scored in of_doc.mentions] == ["Ann Lee", "Acme Corp", "She", "it"]
    arguments = of_doc.further["arguments"]
    assert [(row["start"], row["end"], row["label"]) for row in arguments] == [(0, 7, "A"), (18, 27, "A")]
    assert len(read_layers(doc).mentions) == 4  # found from the document alone too


def test_it_is_scored_by_its_own_name_and_stored(trained, tmp_path):
    path = tmp_path / "data.spacy"
    DocBin(docs=[eg.reference for eg in two_kinds(trained.vocab)], store_user_data=True).to_disk(path)
    trained.to_disk(tmp_path / "model")
    result = evaluate(spacy.load(tmp_path / "model"), path)
    assert result.tasks["arguments"].scores["spans_arguments_f"] == 1.0
    assert result.tasks["mentions"].scores["spans_mentions_f"] == 1.0
    assert result.tasks["relations"].scores["rel_strict_f"] == 1.0


def test_two_levels_of_one_layer_still_need_one_group():
    tasks = {**TASKS, "arguments": {**TINY_TASKS["mentions"], "mentions_key": "arguments"}}
    with pytest.raises(ValueError, match="'mentions' and 'arguments' name different span groups"):
        make_pipeline(hierarchy=HIERARCHY, tasks=tasks)


def test_one_layer_can_not_be_filled_twice():
    tasks = {**TASKS, "more": {**TINY_TASKS["mentions"], **ARGUMENTS, "mentions_key": "more"}}
    with pytest.raises(ValueError, match="'arguments' and 'more' both fill the layer 'arguments'"):
        make_pipeline(hierarchy=[*HIERARCHY[:4], "more", "relations"], tasks=tasks)


def test_a_second_layer_needs_a_group_of_its_own():
    """Else it would learn from the mentions, and overwrite them."""
    tasks = {**TASKS, "arguments": {**TINY_TASKS["mentions"], "layer": "arguments"}}
    with pytest.raises(ValueError, match="'mentions' and 'arguments' fill different layers.*same span group"):
        make_pipeline(hierarchy=HIERARCHY, tasks=tasks)
    tasks = {**TASKS, "arguments": {**TINY_TASKS["mentions"], **ARGUMENTS, "mentions_key": "ents"}}
    with pytest.raises(ValueError, match="'ner' and 'arguments' fill different layers"):
        make_pipeline(hierarchy=HIERARCHY, tasks=tasks)


@pytest.mark.parametrize("layer", ["entities", "clusters", "relations"])
def test_mentions_are_no_other_standard_layer(layer):
    tasks = {**TASKS, "arguments": {**TINY_TASKS["mentions"], "layer": layer}}
    with pytest.raises(ValueError, match=f"The layer of mentions is '{layer}', which other tasks fill"):
        make_pipeline(hierarchy=HIERARCHY, tasks=tasks)
