"""The HTML of documents. `document.html` has its elements; there all text and labels are escaped."""

from dataclasses import dataclass, field
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from .content import Bar, Content
from .palette import type_colours
from .sentences import Sentence, split
from .templates import template

NAMES = {"entities": "Named entity", "mentions": "Mention", "coref": "Coreference"}
PLURALS = {
    "entities": "Named entities",
    "mentions": "Mentions",
    "coref": "Clusters",
    "relations": "Relations",
}
COUNTED = {"entities": "named entity", "mentions": "mention", "coref": "cluster", "relations": "relation"}
OPEN = 2_000  # characters of documents that are open at first; those after them are folded


class Side(NamedTuple):
    """One annotation of a document, and what one sentence of it shows."""

    name: str
    content: Content
    part: Optional[Sentence] = None


class Row(NamedTuple):
    """A sentence, in one or two annotations side by side."""

    sides: List[Side]
    same: bool


@dataclass
class Document:
    """One document with its annotations.

    folded: whether it is closed at first; None if it can't be.
    """

    id: str
    title: str
    sides: List[Side]
    folded: Optional[bool] = None
    rows: List[Row] = field(init=False)

    def __post_init__(self) -> None:
        parts = zip(*(split(side.content) for side in self.sides))
        self.rows = [self._row(sentences) for sentences in parts]

    def _row(self, parts: Sequence[Sentence]) -> Row:
        sides = [side._replace(part=part) for side, part in zip(self.sides, parts)]
        return Row(sides, len(sides) > 1 and not any(part.differences for part in parts))

    @property
    def counts(self) -> Dict[str, int]:
        """How much there is of each layer in the first annotation."""
        return self.sides[0].content.counts()

    @property
    def summary(self) -> List[str]:
        """The counts in words, and how often two annotations differ."""
        found = [number(n, COUNTED.get(layer, layer)) for layer, n in self.counts.items()]
        return [*found, number(self.differences, "difference")] if len(self.sides) > 1 else found

    @property
    def linked(self) -> bool:
        """Whether there are arrows, which need margins."""
        return any(side.part and side.part.n_links for row in self.rows for side in row.sides)

    @property
    def differences(self) -> int:
        return sum(side.content.differences() for side in self.sides)


Pairs = Sequence[Tuple[Content, Optional[Content]]]


def documents(pairs: Pairs, view: str = "text") -> str:
    """All documents, with a legend before them; each with its gold annotation beside it if there is one.

    view: "text", "graph" or "all", which is both; graphs must have been read.
    """
    contents = [content for pair in pairs for content in pair if content]
    labels = {bar.label for one in contents for bar in one.bars.get("entities", ())}
    nodes = {node.entity.label for one in contents if one.graph for node in one.graph.nodes}
    types = type_colours(labels | nodes)
    shown = [
        Document(f"hmtl-{i}", content.title or f"Document {i + 1}" * (len(pairs) > 1), _sides(content, gold))
        for i, (content, gold) in enumerate(pairs)
    ]
    if len(shown) > 1:
        _fold(shown)
    values = {"types": types, "names": NAMES, "title": title, "number": number, "view": view}
    legend = template("legend.html").render(
        layers=_layers(contents),
        types={
            label: colour
            for label, colour in types.items()
            if label in (nodes if view == "graph" else labels)
        },
        view=view,
        two=any(gold for _, gold in pairs),
        further=_further(contents),
        documents=shown,
    )
    html = template("document.html")
    return "\n".join([legend, *(html.render(document=document, **values) for document in shown)])


def _sides(content: Content, gold: Optional[Content]) -> List[Side]:
    return [Side("predicted", content), Side("gold", gold)] if gold else [Side("", content)]


def _fold(shown: Sequence[Document]) -> None:
    """Close the documents after the first ones, which are a screen or two together."""
    size = 0
    for document in shown:
        document.folded = size >= OPEN
        size += len(document.sides[0].content.text)


def _layers(contents: Sequence[Content]) -> Dict[str, str]:
    """The layers that are shown, by name, with what they are called."""
    names = dict.fromkeys(name for one in contents for name in (*one.bars, *one.links))
    return {name: PLURALS.get(name, name) for name in names}


def _further(contents: Sequence[Content]) -> List[str]:
    return [
        name for name in dict.fromkeys(name for one in contents for name in one.bars) if name not in NAMES
    ]


def number(n: int, what: str) -> str:
    if n != 1:
        what = f"{what[:-1]}ies" if what.endswith("y") else what if what.endswith("s") else f"{what}s"
    return f"{n:,} {what}"


def title(bar: Bar, layer: str) -> str:
    """What a span is, in words."""
    cluster = f"cluster {bar.cluster}" if bar.cluster else ""
    what = ", ".join(part for part in (bar.label, cluster) if part)
    known = [bar.mark, f"score {bar.score:.2f}" if bar.score is not None and bar.score < 1 else ""]
    noted = ", ".join(filter(None, known))
    return f"{NAMES.get(layer, layer)}: {what}: {bar.text}{f' ({noted})' if noted else ''}"
