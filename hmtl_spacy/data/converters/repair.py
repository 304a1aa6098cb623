"""The option `repair`: faults that are common in files of the wild are mended and counted, or refused."""

from collections import Counter

from .common import ConversionError


class Repair:
    """Mends a fault or refuses it.

    allowed: whether the option is set.
    source: the name of the file, for messages.
    dropped: what is mended is counted here.
    """

    def __init__(self, allowed: bool, source: str, dropped: Counter[str]):
        self.allowed = allowed
        self.source = source
        self.dropped = dropped

    def mend(self, line: int, found: str, what: str) -> None:
        """Count a fault, or raise an error that names the option as the way out.

        line: the number of the line, from 1.
        found: what was found, what was expected and what to do.
        what: what the option does about it, for the count and the message.
        """
        if not self.allowed:
            raise ConversionError(self.source, line, f"{found} {advice(what)}")
        self.dropped[what] += 1


def advice(what: str) -> str:
    """The end of a message: how the option would mend it."""
    return f"Or use --repair (from Python: repair=True): {what}."
