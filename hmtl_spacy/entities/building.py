"""From mentions, clusters and relations to entities and relations between them."""

from collections import Counter
from typing import Dict, List, Optional, Tuple, Union

from spacy.tokens import Doc, Span

from ..annotations import Keys, get_relations, keys_of_doc
from .graph import Entity, EntityGraph, EntityMention, EntityRelation, Evidence
from .heads import nested
from .membership import Membership
from .mention_forms import best_mention, form_of, name_in

Key = Tuple[str, Union[int, Tuple[int, int]]]
Scores = Dict[Tuple[int, int], float]  # by token offsets


def entity_graph(doc: Doc, *, keys: Optional[Keys] = None) -> EntityGraph:
    """The entities of a document and the relations between them.

    An entity is a cluster, or a mention without one; named entities count as mentions where no mentions are
    annotated, and an argument of a relation always does. A mention that heads a longer span of
    a cluster is that span's head, not a mention of its own. An entity's type is that of most of its mentions,
    of the main mention in a draw.

    A relation between mentions becomes one between their entities, and those that agree become one with all
    of them as evidence. Its score is the highest among them: scores of one model for one entity aren't
    independent, so that adding them up (noisy-or) would make it too sure. Relations of an entity with
    itself are kept.

    keys: the document's span groups; found out from it if not given.
    """
    keys = keys_of_doc(doc) if keys is None else keys
    members = Membership(doc, keys)
    relations = get_relations(doc, keys.relations) or []
    spans = spans_by_entity(members, [span for relation in relations for span in relation[:2]])
    entities = _entities(spans, members, _mention_scores(doc, keys))
    merged: Dict[Tuple[str, str, str], List[Evidence]] = {}
    for head, tail, label, score in relations:
        ends = entities[key_of(head, members)].id, entities[key_of(tail, members)].id
        merged.setdefault((*ends, label), []).append(Evidence(_offsets(head), _offsets(tail), float(score)))
    by_id = {entity.id: entity for entity in entities.values()}
    lifted = [
        EntityRelation(by_id[head], by_id[tail], label, max(item.score for item in evidence), tuple(evidence))
        for (head, tail, label), evidence in merged.items()
    ]
    return EntityGraph(tuple(by_id.values()), tuple(lifted))


def key_of(span: Span, members: Membership) -> Key:
    """What all spans of one entity share: the cluster, else the head token, else the span itself."""
    number = members.number(span)
    if number is not None:
        return "cluster", number
    head = members.heads(span)
    return ("head", head) if head is not None else ("span", (span.start, span.end))


def spans_by_entity(members: Membership, arguments: List[Span]) -> Dict[Key, List[Span]]:
    """All spans of each entity; an argument only where nothing else has its head."""
    spans: Dict[Key, List[Span]] = {}
    for number, cluster in enumerate(members.clusters):
        spans["cluster", number] = list(cluster)
    for span in members.typed():
        spans.setdefault(key_of(span, members), []).append(span)
    labels = {(span.start, span.end): span.label_ for span in members.doc.ents}
    for span in arguments:
        label = span.label_ or labels.get((span.start, span.end), "")
        spans.setdefault(key_of(span, members), [Span(span.doc, span.start, span.end, label=label)])
    return spans


def _entities(spans: Dict[Key, List[Span]], members: Membership, scores: Scores) -> Dict[Key, Entity]:
    ordered = sorted(spans, key=lambda key: min((span.start, -span.end) for span in spans[key]))
    return {
        key: _entity(f"e{number}", spans[key], members, scores) for number, key in enumerate(ordered, start=1)
    }


def _mention_scores(doc: Doc, keys: Keys) -> Scores:
    """The scores of the mentions, and of the mentions in clusters and the entities that are none of these."""
    scores: Scores = {}
    for key in (keys.mentions, keys.clusters, keys.entities):
        if key in doc.spans:
            group = doc.spans[key]
            for span, score in zip(group, group.attrs.get("scores", ()), strict=False):
                scores.setdefault((span.start, span.end), float(score))
    return scores


def _entity(id: str, spans: List[Span], members: Membership, scores: Scores) -> Entity:
    """Of spans inside each other that have the same head the longest is a mention, with the label of any."""
    labelled: List[Tuple[Span, str]] = []
    for span in sorted(spans, key=lambda span: -len(span)):
        whole = next((i for i, (other, _) in enumerate(labelled) if _is_part(span, other, members)), None)
        if whole is None:
            labelled.append((span, span.label_))
        elif not labelled[whole][1]:
            labelled[whole] = (labelled[whole][0], span.label_)
    labelled.sort(key=lambda item: (item[0].start, -item[0].end))
    main = best_mention([span for span, _ in labelled], members.heads)
    votes = Counter(label for _, label in labelled if label)
    own = next(label for span, label in labelled if span is main)
    label = max(votes, key=lambda name: (votes[name], name == own)) if votes else ""
    name = " ".join((name_in(main, members.heads) or main).text.split())
    mentions = tuple(
        EntityMention(
            *_offsets(span),
            span.text,
            label,
            form_of(span, members.heads).name.lower(),
            scores.get((span.start, span.end)),
        )
        for span, label in labelled
    )
    return Entity(id, name, label, mentions)


def _is_part(span: Span, whole: Span, members: Membership) -> bool:
    head = members.heads(span)
    same_head = head is not None and head == members.heads(whole)
    return nested(span, whole) and (same_head or len(span) == len(whole))


def _offsets(span: Span) -> Tuple[int, int]:
    return span.start_char, span.end_char
