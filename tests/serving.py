"""A server in a thread of the tests, and what its pipeline was asked."""

import os
from contextlib import contextmanager
from threading import Event, Thread

import pytest
import uvicorn
from spacy.util import load_model, load_model_from_config

from hmtl_spacy.serve import Limits
from hmtl_spacy.serve.app import create_app
from hmtl_spacy.serve.server import watched_protocol


@contextmanager
def serving(pipeline, hosts=("127.0.0.1",), **limits):
    """The address of a server for a pipeline."""
    limits = Limits(**limits)
    with running(create_app(pipeline, limits, hosts), limits) as url:
        yield url


@contextmanager
def running(app, limits):
    """The address of a server for an application."""
    config = uvicorn.Config(app, port=0, log_level="error", http=watched_protocol(limits))
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server didn't start"
        thread.join(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive(), "the server didn't stop"


class Watched:
    """Notes what a pipeline is asked, raises on texts with "boom", and can be held up."""

    def __init__(self, nlp, monkeypatch):
        self.calls = []
        self.free = Event()
        self.free.set()
        self.begun = Event()
        self._pipe = nlp.pipe
        monkeypatch.setattr(nlp, "pipe", self.pipe)

    def pipe(self, texts, **options):
        self.calls.append(list(texts))
        self.begun.set()
        assert self.free.wait(20)
        if any("boom" in text for text in self.calls[-1]):
            raise ValueError("boom")
        return self._pipe(texts, **options)

    def hold(self):
        self.begun.clear()
        self.free.clear()


@contextmanager
def watched_server(trained_bytes, **limits):
    """The address of a server for a pipeline of its own, and what that is asked."""
    config, weights = trained_bytes
    nlp = load_model_from_config(config, auto_fill=False).from_bytes(weights)
    with pytest.MonkeyPatch.context() as monkeypatch:
        watched = Watched(nlp, monkeypatch)
        with serving(nlp, **limits) as url:
            yield url, watched


def load_damaged(path):
    """A pipeline that never ends on texts with "hang", and whose process ends on texts with "die"."""
    nlp = load_model(path)
    pipe = nlp.pipe

    def damaged(texts, **options):
        if any("hang" in text for text in texts):
            sum(range(10**15))  # in C: no other thread and no signal's handler gets a turn
        if any("die" in text for text in texts):
            os._exit(3)
        if any("boom" in text for text in texts):
            raise ValueError("boom")
        return pipe(texts, **options)

    nlp.pipe = damaged
    return nlp
