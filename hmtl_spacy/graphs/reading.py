"""The documents of .spacy files and of the JSON lines that `annotate` writes, one by one."""

from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Iterable, Iterator, Optional

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from ..annotate.files import find_files, open_file
from ..annotate.places import readable
from ..data.converters.common import decode
from ..data.converters.jsonl import jsonl_to_docs
from ..data.converters.tokens import load_tokenizer
from ..data.stored_docs import docs_of
from ..data.vocabulary import vocabulary

BATCH = 100  # documents, whose words share a memory zone


def read_annotated(path: Path, dropped: "Counter[str]", lang: Optional[str] = None) -> Iterator[Doc]:
    """Read annotated documents in constant memory, but for .spacy files, each of which is read whole.

    A document can be used until the next one is asked for.

    path: a .spacy file, a .jsonl file, either also as .gz, or a folder of files of one kind.
    dropped: what isn't read of JSON lines is counted here.
    lang: the language of the documents, by whose words pronouns are known. By default that of JSON lines is
        English, and .spacy files, which don't name theirs, are read as English too.
    """
    files, kind, left_out = find_files(path)
    if kind not in (".spacy", ".jsonl"):
        raise ValueError(
            f"Can't read annotation from {readable(path)}: it has {kind} files, expected .spacy files or "
            f"JSON lines. Annotate them first: python -m spacy hmtl annotate --help"
        )
    dropped["files or folders of the input, of another kind"] += len(left_out)
    for file in files:
        yield from _read_docs(file, lang) if kind == ".spacy" else _read_lines(file, dropped, lang or "en")


def _read_docs(file: Path, lang: Optional[str]) -> Iterator[Doc]:
    with open_file(file) as opened:
        raw = opened.read()
    yield from docs_of(raw, readable(file), spacy.blank(lang).vocab if lang else vocabulary())


def _read_lines(file: Path, dropped: "Counter[str]", lang: str) -> Iterator[Doc]:
    nlp = load_tokenizer(lang, None, None)
    with open_file(file) as opened:
        source = readable(file)
        lines = (decode(raw, source, number).rstrip("\r\n") for number, raw in enumerate(opened, start=1))
        docs = jsonl_to_docs(lines, source=source, lang=lang, further="ignore", dropped=dropped)
        yield from _in_zones(docs, nlp)


def _in_zones(docs: Iterable[Doc], nlp: Language) -> Iterator[Doc]:
    """The words of many documents don't pile up in the vocabulary."""
    docs, found = iter(docs), True
    while found:
        found = False
        with nlp.memory_zone():
            for doc in islice(docs, BATCH):
                found = True
                yield doc
