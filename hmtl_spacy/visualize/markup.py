"""HTML of what there is to show. Every word and label of a document is escaped here."""

from html import escape
from importlib.resources import files
from typing import Iterator, List, Optional

from .content import Bar, Content, Link
from .tracks import assign_tracks

COLOURS = 8  # of clusters in style.css
NAMES = {"entities": "Named entities", "mentions": "Mentions", "coref": "Coreference"}


def page_of(body: str, title: str) -> str:
    """A page that stands alone: no script, font or image from elsewhere."""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n"
        f'</head>\n<body style="margin: 0 auto; padding: 1rem; max-width: 90rem">\n{with_assets(body)}\n'
        f"</body>\n</html>\n"
    )


def with_assets(body: str) -> str:
    """`body` with its style and script."""
    style, script = (
        files(__package__).joinpath(name).read_text("utf-8") for name in ("style.css", "script.js")
    )
    return f'<style>\n{style}</style>\n<div class="hmtl">\n{body}\n</div>\n<script>\n{script}</script>'


def document(content: Content, gold: Optional[Content], name: str) -> str:
    """One document, with its gold annotation beside it if there is one."""
    columns = [(content, "predicted"), (gold, "gold")] if gold else [(content, "")]
    title = f"<h2>{escape(content.title)}</h2>" if content.title else ""
    parts = [
        f'<div class="side">{f"<h3>{heading}</h3>" if heading else ""}{"".join(_side(side))}</div>'
        for side, heading in columns
    ]
    return f'<section class="document" id="{name}">{title}<div class="sides">{"".join(parts)}</div></section>'


def _side(content: Content) -> Iterator[str]:
    for start, end in content.sentences:
        yield _sentence(content, start, end)
    if clusters := content.bars.get("coref"):
        yield _cluster_list(clusters)


def _sentence(content: Content, start: int, end: int) -> str:
    tokens = [token for token in content.tokens if start <= token[0] < end and token[2].strip()]
    rows = {layer: assign_tracks(bars, tokens) for layer, bars in content.bars.items()}
    above = rows.pop("entities", [])
    html = []
    for i, (first, last, text) in enumerate(tokens):
        space = " " if content.text[last : last + 1].isspace() else ""
        cells = [_cell(row.get(i), "entities") for row in above]
        cells.append(f'<span class="word">{escape(text)}{space}</span>')
        cells += [_cell(row.get(i), layer) for layer, tracks in rows.items() for row in tracks]
        html.append(f'<span class="token" data-start="{first}">{"".join(cells)}</span>')
    links = [link for link in content.links or () if start <= link.head[0] < end]
    return f'<div class="sentence" dir="{content.direction}">{"".join(html)}</div>{_link_list(links)}'


def _cell(cell, layer: str) -> str:
    """One row of one token: nothing, or a piece of a span, which its first token labels."""
    if cell is None:
        return '<span class="bar"></span>'
    bar, begins = cell
    classes = f"bar {layer}{' begins' if begins else ''}{' differs' if bar.mark else ''}"
    label = (str(bar.cluster) if bar.cluster else bar.label) + (" ≠" if bar.mark else "")
    attributes = f' data-label="{escape(label)}"' if begins else ""
    attributes += f' title="{escape(_title(bar, layer))}"{_cluster(bar, begins)}'
    return f'<span class="{classes}"{attributes}></span>'


def _title(bar: Bar, layer: str) -> str:
    what = f"cluster {bar.cluster}" if bar.cluster else bar.label
    return f"{NAMES[layer]}: {what}: {bar.text}{f' ({bar.mark})' if bar.mark else ''}"


def _cluster(bar: Bar, focus: bool) -> str:
    if not bar.cluster:
        return ""
    reached = ' tabindex="0"' if focus else ""
    return f' data-cluster="{bar.cluster}" data-colour="{bar.cluster % COLOURS}"{reached}'


def _link_list(links: List[Link]) -> str:
    items = [
        f'<li class="link{" differs" if link.mark else ""}"><span>{escape(link.head[2])}</span> '
        f"<b>{escape(link.label)} →</b> <span>{escape(link.tail[2])}</span>"
        f"{f' <i>{link.mark}</i>' if link.mark else ''}</li>"
        for link in links
    ]
    return f'<ul class="links" aria-label="Relations">{"".join(items)}</ul>' if items else ""


def _cluster_list(bars: List[Bar]) -> str:
    clusters: dict = {}
    for bar in sorted(bars, key=lambda bar: bar.start):
        clusters.setdefault(bar.cluster, []).append(bar)
    items = []
    for number, members in sorted(clusters.items()):
        names = " · ".join(escape(bar.text) for bar in members)
        items.append(f"<li{_cluster(members[0], True)}><b>{number}</b> {names}</li>")
    return f'<ul class="clusters" aria-label="Clusters">{"".join(items)}</ul>'
