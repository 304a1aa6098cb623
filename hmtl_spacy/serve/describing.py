"""A document, and the pipeline itself, as plain data."""

from typing import Any, Dict

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from .. import __version__
from ..data.writers.jsonl import to_jsonl
from ..visualize.content import LAYERS, read
from ..visualize.markup import document
from ..visualize.page import element_of
from .schemas import Model, Version


def describe(doc: Doc, html: bool = False) -> Dict[str, Any]:
    """A document's text and layers in character offsets.

    html: also, under "html", as an element for the page, which has the style and script for it.
    """
    described = to_jsonl(doc)
    if html:
        described["html"] = element_of(document(read(doc, LAYERS), None, "hmtl-0"))
    return described


def version_of(nlp: Language) -> Version:
    """What annotates: package, spaCy and pipeline."""
    levels = [level for _, pipe in nlp.pipeline for level in getattr(pipe, "tasks", ())]
    name = "_".join(filter(None, (nlp.lang, nlp.meta.get("name"))))
    model = Model(
        name=name, version=nlp.meta.get("version", ""), pipeline=list(nlp.pipe_names), levels=levels
    )
    return Version(hmtl_spacy=__version__, spacy=spacy.__version__, model=model)
