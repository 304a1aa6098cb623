"""What is asked of the layers: labels of spans, and of pairs of spans, of annotated documents."""

from collections import defaultdict
from itertools import accumulate
from random import Random
from typing import Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from spacy.tokens import Doc, Span

from hmtl_spacy.annotations import get_clusters, get_mentions, get_relations, has_entities
from hmtl_spacy.entities.heads import Heads

Offsets = Tuple[int, int]
NONE = "none"  # a pair without what is asked for
COREFERENT = "coreferent"


class Target(NamedTuple):
    """A span, or two, and what is to be told of it.

    doc: its document's place among all of the split.
    words: what its label in the control task hangs on, in lower case: the text of a span, the heads of two.
    """

    doc: int
    spans: Tuple[Offsets, ...]
    label: str
    words: Tuple[str, ...]


def entities(docs: Sequence[Doc], random: Random) -> Iterator[Target]:
    """YIELDS: each named entity with its type."""
    for i, doc in enumerate(docs):
        for entity in doc.ents if has_entities(doc) else ():
            yield Target(i, (_offsets(entity),), entity.label_, (entity.text.lower(),))


def coreference(docs: Sequence[Doc], random: Random) -> Iterator[Target]:
    """YIELDS: each mention with its nearest antecedent, and with one of another cluster that is as near.

    As near: in powers of two of tokens. What is in no cluster with another, or overlaps, is in no pair; an
    antecedent beside which there is no other as near isn't asked for.
    """
    for i, doc in enumerate(docs):
        clusters = [cluster for cluster in get_clusters(doc) or () if len(cluster) > 1]
        cluster_of = {_offsets(span): number for number, spans in enumerate(clusters) for span in spans}
        make = _pairs(i, doc, (span for cluster in clusters for span in cluster))
        before: List[Offsets] = []
        for here in sorted(cluster_of):
            apart = [there for there in before if there[1] <= here[0]]
            before.append(here)
            same = [there for there in apart if cluster_of[there] == cluster_of[here]]
            if not same:
                continue
            antecedent = max(same)
            distance = _distance(antecedent, here)
            others = [
                there
                for there in apart
                if cluster_of[there] != cluster_of[here] and _distance(there, here) == distance
            ]
            if others:
                yield make(antecedent, here, COREFERENT)
                yield make(random.choice(others), here, NONE)


def relations(docs: Sequence[Doc], random: Random) -> Iterator[Target]:
    """YIELDS: the two arguments of each relation in their order, and, for as many, others of a sentence.

    Those without a relation are as far from each other as the arguments are, in powers of two of tokens; the
    same two in the other order are among those that are drawn from. Each is there once.
    """
    for i, doc in enumerate(docs):
        found = get_relations(doc)
        labels: Dict[Tuple[Offsets, Offsets], Set[str]] = defaultdict(set)
        for relation in found or ():
            labels[_offsets(relation.head), _offsets(relation.tail)].add(relation.label)
        arguments = [span for relation in found or () for span in (relation.head, relation.tail)]
        mentions = [*(get_mentions(doc) or ()), *arguments]
        make = _pairs(i, doc, mentions)
        others: Dict[int, List[Tuple[Offsets, Offsets]]] = defaultdict(list)
        for pair in _in_sentences(doc, mentions) if labels else ():
            if pair not in labels:
                others[_distance(*pair)].append(pair)
        for of_distance in others.values():
            random.shuffle(of_distance)
        for pair in sorted(labels):
            yield make(*pair, " + ".join(sorted(labels[pair])))
            if others[_distance(*pair)]:
                yield make(*others[_distance(*pair)].pop(), NONE)


Maker = Callable[[Sequence[Doc], Random], Iterator[Target]]
TASKS: Dict[str, Maker] = {"entities": entities, "coreference": coreference, "relations": relations}


def _pairs(i: int, doc: Doc, spans: Iterable[Span]) -> Callable[[Offsets, Offsets, str], Target]:
    """What makes targets of two spans of a document. spans: all that may occur in one."""
    heads = Heads(doc, get_mentions(doc), spans)

    def word(offsets: Offsets) -> str:
        head: Optional[int] = heads(doc[slice(*offsets)])
        return doc[slice(*offsets)].text.lower() if head is None else doc[head].lower_

    return lambda one, other, label: Target(i, (one, other), label, (word(one), word(other)))


def _in_sentences(doc: Doc, mentions: Iterable[Span]) -> Iterator[Tuple[Offsets, Offsets]]:
    """YIELDS: any two mentions of a sentence that don't overlap, both ways round."""
    sentence = list(accumulate(bool(token.is_sent_start) for token in doc))
    spans = sorted(set(map(_offsets, mentions)))
    for one in spans:
        for other in spans:
            if sentence[one[0]] == sentence[other[0]] and (one[1] <= other[0] or other[1] <= one[0]):
                yield one, other


def _distance(one: Offsets, other: Offsets) -> int:
    return abs(other[0] - one[0]).bit_length()


def _offsets(span: Span) -> Offsets:
    return span.start, span.end
