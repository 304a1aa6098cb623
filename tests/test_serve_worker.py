"""The thread that owns the pipeline: what waits goes together, errors and the end reach the right texts."""

from concurrent.futures import CancelledError
from threading import get_ident

import pytest
from serving import Watched

from hmtl_spacy.serve import Limits
from hmtl_spacy.serve.pipeline import Pipeline
from hmtl_spacy.serve.worker import Busy, Worker


@pytest.fixture
def watched(nlp, monkeypatch):
    return Watched(nlp, monkeypatch)


@pytest.fixture
def worker(nlp, watched):
    pipeline = Pipeline(nlp, lambda doc, describe: describe(doc))
    worker = Worker(pipeline, Limits(texts=4, together=20, queue=4))
    yield worker
    watched.free.set()
    worker.close()
    assert not worker.is_alive()


def words(doc):
    return [token.text for token in doc]


def results(futures):
    return [future.result(20) for future in futures]


def hold_up(worker, watched):
    """Let the worker be busy with a first text."""
    watched.hold()
    (first,) = worker.submit(["first"], words)
    assert watched.begun.wait(20)
    return first


def test_texts_are_described_in_their_order_and_in_one_thread(worker):
    texts = ["Ann sleeps", "", "it rains"]
    found = results(worker.submit(texts, lambda doc: (doc.text, get_ident())))
    assert [text for text, _ in found] == texts
    threads = {thread for _, thread in found}
    assert len(threads) == 1 and get_ident() not in threads


def test_what_waits_goes_through_the_pipeline_together_up_to_a_size(worker, watched):
    first = hold_up(worker, watched)
    short = worker.submit(["ten chars.", "and these."], words)
    long = worker.submit(["x" * 30, "end"], words)
    watched.free.set()
    results([first, *short, *long])
    assert watched.calls == [["first"], ["ten chars.", "and these."], ["x" * 30], ["end"]]


def test_an_error_is_of_its_text_only(worker, watched):
    first = hold_up(worker, watched)
    good, bad, other = worker.submit(["good", "boom", "other"], words)
    watched.free.set()
    assert results([first, good, other]) == [["first"], ["good"], ["other"]]
    with pytest.raises(ValueError, match="boom"):
        bad.result(20)


def test_an_error_in_describing_is_of_its_text_only(worker, watched):
    first = hold_up(worker, watched)
    (good,) = worker.submit(["good"], words)
    (bad,) = worker.submit(["bad"], lambda doc: 1 / 0)
    watched.free.set()
    assert results([first, good]) == [["first"], ["good"]]
    with pytest.raises(ZeroDivisionError):
        bad.result(20)


def test_a_pipeline_that_drops_a_document_fails_on_its_text(nlp, worker, monkeypatch):
    pipe = nlp.pipe
    monkeypatch.setattr(
        nlp, "pipe", lambda texts, **options: pipe([t for t in texts if t != "bad"], **options)
    )
    good, bad = worker.submit(["good", "bad"], words)
    assert good.result(20) == ["good"]
    with pytest.raises(RuntimeError, match="returned 0 documents for 1 texts"):
        bad.result(20)


def test_a_full_queue_takes_all_texts_of_a_request_or_none(worker, watched):
    first = hold_up(worker, watched)
    taken = worker.submit(["a", "b", "c"], words)
    with pytest.raises(Busy):
        worker.submit(["d", "e"], words)
    assert worker.waiting() == 3
    taken += worker.submit(["f"], words)
    watched.free.set()
    assert results([first, *taken])[1:] == [["a"], ["b"], ["c"], ["f"]]


def test_what_is_cancelled_is_not_annotated_and_makes_room(worker, watched):
    first = hold_up(worker, watched)
    dropped = worker.submit(["a", "b", "c", "d"], words)
    assert all(future.cancel() for future in dropped)
    assert worker.waiting() == 0
    kept = worker.submit(["e"], words)
    watched.free.set()
    assert results([first, *kept]) == [["first"], ["e"]]
    assert watched.calls == [["first"], ["e"]]


def test_closing_finishes_what_has_begun_and_cancels_what_waits(worker, watched):
    first = hold_up(worker, watched)
    (waiting,) = worker.submit(["waits"], words)
    worker.close(timeout=0)
    with pytest.raises(CancelledError):
        waiting.result(20)
    with pytest.raises(Busy):
        worker.submit(["late"], words)
    watched.free.set()
    assert first.result(20) == ["first"]


def test_words_of_one_request_dont_stay_in_the_vocabulary(nlp, worker):
    results(worker.submit(["begin"], words))
    before = len(nlp.vocab.strings)
    for i in range(20):
        results(worker.submit([f"newword{i} another{i}"], words))
    assert len(nlp.vocab.strings) == before
    assert "newword3" not in nlp.vocab.strings
