"""One thread asks the pipeline to annotate what waits, many texts in one call."""

from collections import deque
from concurrent.futures import Future
from contextvars import copy_context
from threading import Condition, Thread
from time import monotonic
from typing import Any, Deque, List, NamedTuple, Sequence

from spacy.util import logger

from .limits import Limits
from .pipeline import AnyPipeline


class Busy(Exception):
    """Too many texts are waiting; no more are accepted."""


class Job(NamedTuple):
    """A text that waits.

    form: the form of its answer, for the pipeline.
    ends: when nobody waits for it any more.
    """

    text: str
    form: Any
    future: Future
    ends: float


class Worker:
    """Annotates texts in the order in which they came.

    pipeline: from now on only the worker's thread uses it.
    limits: how many texts may wait, how much goes through the pipeline in one call (a text that is longer
        goes alone), and how long that may take.
    """

    def __init__(self, pipeline: AnyPipeline, limits: Limits):
        self.pipeline = pipeline
        self.limits = limits
        self._ready = True
        self._waiting: Deque[Job] = deque()
        self._changed = Condition()
        self._closed = False
        # the context says which device Thinc uses, and a new thread has an empty one
        self._thread = Thread(target=copy_context().run, args=(self._run,), name="hmtl-worker", daemon=True)
        self._thread.start()

    def submit(self, texts: Sequence[str], form: Any) -> List[Future]:
        """Add texts to the queue, all of them or none.

        form: the form of their answers, for the pipeline.
        RETURNS: For each text its result, or the error that the pipeline raised on it. A text that is
            cancelled before its turn is not annotated.
        RAISES: `Busy` if too many are waiting, or if the worker is closed.
        """
        ends = monotonic() + self.limits.seconds
        jobs = [Job(text, form, Future(), ends) for text in texts]
        with self._changed:
            if self._closed or len(self._drop_cancelled()) + len(jobs) > self.limits.queue:
                raise Busy
            self._waiting.extend(jobs)
            self._changed.notify()
        return [job.future for job in jobs]

    def is_alive(self) -> bool:
        return self._thread.is_alive() and self._ready and not self._closed

    def waiting(self) -> int:
        """How many texts are waiting."""
        with self._changed:
            return len(self._drop_cancelled())

    def close(self, timeout: float = 5.0) -> None:
        """Cancel the texts that wait; those that have begun end with the pipeline's process, if it has one.

        timeout: how many seconds to wait for a pipeline that can't be ended.
        """
        with self._changed:
            self._closed = True
            for job in self._waiting:
                job.future.cancel()
            self._changed.notify()
        self.pipeline.close()
        self._thread.join(timeout)

    def _drop_cancelled(self) -> Deque[Job]:
        self._waiting = deque(job for job in self._waiting if not job.future.cancelled())
        return self._waiting

    def _run(self) -> None:
        while jobs := self._take():
            self._annotate(jobs)
            self._get_ready()

    def _get_ready(self) -> None:
        """Start a process that has ended, before the next text waits for it."""
        try:
            self.pipeline.start()
            self._ready = True
        except Exception as err:
            self._ready = False
            if not self._closed:
                logger.error("The pipeline can't be started again: %s", err)

    def _take(self) -> List[Job]:
        """The next jobs, as many as fit together; waits for one, and has none when closed."""
        jobs: List[Job] = []
        size = 0
        with self._changed:
            while not jobs and not self._closed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                while self._waiting and (
                    not jobs or size + len(self._waiting[0].text) <= self.limits.together
                ):
                    job = self._waiting.popleft()
                    if job.future.set_running_or_notify_cancel():
                        jobs.append(job)
                        size += len(job.text)
        return jobs

    def _annotate(self, jobs: List[Job]) -> None:
        """Annotate jobs together; if that fails, each by itself, so that an error is of its text only."""
        texts, forms, futures, ends = zip(*jobs)
        if max(ends) < monotonic():  # those before it took too long
            for future in futures:
                future.set_exception(TimeoutError("The texts before it took too long."))
            return
        try:
            answers = self.pipeline.annotate(texts, forms, self.limits.call_seconds)
        except Exception as err:
            failure = err.with_traceback(None)
        else:
            for future, answer in zip(futures, answers):
                future.set_result(answer)
            return
        if len(jobs) > 1:
            for job in jobs:
                self._annotate([job])
        else:
            futures[0].set_exception(failure)
