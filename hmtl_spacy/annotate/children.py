"""A process that annotates for another one, and what is left of a batch that ends it."""

import os
import signal
import threading
from contextlib import suppress
from multiprocessing import Pipe, Process, parent_process
from multiprocessing.connection import Connection
from typing import Any, Callable, List, Optional, Tuple

from thinc.compat import torch

from .batches import BatchResult, add_results
from .inputs import Item

Work = Callable[[List[Item]], BatchResult]
OOM_SCORE = "500"  # of 1000: when memory runs out, Linux ends the child, not its parent


class Died(Exception):
    """A child that ended while it worked."""


class Child:
    """A process that does the work; everything that it sends is received in order."""

    def __init__(self, work: Work):
        self.connection, theirs = Pipe()
        self.process = Process(target=_serve, args=(work, theirs))
        self.process.start()
        theirs.close()
        self.begun = False

    def send(self, items: List[Item]) -> None:
        with suppress(OSError):  # it has died: `receive` says so
            self.connection.send(items)

    def receive(self) -> Optional[BatchResult]:
        """What it made of a batch; first of all, that it has begun: None."""
        try:
            done, error = self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            how = _describe(self.process.exitcode)
            if self.begun:
                raise Died(how) from None
            raise RuntimeError(f"A process to annotate in ended before it could begin ({how}).") from None
        self.begun = True
        if error:
            raise RuntimeError(f"A process that annotates failed: {error}")
        return done

    def end(self) -> None:
        self.process.terminate()
        self.process.join()
        self.connection.close()


class Apart:
    """Work in a child of its own, in another one after each that died."""

    def __init__(self, work: Work):
        self.work = work
        self.child: Optional[Child] = Child(work)

    def __enter__(self) -> "Apart":
        return self

    def __exit__(self, *error: object) -> None:
        if self.child is not None:
            self.child.end()

    def run(self, items: List[Item]) -> BatchResult:
        """Annotate a batch; if it ends the child, each document alone, and report those that do so again."""
        try:
            return self._try(items)
        except Died as death:
            if len(items) == 1:
                return self.work([_deadly(items[0], death)])
        return add_results([self._run_alone(item) for item in items])

    def _run_alone(self, item: Item) -> BatchResult:
        try:
            return self._try([item])
        except Died as death:
            return self.work([_deadly(item, death)])

    def _try(self, items: List[Item]) -> BatchResult:
        self.child = self.child or Child(self.work)
        self.child.send(items)
        try:
            while (result := self.child.receive()) is None:
                pass
            return result
        except Died:
            self.child.end()
            self.child = None
            raise


def _deadly(item: Item, death: Died) -> Item:
    return item._replace(payload=None, error=f"annotating it ended the process, again when alone: {death}")


def _describe(code: Optional[int]) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    return f"{name}, perhaps since memory was short" if name == "SIGKILL" else name


def _serve(work: Work, connection: "Connection[Any, Any]") -> None:
    """What a child does: each batch that comes, until its parent ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _be_modest()
    connection.send((None, ""))
    answer: Tuple[Optional[BatchResult], str]
    while True:
        items = connection.recv()
        try:
            answer = work(items), ""
        except Exception as err:
            answer = None, f"{type(err).__name__}: {err}"
        connection.send(answer)


def _be_modest() -> None:
    """Several processes on one machine: one thread each, and none that is more important than the parent."""
    if torch is not None:
        torch.set_num_threads(1)
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # on Linux
        file.write(OOM_SCORE)


def _end_with_parent() -> None:
    """A parent that is killed can't tell its children, which would wait for work forever."""
    parent = parent_process()
    assert parent is not None, "runs in children only"
    parent.join()
    os._exit(1)
