"""A `Doc` as UIMA CAS for INCEpTION: a batch is a zip of documents, as JSON or as XMI."""

import io
import zipfile
from collections import Counter
from typing import Any, Dict, List, Tuple

from spacy.tokens import Doc

from ..converters.uima import CHAIN, LINK, NAMED_ENTITY, SENTENCE, TOKEN
from ..layers import STANDARD, Layers, lose_further, lose_unannotated
from .brat import DATE, file_name, unique_names
from .links import ARGUMENT, Link, Place, arguments, place
from .words import lose_scores
from .writer import Writer

SPAN, RELATION = "custom.Span", "custom.Relation"
ANNOTATION, STRING = "uima.tcas.Annotation", "uima.cas.String"
Member = Tuple[str, Any]  # a document's name and its CAS


def load_cassis() -> Any:
    try:
        import cassis
    except ImportError:
        advice = "Install the extra: pip install 'hmtl-spacy[cas]'"
        raise ImportError(f"CAS files are written with the library dkpro-cassis. {advice}") from None
    return cassis


def make_types(cassis: Any) -> Any:
    """The type system: INCEpTION's layers of these names, and nothing else."""
    types = cassis.TypeSystem()
    for name, features in (
        (TOKEN, {}),
        (SENTENCE, {}),
        (NAMED_ENTITY, {"value": STRING}),
        (SPAN, {"label": STRING}),
        (RELATION, {"Governor": SPAN, "Dependent": SPAN, "label": STRING}),
        (LINK, {"next": LINK, "referenceType": STRING, "referenceRelation": STRING}),
    ):
        made = types.create_type(name, ANNOTATION)
        for feature, kind in features.items():
            types.create_feature(made, feature, kind)
    chain = types.create_type(CHAIN, "uima.cas.AnnotationBase")
    types.create_feature(chain, "first", LINK)
    return types


def doc_to_cas(doc: Doc, layers: Layers, lost: "Counter[str]") -> Member:
    """A document for `join`: named entities, mentions as `custom.Span`, relations between these, chains.

    doc: the document.
    layers: what it has.
    lost: what the format can't hold is counted here.
    RETURNS: its name and dkpro-cassis' CAS.
    """
    lose_further(layers, lost)
    lose_unannotated(layers, STANDARD, lost)
    lose_scores([layers.entities, layers.mentions, layers.relations, *(layers.clusters or ())], lost)
    lost["documents' meta"] += "meta" in doc.user_data
    cassis = load_cassis()
    cas = cassis.Cas(make_types(cassis))
    cas.sofa_string, cas.sofa_mime = doc.text, "text/plain"

    def add(name: str, where: Place, **features: Any) -> Any:
        row = cas.typesystem.get_type(name)(begin=where[0], end=where[1], **features)
        cas.add(row)
        return row

    for token in doc:
        if not token.is_space:
            add(TOKEN, (token.idx, token.idx + len(token)))
    for sentence in layers.sentences or ():
        add(SENTENCE, place(sentence))
    for span, _ in layers.entities or ():
        add(NAMED_ENTITY, place(span), value=span.label_)
    rows: Dict[Place, Any] = {}
    for span, _ in layers.mentions or ():
        rows.setdefault(place(span), add(SPAN, place(span), label=span.label_))
    links = [Link(place(row.head), place(row.tail), row.label, None) for row in layers.relations or ()]
    for where in arguments(links, rows, lost):
        rows[where] = add(SPAN, where, label=ARGUMENT)
    for link in links:
        ends = {"Governor": rows[link.head], "Dependent": rows[link.tail]}
        add(RELATION, link.tail, label=link.label, **ends)
    for cluster in layers.clusters or ():
        following = None
        for span, _ in sorted(cluster, reverse=True):
            following = add(LINK, place(span), next=following)
        cas.add(cas.typesystem.get_type(CHAIN)(first=following))
    return file_name(doc, lost), cas


def _to_zip(members: List[Member], is_xmi: bool) -> bytes:
    if not members:
        return b""
    files = io.BytesIO()
    with zipfile.ZipFile(files, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (_, cas) in zip(unique_names([name for name, _ in members]), members, strict=True):
            ending, text = ("xmi", cas.to_xmi()) if is_xmi else ("json", cas.to_json())
            archive.writestr(zipfile.ZipInfo(f"{name}.{ending}", DATE), text)
        if is_xmi:
            types = make_types(load_cassis()).to_xml()
            archive.writestr(zipfile.ZipInfo("TypeSystem.xml", DATE), types)
    return files.getvalue()


def members_to_json(members: List[Member]) -> bytes:
    return _to_zip(members, is_xmi=False)


def members_to_xmi(members: List[Member]) -> bytes:
    return _to_zip(members, is_xmi=True)


writer = Writer(doc_to_cas, (".cas.zip",), join=members_to_json, whole_files=True)
xmi_writer = Writer(doc_to_cas, (".xmi.zip",), join=members_to_xmi, whole_files=True)
