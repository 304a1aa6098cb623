"""A pipeline in a process of its own, which is ended and started again where that is needed."""

import atexit
import os
import signal
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from threading import Lock, Thread
from typing import Any, Callable, List, Optional, Sequence

from spacy.language import Language
from spacy.util import logger

from .pipeline import About, Pipeline

CONTEXT = get_context("spawn")  # torch doesn't survive a fork
# Of libgomp, which reads it where torch is loaded next: threads that wait leave their core to others at once.
os.environ.setdefault("GOMP_SPINCOUNT", "0")
LOADING = 600.0  # seconds until a pipeline must have been loaded


class Failed(Exception):
    """The pipeline raised an error in its process.

    kind: the error's class.
    """

    def __init__(self, kind: str, message: str):
        super().__init__(kind, message)  # so that it can be pickled
        self.kind = kind
        self.message = message

    def __str__(self) -> str:
        return self.message


class Overran(Exception):
    """The pipeline needed more time than it had, and its process was ended."""


class Died(Exception):
    """The pipeline's process ended by itself, or somebody ended it."""


class PipelineProcess:
    """Annotates texts in another process, which has the only copy of the pipeline.

    The process is started at once, and again after it was ended or has died.

    load: loads the pipeline there; a function that can be pickled, such as `partial(spacy.load, "path")`.
    RAISES: `Failed`, `Died` or `Overran` if it can't be loaded.
    """

    def __init__(self, load: Callable[[], Language]):
        self._load = load
        self._lock = Lock()
        self._closed = False
        self._process: Optional[Any] = None
        self._connection: Any = None
        atexit.register(self.close)
        self.about: About = self._start()

    @property
    def pid(self) -> Optional[int]:
        """The number of the process, if one runs."""
        process = self._process
        return process.pid if process is not None and process.is_alive() else None

    def start(self) -> None:
        if self.pid is None:
            self._start()
            logger.warning("The pipeline's process was started again")

    def annotate(self, texts: Sequence[str], forms: Sequence[Any], seconds: float) -> List[Any]:
        self.start()
        try:
            self._connection.send((texts, forms))
        except OSError:
            raise self._died() from None
        return self._receive(seconds)

    def close(self) -> None:
        """End the process at once."""
        atexit.unregister(self.close)
        with self._lock:
            self._closed = True
        self._end()

    def _start(self) -> About:
        self._connection, theirs = CONTEXT.Pipe()
        process = CONTEXT.Process(target=_run, args=(theirs, self._load), name="hmtl-pipeline", daemon=True)
        with self._lock:  # nothing is started after `close`
            if self._closed:
                raise Died("The pipeline was closed.")
            process.start()
            self._process = process
        theirs.close()  # so that the other end is the only one, and its end is noticed
        try:
            return self._receive(LOADING)
        except Failed:
            self._end()
            raise

    def _receive(self, seconds: float) -> Any:
        try:
            if not self._connection.poll(seconds):
                logger.warning("The pipeline took longer than %g seconds: its process is ended", seconds)
                self._end()
                raise Overran(f"The pipeline took longer than {seconds:g} seconds.")
            answer = self._connection.recv()
        except (EOFError, OSError):
            raise self._died() from None
        if isinstance(answer, Failed):
            raise answer
        return answer

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()  # it may be deep in a function that answers to nothing else
            self._process.join()

    def _died(self) -> Died:
        self._end()
        code = getattr(self._process, "exitcode", None)
        if not self._closed:
            logger.error("The pipeline's process ended with exit code %s", code)
        return Died(f"The pipeline's process ended with exit code {code}.")


def _run(connection: Connection, load: Callable[[], Language]) -> None:
    """Annotate what the parent sends until it ends. Signals are for the parent, which ends this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        pipeline = Pipeline(load())
    except Exception as err:
        connection.send(Failed(type(err).__name__, str(err)))
        return
    connection.send(pipeline.about)
    while True:
        try:
            texts, forms = connection.recv()
        except EOFError:
            return
        try:
            answer: Any = pipeline.annotate(texts, forms, 0.0)
        except Exception as err:
            answer = Failed(type(err).__name__, str(err))
        connection.send(answer)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None, "runs in children only"
    parent.join()
    os._exit(1)
