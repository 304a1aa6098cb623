"""Tokens whose entity value is missing are neither learned from nor scored, as by spaCy's own `ner`."""

import random

import numpy
import pytest
import spacy
from spacy.scorer import get_ner_prf
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from tiny import TINY_TASKS, example, make_pipeline, train

from hmtl_spacy.data.coverage import coverage_table, measure
from hmtl_spacy.data.gold import align_tokens, usable_gold
from hmtl_spacy.evaluation.error_analysis.finding import find_errors
from hmtl_spacy.evaluation.evaluate import evaluate
from hmtl_spacy.evaluation.report import report
from hmtl_spacy.factories import make_mentions, make_ner
from hmtl_spacy.model import sentence_of

VOCAB = spacy.blank("en").vocab


def document(words, vocab=VOCAB):
    words = words.split()
    return Doc(vocab, words=words, sent_starts=[i == 0 for i in range(len(words))])


def with_entities(doc, entities, missing=(), default="outside"):
    """entities: (start, end, label) each; missing: tokens."""
    spans = [Span(doc, *entity) for entity in entities]
    doc.set_ents(spans, missing=[doc[i : i + 1] for i in missing], default=default)
    return doc


def of_spans(vocab=VOCAB):
    return with_entities(document("Ann met Bob .", vocab), [(0, 1, "PER")], [2])


def of_default(vocab=VOCAB):
    doc = document("Ann met Bob .", vocab)
    doc.set_ents([Span(doc, 0, 1, "PER")], outside=[doc[1:2], doc[3:4]], default="missing")
    return doc


def of_tags(vocab=VOCAB):
    predicted = document("Ann met Bob .", vocab)
    return Example.from_dict(predicted, {"entities": ["U-PER", "O", "-", "O"]}).reference


def of_offsets(vocab=VOCAB):
    """spaCy makes missing tokens of spans that aren't whole ones of its own."""
    predicted = document("Ann met Bob .", vocab)
    with pytest.warns(UserWarning, match="W030"):
        return Example.from_dict(predicted, {"entities": [(0, 3, "PER"), (8, 10, "PER")]}).reference


WAYS = [of_spans, of_default, of_tags, of_offsets]


@pytest.mark.parametrize("way", WAYS)
def test_however_it_is_said(way):
    reference = way()
    task = make_ner()
    task.labels = ["PER"]
    gold = usable_gold("ner", task, example(reference), sentence_of(reference))
    assert (gold.rows.tolist(), gold.missing.tolist()) == ([[0, 1, 0]], [False, False, True, False])
    (stored,) = DocBin().from_bytes(DocBin(docs=[reference]).to_bytes()).get_docs(VOCAB)
    assert task.missing(stored).tolist() == gold.missing.tolist()


def test_nothing_known_is_not_annotated_and_blocked_is_known():
    task = make_ner()
    nothing = with_entities(document("Ann met Bob ."), [], default="missing")
    assert not task.has_gold(nothing)
    blocked = with_entities(document("Ann met Bob ."), [], default="blocked")
    assert task.has_gold(blocked) and not task.missing(blocked).any()
    predicted = with_entities(document("Ann met Bob ."), [(0, 1, "PER")])
    assert task.score([Example(predicted, blocked)])["ents_p"] == 0.0


def test_mentions_have_no_missing_tokens():
    doc = document("Ann met Bob .")
    doc.spans["mentions"] = [doc[0:1]]
    assert not make_mentions().missing(doc).any()


@pytest.mark.parametrize("seed", range(20))
def test_scores_are_those_of_spacys_ner(seed):
    numbers = random.Random(seed)
    examples = []
    for _ in range(8):
        words = " ".join(f"w{i}" for i in range(12))
        spans = [[], []]
        for side in spans:
            token = 0
            while token < 10:
                end = token + numbers.randint(1, 2)
                if numbers.random() < 0.5:
                    side.append((token, end, numbers.choice("AB")))
                token = end
        free = sorted(set(range(12)) - {i for start, end, _ in spans[1] for i in range(start, end)})
        missing = [i for i in free if numbers.random() < 0.5]
        gold = with_entities(document(words), spans[1], missing)
        examples.append(Example(with_entities(document(words), spans[0]), gold))
    expected, found = get_ner_prf(examples), make_ner().score(examples)
    for key in ("ents_p", "ents_r", "ents_f"):
        assert found[key] == pytest.approx(expected[key])
    assert found["ents_per_type"].keys() == expected["ents_per_type"].keys()
    for label, values in expected["ents_per_type"].items():
        assert found["ents_per_type"][label] == pytest.approx(values)


def test_what_scores_are_made_of_leaves_it_out_too():
    predicted = with_entities(document("Ann met Bob ."), [(0, 1, "PER"), (2, 3, "PER")])
    parts = make_ner().differences(predicted, of_spans())["ents"]
    assert (len(parts.correct), parts.missed, parts.spurious) == (1, [], [])
    outside = with_entities(document("Ann met Bob ."), [(0, 1, "PER")])
    assert len(make_ner().differences(predicted, outside)["ents"].spurious) == 1


def test_missing_tokens_lie_on_predicted_ones():
    reference = document("New York-based Acme .")
    chosen = numpy.array([False, True, False, False])
    finer, coarser = document("New York - based Acme ."), document("NewYork-basedAcme .")
    assert align_tokens(Example(finer, reference), chosen).tolist() == [False, True, True, True, False, False]
    assert align_tokens(Example(coarser, reference), chosen).tolist() == [True, False]
    assert align_tokens(Example(reference, reference.copy()), chosen).tolist() == chosen.tolist()
    spaced = Doc(VOCAB, words=["New", "\n", "York-based", "Acme", "."])
    assert align_tokens(Example(spaced, reference), chosen).tolist() == [False, False, True, False, False]


def test_what_a_misaligned_span_touches_is_not_outside():
    """As for spaCy's `ner`; it is counted, and still scored as missed."""
    reference = with_entities(document("Ann met Bob ."), [(0, 1, "PER"), (1, 2, "PER")])
    eg = Example(document("Ann metBob ."), reference)
    task = make_ner()
    task.labels = ["PER"]
    gold = usable_gold("ner", task, eg, sentence_of(eg.predicted))
    assert gold.missing.tolist() == [False, True, False] and dict(gold.lost) == {"misaligned": 1}
    assert [tag is None for tag in eg.get_aligned_ner()] == gold.missing.tolist()
    assert task.score([eg])["ents_per_type"]["PER"]["r"] == 0.0
    assert measure([eg], {"ner": task}, sentence_of)["", "ner"].missing == 0


TEXT = "Ann met Bob in Rome ."
ALL = [(0, 1, "PER"), (2, 3, "PER"), (4, 5, "LOC")]


def learn(entities, missing, steps=80):
    """A pipeline that read the text once whole and once as given; the loss of its last update."""
    nlp = make_pipeline(hierarchy=["ner"], tasks={"ner": TINY_TASKS["ner"]})
    whole = with_entities(document(TEXT, nlp.vocab), ALL)
    other = with_entities(document(TEXT, nlp.vocab), entities, missing)
    return nlp, train(nlp, [example(whole), example(other)], steps)[1]["hmtl_ner"]


def test_missing_tokens_are_not_learned_as_outside():
    nlp, loss = learn([(0, 1, "PER")], [2, 4])
    assert loss < 0.1
    assert [(ent.text, ent.label_) for ent in nlp(TEXT).ents] == [
        ("Ann", "PER"),
        ("Bob", "PER"),
        ("Rome", "LOC"),
    ]
    # the same tokens as outside contradict the other document
    assert learn([(0, 1, "PER")], [])[1] > 0.5


def test_known_tokens_beside_missing_ones_are_learned():
    nlp = make_pipeline(hierarchy=["ner"], tasks={"ner": TINY_TASKS["ner"]})
    reference = with_entities(document(TEXT, nlp.vocab), [(0, 1, "PER"), (4, 5, "LOC")], [1, 2, 3])
    train(nlp, [example(reference)], 80)
    entities = [(ent.text, ent.label_) for ent in nlp(TEXT).ents]
    assert ("Ann", "PER") in entities and ("Rome", "LOC") in entities


def test_updates_know_of_missing_tokens_only_where_there_are_some(monkeypatch):
    nlp, _ = learn([(0, 1, "PER")], [2, 4], steps=1)
    hmtl = nlp.get_pipe("hmtl")
    seen = []
    begin = type(hmtl.model).begin_update
    monkeypatch.setattr(
        type(hmtl.model), "begin_update", lambda self, batch: seen.append(batch) or begin(self, batch)
    )
    whole = example(with_entities(document(TEXT, nlp.vocab), ALL))
    partial = example(with_entities(document(TEXT, nlp.vocab), [], [2]))
    hmtl.update([whole])
    hmtl.update([whole, partial])
    batches = [batch for batch in seen if hasattr(batch, "unannotated")]
    assert batches[0].unannotated == {}
    mask = batches[1].unannotated["ner"]
    assert mask.shape == (12, 2) and numpy.flatnonzero(mask.all(axis=1)).tolist() == [8]


@pytest.fixture
def partly_annotated(tmp_path, nlp):
    """A file of the text with the person in the middle left open."""
    path = tmp_path / "partly.spacy"
    reference = with_entities(document(TEXT, nlp.vocab), [(0, 1, "PER"), (4, 5, "LOC")], [2])
    DocBin(docs=[reference]).to_disk(path)
    return path


def test_coverage_counts_them(partly_annotated, nlp):
    (reference,) = DocBin().from_disk(partly_annotated).get_docs(nlp.vocab)
    task = make_ner()
    task.labels = ["LOC", "PER"]
    found = measure([example(reference)], {"ner": task}, sentence_of)
    lines = coverage_table(found).strip().splitlines()
    assert "missing tokens" in lines[0]
    assert lines[2].split() == ["-", "ner", "1", "1", "2", "100.0%", "1"]


def test_evaluation_and_error_analysis_say_so(partly_annotated):
    nlp, _ = learn(ALL, [])
    result = evaluate(nlp, partly_annotated)
    assert (result.tasks["ner"].missing, result.tasks["ner"].scores["ents_p"]) == (1, 1.0)
    assert "Annotation is missing on 1 token: spans predicted there are not scored." in report(result)
    cases = find_errors(nlp, partly_annotated).measures[0].cases
    assert [case.kind for case in cases] == ["correct", "correct"]


def test_blocked_tokens_stay_if_overwrite_is_off():
    task = make_ner(overwrite=False)
    task.labels = ["PER"]
    doc = document("Ann met Bob .")
    doc.set_ents([], blocked=[doc[2:3]], default="missing")
    task.annotate(doc, numpy.array([[0, 1, 0], [2, 3, 0]]), numpy.ones(2))
    assert [ent.text for ent in doc.ents] == ["Ann"]
    assert [token.ent_iob_ for token in doc] == ["B", "O", "B", "O"]
