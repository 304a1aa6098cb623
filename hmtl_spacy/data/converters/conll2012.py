"""OntoNotes 5 as CoNLL-2012 lays it out (`*_gold_conll`): named entities and coreference by part.

#begin document (nw/xyz/00/xyz_0001); part 000
nw/xyz/00/xyz_0001   0   0    Ada   NNP   (TOP(S(NP*    -   -   -   -   (PERSON*   (0
nw/xyz/00/xyz_0001   0   1  Byron   NNP            *)   -   -   -   -          *)   0)
...
#end document
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple, Union

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ...annotations import set_clusters
from ..vocabulary import vocabulary
from .clusters import resolve_clusters
from .common import TREEBANK_ESCAPES, ConversionError, make_doc, read_lines
from .conll2012_columns import UNKNOWN, Row, read_clusters, read_entities, sentence_rows
from .converter import Converter
from .folders import files_of

BEGIN = re.compile(r"#begin document \((.+)\)(?:; part (\d+))?")
END = "#end document"
SLASHES = {"/.": ".", "/?": "?"}
WITHOUT_ENTITIES = "pt/"  # the New Testament: no names were annotated in it
LANGUAGES = {"arabic", "chinese", "english"}


class Part(NamedTuple):
    """A part of a document, which becomes a `Doc` of its own."""

    name: str
    number: int
    line: int
    sentences: List[List[Row]]


def conll2012_to_docs(
    lines: Iterable[str],
    *,
    source: str = "<input>",
    vocab: Optional[Vocab] = None,
    unescape: bool = True,
    singletons: bool = False,
    dropped: Optional[Counter[str]] = None,
    places: Optional[Dict[str, str]] = None,
) -> Iterator[Doc]:
    """OntoNotes 5 as *_gold_conll (CoNLL-2012). Fills doc.ents and coreference clusters.

    Each part is a document. Named entities of the New Testament (`pt/`) stay unannotated.

    lines: the decoded lines of the file.
    source: the name of the file, for messages.
    vocab: the vocabulary of the documents.
    unescape: write brackets and quotes for -LRB-, `` and so on; /. and /? lose their slash in any case.
    singletons: keep clusters of one mention.
    dropped: what couldn't be kept is counted here.
    places: where parts stand already, by id; those of this file are added.
    YIELDS: the documents; the id is the name and the number of the part: "nw/xyz/00/xyz_0001_0".
    """
    vocab = vocabulary(vocab)
    dropped = Counter() if dropped is None else dropped
    places = {} if places is None else places
    escapes = {**SLASHES, **(TREEBANK_ESCAPES if unescape else {})}
    for part in _parts(lines, source):
        id = f"{part.name}_{part.number}"
        if id in places:
            found = f"part {part.number} of {part.name!r} is at {places[id]} already"
            raise ConversionError(source, part.line, f"{found}. Leave one of them.")
        places[id] = f"{source}:{part.line}"
        rows = [row for sentence in part.sentences for row in sentence]
        words = [escapes.get(row.word, row.word) for row in rows]
        doc = make_doc(vocab, words, None, [len(sentence) for sentence in part.sentences], id)
        entities = [
            Span(doc, start, end, label) for start, end, label in read_entities(part.sentences, source)
        ]
        if part.name.startswith(WITHOUT_ENTITIES):
            dropped["documents of the New Testament (without named entities)"] += 1
        elif all(row.entity in UNKNOWN for row in rows):
            dropped["documents without named entities in their column (left unannotated)"] += 1
        else:
            doc.set_ents(entities, default="outside")
        if all(row.coref in ("_", "") for row in rows):
            dropped["documents without coreference in their column (left unannotated)"] += 1
        else:
            set_clusters(doc, resolve_clusters(read_clusters(rows, source), singletons, dropped))
        yield doc


def conll2012_folder_to_docs(
    path: Union[str, Path], *, pattern: str = "*gold_conll", **options: Any
) -> Iterator[Doc]:
    """Convert the files at or below a folder.

    path: the folder.
    pattern: what the names of the files are like, such as *.conll.
    options: those of `conll2012_to_docs`.
    YIELDS: the documents.
    """
    folder = Path(path)
    files = list(files_of(folder, pattern))
    languages = sorted(
        {name for file in files for name in file.relative_to(folder).parts if name in LANGUAGES}
    )
    if len(languages) > 1:
        several = f"the folder holds several languages: {', '.join(languages)}"
        raise ConversionError(str(path), None, f"{several}. Name the folder of one.")
    options["places"] = {}
    if options.get("vocab") is None:
        options["vocab"] = vocabulary()
    for file in files:
        yield from conll2012_to_docs(read_lines(file), source=str(file), **options)


def _parts(lines: Iterable[str], source: str) -> Iterator[Part]:
    part: Optional[Part] = None
    rows: List[Tuple[int, str]] = []
    for number, line in enumerate(lines, start=1):
        begin = BEGIN.fullmatch(line.strip())
        if not line.strip() or begin or line.startswith(END):
            if part is not None and rows:
                part.sentences.append(sentence_rows(rows, part.name, part.number, source))
            rows = []
        if begin:
            if part is not None:
                found = f"found a document inside that of line {part.line}"
                raise ConversionError(
                    source, number, f"{found}, expected '{END}' before. Is a piece missing?"
                )
            part = Part(begin[1], int(begin[2] or 0), number, [])
        elif line.startswith(END) and part is not None:
            if not part.sentences:
                raise ConversionError(source, number, "found a document without tokens. Leave it out.")
            yield part
            part = None
        elif line.strip():
            if part is None or line.startswith("#"):
                found = f"found {line.strip()[:60]!r}"
                expected = f"'#begin document (...); part 000' and '{END}' around rows"
                raise ConversionError(source, number, f"{found}, expected {expected}.")
            rows.append((number, line))
    if part is not None:
        found = f"the document {part.name!r} has no '{END}'"
        raise ConversionError(source, part.line, f"{found}. Is the end of the file missing?")


converter = Converter(
    conll2012_to_docs,
    conll2012_folder_to_docs,
    input="File to convert, or a folder of files",
    example="conll-2012/v4/data/train/data/english train.spacy",
)
