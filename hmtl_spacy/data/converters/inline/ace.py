"""The labels of the inline format, and what ACE 2005 allows as arguments of a relation."""

from typing import Dict, Optional, Tuple

ENTITY_LABELS = (
    "PERSON NORP ORG GPE LOC FAC PRODUCT EVENT WORK_OF_ART DATE TIME MONEY PERCENT QUANTITY ORDINAL CARDINAL"
).split()
MENTION_TYPES = ("PER", "ORG", "GPE", "LOC", "FAC", "VEH", "WEA")
# the named entities that name a mention of each type
NAMES = {
    "PER": ("PERSON",),
    "ORG": ("ORG",),
    "GPE": ("GPE",),
    "LOC": ("LOC",),
    "FAC": ("FAC",),
    "VEH": ("PRODUCT",),
    "WEA": ("PRODUCT",),
}

_PLACES = ("FAC", "LOC", "GPE")
_BODIES = ("ORG", "GPE")
# per relation type: the types of its head, and the types of tail that each may have
# (ACE English Annotation Guidelines for Relations, version 6.2, the table of argument types)
ARGUMENTS: Dict[str, Dict[str, Tuple[str, ...]]] = {
    "PHYS": dict.fromkeys(("PER", *_PLACES), _PLACES),
    "PART-WHOLE": {**dict.fromkeys(_PLACES, _PLACES), "ORG": _BODIES, "VEH": ("VEH",), "WEA": ("WEA",)},
    "PER-SOC": {"PER": ("PER",)},
    "ORG-AFF": {"PER": _BODIES, "ORG": _BODIES, "GPE": _BODIES},
    "ART": dict.fromkeys(("PER", "ORG", "GPE"), ("FAC", "VEH", "WEA")),
    "GEN-AFF": {"PER": ("PER", "LOC", "GPE", "ORG"), "ORG": ("LOC", "GPE")},
}
SYMMETRIC = ("PER-SOC",)


def forbidden(label: str, head: str, tail: str) -> Optional[str]:
    """Why a relation can't hold between mentions of two types, or None if it can.

    label: the type of the relation.
    head: the type of its first argument.
    tail: the type of its second argument.
    RETURNS: what was found and what is allowed.
    """
    if label not in ARGUMENTS:
        return f"found the relation type {label!r}, expected one of {', '.join(ARGUMENTS)}"
    if tail in ARGUMENTS[label].get(head, ()):
        return None
    pairs = "; ".join(f"{head} to {' or '.join(tails)}" for head, tails in ARGUMENTS[label].items())
    return f"{label} can't hold from {head} to {tail}; it goes from {pairs}"
