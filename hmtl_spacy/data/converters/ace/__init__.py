"""ACE 2005: mentions, coreference and relations of pairs of .sgm and .apf.xml files.

Written from descriptions of the format; `docs/formats/ace.md` says what could not be tried.
"""

from collections import Counter
from pathlib import Path
from typing import Any, Iterable, Iterator, Optional, Tuple, Union

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..character_spans import Misaligned
from ..clusters import Width
from ..common import Lines, read_lines
from ..converter import Converter
from .files import ANNOTATION, SOURCE, Stage, find_documents
from .reader import AceReader


def ace_to_docs(
    lines: Iterable[str],
    *,
    source: str = "<input>",
    annotation: Optional[Tuple[Iterable[str], str]] = None,
    vocab: Optional[Vocab] = None,
    mentions: Width = "head",
    clusters: Width = "extent",
    singletons: bool = False,
    misaligned: Misaligned = "expand",
    dropped: Optional[Counter[str]] = None,
) -> Iterator[Doc]:
    """ACE 2005 as .sgm and .apf.xml. Fills mentions, relations and coreference clusters.

    lines: the decoded lines of an .sgm file.
    source: the name of that file, for messages.
    annotation: the lines and the name of the .apf.xml file; the one beside `source` if None.
    vocab: the vocabulary of the documents; by default all converters share one.
    mentions: typed heads or full extents as mentions.
    clusters: heads or full extents in the clusters.
    singletons: keep coreference clusters of one mention.
    misaligned: what to do with mentions that aren't whole tokens.
    dropped: what couldn't be kept, or was changed, is counted here.
    YIELDS: the document.
    """
    dropped = Counter() if dropped is None else dropped
    if annotation is None:
        beside = source.removesuffix(SOURCE) + ANNOTATION
        annotation = read_lines(beside), beside
    reader = AceReader(vocab, mentions, clusters, singletons, misaligned, dropped)
    yield reader.read(Lines(lines, source), Lines(*annotation))


def ace_folder_to_docs(
    path: Union[str, Path], *, files: Optional[Lines] = None, stage: Optional[Stage] = None, **options: Any
) -> Iterator[Doc]:
    """Convert the documents in a folder and its folders.

    path: the folder, such as ACE's `English`.
    files: list of the documents to convert; all if not given.
    stage: folders to read; timex2norm if there are any, else adj; all files where none of ACE's stages
        is a folder.
    options: those of `ace_to_docs`.
    YIELDS: the documents.
    """
    for document in find_documents(Path(path), stage, files):
        sgm = f"{document}{SOURCE}"
        yield from ace_to_docs(read_lines(sgm), source=sgm, **options)


converter = Converter(
    ace_to_docs,
    ace_folder_to_docs,
    input="Folder with .sgm and .apf.xml files, or an .sgm file with its .apf.xml file beside it",
    example="ace_2005_td_v7/data/English test.spacy --files test_list",
    flags={"files": "f", "mentions": "m", "clusters": "c"},
)
