"""Batches through a function, in this process or in several, in order and few at a time."""

from collections import deque
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Deque, Dict, Generator, Iterable, Iterator, Optional, Tuple

from .batches import BatchResult
from .children import Apart, Child, Died, Work
from .inputs import Batch

AHEAD = 2  # batches per process that wait for their turn or to be written

Done = Tuple[Batch, BatchResult]


def run_batches(
    work: Work, batches: Iterable[Batch], n_process: int, careful: bool = False
) -> Generator[Done, None, None]:
    """Yield each batch without its items, and what the work made of it.

    careful: the first batch may be the one that ended an earlier run, so it is done in another process.
    """
    if n_process > 1:
        yield from Pool(work, n_process).run(batches)
        return
    for batch in batches:
        result = _run_apart(work, batch) if careful else work(batch.items)
        careful = False
        yield batch._replace(items=[]), result


def _run_apart(work: Work, batch: Batch) -> BatchResult:
    try:
        apart = Apart(work)
    except Exception:  # a pipeline that can't be pickled, or a process that may not have children
        return work(batch.items)
    with apart:
        return apart.run(batch.items)


@dataclass
class Task:
    """A batch on its way."""

    batch: Batch
    result: Optional[BatchResult] = None


class Pool:
    """Several processes that annotate. One that dies is replaced, and its batch done again on its own.

    n_process: how many.
    """

    def __init__(self, work: Work, n_process: int):
        self.work = work
        self.n_process = n_process
        self.waiting: Deque[Task] = deque()  # until they are done, and all before them
        self.queue: Deque[Task] = deque()  # of these, those that no process has begun
        self.idle: Deque[Child] = deque()
        self.busy: Dict[Child, Task] = {}

    def run(self, batches: Iterable[Batch]) -> Iterator[Done]:
        try:
            for _ in range(self.n_process):
                self.idle.append(Child(self.work))
            for batch in batches:
                task = Task(batch)
                self.waiting.append(task)
                self.queue.append(task)
                self._assign()
                if len(self.waiting) == AHEAD * self.n_process:
                    yield self._first()
            while self.waiting:
                yield self._first()
        finally:
            for child in (*self.idle, *self.busy):
                child.end()

    def _first(self) -> Done:
        while self.waiting[0].result is None:
            ready = wait([child.connection for child in self.busy])
            for child in [child for child in self.busy if child.connection in ready]:
                self._receive(child)
            self._assign()
        task = self.waiting.popleft()
        assert task.result is not None, "that is what was waited for"
        return task.batch._replace(items=[]), task.result

    def _assign(self) -> None:
        while self.idle and self.queue:
            child, task = self.idle.popleft(), self.queue.popleft()
            self.busy[child] = task
            child.send(task.batch.items)

    def _receive(self, child: Child) -> None:
        try:
            result = child.receive()
        except Died:
            task = self.busy.pop(child)
            child.end()
            with Apart(self.work) as apart:
                task.result = apart.run(task.batch.items)
            self.idle.append(Child(self.work))
            return
        if result is not None:
            self.busy[child].result = result
            del self.busy[child]
            self.idle.append(child)
