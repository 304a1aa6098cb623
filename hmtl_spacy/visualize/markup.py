"""The HTML of a document's content. All text and labels are escaped here."""

from html import escape
from typing import Dict, Iterator, List, Optional, Tuple

from .content import Bar, Content, Link, Note
from .direction import runs
from .sentences import Sentence, split
from .tracks import assign_tracks

COLOURS = 8  # of clusters in style.css
EMPTY = '<span class="bar"></span>'
NAMES = {"entities": "Named entity", "mentions": "Mention", "coref": "Coreference"}


def document(content: Content, gold: Optional[Content], name: str) -> str:
    """One document, with its gold annotation beside it if there is one."""
    columns = [(content, "predicted"), (gold, "gold")] if gold else [(content, "")]
    title = f'<h2 dir="auto">{escape(content.title)}</h2>' if content.title else ""
    parts = [
        f'<div class="side"{_language(side)}>{f"<h3>{heading}</h3>" if heading else ""}'
        f"{''.join(_side(side))}</div>"
        for side, heading in columns
    ]
    return f'<section class="document" id="{name}">{title}<div class="sides">{"".join(parts)}</div></section>'


def _language(content: Content) -> str:
    return f' lang="{escape(content.language)}"' if content.language else ""


def _side(content: Content) -> Iterator[str]:
    for layer, note in content.notes.items():
        yield _note(layer, note)
    for sentence in split(content):
        yield _sentence(content, sentence)
    if clusters := content.bars.get("coref"):
        yield _cluster_list(clusters, content.direction)


def _note(layer: str, note: Note) -> str:
    classes = "note differs" if note.mark else "note"
    sign = " ≠" if note.mark else ""
    return f'<p class="{classes}"><b>{escape(layer)}{sign}</b> <bdi>{escape(note.text)}</bdi></p>'


def _sentence(content: Content, sentence: Sentence) -> str:
    tokens = [token for token in sentence.tokens if token[2].strip()]
    rows = {layer: assign_tracks(bars, tokens) for layer, bars in sentence.bars.items()}
    above = rows.pop("entities", [])
    html = []
    for i, (first, last, text) in enumerate(tokens):
        space = " " if content.text[last : last + 1].isspace() else ""
        cells = [_cell(row.get(i), "entities") for row in above]
        cells.append(f'<span class="word">{escape(text)}{space}</span>')
        below = [_cell(row.get(i), layer) for layer, tracks in rows.items() for row in tracks]
        while below and below[-1] == EMPTY:
            below.pop()  # so that a line is as high as what is in it
        cells += below
        html.append(f'<span class="token" data-start="{first}">{"".join(cells)}</span>')
    for first, last, direction in runs(tokens, content.direction):
        html[first] = f'<span dir="{direction}">{html[first]}'
        html[last - 1] += "</span>"
    classes = "sentence related" if any(sentence.links.values()) else "sentence"
    return (
        f'<div class="{classes}" dir="{content.direction}">{"".join(html)}</div>'
        f"{_link_list(sentence.links, content.direction)}"
    )


def _cell(cell: Optional[Tuple[Bar, bool]], layer: str) -> str:
    """One row of one token: nothing, or a piece of a span, which its first token labels."""
    if cell is None:
        return EMPTY
    bar, begins = cell
    kind = layer if layer in NAMES else "further"
    classes = f"bar {kind}{' begins' if begins else ''}{' differs' if bar.mark else ''}"
    label = (str(bar.cluster) if layer == "coref" else bar.label) + (" ≠" if bar.mark else "")
    attributes = ' role="img"' if begins else ""
    attributes += f' data-label="{escape(label)}"' if begins or layer == "coref" else ""
    attributes += f' data-span="{escape(layer)}-{bar.number}"'
    attributes += f' title="{escape(_title(bar, layer))}"{_cluster(bar.cluster)}'
    return f'<span class="{classes}"{attributes}></span>'


def _title(bar: Bar, layer: str) -> str:
    cluster = f"cluster {bar.cluster}" if bar.cluster else ""
    what = ", ".join(part for part in (bar.label, cluster) if part)
    return f"{NAMES.get(layer, layer)}: {what}: {bar.text}{f' ({bar.mark})' if bar.mark else ''}"


def _cluster(number: int) -> str:
    return f' data-cluster="{number}" data-colour="{number % COLOURS}"' if number else ""


def _link_list(links: Dict[str, List[Link]], direction: str) -> str:
    items = [_link(link, layer) for layer, layer_links in links.items() for link in layer_links]
    if not items:
        return ""
    return f'<ul class="links" dir="{direction}" aria-label="Relations">{"".join(items)}</ul>'


def _link(link: Link, layer: str) -> str:
    ends = f' data-head="{link.head[0]} {link.head[1]}" data-tail="{link.tail[0]} {link.tail[1]}"'
    label = escape(link.label + (" ≠" if link.mark else ""))
    return (
        f'<li class="link{" differs" if link.mark else ""}"{ends} data-label="{label}">'
        f'<bdi>{escape(link.head[2])}</bdi> <b>{escape(link.label)} <span class="to">→</span></b> '
        f"<bdi>{escape(link.tail[2])}</bdi>{f' <i>{link.mark}</i>' if link.mark else ''}"
        f"{f' <small>{escape(layer)}</small>' if layer != 'relations' else ''}</li>"
    )


def _cluster_list(bars: List[Bar], direction: str) -> str:
    clusters: Dict[int, List[Bar]] = {}
    for bar in sorted(bars, key=lambda bar: bar.start):
        clusters.setdefault(bar.cluster, []).append(bar)
    items = []
    for number, members in sorted(clusters.items()):
        names = " · ".join(f"<bdi>{escape(bar.text)}</bdi>" for bar in members)
        items.append(f"<li{_cluster(number)}><b>{number}</b> {names}</li>")
    return f'<ul class="clusters" dir="{direction}" aria-label="Clusters">{"".join(items)}</ul>'
