"""The pipeline in a process of its own: what it does, or suffers, costs its own text and nothing else."""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import httpx
import pytest
import spacy
from serving import load_damaged, serving
from test_serve import TEXT, TEXTS, annotate, same
from test_serve_tools import predict, regions

from hmtl_spacy.data.writers.jsonl import to_jsonl
from hmtl_spacy.serve import Limits
from hmtl_spacy.serve.process import CONTEXT, Died, Failed, PipelineProcess
from hmtl_spacy.serve.worker import Worker

TIMES = {"seconds": 180.0, "call": 3.0}  # time enough for starting the process a few times


@pytest.fixture(scope="module")
def model(trained_bytes, tmp_path_factory):
    config, weights = trained_bytes
    path = tmp_path_factory.mktemp("process") / "model"
    spacy.util.load_model_from_config(config, auto_fill=False).from_bytes(weights).to_disk(path)
    return path


@contextmanager
def started(model):
    """A pipeline in a process, with the faults of `load_damaged`."""
    pipeline = PipelineProcess(partial(load_damaged, model))
    try:
        yield pipeline
    finally:
        pipeline.close()
    assert pipeline.pid is None


@pytest.fixture(scope="module")
def server(model):
    """The address of a server for such a pipeline, and the pipeline; one for several tests."""
    with started(model) as pipeline, serving(pipeline, **TIMES) as url:
        yield url, pipeline


def wait_until(condition, seconds=120):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it didn't happen in time"
        time.sleep(0.01)


def test_label_studio_is_answered_by_the_process(server):
    """What a project's configuration asks for is sent there, and what can't be sent would fail."""
    url, _ = server
    answer = predict(url, [TEXT])
    assert answer.status_code == 200 and regions(answer.json()["results"][0]["result"], "ner")


def health(url):
    """GET /api/health, which must be quick whatever the pipeline does."""
    return httpx.get(f"{url}/api/health", timeout=5)


def ask(url, texts):
    """The answers to requests that are sent at the same time."""
    with ThreadPoolExecutor(len(texts)) as pool:
        return list(pool.map(lambda text: annotate(url, {"text": text}, timeout=240), texts))


def test_texts_are_answered_as_the_pipeline_annotates_them(trained, server):
    expected = [json.loads(json.dumps(to_jsonl(trained(text)))) for text in TEXTS]
    assert expected[0]["relations"] and expected[0]["clusters"], "there is something to compare"
    url, _ = server
    answer = annotate(url, {"texts": TEXTS})
    with_html = annotate(url, {"text": TEXT, "html": True})
    version = httpx.get(f"{url}/api/version").json()
    assert same(answer.json()["docs"], expected)
    assert with_html.json()["html"].startswith('<div class="hmtl">')
    assert version["model"]["pipeline"] == ["sentencizer", "hmtl"]


def test_a_text_that_doesnt_end_costs_its_own_request(server, caplog):
    """Requests that wait meanwhile are answered."""
    url, pipeline = server
    first = pipeline.pid
    answers = ask(url, ["hang", "good", "boom", "die", "other"])
    assert [answer.status_code for answer in answers] == [504, 200, 500, 500, 200]
    assert annotate(url, {"text": TEXT}).status_code == 200  # starts it again if "die" came last
    assert pipeline.pid not in (None, first)
    slow, _, failed, died, _ = [answer.json().get("detail") for answer in answers]
    assert "text 1 of 1 in time. The pipeline took longer than 3 seconds" in slow
    assert failed.startswith("The pipeline failed on text 1 of 1 with ValueError.")
    assert died.startswith("Failed on text 1 of 1. The pipeline's process ended with exit code 3.")
    assert "The pipeline took longer than 3 seconds: its process is ended" in caplog.messages
    assert "The pipeline's process was started again" in caplog.messages


def test_a_process_that_is_killed_is_started_again(server):
    url, pipeline = server
    os.kill(pipeline.pid, signal.SIGKILL)
    wait_until(lambda: pipeline.pid is None)
    assert annotate(url, {"text": "nothing was lost"}, timeout=180).status_code == 200


def test_health_says_when_the_pipeline_cant_be_started_again(server, model):
    url, pipeline = server
    moved = model.with_name("moved")
    model.rename(moved)
    os.kill(pipeline.pid, signal.SIGKILL)
    wait_until(lambda: pipeline.pid is None)
    answer = annotate(url, {"text": "good"}, timeout=180)
    assert answer.status_code == 500 and "on text 1 of 1 with OSError" in answer.json()["detail"]
    wait_until(lambda: health(url).status_code == 503)
    assert health(url).json() == {"status": "stopped", "waiting": 0}
    moved.rename(model)
    assert annotate(url, {"text": "good"}, timeout=180).status_code == 200
    wait_until(lambda: health(url).json()["status"] == "ok")


def test_a_death_costs_one_text_and_closing_ends_a_text_that_doesnt_end(model):
    with started(model) as pipeline:
        with pytest.raises(Failed, match="boom") as caught:
            pipeline.annotate(["boom"], [False], 60.0)
        assert caught.value.kind == "ValueError"
        worker = Worker(pipeline, Limits(seconds=180.0, call=120.0))
        good, bad, other = worker.submit(["good", "die", "other"], False)
        assert [json.loads(future.result(240))["text"] for future in (good, other)] == ["good", "other"]
        with pytest.raises(Died, match="exit code 3"):
            bad.result(0)
        (running,) = worker.submit(["hang"], False)
        wait_until(running.running)
        (waiting,) = worker.submit(["waits"], False)
        start = time.monotonic()
        worker.close(60)
        assert time.monotonic() - start < 30
        assert waiting.cancelled() and pipeline.pid is None
        with pytest.raises(Died, match="closed|ended"):
            running.result(20)
        with pytest.raises(Died, match="closed"):
            pipeline.start()


def test_a_pipeline_that_cant_be_loaded(tmp_path):
    with pytest.raises(Failed, match="Can't find model"):
        PipelineProcess(partial(load_damaged, tmp_path / "nothing"))
    with pytest.raises(Died, match="exit code 7"):
        PipelineProcess(partial(os._exit, 7))


def test_threads_of_the_pipelines_process_dont_spin():
    """Its torch reads what its environment says."""
    with CONTEXT.Pool(1) as pool:
        assert pool.apply(os.getenv, ("GOMP_SPINCOUNT",)) == os.environ["GOMP_SPINCOUNT"] != ""
