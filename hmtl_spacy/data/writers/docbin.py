"""A `Doc` as spaCy stores it: in .spacy files, each the `DocBin` of a batch."""

from collections import Counter
from typing import List

import srsly
from spacy.tokens import Doc, DocBin

from ..layers import Layers
from .writer import Writer


def doc_to_docbin(doc: Doc, layers: Layers, lost: Counter[str]) -> Doc:
    """The document itself, once it is sure that it can be stored: a `DocBin` fails as a whole."""
    srsly.msgpack_dumps(doc.user_data)
    return doc


def docs_to_bytes(docs: List[Doc]) -> bytes:
    return DocBin(store_user_data=True, docs=docs).to_bytes() if docs else b""


writer = Writer(doc_to_docbin, (".spacy",), join=docs_to_bytes, whole_files=True)
