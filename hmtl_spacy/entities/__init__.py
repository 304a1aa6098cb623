"""What coreference is good for: main mentions, a resolved text, and a graph of entities.

Modules: `words`, `heads`, `coordinations` and `levels` tell mentions apart; `membership` says which
cluster a span belongs to; `phrases` and `resolution` replace anaphors; `graph` and `building` make the graph.
"""

from functools import partial

from spacy.tokens import Doc, Span

from ..annotations import CLUSTERS, MENTIONS, RELATIONS
from .building import entity_graph
from .graph import Entity, EntityGraph, EntityMention, EntityRelation, Evidence
from .membership import cluster_of
from .mention_forms import main_mention
from .resolution import resolve

__all__ = [
    "Entity",
    "EntityGraph",
    "EntityMention",
    "EntityRelation",
    "Evidence",
    "cluster_of",
    "entity_graph",
    "main_mention",
    "resolve",
    "set_extensions",
]


def set_extensions(
    mentions_key: str = MENTIONS, clusters_key: str = CLUSTERS, relations_key: str = RELATIONS
) -> None:
    """Add `doc._.coref_resolved`, `doc._.entity_graph` and `span._.coref_cluster`, each where nobody set one.

    The component does it; call it to use them on documents that were annotated elsewhere.
    """
    coref = {"mentions_key": mentions_key, "clusters_key": clusters_key}
    layers = {**coref, "relations_key": relations_key}
    if not Doc.has_extension("coref_resolved"):
        Doc.set_extension("coref_resolved", getter=partial(resolve, **coref))
    if not Doc.has_extension("entity_graph"):
        Doc.set_extension("entity_graph", getter=partial(entity_graph, **layers))
    if not Span.has_extension("coref_cluster"):
        Span.set_extension("coref_cluster", getter=partial(cluster_of, **coref))
