"""How much one request may ask for, and how many texts may wait."""

from dataclasses import dataclass, fields
from typing import Optional


@dataclass(frozen=True)
class Limits:
    """The limits of a server; a request over one is refused with a message that names it.

    text: characters of a text.
    texts: texts of a request.
    body: bytes of a request.
    seconds: how long a request may take; texts that have not begun by then are dropped.
    queue: texts that may wait, of all requests together.
    together: characters of the texts that are annotated in one call of the pipeline.
    unbroken: characters without white space between them, for which spaCy's tokenizer needs time that grows
        with the square of their number. A request may have 20 such runs, or more of shorter ones.
    call: how many seconds a call of the pipeline may take before its process is ended; a third of `seconds`
        by default, so that there is time for another call.
    """

    text: int = 50_000
    texts: int = 64
    body: int = 1_000_000
    seconds: float = 30.0
    queue: int = 1_024
    together: int = 20_000
    unbroken: int = 1_000
    call: Optional[float] = None

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and value <= 0:
                raise ValueError(f"Can't serve with the limit {field.name}={value}: give a number above 0.")
        if self.queue < self.texts:
            raise ValueError(
                f"Can't serve with a queue of {self.queue:,} texts: a request may have {self.texts:,}. "
                f"Make the queue at least as long, or lower the limit of texts."
            )
        if self.call_seconds > self.seconds:
            raise ValueError(
                f"Can't serve with {self.call_seconds:g} seconds for a call of the pipeline: a request has "
                f"{self.seconds:g}. Give a call no more than a request."
            )

    @property
    def call_seconds(self) -> float:
        return self.seconds / 3 if self.call is None else self.call
