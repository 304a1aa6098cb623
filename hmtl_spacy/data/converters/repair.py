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

    def unended(self, line: int) -> None:
        """The last line of a file of rows has no line feed: nothing says whether it is whole."""
        found = "the file ends without a line feed: a part of this row may be missing. End the file with one."
        self.mend(line, found, "last lines without a line feed, taken as whole")

    def mend(self, line: int, found: str, what: str) -> None:
        """Count a fault, or raise an error that names the option as the way out.

        line: the number of the line, from 1.
        found: what was found, what was expected and what to do.
        what: what the option does about it, for the count and the message.
        """
        if not self.allowed:
            raise ConversionError(self.source, line, f"{found} {describe_repair(what)}")
        self.dropped[what] += 1


def describe_repair(what: str) -> str:
    """The end of a message: how the option would mend it."""
    return f"Or use --repair (from Python: repair=True): {what}."
