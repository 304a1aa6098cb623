"""The application in uvicorn, which closes connections whose requests don't arrive or end in time."""

from asyncio import TimerHandle, Transport
from typing import Any, Optional, Sequence, Type

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from .app import create_app
from .limits import Limits
from .pipeline import AnyPipeline

HEAD = 10.0  # seconds for a request's first line and headers
GRACE = 8  # seconds for what was accepted before the signal to stop: what manages processes kills after ten


def serve(pipeline: AnyPipeline, limits: Limits, host: str, port: int, hosts: Sequence[str]) -> None:
    """Serve a pipeline until a signal ends it.

    hosts: the host names that requests may name; "*" for all.
    """
    uvicorn.run(
        create_app(pipeline, limits, hosts),
        host=host,
        port=port,
        http=watched_protocol(limits),
        server_header=False,
        timeout_graceful_shutdown=min(int(limits.seconds) + 1, GRACE),
    )


def watched_protocol(limits: Limits) -> Type[Any]:
    """uvicorn's protocol for HTTP, with a watch on every connection.

    A request's headers have ten seconds, or the time limit if that is less. A whole request has thrice the
    time limit: once for its body, once for the annotation, once until the client has read the answer.
    """
    times = {"head": min(HEAD, limits.seconds), "whole": 3 * limits.seconds}
    return type("WatchedProtocol", (_Watched,), times)


class _Watched(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # chosen when uvicorn is imported
    head: float
    whole: float
    _timer: Optional[TimerHandle] = None
    _watched: Optional[object] = None

    def connection_made(self, transport: Transport) -> None:
        super().connection_made(transport)
        self._watch(None)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        request = self._request()
        if self._timer is None or request is not self._watched:
            self._watch(request)

    def connection_lost(self, exc: Optional[Exception]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _request(self) -> Optional[object]:
        """The request that is under way; None while its headers are awaited."""
        return None if self.cycle is None or self.cycle.response_complete else self.cycle

    def _watch(self, request: Optional[object]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._watched = request
        self._timer = self.loop.call_later(self.head if request is None else self.whole, self._check)

    def _check(self) -> None:
        self._timer = None
        request = self._request()
        if request is self._watched:
            self.transport.abort()  # not `close`, which waits until the client has read everything
        elif request is not None:
            self._watch(request)
