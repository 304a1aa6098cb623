"""The lines of a file with IOB tags: which are comments, which are tokens, and in which columns."""

import re
from typing import Iterable, Iterator, List, NamedTuple, Optional, Tuple

from .common import ConversionError
from .repair import Repair
from .tagging import NO_TAG, UNKNOWN, TaggedToken, is_tag

# "# newdoc id = a", "# text = Ann ran", but not a # in a column of its own
COMMENT = re.compile(r"# *((newdoc|newpar)( +id\b| *=| *$)|[\w:.]+ *=)")


class Sentence(NamedTuple):
    """A sentence, its raw text, and the document that it belongs to."""

    tokens: List[TaggedToken]
    text: Optional[str]
    doc_id: Optional[str]
    doc_number: int


class Columns(NamedTuple):
    """Where token and tag are.

    width: how many columns there must be, where the tag's is counted from the end.
    """

    token: int
    tag: int
    width: Optional[int]


def read_sentences(
    lines: Iterable[str], repair: Repair, token_column: Optional[int], tag_column: Optional[int]
) -> Iterator[Sentence]:
    """Read the sentences of a file.

    lines: its decoded lines.
    repair: what the option `repair` allows.
    token_column: where the tokens are, from 1 or from the end; found out if not given.
    tag_column: likewise for the tags.
    YIELDS: the sentences.
    """
    columns: Optional[Columns] = None
    tokens: List[TaggedToken] = []
    text = doc_id = None
    doc_number, docstart = 0, False
    remark: Optional[Tuple[int, List[str]]] = None  # a comment that nothing follows yet
    for number, line in enumerate([*lines, ""], start=1):
        fields = line.split("\t") if "\t" in line else line.split()
        boundary = bool(fields) and fields[0] == "-DOCSTART-"
        if COMMENT.match(line):
            name, _, value = (part.strip() for part in line[1:].partition("="))
            if name == "text":
                text = value
            elif name.split()[0] == "newdoc":
                doc_id, doc_number = value or None, doc_number + 1
        elif boundary or not line.strip():
            if tokens:
                yield Sentence(tokens, text, doc_id, doc_number)
            tokens, text = [], None
            if boundary:
                doc_id, doc_number, docstart = None, doc_number + 1, True
        else:
            here = columns or _columns(fields, token_column, tag_column, docstart)
            if not tokens and _is_remark(line, fields, here):
                remark = number, fields
                continue
            columns, remark = here, None
            tokens.append(_token(fields, columns, number, repair))
    if remark is not None:
        here = columns or _columns(remark[1], token_column, tag_column, docstart)
        raise _no_token(remark[1], here, remark[0], repair.source)


def _columns(
    fields: List[str], token_column: Optional[int], tag_column: Optional[int], docstart: bool
) -> Columns:
    """Told from the first token; after a -DOCSTART- a "1" is a word."""
    numbered = len(fields) > 2 and fields[0] == "1" and not docstart
    token = token_column or (2 if numbered else 1)
    tag = tag_column or (3 if numbered else -1)
    first, second = (column - 1 if column > 0 else column for column in (token, tag))
    return Columns(first, second, len(fields) if second < 0 else None)


def _is_remark(line: str, fields: List[str], columns: Columns) -> bool:
    """Whether a line before a sentence is a comment, "# sent 1": it has no tag where tokens have one."""
    if not line.startswith("# "):
        return False
    try:
        tag = fields[columns.tag].strip(" ")
    except IndexError:
        return True
    return not is_tag(tag) and tag not in UNKNOWN


def _token(fields: List[str], columns: Columns, number: int, repair: Repair) -> TaggedToken:
    try:
        text, tag = (fields[column].strip(" ") for column in columns[:2])  # U+00A0 can be a token
    except IndexError:
        text = tag = ""
    if len(fields) < 2 or len(fields) <= columns.tag or not text:
        raise _no_token(fields, columns, number, repair.source)
    if columns.width not in (None, len(fields)):
        found = f"found {len(fields)} columns, {fields!r}, expected {columns.width} as in the first row"
        raise ConversionError(repair.source, number, f"{found}. Is a part of the row missing?")
    if tag in UNKNOWN:
        found = f"found tag {tag!r}, expected O or B-, I-, L-, U- and a label."
        repair.mend(number, f"{found} Name the columns if the tag stands in another one.", NO_TAG)
    return TaggedToken(text, tag, number)


def _no_token(fields: List[str], columns: Columns, number: int, source: str) -> ConversionError:
    names = " and ".join(str(column + 1 if column >= 0 else column) for column in columns[:2])
    expected = f"expected token and tag in columns {names}"
    found = f"found {len(fields)} columns, {fields!r}"
    return ConversionError(source, number, f"{found}, {expected}. Name the columns if they are others.")
