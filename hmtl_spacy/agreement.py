"""Layers of one document that contradict each other: where they do, and how that is settled."""

from collections import Counter
from itertools import product
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple

from spacy.tokens import Doc, Span

from .annotations import Keys, merge_keys, set_mentions, write_layer
from .data.teaching import label_sets, members, teaches
from .entities.membership import Membership
from .tasks.base import Task

Labels = Tuple[str, str]  # of an entity and of a mention with the same head
SETTINGS = {"types": ("own", "cluster"), "entities": ("own", "settled")}
OWN = {name: values[0] for name, values in SETTINGS.items()}


def check_agreement(component: str, agreement: Mapping[str, str]) -> None:
    """Raises if a setting isn't one of `SETTINGS`."""
    for name, value in agreement.items():
        if value not in SETTINGS.get(name, ()):
            raise ValueError(
                f"[components.{component}.agreement] has {name} = '{value}'. Set types to one of "
                f"{SETTINGS['types']}, entities to one of {SETTINGS['entities']}."
            )


def level_of(tasks: Mapping[str, Task], layer: str) -> Optional[str]:
    """The name of the task that fills a layer, if there is one."""
    return next((name for name, task in tasks.items() if task.layer == layer), None)


def labels_together(docs: Iterable[Doc], tasks: Mapping[str, Task]) -> List[List[Any]]:
    """How often entities and mentions with the same head have which labels in gold documents that teach both:
    entity label, mention label, count; the most frequent first.
    """
    ner, mentions = level_of(tasks, "entities"), level_of(tasks, "mentions")
    counts: Counter[Labels] = Counter()
    for doc in docs if ner and mentions else ():
        if all(teaches(doc, name) and tasks[name].has_gold(doc) for name in (ner, mentions) if name):
            of_ner, of_mentions = label_sets(doc, ner), label_sets(doc, mentions)
            for ent, mention in same_heads(Membership(doc, keys_of(tasks))):
                labels = members(ent.label_, of_ner), members(mention.label_, of_mentions)
                counts.update(product(*labels))
    return [[*labels, n] for labels, n in counts.most_common()]


def same_heads(of_doc: Membership) -> Iterator[Tuple[Span, Span]]:
    """Entities with the mentions that have their heads."""
    by_head: Dict[Optional[int], List[Span]] = {}
    for mention in of_doc.mentions or []:
        by_head.setdefault(of_doc.heads(mention), []).append(mention)
    for ent in of_doc.doc.ents:
        head = of_doc.heads(ent)
        yield from ((ent, mention) for mention in by_head.get(head, ()) if head is not None)


def typed_clusters(of_doc: Membership) -> List[List[int]]:
    """The mentions of each cluster that has some, by their places among the mentions."""
    clusters: Dict[int, List[int]] = {}
    for i, mention in enumerate(of_doc.mentions or []):
        if (number := of_doc.number(mention)) is not None:
            clusters.setdefault(number, []).append(i)
    return list(clusters.values())


def settle(doc: Doc, written: str, tasks: Mapping[str, Task], cfg: Mapping[str, Any]) -> None:
    """Let the layers of a document agree as far as the settings say, once a level has been written.

    written: the level; what it contradicts is settled when the later of two levels is there.
    cfg: the component's, with `agreement`, `spans` and `together`.
    """
    settings, spans = cfg["agreement"], cfg["spans"]
    ner, mentions, coref = (level_of(tasks, layer) for layer in ("entities", "mentions", "clusters"))
    if mentions is None or spans.get(mentions, "own") != "own":
        return
    if settings["entities"] == "settled" and ner and written == _later(tasks, ner, mentions):
        _settle_entities(doc, keys_of(tasks), cfg["together"])
    if settings["types"] == "cluster" and coref and written == _later(tasks, coref, mentions):
        _vote(doc, keys_of(tasks))


def keys_of(tasks: Mapping[str, Task]) -> Keys:
    return merge_keys({name: task.keys for name, task in tasks.items()})


def _later(tasks: Mapping[str, Task], one: str, other: str) -> str:
    return max(one, other, key=list(tasks).index)


def _vote(doc: Doc, keys: Keys) -> None:
    """Give all mentions of a cluster the type with the highest sum of probabilities."""
    of_doc = Membership(doc, keys)
    mentions = list(of_doc.mentions or [])
    scores = _scores(doc, keys.mentions)
    for cluster in typed_clusters(of_doc):
        votes: Dict[str, float] = {}
        for i in cluster:
            votes[mentions[i].label_] = votes.get(mentions[i].label_, 0.0) + scores[i]
        best = max(votes, key=lambda label: votes[label])
        for i in cluster:
            mentions[i] = _labelled(mentions[i], best)
    set_mentions(doc, mentions, scores, keys.mentions)


def _settle_entities(doc: Doc, keys: Keys, together: List[List[Any]]) -> None:
    """Where an entity and a mention with one head have labels that training didn't show together, the less
    probable gets the label that goes most often with the other's, if any does. Entities of others stay.
    """
    seen = {(entity, mention) for entity, mention, _ in together}
    mention_of = {entity: mention for entity, mention, _ in reversed(together)}
    entity_of = {mention: entity for entity, mention, _ in reversed(together)}
    of_doc = Membership(doc, keys)
    predicted = list(doc.spans[keys.entities]) if keys.entities in doc.spans else []
    entity_scores, scores = _scores(doc, keys.entities), _scores(doc, keys.mentions)
    mentions = list(of_doc.mentions or [])
    place = {(span.start, span.end): i for i, span in enumerate(mentions)}
    own = {(span.start, span.end, span.label): i for i, span in enumerate(predicted)}
    for ent, mention in same_heads(of_doc):
        i, j = own.get((ent.start, ent.end, ent.label)), place[mention.start, mention.end]
        if i is None or (ent.label_, mention.label_) in seen:
            continue
        if entity_scores[i] >= scores[j] and ent.label_ in mention_of:
            mentions[j] = _labelled(mention, mention_of[ent.label_])
        elif entity_scores[i] < scores[j] and mention.label_ in entity_of:
            predicted[i] = _labelled(ent, entity_of[mention.label_])
    set_mentions(doc, mentions, scores, keys.mentions)
    if keys.entities and predicted:
        changed = {(span.start, span.end): span for span in predicted}
        ents = [changed[e.start, e.end] if (e.start, e.end, e.label) in own else e for e in doc.ents]
        doc.set_ents(ents, default="unmodified")
        write_layer(doc, "entities", keys.entities, predicted, scores=entity_scores)


def _scores(doc: Doc, key: Optional[str]) -> List[float]:
    """The scores of a group's spans; 1.0 where there are none."""
    if not key or key not in doc.spans:
        return []
    return list(doc.spans[key].attrs.get("scores") or [1.0] * len(doc.spans[key]))


def _labelled(span: Span, label: str) -> Span:
    return Span(span.doc, span.start, span.end, label=label, kb_id=span.kb_id, span_id=span.id)
