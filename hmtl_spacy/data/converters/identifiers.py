"""Identifiers of biomedical databases beside mentions: one of them makes a cluster, a list of them none."""

import re
from typing import Dict, Hashable, List, Tuple

from .standoff import Standoff

LIST = re.compile(r"[,|;]")
NONE = ("", "-", "-1")


class Identifiers:
    """The mentions of a document by their identifiers.

    standoff: to which clusters and relations are added.
    """

    def __init__(self, standoff: Standoff):
        self.standoff = standoff
        self._of: Dict[Tuple[str, str], List[Hashable]] = {}  # by identifier and type
        self._in_lists: Dict[str, Hashable] = {}  # the first mention of several things, by each identifier

    def add(self, span: Hashable, identifier: str, type: str) -> None:
        """A mention with its identifier, which may be a list of them or none."""
        names = [name.strip() for name in LIST.split(identifier)]
        if len(names) == 1 and names[0] not in NONE:
            self._of.setdefault((names[0], type), []).append(span)
        elif len(names) > 1:
            self.standoff.dropped["mentions of several identifiers (in no cluster)"] += 1
            for name in names:
                self._in_lists.setdefault(name, span)

    def clusters(self) -> None:
        """Add all clusters; of what is only in lists, its first mention for relations."""
        for key, spans in self._of.items():
            self.standoff.entity(key, spans)
        known = {identifier for identifier, _ in self._of}
        for identifier, span in self._in_lists.items():
            if identifier not in known:
                self._of[identifier, ""] = [span]
                self.standoff.entity((identifier, ""), [span])

    def relation(self, head: str, tail: str, label: str) -> None:
        """Add a relation between what has these identifiers, of the type that is mentioned most."""
        ends = [
            max((key for key in self._of if key[0] == name), key=lambda key: len(self._of[key]), default=None)
            for name in (head, tail)
        ]
        if ends[0] is None or ends[1] is None:
            self.standoff.dropped["relations of identifiers that no mention has"] += 1
        else:
            self.standoff.entity_relation(ends[0], ends[1], label)
