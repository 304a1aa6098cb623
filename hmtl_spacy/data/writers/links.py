"""What writers for annotation tools share: one layer of spans, clusters as links, what these don't hold."""

from collections import Counter
from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

from spacy.tokens import Span

from ..converters.rules import COREF as LINKS
from ..layers import Layers, Scored, lose_further, lose_unannotated

Place = Tuple[int, int]
COREF = "COREF"
ARGUMENT = "argument"  # the label of spans that have none: they are in clusters or relations only


class Link(NamedTuple):
    """A labelled pair of spans, a relation or a link of coreference."""

    head: Place
    tail: Place
    label: str
    score: Optional[float]


def place(span: Span) -> Place:
    """Start and end in characters."""
    return span.start_char, span.end_char


def links_of(layers: Layers, coref: str, lost: "Counter[str]") -> List[Link]:
    """The relations, and the clusters as links: from each mention to the one before it.

    coref: the label of links of coreference.
    lost: clusters of one mention, and relations that would be read as links, are counted here.
    """
    links = [Link(place(row.head), place(row.tail), row.label, row.score) for row in layers.relations or ()]
    kept = [link for link in links if link.label.casefold() not in LINKS]
    lost[f"relations with a label that means coreference ({', '.join(LINKS)})"] += len(links) - len(kept)
    for cluster in layers.clusters or ():
        lost["clusters of one mention"] += len(cluster) == 1
        spans = sorted(cluster)
        kept.extend(
            Link(place(later.span), place(earlier.span), coref, later.score)
            for earlier, later in zip(spans, spans[1:])
        )
    return kept


def one_layer(layers: Layers, lost: "Counter[str]") -> List[Scored]:
    """The spans of a tool with one layer of them: the mentions, or the named entities of a document without.

    lost: named entities beside mentions are counted here.
    """
    if layers.mentions is None:
        return layers.entities or []
    lost["named entities (of the format's one layer, the mentions)"] += len(layers.entities or ())
    return layers.mentions


def arguments(links: Iterable[Link], known: Iterable[Place], lost: "Counter[str]") -> List[Place]:
    """Where spans of links are that aren't known, in their order; they are counted."""
    taken = set(known)
    found: Dict[Place, None] = {}
    for link in links:
        found.update((one, None) for one in (link.head, link.tail) if one not in taken)
    lost[f"spans in clusters or relations alone, written with the label {ARGUMENT!r}"] += len(found)
    return sorted(found)


def lose_layers(layers: Layers, names: Iterable[str], lost: "Counter[str]") -> None:
    """Count what no annotation tool holds: sentence boundaries, further layers, what isn't annotated.

    names: the layers of which the format can't say that they aren't annotated.
    """
    lose_further(layers, lost)
    lost["sentence boundaries"] += len(layers.sentences or ())
    lose_unannotated(layers, names, lost)
