"""How much one request may ask for, and how many texts may wait."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Limits:
    """The limits of a server; a request over one is refused with a message that names it.

    text: characters of a text.
    texts: texts of a request.
    body: bytes of a request.
    seconds: how long a request may take; texts that have not begun by then are dropped.
    queue: texts that may wait, of all requests together.
    together: characters of the texts that are annotated in one call of the pipeline.
    """

    text: int = 50_000
    texts: int = 64
    body: int = 1_000_000
    seconds: float = 30.0
    queue: int = 1_024
    together: int = 20_000

    def __post_init__(self):
        for field in fields(self):
            if (value := getattr(self, field.name)) <= 0:
                raise ValueError(f"Can't serve with the limit {field.name}={value}: give a number above 0.")
        if self.queue < self.texts:
            raise ValueError(
                f"Can't serve with a queue of {self.queue:,} texts: a request may have {self.texts:,}. "
                f"Make the queue at least as long, or lower the limit of texts."
            )
