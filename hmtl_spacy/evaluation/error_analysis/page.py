"""Errors as one page that needs nothing else, not even a script. All text of documents is escaped here."""

from html import escape
from importlib.resources import files
from itertools import zip_longest
from typing import Iterator, List, Mapping, Sequence, Tuple

from ...tasks.differences import Offsets
from .cases import Case
from .finding import Errors, Measure
from .table import groups, row, spread

ROLES = {1: ("",), 2: ("head", "tail")}
LINK_ROLES = ("antecedent", "mention")
COLUMNS = ("correct", "missed", "spurious")
WRONG = ("missed", "spurious")


def page(errors: Errors, title: str = "Errors", limit: int = 10) -> str:
    """All errors as HTML.

    limit: examples of each kind in each group, sampled evenly from the data; 0 for all.
    """
    style = files(__package__).joinpath("page.css").read_text("utf-8")
    body = "\n".join(_body(errors, title, limit))
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _body(errors: Errors, title: str, limit: int) -> Iterator[str]:
    evaluation = errors.evaluation
    yield f"<h1>{escape(title)}</h1>"
    yield f"<p>{evaluation.docs:,} documents, {evaluation.words:,} words; "
    yield f"sentence boundaries {escape(evaluation.sentences)}. "
    yield "Missed: in the data, but not found. Spurious: found, but not in the data.</p>"
    if errors.unsupported:
        yield f"<p>These tasks don't report single errors: {escape(', '.join(errors.unsupported))}.</p>"
    if not errors.measures:
        yield "<p>The data has no gold annotation for any task.</p>"
    links = (f'<li><a href="#{escape(m.prefix)}">{escape(m.prefix)}</a></li>' for m in errors.measures)
    yield f"<nav><ul>{''.join(links)}</ul></nav>"
    for measure in errors.measures:
        yield from _section(measure, limit)


def _section(measure: Measure, limit: int) -> Iterator[str]:
    yield f'<section id="{escape(measure.prefix)}">'
    yield f"<h2>{escape(measure.prefix)} <small>{escape(measure.task)}</small></h2>"
    for by, heading in (("type", "type"), ("length", f"{measure.unit} in tokens")):
        grouped = groups(measure, by)
        yield f"<h3>By {heading}</h3>"
        yield _table({**grouped, "all": measure.cases} if by == "type" else grouped, heading)
        for name, cases in grouped.items():
            yield from _examples(name, cases, limit)
    yield "</section>"


def _table(grouped: Mapping[str, Sequence[Case]], heading: str) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in (heading, "gold", *COLUMNS, "P", "R", "F"))
    lines = [
        f'<tr><th scope="row">{escape(name)}</th>{_numbers(cases)}</tr>' for name, cases in grouped.items()
    ]
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="Counts by {heading}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _numbers(cases: Sequence[Case]) -> str:
    counts = row(cases)
    numbers = [counts["correct"] + counts["missed"], *(counts[name] for name in COLUMNS)]
    scores = [f"{100 * counts[name]:.1f}" for name in "prf"]
    return "".join(f"<td>{number}</td>" for number in [*(f"{n:,}" for n in numbers), *scores])


def _examples(name: str, cases: Sequence[Case], limit: int) -> Iterator[str]:
    shown = {kind: spread(cases, kind, limit) for kind in WRONG}
    if not any(total for _, total in shown.values()):
        return
    totals = ", ".join(f"{total:,} {kind}" for kind, (_, total) in shown.items() if total)
    yield f"<details><summary><b>{escape(name)}</b>: {totals}</summary><ul>"
    for some, total in shown.values():
        yield from map(_example, some)
        if len(some) < total:
            yield f'<li class="more">and {total - len(some):,} more</li>'
    yield "</ul></details>"


def _example(case: Case) -> str:
    text = case.source.doc.text
    marks = list(zip(case.item.spans, _roles(case)))
    parts = (_marked(text, start, end, marks) for start, end in case.source.contexts(case.item))
    instead = f'<p class="note">there instead: {escape(" · ".join(case.instead))}</p>' if case.instead else ""
    return (
        f'<li class="{case.kind}"><b>{case.kind}: {escape(case.label)}</b> '
        f"<small>{escape(case.source.title)}, {case.length} token{'s' if case.length != 1 else ''}</small>"
        f'<p dir="auto">{" … ".join(parts)}</p>{instead}</li>'
    )


def _roles(case: Case) -> List[str]:
    """The role of each span, with its type where types count."""
    item = case.item
    names = LINK_ROLES if len(item.spans) == 2 and not item.label else ROLES[len(item.spans)]
    return [f"{name} {type}".strip() for name, type in zip_longest(names, item.types, fillvalue="")]


def _marked(text: str, start: int, end: int, marks: Sequence[Tuple[Offsets, str]]) -> str:
    """A part of a text; its marks may nest and cross, so each piece between edges has its own."""
    edges = {edge for span, _ in marks for edge in span if start < edge < end}
    cuts = [start, *sorted(edges), end]
    html: List[str] = []
    for first, last in zip(cuts, cuts[1:]):
        around = [role for (a, b), role in marks if a < last and first < b]
        begins = "".join(f"<sup>{escape(role)}</sup>" for (a, _), role in marks if role and first == a)
        piece = escape(text[first:last])
        html.append(f"<mark>{begins}{piece}</mark>" if around else piece)
    return "".join(html)
