"""Relations over spans in a pipeline: candidates of a level, of documents, of an evaluation."""

import numpy
import pytest
import spacy
from spacy.tokens import DocBin, Span
from tiny import ANNOTATED, TINY_TASKS, annotate, layers, make_examples, make_pipeline, train

from hmtl_spacy.annotations import Relation, set_mentions, set_relations
from hmtl_spacy.defaults import DEFAULT_CONFIG
from hmtl_spacy.evaluation.evaluate import evaluate
from hmtl_spacy.evaluation.report import report
from hmtl_spacy.factories import make_span_relations
from hmtl_spacy.nn.batch import CandidateSpans

SPANS = {
    "@hmtl_tasks": "hmtl_spacy.SpanRelations.v1",
    **{
        key: TINY_TASKS["relations"][key] for key in ("hidden", "depth", "dropout", "scorer_hidden", "inputs")
    },
}
TASKS = {**TINY_TASKS, "relations": SPANS}
ALONE = {"hierarchy": ["relations"], "tasks": {"relations": {**SPANS, "inputs": []}}}


@pytest.fixture(scope="module")
def trained():
    nlp = make_pipeline(tasks=TASKS)
    train(nlp, make_examples(nlp.vocab), steps=60)
    return nlp


def write(path, docs):
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


def test_it_learns_by_heart_and_writes_whole_spans(trained):
    for eg in make_examples(trained.vocab):
        found, expected = layers(trained(eg.predicted)), layers(eg.reference)
        assert found["relations"] == expected["relations"] and found["mentions"] == expected["mentions"]


def test_it_is_stored_with_its_types(trained):
    nlp = spacy.util.load_model_from_config(trained.config, auto_fill=False).from_bytes(trained.to_bytes())
    assert nlp.get_pipe("hmtl").head("relations").n_types == 3
    text = ANNOTATED[0][0]
    docs = [pipeline(text) for pipeline in (nlp, trained)]
    assert layers(docs[0]) == layers(docs[1]) and layers(docs[0])["relations"]
    scores = [doc.spans["relations"].attrs["scores"] for doc in docs]
    numpy.testing.assert_allclose(*scores, atol=1e-6)


@pytest.mark.parametrize("types", [True, False])
def test_types_are_those_of_the_level(types):
    nlp = make_pipeline(tasks={**TASKS, "relations": {**SPANS, "types": types}})
    nlp.initialize(lambda: make_examples(nlp.vocab))
    assert nlp.get_pipe("hmtl").head("relations").n_types == 3 * types


def test_it_is_the_default():
    assert DEFAULT_CONFIG["tasks"]["relations"]["@hmtl_tasks"] == "hmtl_spacy.SpanRelations.v1"
    hmtl = spacy.blank("en").add_pipe("hmtl")
    assert hmtl.tasks["relations"].candidates_from == "mentions"
    assert list(hmtl.tasks["relations"].below) == ["ner", "mentions", "coref"]


def test_the_level_must_be_below():
    tasks = {"mentions": {**TINY_TASKS["mentions"], "inputs": []}, "relations": {**SPANS, "inputs": []}}
    nlp = make_pipeline(hierarchy=["relations", "mentions"], tasks=tasks)
    with pytest.raises(ValueError, match="takes its candidates from 'mentions'.* Put 'mentions' before"):
        nlp.initialize(lambda: make_examples(nlp.vocab))


def test_an_argument_that_is_no_mention_is_learned():
    nlp = make_pipeline(tasks=TASKS)
    (eg, *_) = make_examples(nlp.vocab)
    set_relations(eg.reference, [Relation(eg.reference[0:2], eg.reference[2:4], "DOES")])
    train(nlp, [eg], steps=40)
    given = {"relations": CandidateSpans([numpy.array([[0, 2, 0], [2, 4, -1]])])}
    rows, scores = nlp.get_pipe("hmtl").predict([eg.predicted], given)["relations"]
    assert rows[0].tolist() == [[0, 2, 2, 4, 0]] and scores[0][0] > 0.8


# Without the level


def mentions_from_gold(nlp):
    """Examples whose predicted documents have mentions, as those of another component."""
    examples = make_examples(nlp.vocab)
    for eg in examples:
        spans = [Span(eg.predicted, s.start, s.end, label=s.label_) for s in eg.reference.spans["mentions"]]
        set_mentions(eg.predicted, spans)
    return examples


def test_mentions_may_be_on_the_documents():
    nlp = make_pipeline(**ALONE)
    train(nlp, mentions_from_gold(nlp), steps=40)
    assert nlp.get_pipe("hmtl").head("relations").n_types == 0
    for eg in mentions_from_gold(nlp):
        assert layers(nlp(eg.predicted))["relations"] == layers(eg.reference)["relations"]


def test_documents_without_any_are_an_error_that_says_what_to_do():
    nlp = make_pipeline(**ALONE)
    train(nlp, make_examples(nlp.vocab), steps=1)
    with pytest.raises(ValueError, match="takes its candidates from 'mentions', which isn't .*Relations.v1"):
        nlp("Ann Lee works for Acme Corp .")
    assert not nlp("").spans["relations"]
    doc = nlp.make_doc("Ann Lee works .")
    set_mentions(doc, [])
    assert not nlp(doc).spans["relations"]


# With gold mentions


def test_gold_mentions_serve_relations(trained, tmp_path):
    doc = annotate(trained.vocab, *ANNOTATED[0])
    set_mentions(doc, [Span(doc, 0, 2, label="PER"), Span(doc, 4, 6, label="FIRM")])  # a label of its own
    path = write(tmp_path / "data.spacy", [doc])
    own = evaluate(trained, path).tasks["relations"].scores
    assert own["rel_boundaries_f"] == 1.0 and own["rel_strict_f"] == 0.0
    for kind in ("paper", "any"):
        result = evaluate(trained, path, gold_mentions=kind)
        assert result.given == {"coref": kind, "relations": kind}
        assert result.tasks["relations"].scores[f"rel_gm_{kind}_strict_f"] == 1.0
        assert result.tasks["mentions"].scores["spans_mentions_f"] < 1.0  # its own, not the gold ones
        assert "rel_gm_" in report(result)
    assert trained.get_pipe("hmtl").tasks["mentions"].labels == ["LOC", "ORG", "PER"]


# Gold that can't be learned


def test_unusable_rows():
    task = make_span_relations()
    sentence_of = numpy.array([0, 0, 0, 1, 1])
    rows = numpy.array([[0, 1, 1, 2, 0], [0, 2, 1, 2, 0], [0, 1, 3, 4, 0], [2, 4, 4, 5, 0], [2, 4, 3, 4, 0]])
    unusable = task.unusable(rows, sentence_of)
    assert unusable["crosses a sentence"].tolist() == [False, False, True, True, True]
    assert unusable["arguments end on one token"].tolist() == [False, True, False, False, False]
    nothing = task.unusable(rows[:0], sentence_of)
    assert all(of_reason.shape == (0,) for of_reason in nothing.values())
    empty = task.unusable(rows[:0], sentence_of[:0])
    assert all(of_reason.shape == (0,) for of_reason in empty.values())
