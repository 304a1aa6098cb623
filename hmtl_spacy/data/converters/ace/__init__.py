"""ACE 2005: mentions, coreference and relations of pairs of .sgm and .apf.xml files.

Written from descriptions of the format; `docs/data_format.md` says what could not be tried.
"""

from pathlib import Path
from typing import Any, Iterable, Iterator, Optional, Union

from spacy.tokens import Doc

from ..common import read_lines
from .files import ANNOTATION, SOURCE, find_documents
from .reader import AceReader

__all__ = ["AceReader", "ace_folder_to_docs", "ace_to_docs"]


def ace_to_docs(
    lines: Iterable[str],
    *,
    source: str = "<input>",
    annotation: Optional[Iterable[str]] = None,
    annotation_source: Optional[str] = None,
    **options: Any,
) -> Iterator[Doc]:
    """Convert the document of one .sgm file.

    lines: the decoded lines of the .sgm file.
    source: the name of that file, for messages.
    annotation: those of the .apf.xml file; that beside `source` if None.
    annotation_source: the name of that file, for messages.
    options: those of `AceReader`.
    YIELDS: the document.
    """
    path = annotation_source or source.removesuffix(SOURCE) + ANNOTATION
    yield AceReader(**options).read(
        lines, read_lines(path) if annotation is None else annotation, source, path
    )


def ace_folder_to_docs(
    path: Union[str, Path],
    *,
    files: Optional[Iterable[str]] = None,
    files_source: str = "<files>",
    stage: Optional[str] = None,
    **options: Any,
) -> Iterator[Doc]:
    """Convert the documents in a folder and its folders.

    path: the folder, such as ACE's `English`.
    files: the lines of a list, the documents to convert; all if None.
    files_source: the name of the list, for messages.
    stage: "timex2norm" or "adj", the name of the folders to read; if None, the first
        of the two that is there, or all files where none of ACE's stages is a folder.
    options: those of `AceReader`.
    YIELDS: the documents.
    """
    reader = AceReader(**options)
    for document in find_documents(Path(path), stage, files, files_source):
        sgm, apf = f"{document}{SOURCE}", f"{document}{ANNOTATION}"
        yield reader.read(read_lines(sgm), read_lines(apf), sgm, apf)
