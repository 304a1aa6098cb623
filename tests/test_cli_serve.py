"""`spacy hmtl serve`: a process of its own under load, how it ends, and what it says before it begins."""

import asyncio
import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from random import Random

import httpx
import pytest
import spacy
from spacy.cli._util import app
from test_serve import same
from tiny import layers
from typer.testing import CliRunner

import hmtl_spacy.cli  # noqa: F401
from hmtl_spacy.data.writers.jsonl import to_jsonl
from hmtl_spacy.serve.server import GRACE

PEOPLE = ("Ann Lee", "Bob", "My mom", "Eva")
VERBS = ("works for Acme Corp", "lives in Lyon", "met Ann Lee", "sings", "lives in Rome")
SENTENCES = [f"{person} {verb} ." for person in PEOPLE for verb in VERBS]
# no sentence twice in a text: links to either would have the same score, and rounding would choose
TEXTS = [" ".join([f"She likes it {i} times .", *Random(i).sample(SENTENCES, i % 8)]) for i in range(200)]


@pytest.fixture(scope="module")
def model(trained_bytes, tmp_path_factory):
    config, weights = trained_bytes
    path = tmp_path_factory.mktemp("serve") / "model"
    spacy.util.load_model_from_config(config, auto_fill=False).from_bytes(weights).to_disk(path)
    return path


@contextmanager
def started(model, *options):
    """A server of its own. YIELDS: the process and its address."""
    command = [sys.executable, "-m", "spacy", "hmtl", "serve", str(model), "--port", "0", *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            lines = iter(process.stderr.readline, "")
            found = next(filter(None, (re.search(r"running on (http://\S+)", line) for line in lines)), None)
            assert found, "the server didn't start"
            yield process, found.group(1)
        finally:
            process.kill()


async def ask_all(url, texts):
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=120, limits=limits) as client:
        asked = [client.post(f"{url}/api/annotate", json={"text": text}) for text in texts]
        return await asyncio.gather(*asked)


def test_200_requests_at_once_are_answered_as_the_pipeline_does(model):
    nlp = spacy.load(model)
    docs = [nlp(text) for text in TEXTS]
    assert len({str(layers(doc)) for doc in docs}) > 20, "there is something to mix up"
    with started(model, "--limit-seconds", "120") as (_, url):
        answers = asyncio.run(ask_all(url, TEXTS))
        _check_names(url)
    assert [answer.status_code for answer in answers] == [200] * 200
    for answer, doc in zip(answers, docs, strict=True):
        assert same(answer.json(), json.loads(json.dumps(to_jsonl(doc))))


def _check_names(url):
    """Only this machine is served, and under its own names."""
    port = url.rpartition(":")[2]
    assert url.startswith("http://127.0.0.1:")
    assert httpx.get(f"http://localhost:{port}/api/health").status_code == 200
    refused = httpx.post(f"{url}/api/annotate", json={"text": "a"}, headers={"Host": f"evil.example:{port}"})
    assert refused.status_code == 400 and "host" in refused.text


def test_a_server_that_is_told_to_stop_answers_what_it_has_taken(model):
    async def ask_and_stop():
        asked = asyncio.create_task(ask_all(url, TEXTS[:100]))
        async with httpx.AsyncClient() as client:
            while not (await client.get(f"{url}/api/health")).json()["waiting"]:
                assert not asked.done(), "it was stopped while texts waited"
        process.terminate()
        return await asked

    # each text by itself, so that it takes a while
    with started(model, "--limit-together", "1") as (process, url):
        answers = asyncio.run(ask_and_stop())
        assert [answer.status_code for answer in answers] == [200] * 100
        _, log = process.communicate(timeout=60)
        assert "Application shutdown complete" in log and "Traceback" not in log
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)


HELD = "(" * 50_000  # the tokenizer needs minutes


def test_a_text_that_takes_too_long_holds_up_nothing(model):
    async def ask_and_look():
        async with httpx.AsyncClient(timeout=120) as client:
            asked = asyncio.create_task(ask_all(url, [HELD]))
            while not asked.done():
                assert (await client.get(f"{url}/api/health", timeout=5)).status_code == 200
                assert (await client.get(url, timeout=5)).status_code == 200
                await asyncio.wait([asked], timeout=0.1)
            return (await asked)[0], await client.post(f"{url}/api/annotate", json={"text": "Ann sings ."})

    options = ("--limit-unbroken", "50000", "--limit-seconds", "90", "--limit-call", "2")
    with started(model, *options) as (process, url):
        held, after = asyncio.run(ask_and_look())
        assert held.status_code == 504 and after.status_code == 200
        process.terminate()
        _, log = process.communicate(timeout=60)
    assert "The pipeline took longer than 2 seconds: its process is ended" in log
    assert "The pipeline's process was started again" in log


def test_a_server_that_is_told_to_stop_doesnt_wait_for_a_text_that_takes_too_long(model):
    async def ask_and_stop():
        asked = asyncio.gather(*[ask_all(url, [HELD]) for _ in range(2)], return_exceptions=True)
        async with httpx.AsyncClient(timeout=5) as client:
            while not (await client.get(f"{url}/api/health")).json()["waiting"]:
                assert not asked.done(), "it was stopped while one text waited for the other"
        process.terminate()
        # its process has the same standard error, which ends when both have ended
        await asyncio.to_thread(process.communicate, timeout=GRACE + 20)
        await asked

    with started(model, "--limit-unbroken", "50000", "--limit-call", "30") as (process, url):
        asyncio.run(ask_and_stop())
        assert process.returncode is not None


def test_a_server_that_is_killed_leaves_no_process(model):
    with started(model) as (process, _):
        process.kill()
        process.communicate(timeout=60)  # until its process's standard error ends too


@pytest.fixture
def run(monkeypatch):
    """Runs the command without a server. RETURNS: exit code, what it printed, what the server was given."""
    given = {}
    monkeypatch.setattr("uvicorn.run", lambda app, **options: given.update(options, app=app))

    def run(*arguments):
        result = CliRunner().invoke(app, ["hmtl", "serve", *map(str, arguments)])
        return result.exit_code, " ".join(result.output.split()), given

    return run


def test_it_says_when_other_machines_can_reach_it(run, model):
    code, output, given = run(model, "--host", "0.0.0.0")
    assert code == 0 and given["host"] == "0.0.0.0"
    assert "Other machines can reach this server at 0.0.0.0" in output
    code, output, given = run(model)
    assert code == 0 and given["host"] == "127.0.0.1"
    assert "Other machines" not in output


def test_options_reach_the_server(run, model):
    _, _, given = run(model, "--port", 8080, "--limit-seconds", 7, "--threads", 1)
    assert given["port"] == 8080 and given["timeout_graceful_shutdown"] == 8
    assert given["http"].whole == 21


def test_it_stops_before_what_manages_processes_kills_it(run, model):
    _, _, given = run(model, "--limit-seconds", 600)
    assert given["timeout_graceful_shutdown"] == GRACE < 10


def test_what_cant_be_served(run, model, tmp_path):
    code, output, _ = run(tmp_path / "nothing")
    assert code == 1 and "Can't find model" in output
    code, output, _ = run(model, "--limit-queue", 3)
    assert code == 1 and "a queue of 3 texts: a request may have 64" in output
    code, output, _ = run(model, "--limit-text", 2**30)
    assert code == 1 and "max_length is 1,073,741,823" in output


def test_it_names_what_to_install(run, model, monkeypatch):
    monkeypatch.setitem(sys.modules, "fastapi", None)
    code, output, _ = run(model)
    assert code == 1 and "Can't serve without fastapi" in output
    assert 'pip install "hmtl-spacy[serve]"' in output


def test_help_has_an_example(run):
    code, output, _ = run("--help")
    assert code == 0 and "Example: python -m spacy hmtl serve" in output
