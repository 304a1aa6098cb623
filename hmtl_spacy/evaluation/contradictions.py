"""How often the layers of annotated documents contradict each other."""

from typing import Dict, Iterable, Mapping, NamedTuple

from spacy.tokens import Doc

from ..agreement import keys_of, level_of, same_heads, typed_clusters
from ..annotations import get_relations
from ..component import HMTL
from ..entities.membership import Membership
from ..tasks.base import Task
from ..tasks.relation_task import RelationTask

ENTITIES = "entities and mentions with labels that training didn't show together"
CLUSTERS = "clusters of several types"
RELATIONS = "relations between types that training didn't show"


class Contradictions(NamedTuple):
    """How many of how many contradict each other."""

    found: int
    among: int


def count_contradictions(docs: Iterable[Doc], hmtl: HMTL) -> Dict[str, Contradictions]:
    """What contradicts what, as far as the pipeline has both layers and knows what training showed: entities
    and mentions with the same head, clusters with several typed mentions, relations.
    """
    counts: Dict[str, Contradictions] = {}
    tasks = hmtl.tasks
    has = {layer: level_of(tasks, layer) is not None for layer in ("entities", "mentions", "clusters")}
    together = {(entity, mention) for entity, mention, _ in hmtl.cfg["together"]}
    for doc in docs:
        of_doc = Membership(doc, keys_of(tasks))
        if has["mentions"] and has["entities"] and together:
            pairs = [(ent.label_, mention.label_) for ent, mention in same_heads(of_doc)]
            _add(counts, ENTITIES, sum(pair not in together for pair in pairs), len(pairs))
        if has["mentions"] and has["clusters"]:
            clusters = [
                [of_doc.mentions[i].label_ for i in c] for c in typed_clusters(of_doc) if of_doc.mentions
            ]
            typed = [labels for labels in clusters if len(labels) > 1]
            _add(counts, CLUSTERS, sum(len(set(labels)) > 1 for labels in typed), len(typed))
        for unseen, n in _relations(doc, tasks):
            _add(counts, RELATIONS, unseen, n)
    return counts


def _relations(doc: Doc, tasks: Mapping[str, Task]) -> Iterable[Contradictions]:
    for task in tasks.values():
        if isinstance(task, RelationTask) and task.seen:
            relations = get_relations(doc, task.relations_key) or []
            yield Contradictions(len(relations) - len(task.showed(doc, relations)), len(relations))


def _add(counts: Dict[str, Contradictions], name: str, found: int, among: int) -> None:
    before = counts.get(name, Contradictions(0, 0))
    counts[name] = Contradictions(before.found + found, before.among + among)
