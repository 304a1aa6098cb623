"""A labelling configuration of Label Studio: its controls, its labels and where the text is."""

from pathlib import Path
from typing import FrozenSet, NamedTuple, Optional, Tuple
from xml.etree import ElementTree

from ..common import ConversionError
from ..xml_files import check_xml

SPANS = ("labels", "hypertextlabels")
ENTITIES = ("ner", "entities")  # controls whose regions are named entities
ARGUMENT = "argument"  # the control of spans that are in clusters or relations alone


class Control(NamedTuple):
    """A control that makes spans.

    name, to_name: its own name, and that of the text that it labels.
    labels: those that it has; None for any.
    type: the name of its tag in lower case, under which regions have their labels.
    """

    name: str
    to_name: str
    labels: Optional[FrozenSet[str]]
    type: str = "labels"

    def has(self, label: str) -> bool:
        return self.labels is None or label in self.labels


class Config(NamedTuple):
    """What is read of a configuration.

    controls: those that make spans. relations: the labels of relations; None for any.
    texts: the name of each text, and the key that it has in a task's data, if it says so by a `$`.
    """

    controls: Tuple[Control, ...]
    relations: Optional[FrozenSet[str]]
    texts: Tuple[Tuple[str, Optional[str]], ...]

    @property
    def labels(self) -> FrozenSet[str]:
        """All labels, of spans and relations."""
        return frozenset(self.relations or ()).union(*(control.labels or () for control in self.controls))

    @property
    def text_key(self) -> Optional[str]:
        """The key of the text in a task's data, if there is one text."""
        return self.texts[0][1] if len(self.texts) == 1 else None


def layer_of(control: str) -> str:
    """The layer to which the regions of a control belong."""
    return "entities" if control in ENTITIES else "mentions"


def read_config(path: Path) -> Config:
    """Read a configuration's file."""
    return parse_config(path.read_bytes(), str(path))


def parse_config(raw: bytes, source: str) -> Config:
    """Read a configuration's XML.

    source: the name of the file, for messages.
    """
    check_xml(raw, source)
    root = ElementTree.fromstring(raw)
    tags = [(element.tag.lower(), element) for element in root.iter()]
    controls = tuple(
        Control(element.get("name", ""), element.get("toName", ""), _values(element), tag)
        for tag, element in tags
        if tag in SPANS
    )
    if not controls:
        raise ConversionError(source, None, "found no <Labels>. Name the project's configuration.")
    values = [(element.get("name", ""), element.get("value", "")) for tag, element in tags if tag == "text"]
    texts = tuple((name, value[1:] if value.startswith("$") else None) for name, value in values)
    relations = [_values(element) for tag, element in tags if tag == "relations"]
    return Config(controls, frozenset().union(*relations), texts)


def _values(element: ElementTree.Element) -> FrozenSet[str]:
    """The labels in a control, as they are stored: by their aliases, where they have these."""
    inside = [label for label in element.iter() if label is not element]
    return frozenset(label.get("alias") or label.get("value") or "" for label in inside)
