"""A request's body, read no further than its limits; anything else is refused with a reason."""

import asyncio
from typing import List, NoReturn, Type, TypeVar

from fastapi import HTTPException, Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from .limits import Limits
from .schemas import Query

Body = TypeVar("Body", bound=BaseModel)
UNBROKEN_RUNS = 20  # of the greatest length, in one request
EXPECTED = 'Send JSON in UTF-8: {"text": "..."} or {"texts": ["...", "..."]}; "html": true may be added.'


async def read_query(request: Request, limits: Limits, by_space: bool = True) -> Query:
    """The query in a request.

    by_space: whether characters without white space between them are limited.
    RAISES: `HTTPException`: as `read_body` does, and 413 for texts that are over a limit.
    """
    query = await read_body(request, limits, Query, EXPECTED)
    check_texts(query.all_texts, limits, by_space)
    return query


async def read_body(request: Request, limits: Limits, schema: Type[Body], expected: str) -> Body:
    """What a request asks.

    schema: what its JSON has to be.
    expected: the same in words, for messages.
    RAISES: `HTTPException`: 400 for a body that isn't JSON, 408 for one that doesn't arrive in time, 413
        for one that is over its limit, 415 for another content type, 422 for JSON of another shape.
    """
    _check_headers(request, limits, expected)
    try:
        body = await asyncio.wait_for(_receive(request, limits), limits.seconds)
    except asyncio.TimeoutError:
        message = f"The request did not end within {limits.seconds:g} seconds. Send it faster or in parts."
        refuse(408, message, Connection="close")
    except ClientDisconnect:
        refuse(400, "The connection ended before the request did.")
    try:
        return schema.model_validate_json(body)
    except ValidationError as err:
        _refuse_shape(err, expected)


def check_texts(texts: List[str], limits: Limits, by_space: bool = True) -> None:
    """Refuse texts that are too many or too long.

    by_space: whether characters without white space between them are limited.
    RAISES: `HTTPException`: 413.
    """
    _check_sizes(texts, limits)
    if by_space:
        _check_unbroken(texts, limits)


def refuse(status: int, detail: str, **headers: str) -> NoReturn:
    raise HTTPException(status, detail, headers or None)


def _check_headers(request: Request, limits: Limits, expected: str) -> None:
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != "application/json":
        refuse(415, f"Found the content type {kind[:80]!r}, expected 'application/json'. {expected}")
    coding = request.headers.get("content-encoding", "identity")
    if coding.lower() != "identity":
        refuse(415, f"Found the content encoding {coding[:80]!r}. Send the body as it is.")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limits.body:
        _refuse_body(limits)


async def _receive(request: Request, limits: Limits) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limits.body:
            _refuse_body(limits)
    return bytes(body)


def _refuse_body(limits: Limits) -> NoReturn:
    refuse(413, f"The body is longer than the limit of {limits.body:,} bytes. Send less at once.")


def _refuse_shape(err: ValidationError, expected: str) -> NoReturn:
    first = err.errors(include_url=False, include_input=False)[0]
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "json_invalid":
        refuse(400, f"{message}. {expected}")
    place = ".".join(map(str, first["loc"]))
    refuse(422, f"Found no valid query{f' at {place[:80]!r}' if place else ''}: {message}. {expected}")


def _check_sizes(texts: List[str], limits: Limits) -> None:
    longest = max(map(len, texts), default=0)
    if len(texts) > limits.texts:
        found = f"Found {len(texts):,} texts, the limit is {limits.texts:,}"
        refuse(413, f"{found}. Send them in several requests.")
    if longest > limits.text:
        found = f"Found a text of {longest:,} characters, the limit is {limits.text:,}"
        refuse(413, f"{found}. Send it in parts.")


def _check_unbroken(texts: List[str], limits: Limits) -> None:
    """Refuse what the tokenizer would need long for: it grows with the square of these lengths."""
    lengths = [len(run) for text in texts for run in text.split()]
    longest = max(lengths, default=0)
    if longest > limits.unbroken:
        found = f"Found {longest:,} characters without white space, the limit is {limits.unbroken:,}"
        refuse(413, f"{found}. Put white space between them.")
    allowed = UNBROKEN_RUNS * limits.unbroken**2
    squares = sum(length * length for length in lengths)
    if squares > allowed:
        found = f"Found {len(lengths):,} runs of up to {longest:,} characters without white space"
        limit = f"the limit of a request is {UNBROKEN_RUNS} of {limits.unbroken:,}, or more of shorter ones"
        refuse(413, f"{found}; {limit}. Send them in several requests, or put white space between them.")
