"""Errors as one page that needs nothing else, not even a script. `page.html` has its elements."""

from importlib.resources import files
from itertools import zip_longest
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Tuple

from markupsafe import Markup

from ...tasks.differences import Offsets
from ...visualize.markup import PLURALS
from ...visualize.page import assets, element_of
from ...visualize.palette import type_colours
from ...visualize.templates import template
from .cases import Case
from .confusion import NONE, but_for, confusion
from .finding import Errors, Measure
from .table import WRONG, groups, row, spread

HEADINGS = {
    "coref_mention": ("Coreference, mentions", "Mentions of clusters."),
    "coref_muc": ("Coreference, links", "From a mention to one before it in its cluster, as MUC counts."),
    "rel_last_token": ("Relations, last tokens", "The last tokens of both arguments count."),
    "rel_boundaries": ("Relations, boundaries", "The boundaries of both arguments count."),
    "rel_strict": ("Relations, strict", "The boundaries and the types of both arguments count."),
}
ROLES = {1: ("",), 2: ("head", "tail")}
LINK_ROLES = ("antecedent", "mention")
Piece = Tuple[str, List[str], bool]


class Example(NamedTuple):
    """An error with its text, in parts that are pieces: text, the roles that begin there, if it is marked."""

    case: Case
    parts: List[List[Piece]]


class Row(NamedTuple):
    """One line of a table: its counts, and examples of its errors, of each kind, with how many there are."""

    name: str
    counts: Dict[str, Any]
    examples: Dict[str, Tuple[List[Example], int]]

    @property
    def wrong(self) -> Dict[str, int]:
        return {kind: total for kind, (_, total) in self.examples.items() if total}


class Section(NamedTuple):
    """What a page shows of a measure."""

    measure: Measure
    heading: str
    note: str
    all: Row
    tables: Dict[str, List[Row]]
    but_for: Dict[str, int]
    confusion: Dict[str, Dict[str, int]]

    @property
    def typed(self) -> bool:
        """Whether its types are those of entities, which have colours."""
        return self.measure.unit == "width" and bool(self.confusion)

    @property
    def types(self) -> Tuple[List[str], List[str]]:
        """Of the rows and columns of its confusions; none is the last."""
        names = {*self.confusion, *(name for line in self.confusion.values() for name in line)} - {NONE}
        rows = [name for name in [*sorted(names), NONE] if name in self.confusion]
        return rows, [*sorted(names), NONE]


def page(errors: Errors, title: str = "Errors", limit: int = 10) -> str:
    """All errors as HTML.

    limit: examples of each kind in each group, sampled evenly from the data; 0 for all.
    """
    sections = [_section(measure, limit) for measure in errors.measures]
    labels = {case.label for one in sections if one.typed for case in one.measure.cases}
    values = {"title": title, "sections": sections, "colours": type_colours(labels), "none": NONE}
    body = template("page.html", __package__).render(errors=errors, **values)
    style = assets()[0] + files(__package__).joinpath("page.css").read_text("utf-8")
    whole = Markup(f"<style>\n{style}</style>\n{element_of(body)}")
    return template("page.html").render(title=title, body=whole)


def heading(measure: Measure) -> Tuple[str, str]:
    """What a measure is called, and what it counts."""
    words = measure.prefix.replace("_", " ")
    return HEADINGS.get(measure.prefix) or (PLURALS.get(measure.layer) or words[:1].upper() + words[1:], "")


def _section(measure: Measure, limit: int) -> Section:
    kinds = {"type": "type", "length": f"{measure.unit} in tokens"}
    tables = {
        name: [_row(one, cases, limit) for one, cases in groups(measure, by).items()]
        for by, name in kinds.items()
    }
    whole = Row("all", row(measure.cases), {})
    return Section(measure, *heading(measure), whole, tables, but_for(measure), confusion(measure))


def _row(name: str, cases: Sequence[Case], limit: int) -> Row:
    shown: Dict[str, Tuple[List[Example], int]] = {}
    for kind in WRONG:
        some, total = spread(cases, kind, limit)
        shown[kind] = [Example(case, list(_parts(case))) for case in some], total
    return Row(name, row(cases), shown)


def _parts(case: Case) -> Iterator[List[Piece]]:
    marks = list(zip(case.item.spans, _roles(case)))
    for start, end in case.source.contexts(case.item):
        yield _pieces(case.source.doc.text, start, end, marks)


def _roles(case: Case) -> List[str]:
    """The role of each span, with its type where types count."""
    item = case.item
    names = LINK_ROLES if len(item.spans) == 2 and not item.label else ROLES[len(item.spans)]
    return [f"{name} {type}".strip() for name, type in zip_longest(names, item.types, fillvalue="")]


def _pieces(text: str, start: int, end: int, marks: Sequence[Tuple[Offsets, str]]) -> List[Piece]:
    """A part of a text; its marks may nest and cross, so each piece between edges has its own."""
    edges = {edge for span, _ in marks for edge in span if start < edge < end}
    cuts = [start, *sorted(edges), end]
    pieces: List[Piece] = []
    for first, last in zip(cuts, cuts[1:]):
        begins = [role for (a, _), role in marks if role and first == a]
        marked = any(a < last and first < b for (a, b), _ in marks)
        pieces.append((text[first:last], begins, marked))
    return pieces
