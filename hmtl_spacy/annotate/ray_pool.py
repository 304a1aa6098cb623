"""Batches through the workers of a Ray cluster, in order and few at a time. Workers and nodes may die."""

import time
import warnings
from collections import deque
from dataclasses import dataclass, field
from math import inf
from typing import Any, Deque, Dict, Generator, Iterable, List, Optional, Tuple

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from .batches import Annotator, BatchResult, add_results
from .cluster import Ray
from .inputs import Batch, Item
from .places import readable
from .processes import AHEAD, Done
from .remote import Worker, pack

PATIENCE = 60  # seconds until somebody is told that there are no workers yet
STILLBORN = 3  # workers that may end before they begin, beside one for each that was asked for


@dataclass
class Job:
    """Documents that a worker gets at once: those of a batch, or one of them.

    alone: whether it is one of a batch that failed.
    deaths: how many workers have ended on it whose nodes live.
    parts: its documents as jobs of their own, once they are.
    """

    items: List[Item]
    alone: bool = False
    deaths: int = 0
    result: Optional[BatchResult] = None
    parts: List["Job"] = field(default_factory=list)

    def finish(self) -> Optional[BatchResult]:
        """The result, if there is one yet."""
        results = [part.result for part in self.parts]
        if self.result is None and self.parts and None not in results:
            self.result = add_results([result for result in results if result is not None])
        return self.result


@dataclass(eq=False)
class Employed:
    """A worker as the driver sees it.

    node: where it is, "" until it has begun. deadline: when its job must be done.
    """

    actor: Any
    node: str = ""
    job: Optional[Job] = None
    deadline: float = inf


class Death:
    """A worker that ended while it worked on a job; it is the job's fault only if the node lives."""

    def __init__(self, job: Job, why: str, late: bool):
        self.job = job
        self.why = why
        self.late = late


class Pool:
    """So many workers. One that dies is replaced, and its job given to another.

    work: what the workers do, here: it makes the results of documents that nobody can annotate.
    """

    def __init__(self, work: Annotator, engine: Ray, n_workers: int):
        self.work = work
        self.engine = engine
        self.n_workers = n_workers
        self.parcel = ray.put(pack(work, engine.model))
        self.waiting: Deque[Tuple[Batch, Job]] = deque()  # until they are done, and all before them
        self.queue: Deque[Job] = deque()  # of these, those that no worker has
        self.idle: List[Employed] = []
        self.running: Dict[Any, Employed] = {}  # by what they promised
        self.asked: Dict[Any, Death] = {}  # by whether the node lives
        self.stillborn = 0

    def run(self, batches: Iterable[Batch]) -> Generator[Done, None, None]:
        try:
            for _ in range(self.n_workers):
                self._employ()
            for batch in batches:
                job = Job(batch.items)
                self.waiting.append((batch._replace(items=[]), job))
                self.queue.append(job)
                self._assign()
                if len(self.waiting) == AHEAD * self.n_workers:
                    yield self._first()
            while self.waiting:
                yield self._first()
        finally:
            for worker in (*self.idle, *self.running.values()):
                self._dismiss(worker.actor)

    def _first(self) -> Done:
        batch, job = self.waiting[0]
        while (result := job.finish()) is None:
            self._step()
        self.waiting.popleft()
        return batch, result

    def _employ(self) -> None:
        actor, cpus = self._hire(), self.engine.cpus_per_worker
        begun = actor.begin.remote(self.parcel, max(1, int(cpus)), self.engine.gpus_per_worker > 0)
        self.running[begun] = Employed(actor)

    def _hire(self) -> Any:
        cpus, gpus = self.engine.cpus_per_worker, self.engine.gpus_per_worker
        return ray.remote(Worker).options(num_cpus=cpus, num_gpus=gpus, max_restarts=0).remote()

    def _dismiss(self, actor: Any) -> None:
        ray.kill(actor)

    def _assign(self) -> None:
        """Only workers that have begun are idle, so no job waits for a machine that may never come."""
        while self.idle and (job := self._next()) is not None:
            worker = self.idle.pop()
            worker.job = job
            worker.deadline = time.monotonic() + (self.engine.timeout or inf)
            self.running[worker.actor.annotate.remote(job.items)] = worker

    def _next(self) -> Optional[Job]:
        """Suspects go one by one: where memory is short, Ray may end other workers than the guilty one."""
        suspected = any(worker.job is not None and worker.job.alone for worker in self.running.values())
        for i, job in enumerate(self.queue):
            if not (suspected and job.alone):
                del self.queue[i]
                return job
        return None

    def _step(self) -> None:
        """Wait for whatever happens next."""
        deadline = min((worker.deadline for worker in self.running.values()), default=inf)
        seconds = min(PATIENCE, max(0.0, deadline - time.monotonic()))
        ready, _ = ray.wait([*self.running, *self.asked], timeout=seconds)
        for ref in ready:
            if ref in self.asked:
                self._judge(ref)
            else:
                self._receive(ref)
        late = [ref for ref, worker in self.running.items() if worker.deadline <= time.monotonic()]
        for ref in late:
            self._lose(self.running.pop(ref), f"more than {self.engine.timeout:g} seconds", late=True)
        if not ready and not late and not any(w.node for w in (*self.idle, *self.running.values())):
            why = "the cluster has no room, or needs long to start one"
            warnings.warn(f"No worker is up yet: {why}.", stacklevel=2)
        self._assign()

    def _receive(self, ref: Any) -> None:
        worker = self.running.pop(ref)
        try:
            answer = ray.get(ref)
        except RayTaskError as err:
            raise RuntimeError(f"A worker failed: {readable(err.cause)}") from None
        except RayError as err:
            self._lose(worker, readable(err).strip().splitlines()[0])
            return
        if worker.job is None:
            worker.node, self.stillborn = answer, 0
        else:
            worker.job.result, worker.job, worker.deadline = answer, None, inf
        self.idle.append(worker)

    def _lose(self, worker: Employed, why: str, late: bool = False) -> None:
        self._dismiss(worker.actor)
        if worker.job is not None:
            here = NodeAffinitySchedulingStrategy(worker.node, soft=False)
            alive = _alive.options(num_cpus=0, max_retries=0, scheduling_strategy=here)
            self.asked[alive.remote()] = Death(worker.job, why, late)
        else:
            self.stillborn += 1
            if self.stillborn > STILLBORN + self.n_workers:
                raise RuntimeError(f"Workers end before they can begin: {why}")
        self._employ()

    def _judge(self, ref: Any) -> None:
        """A death counts if the node answers; else it was the node's, and the job has done nothing."""
        death = self.asked.pop(ref)
        job = death.job
        try:
            ray.get(ref)
            job.deaths += 1
        except RayError:
            self.queue.appendleft(job)
            return
        if job.deaths < (1 if death.late or job.alone else 2):
            self.queue.appendleft(job)
        elif len(job.items) == 1:
            job.result = self.work([_deadly(job.items[0], death)])
        else:
            job.parts = [Job([item], alone=True) for item in job.items]
            self.queue.extendleft(reversed(job.parts))


@ray.remote
def _alive() -> None:
    """A node that runs this lives."""


def _deadly(item: Item, death: Death) -> Item:
    what = "took too long" if death.late else "ended the worker's process"
    return item._replace(payload=None, error=f"annotating it {what}, again when alone: {death.why}")
