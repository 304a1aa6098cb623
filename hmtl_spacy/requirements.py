"""What a packaged pipeline has to install beside spaCy."""

from typing import Any

from spacy.language import Language
from spacy.util import get_minor_version_range, split_requirement
from thinc.api import Model

from . import __version__

PACKAGE = "hmtl-spacy"
EXTRA = "hmtl_extra"


def require_extras(nlp: Language, embedding: Model[Any, Any]) -> None:
    """Note in the pipeline's meta which extras of this package it needs.

    `spacy package` finds this package by itself, but not what a layer imports beyond its core
    dependencies; such a layer has the name of the extra in `attrs[EXTRA]`.
    """
    extras = sorted({node.attrs[EXTRA] for node in embedding.walk() if EXTRA in node.attrs})
    if extras:
        kept = [
            requirement
            for requirement in nlp.meta.get("requirements", [])
            if split_requirement(requirement)[0] != PACKAGE
        ]
        own = f"{PACKAGE}[{','.join(extras)}]{get_minor_version_range(__version__)}"
        nlp.meta["requirements"] = [*kept, own]
