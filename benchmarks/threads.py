"""Batches side by side, each on a core, or each on all of them; also where other processes want the cores."""

import multiprocessing
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, List, Optional

import torch

from .measure import Case, Measurement, Work
from .pipe import CONFIGS, piped
from .pipelines import Setup
from .report import Ratio

BUSY = 2
# torch's threads and the component's
WAYS = {"one thread": (1, 1), "each batch on all threads": (None, 1), "side by side": (None, None)}


def groups(setup: Setup) -> List[List[Case]]:
    """Each config idle, and beside busy processes."""
    return [
        [
            Case(
                name_of(name, way, n_busy),
                on_threads,
                {
                    "texts": setup.texts.all,
                    "path": setup.pipelines.path(name),
                    "torch_threads": torch_threads,
                    "threads": threads,
                    "n_busy": n_busy,
                },
            )
            for way, (torch_threads, threads) in WAYS.items()
        ]
        for name in CONFIGS
        for n_busy in (0, BUSY)
    ]


def ratios(measured: Dict[str, Measurement]) -> Iterator[Ratio]:
    speed = {name: m.words_per_second for name, m in measured.items()}
    for name in CONFIGS:
        idle, busy = speed[name_of(name, "side by side", 0)], speed[name_of(name, "side by side", BUSY)]
        all_threads = speed[name_of(name, "each batch on all threads", 0)]
        yield Ratio(
            7, f"{name}, side by side: words/s over each batch on all threads", idle / all_threads, ">=", 1.0
        )
        yield Ratio(7, f"{name}, beside {BUSY} busy processes: words/s over idle", busy / idle, ">=", 0.45)


def name_of(name: str, way: str, n_busy: int) -> str:
    return f"{name}, {way}" + (f", beside {n_busy} busy processes" if n_busy else "")


def on_threads(
    texts: List[str], path: Path, torch_threads: Optional[int], threads: Optional[int], n_busy: int
) -> Work:
    if torch_threads is not None:
        torch.set_num_threads(torch_threads)
    work = piped(texts, path, batch_size=32, threads=threads)

    def run():
        with busy_processes(n_busy):
            return work.run()

    return Work(run, work.words)


@contextmanager
def busy_processes(n: int) -> Iterator[None]:
    context = multiprocessing.get_context("fork")  # which starts at once
    processes = [context.Process(target=_spin, daemon=True) for _ in range(n)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


def _spin() -> None:
    while True:
        pass
