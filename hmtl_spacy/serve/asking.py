"""What the server asks of its worker, and how failures are told."""

import asyncio
from typing import Any, List, NoReturn, Sequence

from .limits import Limits
from .process import Died, Failed, Overran
from .reading import refuse
from .worker import Busy, Worker


async def annotate_texts(worker: Worker, texts: Sequence[str], form: Any, limits: Limits) -> List[bytes]:
    """The answers to texts.

    form: their form, as `Describer` takes it.
    RAISES: `HTTPException`: 500 if the pipeline fails, 503 if too many texts wait, 504 if time is up.
    """
    try:
        futures = worker.submit(texts, form)
    except Busy:
        message = f"{worker.waiting():,} texts are waiting, the limit is {limits.queue:,}. Try again later."
        refuse(503, message, **{"Retry-After": str(round(limits.seconds) or 1)})
    results = asyncio.gather(*map(asyncio.wrap_future, futures), return_exceptions=True)
    try:
        answers = await asyncio.wait_for(results, limits.seconds)  # cancels what has not begun
    except asyncio.TimeoutError:
        refuse(504, f"Not done within {limits.seconds:g} seconds. Send less at once, or try again later.")
    docs: List[bytes] = []
    for number, answer in enumerate(answers, start=1):
        if isinstance(answer, BaseException):
            _refuse_failure(answer, f"text {number} of {len(answers)}")
        docs.append(answer)
    return docs


def _refuse_failure(err: BaseException, text: str) -> NoReturn:
    if isinstance(err, (Overran, TimeoutError)):
        refuse(504, f"Not done with {text} in time. {err} Send less at once, or try again later.")
    if isinstance(err, Died):
        refuse(500, f"Failed on {text}. {err} It is started again; the server's log says more.")
    kind = err.kind if isinstance(err, Failed) else type(err).__name__
    refuse(500, f"The pipeline failed on {text} with {kind}. The server's log says more.")
