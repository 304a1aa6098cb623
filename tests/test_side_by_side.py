"""Batches on several cores: the same numbers, in order, and nothing left behind."""

import sys
import threading
import time
from itertools import count, islice

import pytest
import spacy
import torch
from thinc.api import fix_random_seed
from tiny import confidences, layers, make_examples, make_pipeline

from hmtl_spacy.embedding.frozen import FeatureCache, Inference
from hmtl_spacy.model import _transformers, decode, keep_features
from hmtl_spacy.prediction import predict_ahead
from hmtl_spacy.side_by_side import SideBySide, cores, on_one_thread

TEXTS = [
    "Ann Lee works for Acme Corp. She likes it.",
    "My mom lives in Lyon. It rains there.",
    "Bob met Ann Lee. He lives in Rome.",
    "",
    "Nothing happens today.",
] * 4


@pytest.fixture(autouse=True)
def torch_threads():
    """Two, even where the tests are run with one; afterwards what they were."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    left = torch.get_num_threads()
    torch.set_num_threads(before)
    assert left == 2


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr("hmtl_spacy.prediction.BATCH_WORDS", 20)


@pytest.fixture
def with_transformer(tmp_path):
    """Makes an untrained pipeline with a small transformer, which predicts much."""
    tiny_transformer = pytest.importorskip("tiny_transformer")

    def make(**settings):
        nlp = tiny_transformer.pipeline(tiny_transformer.save_transformer(tmp_path), **settings)
        nlp.initialize(lambda: make_examples(nlp.vocab))
        component = nlp.get_pipe("hmtl")
        component.cfg["thresholds"] = dict.fromkeys(component.cfg["thresholds"], 0.0)
        return nlp

    return make


def note_threads(monkeypatch):
    """RETURNS: a list to which each batch adds whether it is done in the main thread, and torch's threads."""
    seen = []

    def noted(*args):
        seen.append((threading.current_thread() is threading.main_thread(), torch.get_num_threads()))
        return decode(*args)

    monkeypatch.setattr("hmtl_spacy.prediction.decode", noted)
    return seen


def annotation(nlp, threads, batch_size=7):
    nlp.get_pipe("hmtl").threads = threads
    return [(doc.text, layers(doc), confidences(doc)) for doc in nlp.pipe(TEXTS, batch_size=batch_size)]


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_numbers_are_the_same_bit_for_bit_with_any_number_of_threads(trained, small_batches, batch_size):
    torch.set_num_threads(1)  # torch's sums depend on its number of threads
    one = annotation(trained, 1, batch_size)
    torch.set_num_threads(2)
    assert [text for text, _, _ in one] == TEXTS and any(scores for _, _, scores in one)
    for threads in (2, 3, None):
        assert annotation(trained, threads, batch_size) == one


@pytest.mark.parametrize("settings", [{}, {"trainable": True}], ids=["frozen", "tuned"])
def test_a_transformer_gives_the_same_numbers(with_transformer, small_batches, settings):
    nlp = with_transformer(**settings)
    before = sys.getswitchinterval()
    torch.set_num_threads(1)
    sys.setswitchinterval(1e-6)  # threads meet everywhere
    try:
        one = annotation(nlp, 1, batch_size=100)
        several = [annotation(nlp, 4, batch_size=100) for _ in range(5)]
    finally:
        sys.setswitchinterval(before)
        torch.set_num_threads(2)
    assert any(scores for _, _, scores in one)
    assert all(found == one for found in several)


@pytest.mark.parametrize("megabytes", [0, 0.001, 100])
def test_where_frozen_features_are_kept_numbers_are_the_same(with_transformer, small_batches, megabytes):
    """What is kept is rounded; which texts there is room for doesn't depend on which thread is first."""
    found = []
    torch.set_num_threads(1)  # as in other threads
    nlp = with_transformer()
    ((_, shim),) = _transformers(nlp.get_pipe("hmtl").model)
    for threads in (1, 4):
        shim.cache = FeatureCache(megabytes, torch.float16)
        shim.cache.active = True
        found.append([annotation(nlp, threads), annotation(nlp, threads)])
    torch.set_num_threads(2)
    assert found[0] == found[1] and any(scores for _, _, scores in found[0][0])


@pytest.mark.parametrize("settings", [{}, {"frozen_layers": 1}], ids=["all", "upper layers"])
def test_batches_come_one_by_one_where_a_transformer_is_trained(
    with_transformer, small_batches, monkeypatch, settings
):
    nlp = with_transformer(trainable=True, **settings)
    keep_features(nlp.get_pipe("hmtl").model)
    seen = note_threads(monkeypatch)
    assert len(list(nlp.pipe(TEXTS))) == len(TEXTS)
    assert len(seen) > 2 and set(seen) == {(True, 2)}


@pytest.mark.parametrize("trainable, threads", [(False, 1), (True, 2)])
def test_a_step_over_a_frozen_transformer_is_on_one_thread(with_transformer, monkeypatch, trainable, threads):
    nlp = with_transformer(trainable=trainable)
    seen = []
    monkeypatch.setattr(
        nlp.get_pipe("hmtl").watch, "watch_losses", lambda *_: seen.append(torch.get_num_threads())
    )
    nlp.update(make_examples(nlp.vocab), sgd=nlp.create_optimizer())
    assert seen == [threads] and torch.get_num_threads() == 2
    with pytest.raises(ValueError, match="no"), on_one_thread(), on_one_thread():
        assert (torch.get_num_threads(), cores()) == (1, 2)
        raise ValueError("no")
    assert (torch.get_num_threads(), cores()) == (2, 2)


def test_training_is_the_same_bit_for_bit_with_any_number_of_threads(with_transformer, monkeypatch):
    monkeypatch.setattr("hmtl_spacy.embedding.frozen.PIECE_WORDS", 10)
    Inference("float32").prepare(torch.device("cpu"))  # else the first training draws other numbers
    found = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        fix_random_seed(0)
        nlp = with_transformer()
        examples, optimizer, losses = make_examples(nlp.vocab), nlp.create_optimizer(), {}
        for _ in range(4):
            nlp.update(examples, sgd=optimizer, losses=losses)
            nlp.evaluate(examples)
        weights = dict(nlp.get_pipe("hmtl").model.shims[0].network.named_parameters())
        found.append((losses, weights))
    torch.set_num_threads(2)
    for losses, weights in found[1:]:
        assert losses == found[0][0]
        assert all(torch.equal(weights[name], expected) for name, expected in found[0][1].items())


def test_batches_run_at_the_same_time_each_on_one_thread_of_torch(trained, small_batches, monkeypatch):
    together = threading.Barrier(2, timeout=30)
    seen = []

    def met(*args):
        if threading.current_thread() is not threading.main_thread():
            seen.append(torch.get_num_threads())
            if len(seen) <= 2:
                together.wait()  # fails if the other batch waits for this one
        return decode(*args)

    monkeypatch.setattr("hmtl_spacy.prediction.decode", met)
    assert len(list(trained.pipe(TEXTS))) == len(TEXTS)
    assert len(seen) > 2 and set(seen) == {1}


def test_other_threads_keep_their_number_and_no_thread_is_left(trained, small_batches):
    before = threading.active_count()
    stream = trained.pipe(iter(TEXTS), batch_size=4)
    next(stream)
    assert threading.active_count() > before
    found = []
    other = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert found == [2] and torch.get_num_threads() == 2
    stream.close()  # a consumer that stops early
    assert threading.active_count() == before


def test_one_text_has_all_threads(trained, monkeypatch):
    seen = note_threads(monkeypatch)
    trained(TEXTS[0])
    list(trained.pipe(TEXTS[:3]))
    assert seen == [(True, 2)] * 2
    monkeypatch.setattr("hmtl_spacy.prediction.BATCH_WORDS", 8)
    monkeypatch.setattr("hmtl_spacy.prediction.ALONE_WORDS", 15)
    seen.clear()
    list(trained.pipe([TEXTS[1], TEXTS[0] + TEXTS[0], TEXTS[2]]))
    assert sorted(seen) == [(False, 1), (False, 1), (True, 2)]


def test_a_batch_that_fails_costs_only_its_bad_document(trained, small_batches, monkeypatch):
    def fails(model, docs, *args):
        if any(doc.text.startswith("Bob") for doc in docs):
            raise RuntimeError("no")
        return decode(model, docs, *args)

    monkeypatch.setattr("hmtl_spacy.prediction.decode", fails)
    failed = []
    trained.set_error_handler(
        lambda name, pipe, docs, error: failed.extend((doc.text, str(error)) for doc in docs)
    )
    found = [doc.text for doc in trained.pipe(TEXTS, batch_size=3)]
    assert found == [text for text in TEXTS if not text.startswith("Bob")]
    assert failed == [(TEXTS[2], "no")] * 4


def test_only_as_much_is_read_ahead_as_the_threads_need():
    class Begun:
        pieces = [None]

    read = count()
    batches = ([next(read)] for _ in range(100))
    for n, ahead in ((1, 1), (2, 3), (4, 5)):
        before = next(read)
        assert len(list(islice(predict_ahead(batches, lambda docs: Begun(), n), 1))) == 1
        assert next(read) - before - 1 == ahead


def test_documents_before_one_that_cannot_be_read_are_not_lost(trained, small_batches):
    def texts():
        yield from TEXTS[:8]
        raise OSError("the disk is gone")

    found = []
    with pytest.raises(OSError, match="the disk is gone"):
        for doc in trained.pipe(texts(), batch_size=2):
            found.append(doc.text)
    assert found == TEXTS[:8]


def test_errors_come_out_where_results_are_asked_for():
    def bad():
        raise KeyError("bad")

    with SideBySide(2) as side_by_side:
        pieces = [side_by_side.add(work) for work in (lambda: 1, bad, lambda: 3)]
        assert pieces[0].result() == 1 and pieces[2].result() == 3
        with pytest.raises(KeyError, match="bad"):
            pieces[1].result()
    before = threading.active_count()
    with pytest.raises(ValueError, match="stop"), SideBySide(2) as side_by_side:
        for _ in range(50):
            side_by_side.add(lambda: time.sleep(0.01))
        raise ValueError("stop")
    assert threading.active_count() == before


def test_threads_are_a_setting_of_the_config_and_not_stored_weights(tmp_path, trained):
    trained.to_disk(tmp_path)
    nlp = spacy.load(tmp_path, config={"components": {"hmtl": {"threads": 3}}})
    assert nlp.get_pipe("hmtl").threads == 3 and trained.get_pipe("hmtl").threads is None
    with pytest.raises(ValueError, match=r"0 threads: give 1 or more, .* \(\[components.hmtl\] threads\)"):
        make_pipeline(threads=0)
