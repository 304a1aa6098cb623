"""One thread owns the pipeline and annotates what waits, many texts in one call."""

from collections import deque
from concurrent.futures import Future
from contextvars import copy_context
from threading import Condition, Thread
from typing import Any, Callable, Deque, List, NamedTuple, Sequence

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import logger


class Busy(Exception):
    """Too many texts are waiting; no more are accepted."""


class Job(NamedTuple):
    """A text that waits.

    describe: turns its document into the answer; no document leaves the thread.
    """

    text: str
    describe: Callable[[Doc], Any]
    future: Future


class Worker:
    """Annotates texts in the order in which they came.

    nlp: the pipeline; from now on only the worker's thread uses it.
    together: how many characters go through the pipeline in one call; a longer text goes alone.
    queue: how many texts may wait.
    """

    def __init__(self, nlp: Language, together: int, queue: int):
        self.nlp = nlp
        self.together = together
        self.queue = queue
        self._waiting: Deque[Job] = deque()
        self._changed = Condition()
        self._closed = False
        # the context says which device Thinc uses, and a new thread has an empty one
        self._thread = Thread(target=copy_context().run, args=(self._run,), name="hmtl-worker", daemon=True)
        self._thread.start()

    def submit(self, texts: Sequence[str], describe: Callable[[Doc], Any]) -> List[Future]:
        """Add texts to the queue, all of them or none.

        describe: turns a document into the answer, called in the worker's thread.
        RETURNS: For each text its result, or the error that the pipeline raised on it. A text that is
            cancelled before its turn is not annotated.
        RAISES: `Busy` if too many are waiting, or if the worker is closed.
        """
        jobs = [Job(text, describe, Future()) for text in texts]
        with self._changed:
            if self._closed or len(self._drop_cancelled()) + len(jobs) > self.queue:
                raise Busy
            self._waiting.extend(jobs)
            self._changed.notify()
        return [job.future for job in jobs]

    def is_alive(self) -> bool:
        return self._thread.is_alive() and not self._closed

    def waiting(self) -> int:
        """How many texts are waiting."""
        with self._changed:
            return len(self._drop_cancelled())

    def close(self, timeout: float = 5.0) -> None:
        """Cancel the texts that wait, and finish those that have begun.

        timeout: how many seconds to wait for that.
        """
        with self._changed:
            self._closed = True
            for job in self._waiting:
                job.future.cancel()
            self._changed.notify()
        self._thread.join(timeout)

    def _drop_cancelled(self) -> Deque[Job]:
        self._waiting = deque(job for job in self._waiting if not job.future.cancelled())
        return self._waiting

    def _run(self) -> None:
        while jobs := self._take():
            self._annotate(jobs)

    def _take(self) -> List[Job]:
        """The next jobs, as many as fit together; waits for one, and has none when closed."""
        jobs: List[Job] = []
        size = 0
        with self._changed:
            while not jobs and not self._closed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                while self._waiting and (not jobs or size + len(self._waiting[0].text) <= self.together):
                    job = self._waiting.popleft()
                    if job.future.set_running_or_notify_cancel():
                        jobs.append(job)
                        size += len(job.text)
        return jobs

    def _annotate(self, jobs: List[Job]) -> None:
        """Annotate jobs together; if that fails, each by itself, so that an error is of its text only."""
        try:
            results = self._describe(jobs)
        except Exception as err:
            failure = err
        else:
            for job, result in zip(jobs, results):
                job.future.set_result(result)
            return
        if len(jobs) > 1:
            for job in jobs:
                self._annotate([job])
        else:
            logger.error("The pipeline failed on a text of a request", exc_info=failure)
            jobs[0].future.set_exception(failure.with_traceback(None))

    def _describe(self, jobs: List[Job]) -> List[Any]:
        # what one request's words leave in the vocabulary is gone when the zone ends
        with self.nlp.memory_zone():
            docs = self.nlp.pipe([job.text for job in jobs], batch_size=len(jobs))
            results = [job.describe(doc) for doc, job in zip(docs, jobs)]
        if len(results) != len(jobs):  # its error handler drops what fails
            raise RuntimeError(f"The pipeline returned {len(results)} documents for {len(jobs)} texts.")
        return results
