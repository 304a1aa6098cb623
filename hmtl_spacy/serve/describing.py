"""A document, and the pipeline itself, as the API's answers."""

import json
from typing import Callable, Union

from spacy.about import __version__ as spacy_version
from spacy.language import Language
from spacy.tokens import Doc

from .. import __version__
from ..data.layers import Layers, further_names, keys_of, read_layers, tasks_of
from ..data.writers.jsonl import to_jsonl
from ..visualize.content import read
from ..visualize.markup import documents
from ..visualize.page import element_of
from .schemas import Model, Version

Form = Callable[[Doc, Layers], bytes]


class Describer:
    """Describes the documents of one pipeline.

    Its tasks say which span groups their layers are in, and describe layers beyond the four standard ones.
    """

    def __init__(self, nlp: Language):
        self.tasks = tasks_of(nlp)
        self.keys = keys_of(self.tasks)
        self.further = list(further_names(self.tasks))

    def __call__(self, doc: Doc, form: Union[bool, Form] = False) -> bytes:
        """A document's text and layers in character offsets, as JSON.

        form: true: also, under "html", as an element for the page, which has the style and script for it; or
            a function that makes another form of a document and its layers.
        """
        layers = read_layers(doc, self.keys, self.tasks)
        if callable(form):
            return form(doc, layers)
        described = to_jsonl(doc, layers)
        if form:
            content = read(doc, keys=self.keys, tasks=self.tasks, graph=True)
            described["html"] = element_of(documents([(content, None)], "all"))
        return json.dumps(described, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def version_of(nlp: Language) -> Version:
    """The versions of the package and spaCy, and the pipeline."""
    levels = [level for _, pipe in nlp.pipeline for level in getattr(pipe, "tasks", ())]
    name = "_".join(filter(None, (nlp.lang, nlp.meta.get("name"))))
    model = Model(
        name=name, version=nlp.meta.get("version", ""), pipeline=list(nlp.pipe_names), levels=levels
    )
    return Version(hmtl_spacy=__version__, spacy=spacy_version, model=model)
