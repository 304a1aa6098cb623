"""The extension attributes `doc._.coref_clusters` and `doc._.relations`."""

import warnings
from typing import Any, Callable, List

from spacy.tokens import Doc, Span

from .clusters import get_clusters
from .keys import keys_of_doc
from .relations import Relation, get_relations


def set_extensions() -> None:
    """Add the getters `doc._.coref_clusters` and `doc._.relations`, each only where nobody set one.

    They read the groups that the document's layers are in, and give empty lists where nothing is annotated.
    They can be pickled: spaCy sends all extensions to the processes of `nlp.pipe(n_process=2)`.
    """
    for name, getter in (("coref_clusters", _clusters_or_none), ("relations", _relations_or_none)):
        set_extension(Doc, name, getter)


def set_extension(owner: Any, name: str, getter: Callable[..., Any]) -> None:
    """Add an extension attribute to Doc or Span; where another package has one of that name, it stays, which
    is said.
    """
    if not owner.has_extension(name):
        owner.set_extension(name, getter=getter)
    elif owner.get_extension(name)[2] is not getter:
        warnings.warn(
            f"{owner.__name__.lower()}._.{name} was set by something else and stays as it is: it doesn't "
            f"show what hmtl_spacy annotates. Read that with the functions of hmtl_spacy.annotations.",
            stacklevel=3,
        )


def _clusters_or_none(doc: Doc) -> List[List[Span]]:
    return get_clusters(doc, keys_of_doc(doc).clusters) or []


def _relations_or_none(doc: Doc) -> List[Relation]:
    return get_relations(doc, keys_of_doc(doc).relations) or []
