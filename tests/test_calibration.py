"""Confidences that can be read as probabilities: the curve, how it is fitted, what it changes."""

import numpy
import pytest
import spacy
from spacy.cli._util import app
from spacy.tokens import DocBin, Span
from tiny import ANNOTATED, TINY_TASKS, annotate, confidences, layers, make_examples, make_pipeline, train
from typer.testing import CliRunner

from hmtl_spacy.annotations import set_clusters, set_mentions
from hmtl_spacy.calibration import calibrated, fit_curve, measure
from hmtl_spacy.evaluation import calibrating
from hmtl_spacy.evaluation.calibrating import calibrate
from hmtl_spacy.evaluation.evaluate import evaluate
from hmtl_spacy.evaluation.report import report, to_json

TEXT = ANNOTATED[0][0]


@pytest.fixture
def data(tmp_path, docs):
    path = tmp_path / "dev.spacy"
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


@pytest.fixture
def disputed(tmp_path, docs):
    """Seven of the eleven mentions have another type than the pipeline learned by heart."""
    for doc in docs[:2]:
        other = {"PER": "LOC", "ORG": "PER", "LOC": "ORG"}
        set_mentions(doc, [Span(doc, m.start, m.end, label=other[m.label_]) for m in doc.spans["mentions"]])
    path = tmp_path / "disputed.spacy"
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


@pytest.fixture
def enough(monkeypatch):
    """The tiny documents are enough to fit on."""
    monkeypatch.setattr(calibrating, "FEWEST", 1)
    monkeypatch.setattr(calibrating, "FOLDS", 2)


def drawn(scale, shift, n=20_000):
    """Judgements of confidences that such a curve would make true."""
    random = numpy.random.default_rng(0)
    scores = random.uniform(0.02, 0.98, n)
    right = random.uniform(size=n) < calibrated(scores, (scale, shift))
    return list(zip(scores.tolist(), right.tolist()))


# The curve


@pytest.mark.parametrize("curve", [(1.0, 0.0), (0.4, 0.0), (0.3, 1.2), (2.0, -0.7)])
def test_the_curve_behind_the_data_is_found_and_mends_it(curve):
    judgements = drawn(*curve)
    found = fit_curve(judgements)
    numpy.testing.assert_allclose(found, curve, atol=0.06)
    moved = calibrated(numpy.array([score for score, _ in judgements]), found)
    after = measure(list(zip(moved.tolist(), (right for _, right in judgements))))
    assert after.error < 0.012 and after.confidence == pytest.approx(after.right, abs=0.005)


def test_a_temperature_is_a_curve_without_a_shift():
    scores = numpy.array([0.1, 0.5, 0.9])
    logits = numpy.log(scores / (1 - scores))
    numpy.testing.assert_allclose(calibrated(scores, (1 / 2.5, 0.0)), 1 / (1 + numpy.exp(-logits / 2.5)))


def test_the_order_and_the_type_of_scores_stay():
    scores = numpy.array([0.0, 1e-9, 0.3, 0.31, 1.0], dtype=numpy.float32)
    moved = calibrated(scores, (0.5, 1.0))
    assert moved.dtype == numpy.float32 and numpy.isfinite(moved).all()
    assert (numpy.diff(moved) >= 0).all() and moved[0] > 0 and moved[-1] < 1
    numpy.testing.assert_allclose(calibrated(scores, (1.0, 0.0)), scores, atol=2e-6)
    assert calibrated(scores[:0], (0.5, 1.0)).shape == (0,)


def test_more_confidence_never_means_less():
    backwards = [(0.9, False), (0.1, True)] * 50
    assert fit_curve(backwards)[0] >= 0.0


def test_the_error_of_a_worked_example():
    # bin 0.6: two at 0.65, one right, so 2 x |0.65 - 0.5|; bin 0.9: two at 0.9 and 1.0, both right
    found = measure([(0.65, True), (0.65, False), (0.9, True), (1.0, True)])
    assert found.n == 4 and found.confidence == pytest.approx(0.8) and found.right == 0.75
    assert found.error == pytest.approx((2 * 0.15 + 0.1) / 4)
    assert measure([]).error == 0.0


# In a pipeline


def test_what_is_predicted_stays_and_confidences_move(trained, data, enough):
    hmtl = trained.get_pipe("hmtl")
    before = trained(TEXT)
    hmtl.cfg["calibration"] = {name: [0.5, -1.0] for name in hmtl.tasks}
    after = trained(TEXT)
    assert layers(before) == layers(after)
    scores = numpy.array(confidences(before), dtype=numpy.float32)
    numpy.testing.assert_allclose(confidences(after), calibrated(scores, (0.5, -1.0)), atol=1e-6)


def test_too_high_confidences_are_mended(trained, disputed, enough):
    fitted = calibrate(trained, disputed)
    assert list(fitted) == ["ner", "mentions", "coref", "relations"]
    before, after, curve = fitted["mentions"]
    assert before.n == 11 and before.right == pytest.approx(4 / 11) and before.error > 0.6
    assert after.error < before.error
    assert trained.get_pipe("hmtl").cfg["calibration"]["mentions"] == curve
    now = evaluate(trained, disputed).tasks["mentions"].calibration
    assert now.confidence == pytest.approx(now.right, abs=0.05) and now.error < 0.1


def test_it_is_fitted_to_the_scores_before(trained, disputed, enough):
    first = calibrate(trained, disputed)
    assert first["mentions"].curve and calibrate(trained, disputed) == first


def test_tasks_without_gold_keep_theirs(trained, tmp_path, enough):
    docs = [annotate(trained.vocab, *row[:3]) for row in ANNOTATED]
    for doc in docs:
        for key in list(doc.spans):
            del doc.spans[key]
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "ents.spacy")
    hmtl = trained.get_pipe("hmtl")
    hmtl.cfg["calibration"] = {"coref": [0.5, 0.5]}
    assert list(calibrate(trained, tmp_path / "ents.spacy")) == ["ner"]
    assert hmtl.cfg["calibration"]["coref"] == [0.5, 0.5]


def test_few_predictions_change_nothing(trained, disputed):
    fitted = calibrate(trained, disputed)
    assert all(task.curve is None and task.after == task.before for task in fitted.values())
    assert trained.get_pipe("hmtl").cfg["calibration"] == {}


def test_training_anew_and_training_further_forget_it(trained):
    hmtl = trained.get_pipe("hmtl")
    hmtl.cfg["calibration"] = {"ner": [0.5, 0.0]}
    optimizer, _ = train(trained, make_examples(trained.vocab), steps=0)
    assert hmtl.cfg["calibration"] == {}
    hmtl.cfg["calibration"] = {"ner": [0.5, 0.0]}
    trained.update(make_examples(trained.vocab), sgd=optimizer)
    assert hmtl.cfg["calibration"] == {}


def test_entities_without_a_group_of_scores_have_none(data):
    nlp = make_pipeline(hierarchy=["ner"], tasks={"ner": {**TINY_TASKS["ner"], "scores_key": None}})
    train(nlp, make_examples(nlp.vocab), steps=5)
    assert calibrate(nlp, data) == {}
    result = evaluate(nlp, data)
    assert result.tasks["ner"].calibration is None and "Confidences" not in report(result)


def test_wrong_predictions_are_judged_as_wrong(trained, docs):
    hmtl = trained.get_pipe("hmtl")
    predicted, reference = trained(TEXT), docs[0].copy()
    assert all(right for task in hmtl.tasks.values() for _, right in task.judgements(predicted, reference))
    wrong = annotate(trained.vocab, *ANNOTATED[0][:2], [(0, 1, "PER")], [(0, 2, "ORG")], [[(0, 2), (9, 10)]])
    judged = {name: task.judgements(predicted, wrong) for name, task in hmtl.tasks.items()}
    found = {name: [right for _, right in judgements] for name, judgements in judged.items()}
    assert set(found) == {"ner", "mentions", "coref", "relations"}
    assert all(right == [False] * len(right) and right for right in found.values())


def test_the_command_stores_it_and_says_what_it_did(trained, disputed, tmp_path, enough):
    spacy.registry.cli.get_all()  # as `python -m spacy` does
    trained.to_disk(tmp_path / "model")
    result = CliRunner().invoke(app, ["hmtl", "calibrate", str(tmp_path / "model"), str(disputed)])
    assert result.exit_code == 0, result.output
    assert "mentions" in result.output and "expected calibration error" in result.output
    kept = [name for name, task in calibrate(trained, disputed).items() if not task.curve]
    assert kept and f"the confidences of {', '.join(kept)} stay" in " ".join(result.output.split())
    assert spacy.load(tmp_path / "model").get_pipe("hmtl").cfg["calibration"]["mentions"]
    scored = CliRunner().invoke(app, ["hmtl", "evaluate", str(tmp_path / "model"), str(disputed)])
    assert scored.output.count("expected calibration error") == 4


def test_a_link_is_right_if_any_mention_before_is_of_its_cluster(trained):
    gold = annotate(trained.vocab, *ANNOTATED[0][:2], clusters=[[(0, 2), (9, 10)], [(4, 6), (7, 8)]])
    found = gold.copy()
    set_clusters(found, [[(0, 2), (4, 6), (7, 8), (9, 10)]], {(4, 6): 0.4, (7, 8): 0.7, (9, 10): 0.9})
    coref = trained.get_pipe("hmtl").tasks["coref"]
    assert coref.judgements(found, gold) == [(0.4, False), (0.7, True), (0.9, True)]
    del found.spans["coref_clusters"].attrs["scores"]
    assert coref.judgements(found, gold) == []  # written by something without confidences
    del found.spans["coref_clusters"]
    assert coref.judgements(found, gold) == []


def test_the_data_of_an_evaluation_name_it(trained, data):
    result = evaluate(trained, data)
    found = to_json(result)["tasks"]["coref"]["calibration"]
    assert set(found) == {"n", "confidence", "right", "error"}
    assert (found["n"], found["right"]) == (4, 1.0) and 0.9 < found["confidence"] < 1.0
