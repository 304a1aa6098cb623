"""Where mentions, coreference clusters and relations live on a `Doc`.

All three are span groups, so they survive `DocBin`, `Doc.to_bytes`, pickling and
`nlp.pipe(n_process=2)`. A missing group means *not annotated*; an empty one means
*annotated, none found*. Every reader below returns `None` for the former.

The groups may have other names than the usual ones; `Keys` holds them. Each group says in `attrs["layer"]`
which layer it is, so that a document can be read without knowing which pipeline annotated it: `keys_of_doc`.
"""

from .clusters import get_clusters, set_clusters
from .entities import has_entities
from .extensions import set_extension, set_extensions
from .keys import (
    CLUSTERS,
    ENTITIES,
    KEYS,
    MENTIONS,
    RELATIONS,
    Keys,
    TaskKeys,
    keys_of_doc,
    merge_keys,
    write_layer,
)
from .mentions import get_mentions, set_mentions
from .relations import Relation, get_relations, set_relations
from .spans import spans_of

__all__ = [
    "CLUSTERS",
    "ENTITIES",
    "KEYS",
    "MENTIONS",
    "RELATIONS",
    "Keys",
    "Relation",
    "TaskKeys",
    "get_clusters",
    "get_mentions",
    "get_relations",
    "has_entities",
    "keys_of_doc",
    "merge_keys",
    "set_clusters",
    "set_extension",
    "set_extensions",
    "set_mentions",
    "set_relations",
    "spans_of",
    "write_layer",
]
