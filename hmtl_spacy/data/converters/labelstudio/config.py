"""A labelling configuration of Label Studio: its controls, its labels and where the text is."""

from pathlib import Path
from typing import FrozenSet, NamedTuple, Optional
from xml.etree import ElementTree

from ..common import ConversionError

SPANS = ("labels", "hypertextlabels")


class Config(NamedTuple):
    """What is read of a configuration.

    controls: the names of those that make spans. relations: the labels of relations.
    labels: all labels. text_key: the key of the text in a task's data.
    """

    controls: FrozenSet[str]
    relations: FrozenSet[str]
    labels: FrozenSet[str]
    text_key: Optional[str]


def read_config(path: Path) -> Config:
    """Read a configuration's XML."""
    raw = path.read_bytes()
    if b"<!" in raw.replace(b"<!--", b""):  # entities that grow, files that would be fetched
        raise ConversionError(str(path), None, "found a <! that begins no comment. Remove the declaration.")
    try:
        root = ElementTree.fromstring(raw)
    except ElementTree.ParseError as err:
        raise ConversionError(
            str(path), err.position[0], f"not XML: {err}. Save the configuration."
        ) from None
    tags = [(element.tag.lower(), element) for element in root.iter()]
    texts = [element.get("value", "") for tag, element in tags if tag == "text"]
    controls = [element for tag, element in tags if tag in SPANS]
    relations = {element.get("value", "") for tag, element in tags if tag == "relation"}
    labels = {label.get("value", "") for control in controls for label in control.iter()}
    if not controls:
        raise ConversionError(str(path), None, "found no <Labels>. Name the project's configuration.")
    return Config(
        controls=frozenset(control.get("name", "") for control in controls),
        relations=frozenset(relations),
        labels=frozenset(labels | relations),
        text_key=texts[0][1:] if len(texts) == 1 and texts[0].startswith("$") else None,
    )
