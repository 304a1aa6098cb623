"""`annotate` on a Ray cluster of this machine against `nlp.pipe` and against the local engine."""

import atexit
import contextlib
import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List

import spacy
import torch

from .measure import Case, Measurement, Work
from .pipe import annotations
from .pipelines import Setup
from .report import Ratio
from .texts import count_words, joined

DOCUMENT_WORDS = 300
PASS_WORDS = 120_000
WORKERS = (1, 2)
BATCH_SIZE = 16  # so that there are many batches for each worker
TIMES = 20  # as much text for the driver alone
NAME = "static, documents of 300 words"


def groups(setup: Setup) -> List[List[Case]]:
    """One thread in every process that annotates; what it costs to begin isn't counted, but told."""
    words = 600 if setup.tiny else PASS_WORDS
    long = joined(setup.texts.all, words).split()
    texts = [" ".join(long[i : i + DOCUMENT_WORDS]) for i in range(0, len(long), DOCUMENT_WORDS)]
    texts = texts[: len(texts) // BATCH_SIZE * BATCH_SIZE or 1]  # whole batches
    settings = {"texts": texts, "path": setup.pipelines.path("static")}
    return [
        [
            Case(f"{NAME}: nlp.pipe", piped, settings),
            Case(f"{NAME}: local engine", annotated, settings),
            *(Case(f"{NAME}: Ray, workers {n}", annotated, {**settings, "workers": n}) for n in WORKERS),
            Case(f"{NAME}: Ray's driver", annotated, {**settings, "workers": 1, "times": TIMES}),
        ]
    ]


def ratios(measured: Dict[str, Measurement]) -> Iterator[Ratio]:
    seconds = {name.removeprefix(f"{NAME}: "): m.median for name, m in measured.items()}
    one, two = (seconds[f"Ray, workers {n}"] for n in WORKERS)
    yield Ratio(7, "Ray, one worker: seconds over those of nlp.pipe", one / seconds["nlp.pipe"], "<=", 1.25)
    local = one / seconds["local engine"]
    yield Ratio(7, "Ray, one worker: seconds over the local engine's", local, "<=", 1.25)
    yield Ratio(7, "Ray, two workers: speed over that of one", one / two, ">=", 1.9)


def piped(texts: List[str], path: Path) -> Work:
    torch.set_num_threads(1)
    nlp = spacy.load(path)

    def run():
        with nlp.memory_zone():  # as annotate does
            return annotations(nlp.pipe(texts, batch_size=BATCH_SIZE))

    return Work(run, count_words(texts))


def annotated(texts: List[str], path: Path, workers: int = 0, times: int = 0) -> Work:
    """JSON lines to JSON lines.

    workers: of Ray's engine; 0 for the local one.
    times: the texts so many times, and a worker that remembers what it made of them, so that only the driver
        and Ray take time.
    """
    from hmtl_spacy.annotate import Ray, annotate

    folder = Path(tempfile.mkdtemp())
    source, out = folder / "in.jsonl", folder / "out.jsonl"
    texts = texts * max(1, times)
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf8")
    few = folder / "few.jsonl"
    few.write_text(json.dumps({"text": texts[0]}) + "\n", encoding="utf8")
    torch.set_num_threads(1)
    nlp, stack = spacy.load(path), contextlib.ExitStack()
    stack.callback(shutil.rmtree, folder)
    if workers:
        stack.enter_context(cluster(workers))
        keep_workers(times > 0)
    atexit.register(stack.close)
    engine: Any = Ray(workers=workers) if workers else "local"

    def seconds(source: Path) -> float:
        start = time.perf_counter()
        annotate(nlp, source, out, engine=engine, batch_size=BATCH_SIZE, overwrite=True)
        return time.perf_counter() - start

    def run():
        begin = seconds(few)
        whole = seconds(source)
        return {"seconds": whole - begin, "seconds to begin": begin, "bytes": float(out.stat().st_size)}

    return Work(run, count_words(texts) - count_words(texts[:1]))


@contextlib.contextmanager
def cluster(n_cpus: int) -> Iterator[None]:
    os.environ.setdefault("RAY_worker_niceness", "0")  # as that of what it is compared with
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # else a token is written into the home
    import ray

    ray.init("local", num_cpus=n_cpus, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        yield
    finally:
        ray.shutdown()


def keep_workers(remembering: bool) -> None:
    """Workers are started in the first pass, which doesn't count, and used again in the others."""
    from hmtl_spacy.annotate import ray_pool
    from hmtl_spacy.annotate.remote import Worker

    class Remembering(Worker):
        def annotate(self, items):
            known = self.__dict__.setdefault("known", {})
            key = items[0].payload
            if key not in known:
                known[key] = super().annotate(items)
            return known[key]

    hire, actors = ray_pool.Pool._hire, []
    ray_pool.Worker = Remembering if remembering else Worker
    ray_pool.Pool._hire = lambda pool: actors.pop() if actors else hire(pool)
    ray_pool.Pool._dismiss = lambda pool, actor: actors.append(actor)
