"""Work on several cores: each piece in a thread that runs torch on that core alone."""

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from threading import Thread
from types import TracebackType
from typing import Any, Callable, Generic, Iterable, Iterator, List, Optional, Sized, Type, TypeVar

import torch

Result = TypeVar("Result")
Text = TypeVar("Text", bound=Sized)
OUTSIDE: ContextVar[Optional[int]] = ContextVar("OUTSIDE", default=None)


def cores() -> int:
    """How many threads torch uses in this one, also within `on_one_thread`: one for each core, unless set."""
    return OUTSIDE.get() or torch.get_num_threads()


@contextmanager
def on_one_thread() -> Iterator[None]:
    """Let torch use one thread in this one, for work that is many small products one after the other."""
    threads = torch.get_num_threads()
    outside = OUTSIDE.set(cores())
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        OUTSIDE.reset(outside)


class Piece(Generic[Result]):
    """What is to be done, and once it is begun, its result to be."""

    def __init__(self, work: Callable[[], Result]):
        self.work = work
        self.future: Optional[Future[Result]] = None

    def result(self) -> Result:
        """Wait for it. One that no thread has begun is done here, with all threads of torch."""
        return self.work() if self.future is None else self.future.result()


class SideBySide:
    """Does pieces of work at the same time, while a `with` block lasts; its threads end with the block.

    In each of its threads torch uses one. Recurrent steps and small products don't share out over cores, and
    threads that share them wait for each other where cores are busy. The process's own threads keep theirs.

    n: how many at a time. With 1 a piece is done where its result is asked for.
    """

    def __init__(self, n: int):
        self.n = n
        self.pool: Optional[ThreadPoolExecutor] = None
        self.last: Optional[Piece[Any]] = None

    def __enter__(self) -> "SideBySide":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)

    def add(self, work: Callable[[], Result], alone: bool = False) -> Piece[Result]:
        """Work for a thread. A piece that has none beside it waits for the next, or to be asked for.

        alone: not for a thread, but to be done with all of torch's when its result is asked for.
        """
        piece = Piece(work)
        if self.n == 1 or alone:
            return piece
        if self.last is not None:
            for waiting in (self.last, piece):
                self._begin(waiting)
        self.last = piece
        return piece

    def _begin(self, piece: Piece[Any]) -> None:
        if piece.future is None:
            if self.pool is None:
                threads = torch.get_num_threads()
                self.pool = ThreadPoolExecutor(self.n, "hmtl", _use_one_thread, (threads,))
            # Thinc keeps the operations of a thread in its context
            piece.future = self.pool.submit(copy_context().run, piece.work)


def _use_one_thread(threads: int) -> None:
    """In this thread. Torch would now begin all later ones with one, too: a thread that ends at once takes
    that back.

    threads: what torch uses in the others.
    """
    torch.get_num_threads()  # the first call of a thread sets its number to that of all
    torch.set_num_threads(1)
    restoring = Thread(target=torch.set_num_threads, args=(threads,))
    restoring.start()
    restoring.join()


def batches_of_words(docs: Iterable[Text], words: int) -> Iterator[List[Text]]:
    """Batches of at most so many words, or of one document."""
    batch: List[Text] = []
    n_words = 0
    for doc in docs:
        if batch and n_words + len(doc) > words:
            yield batch
            batch, n_words = [], 0
        batch.append(doc)
        n_words += len(doc)
    if batch:
        yield batch
