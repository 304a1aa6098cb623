"""Colours of entity types: the same type has the same colour wherever it is shown."""

from typing import Dict, Iterable

FAMILIES = (
    ("PER", "PERSON", "PEOPLE", "PEOP"),
    ("ORG", "ORGANIZATION", "NORP"),
    ("GPE", "LOC", "LOCATION", "PLACE", "FAC"),
    ("DATE", "TIME", "EVENT"),
)
COLOURS = 8  # of types in style.css; the first are for the families


def type_colours(labels: Iterable[str]) -> Dict[str, int]:
    """A number for each label: that of its family, else those left over in turn, by name."""
    colours: Dict[str, int] = {}
    others = 0
    for label in sorted(set(labels)):
        family = next((i for i, names in enumerate(FAMILIES) if label.upper() in names), None)
        if family is None:
            family = len(FAMILIES) + others % (COLOURS - len(FAMILIES))
            others += 1
        colours[label] = family
    return colours
