"""Lists of documents, by which a part of a corpus is chosen: those with a free licence, say."""

from pathlib import Path
from typing import Set

from .common import ConversionError


def read_listed(path: Path) -> Set[str]:
    """The ids of a list: what each line begins with, up to a tab; without empty lines and comments (`#`)."""
    if not path.is_file():
        raise ConversionError(str(path), None, "no such file; name a file with one document id per line.")
    lines = path.read_text("utf8").splitlines()
    listed = {line.partition("\t")[0].strip() for line in lines if line.strip() and not line.startswith("#")}
    if not listed:
        raise ConversionError(str(path), None, "lists no documents; write one id per line.")
    return listed
