"""BioC, XML or JSON: biomedical texts in passages, with mentions, identifiers and relations."""

from collections import Counter
from pathlib import Path
from typing import FrozenSet, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from spacy.tokens import Doc
from spacy.vocab import Vocab

from .bioc_records import Annotation, BiocDocument, read_documents
from .clusters import Offsets
from .converter import Converter
from .folders import files_in
from .identifiers import Identifiers
from .rules import TextRules, takes
from .standoff import Standoff
from .tokens import load_tokenizer
from .units import Positions, Unit

UNITS: Tuple[Unit, ...] = ("codepoint", "byte", "utf16")
UNIT_NAMES = {"byte": "bytes", "utf16": "UTF-16 units"}
IDENTIFIERS = ("identifier", "MESH", "NCBI Gene", "NCBI Taxonomy", "UMLS")
ROLES = (("head", "tail"), ("subject", "object"), ("source", "target"), ("arg1", "arg2"))
ENTITIES = ("entity1", "entity2")  # of relations between identifiers, in BioRED


class Text(NamedTuple):
    """A document's text, with offsets that count a unit. fitting: how many annotations have their text."""

    text: str
    positions: Positions
    unit: Unit
    fitting: int


@takes(TextRules)
def bioc_to_docs(
    path: Path,
    *,
    vocab: Optional[Vocab] = None,
    identifier: Sequence[str] = IDENTIFIERS,
    dropped: Counter[str],
    rules: TextRules,
) -> Iterator[Doc]:
    """BioC, XML or JSON. Fills mentions, clusters of one identifier, and relations.

    Clusters and relations are annotated where the file has identifiers and relations.

    path: the file, or a folder of such files.
    vocab: the vocabulary of the documents.
    identifier: infon that says what a mention stands for; can be repeated, the first that is there counts.
    dropped: what couldn't be kept is counted here.
    YIELDS: the documents.
    """
    nlp = load_tokenizer(rules.lang, rules.model, vocab)
    files = files_in(path)
    layers = _layers(files, identifier, rules)
    documents = (document for file in files for document in read_documents(file))
    for number, document in enumerate(documents, start=1):
        text = _lay(document)
        doc = nlp.tokenizer(text.text)
        doc.user_data["id"] = document.id or str(number)
        if text.unit in UNIT_NAMES:
            dropped[f"documents whose offsets count {UNIT_NAMES[text.unit]}"] += 1
        other = len(document.annotations) - text.fitting
        dropped["mentions with another text than that at their offsets (which are kept)"] += other
        standoff = Standoff(doc, rules, document.error, dropped)
        _annotate(standoff, document, text.positions, identifier)
        yield standoff.annotate(layers)


def _annotate(
    standoff: Standoff, document: BiocDocument, positions: Positions, identifier: Sequence[str]
) -> None:
    identifiers = Identifiers(standoff)
    for number, annotation in enumerate(document.annotations):
        standoff.error = annotation.error
        pieces = _pieces(annotation, positions)
        if pieces is None:
            found = f"found the annotation {annotation.id!r} at {annotation.locations} (start, end)"
            raise annotation.error(
                f"{found}, but the text ends at {positions.size}. Offsets count the document."
            )
        label = annotation.infons.get("type", "")
        standoff.dropped["mentions without a type"] += not label
        id = annotation.id or ("no id", number)
        standoff.span(id, pieces, label or "mention")
        known = [annotation.infons[key] for key in identifier if annotation.infons.get(key)]
        identifiers.add(id, known[0] if known else "", label)
    identifiers.clusters()
    spans = {annotation.id for annotation in document.annotations}
    for relation in document.relations:
        standoff.error = relation.error
        label = relation.infons.get("type") or relation.infons.get("relation", "")
        if not label:
            standoff.dropped["relations without a type"] += 1
        elif len(relation.nodes) == 2:
            head, tail = _in_order(relation.nodes)
            for id in (head, tail):
                if id not in spans:
                    standoff.leave_out(id)
            standoff.relation(head, tail, label)
        elif not relation.nodes and all(relation.infons.get(key) for key in ENTITIES):
            head, tail = (relation.infons[key] for key in ENTITIES)
            identifiers.relation(head, tail, label)
        else:
            standoff.dropped["relations of other than two arguments"] += 1
    standoff.error = document.error


def _in_order(nodes: List[Tuple[str, str]]) -> Tuple[str, str]:
    """Head and tail of a relation: as its roles say, else the first and the second."""
    (head, first), (tail, second) = nodes
    swapped = (second.casefold(), first.casefold()) in ROLES
    return (tail, head) if swapped else (head, tail)


def _lay(document: BiocDocument) -> Text:
    """The text, in the unit in which most annotations have their text; the first of those."""
    texts = [text for text in (_lay_as(document, unit) for unit in UNITS) if text is not None]
    if not texts:
        found = f"the passages of {document.id!r} overlap: {[offset for offset, _ in document.texts]}"
        raise document.error(f"{found}. Offsets count the document, from its beginning.")
    return max(texts, key=lambda text: text.fitting)


def _lay_as(document: BiocDocument, unit: Unit) -> Optional[Text]:
    """The passages at their offsets, with spaces between them; None if they overlap."""
    text, length = "", 0
    for offset, part in document.texts:
        if offset < length and part:
            return None
        text += " " * (offset - length) + part
        length = max(offset, length) + Positions(part, unit).size
    positions = Positions(text, unit)
    fitting = sum(_fits(annotation, positions, text) for annotation in document.annotations)
    return Text(text, positions, unit, fitting)


def _fits(annotation: Annotation, positions: Positions, text: str) -> bool:
    """Whether an annotation has its text, but for white space."""
    pieces = _pieces(annotation, positions)
    there = "".join(text[start:end] for start, end in pieces or ())
    return pieces is not None and "".join(there.split()) == "".join(annotation.text.split())


def _pieces(annotation: Annotation, positions: Positions) -> Optional[List[Offsets]]:
    """Start and end of each location in code points; None if there is no such place."""
    pieces = []
    for location in annotation.locations:
        start, end = map(positions.find, location)
        if start is None or end is None:
            return None
        pieces.append((start, end))
    return pieces


def _layers(files: List[Path], identifier: Sequence[str], rules: TextRules) -> FrozenSet[str]:
    """The layers that any document has."""
    found = {"mentions"}
    for document in (document for file in files for document in read_documents(file)):
        if any(annotation.infons.get(key) for annotation in document.annotations for key in identifier):
            found.add("clusters")
        if document.relations:
            found.add("relations")
        if rules.has_coref or any(rules.is_coref(row.infons.get("type", "")) for row in document.relations):
            found.add("clusters")
        if len(found) == 3:
            break
    return frozenset(found)


converter = Converter(
    bioc_to_docs,
    read_folder=bioc_to_docs,
    input="A BioC file, XML or JSON, or a folder of such files",
    example="corpus.BioC.XML train.spacy",
    paths=True,
)
