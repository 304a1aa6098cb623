"""Uses of coreference: main mentions, a resolved text, and a graph of entities.

Modules: `words`, `heads`, `coordinations` and `mention_forms` classify mentions; `membership` says which
cluster a span belongs to; `phrases` and `resolution` replace anaphors; `graph` and `building` make the graph.
"""

from spacy.tokens import Doc, Span

from ..annotations import set_extension
from ..annotations import set_extensions as set_layer_extensions
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


def set_extensions() -> None:
    """Add `doc._.coref_resolved`, `doc._.entity_graph` and `span._.coref_cluster`, each where nobody set one,
    and those of `annotations.set_extensions`.

    They read the span groups that the document's layers are in. The component sets them; call this to use
    them on documents that were annotated elsewhere.
    """
    set_layer_extensions()
    set_extension(Doc, "coref_resolved", resolve)
    set_extension(Doc, "entity_graph", entity_graph)
    set_extension(Span, "coref_cluster", cluster_of)
