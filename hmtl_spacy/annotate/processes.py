"""Batches through a function, in this process or in several, in order and few at a time."""

import os
import signal
import threading
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import parent_process
from typing import Callable, Iterable, Iterator, List, Optional, Tuple

from .batches import BatchResult
from .inputs import Batch, Item

Work = Callable[[List[Item]], BatchResult]
AHEAD = 2  # batches per process that wait for their turn or to be written

_work: Optional[Work] = None  # of this process, if it is one of several


def run_batches(work: Work, batches: Iterable[Batch], n_process: int) -> Iterator[Tuple[Batch, BatchResult]]:
    """Yield each batch without its items, and what the work made of it."""
    if n_process == 1:
        for batch in batches:
            yield batch._replace(items=[]), work(batch.items)
        return
    pool = ProcessPoolExecutor(n_process, initializer=_begin, initargs=(work,))
    waiting: deque = deque()
    try:
        for batch in batches:
            waiting.append((batch._replace(items=[]), pool.submit(_run, batch.items)))
            if len(waiting) == AHEAD * n_process:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)
    except BrokenProcessPool:
        advice = "Run the same command again to resume, with fewer processes if memory is short"
        raise RuntimeError(f"One of {n_process} processes died. What was done is kept. {advice}.") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _first(waiting: deque) -> Tuple[Batch, BatchResult]:
    batch, future = waiting.popleft()
    return batch, future.result()


def _begin(work: Work) -> None:
    global _work
    _work = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that is killed can't tell its children, which would wait for work forever."""
    parent = parent_process()
    assert parent is not None, "runs in children only"
    parent.join()
    os._exit(1)


def _run(items: List[Item]) -> BatchResult:
    assert _work is not None, "_begin runs first"
    return _work(items)
