"""One run at a time for one output: a lock that ends with its process, however that ends."""

import errno
import json
import os
import socket
import sys
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Iterator, Optional, Set

from .places import beside, readable

UNSUPPORTED = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)  # file systems without locks

_held: Set[int] = set()  # descriptors of this process


class Held(RuntimeError):
    """Another process has the lock; the message says which."""


@contextmanager
def locked(out_path: Path) -> Iterator[None]:
    """Hold OUT.lock, or say who does. The system releases it when the process dies; a rerun takes it over."""
    path = beside(out_path.resolve(), ".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = _take(path)
    if handle is None:
        advice = "Wait until it is done, or end it and run the same command again; or name another output"
        raise Held(f"Another run is writing to {readable(out_path)}: {_holder(path)}. {advice}.")
    _held.add(handle)
    try:
        yield
    finally:
        if handle in _held:  # not in a forked process
            _held.remove(handle)
            _release(path, handle)


def _take(path: Path) -> Optional[int]:
    """An open file that is locked by us, None if another has it."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if not _lock(handle):
            os.close(handle)
            return None
        if _is_at(handle, path):
            with suppress(OSError):  # a full disk must not end it here, without a word on which file
                os.ftruncate(handle, 0)
                since = datetime.now().astimezone().isoformat(" ", "seconds")
                holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
                os.write(handle, json.dumps(holder).encode())
            return handle
        os.close(handle)  # whoever had it removed it meanwhile


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_bytes())
        return readable(f"process {holder['pid']} on {holder['host']}, since {holder['since']}")
    except (OSError, ValueError, KeyError, TypeError):
        return f"{readable(path)} is locked"


def _let_go() -> None:
    """A forked process has the lock as well, and would hold it longer than its parent lives."""
    for handle in _held:
        os.close(handle)
    _held.clear()


if sys.platform == "win32":
    import msvcrt

    FAR = 1 << 30  # a byte that isn't there: others must be able to read who holds the lock

    def _lock(handle: int) -> bool:
        os.lseek(handle, FAR, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        os.lseek(handle, 0, os.SEEK_SET)
        return True

    def _release(path: Path, handle: int) -> None:
        os.close(handle)
        with suppress(OSError):  # open elsewhere: then it isn't ours any more
            os.unlink(path)

else:
    import fcntl

    os.register_at_fork(after_in_child=_let_go)

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as err:
            if err.errno not in UNSUPPORTED:
                raise
        return True

    def _release(path: Path, handle: int) -> None:
        with suppress(OSError):
            os.unlink(path)
        os.close(handle)
