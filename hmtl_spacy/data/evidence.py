"""The sentences that support a relation, as DocRED has them: kept beside the relations of a gold document."""

from typing import Iterable, List, NamedTuple, Optional, Tuple

from spacy.tokens import Doc

EVIDENCE = "evidence"  # in `doc.user_data`, plain lists
Place = Tuple[int, int]


class Supported(NamedTuple):
    """A relation between two spans, in tokens, and the numbers of the sentences that support it."""

    head: Place
    tail: Place
    label: str
    sentences: List[int]


def set_evidence(doc: Doc, rows: Iterable[Supported]) -> None:
    doc.user_data[EVIDENCE] = [[*row.head, *row.tail, row.label, list(row.sentences)] for row in rows]


def get_evidence(doc: Doc) -> Optional[List[Supported]]:
    """The relations of a document with their evidence, or None if it isn't annotated."""
    rows = doc.user_data.get(EVIDENCE)
    if rows is None:
        return None
    return [Supported((a, b), (c, d), label, list(numbers)) for a, b, c, d, label, numbers in rows]
