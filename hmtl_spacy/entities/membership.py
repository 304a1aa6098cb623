"""Which cluster a span belongs to."""

from itertools import chain
from typing import Dict, List, Optional

from spacy.tokens import Doc, Span

from ..annotations import Keys, get_clusters, get_mentions, has_entities, keys_of_doc
from .heads import Heads, Offsets, nested


class Membership:
    """The clusters of a document and the spans that belong to them.

    A span of a cluster belongs to it. Any other belongs to the cluster that has a span with the same head,
    one inside the other: *Hamish Sellar* to that of *Her cousin Hamish Sellar*, unlike *Her*. If there
    are several, the smallest span that encloses it decides, else the largest that it encloses.

    keys: the document's span groups; found out from it if not given.

    `mentions` is None if they aren't annotated; named entities help to find heads all the same.
    """

    def __init__(self, doc: Doc, keys: Optional[Keys] = None):
        keys = keys_of_doc(doc) if keys is None else keys
        self.doc = doc
        self.clusters: List[List[Span]] = get_clusters(doc, keys.clusters) or []
        self.mentions = get_mentions(doc, keys.mentions)
        self.heads = Heads(doc, self.mentions, chain.from_iterable(self.clusters))
        self._number: Dict[Offsets, int] = {}
        for number, cluster in enumerate(self.clusters):
            for span in cluster:
                self._number.setdefault((span.start, span.end), number)
        self._by_head: Dict[Optional[int], List[Span]] = {}
        for start, end in sorted(self._number):
            span = doc[start:end]
            self._by_head.setdefault(self.heads(span), []).append(span)

    def typed(self) -> List[Span]:
        """The mentions; named entities where no mentions are annotated."""
        if self.mentions is not None:
            return self.mentions
        return list(self.doc.ents) if has_entities(self.doc) else []

    def number(self, span: Span) -> Optional[int]:
        """The index of the span's cluster, or None."""
        if (span.start, span.end) in self._number:
            return self._number[span.start, span.end]
        head = self.heads(span)
        same = [other for other in self._by_head.get(head, ()) if head is not None and nested(other, span)]
        if not same:
            return None
        enclosing = [other for other in same if len(other) > len(span)]
        best = min(enclosing, key=len) if enclosing else max(same, key=len)
        return self._number[best.start, best.end]


def cluster_of(span: Span, keys: Optional[Keys] = None) -> Optional[List[Span]]:
    """The cluster that a span belongs to, or None.

    keys: the document's span groups; found out from it if not given.
    """
    members = Membership(span.doc, keys)
    number = members.number(span)
    return None if number is None else members.clusters[number]
