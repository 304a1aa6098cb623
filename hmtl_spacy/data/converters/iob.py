"""Columns with IOB tags, as in UNER (`id token tag - annotator`) and CoNLL-2003 (`token pos chunk tag`)."""

import re
from collections import Counter
from typing import Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from .common import ConversionError, make_doc, spaces_in_text
from .converter import Converter
from .tagging import SCHEMES, Scheme, TaggedToken, guess_scheme, tags_to_spans

SENTENCES_PER_DOC = 10  # where the file has no document boundaries
COMMENT = re.compile(r"#\s*(newdoc\b|newpar\b|[\w:.]+\s*=)")
DUMMY_LABEL = "O"  # B-O: UNER's annotators mark "nothing" like this


class Sentence(NamedTuple):
    """A sentence, its raw text, and the document that it belongs to."""

    tokens: List[TaggedToken]
    text: Optional[str]
    doc_id: Optional[str]
    doc_number: int


def iob_to_docs(
    lines: Iterable[str],
    *,
    source: str = "<input>",
    vocab: Optional[Vocab] = None,
    scheme: Optional[Scheme] = None,
    token_column: Optional[int] = None,
    tag_column: Optional[int] = None,
    drop: Sequence[str] = (),
    sentences_per_doc: Optional[int] = None,
    dropped: Optional[Counter[str]] = None,
) -> Iterator[Doc]:
    """Columns with IOB1, IOB2 or BILOU tags: UNER, CoNLL-2003 and the like. Fills doc.ents.

    lines: the decoded lines of the file.
    source: the name of the file, for messages.
    vocab: the vocabulary of the documents.
    scheme: tag scheme; guessed from the tags if not given.
    token_column: from 1, or from the end with -1; if not given, 2 where the first column numbers the
        tokens, else 1.
    tag_column: likewise; if not given, 3 where the first column numbers the tokens, else the last.
    drop: label to read as O; can be repeated.
    sentences_per_doc: cut documents after this many sentences; by default only files without document
        boundaries are cut, after 10.
    dropped: what couldn't be kept is counted here.
    YIELDS: the documents.
    """
    vocab = Vocab() if vocab is None else vocab
    dropped = Counter() if dropped is None else dropped
    if scheme is not None and scheme not in SCHEMES:
        raise ValueError(f"scheme is {scheme!r}, expected one of {', '.join(SCHEMES)}, or None to guess it.")
    if sentences_per_doc is not None and sentences_per_doc < 1:
        raise ValueError(f"sentences_per_doc is {sentences_per_doc}, expected 1 or more.")
    sentences = list(_sentences(lines, source, token_column, tag_column))
    scheme = scheme or guess_scheme([sentence.tokens for sentence in sentences], source)
    unwanted = {DUMMY_LABEL, *drop}
    for id, group in _documents(sentences, sentences_per_doc):
        doc = _make_doc(group, id, vocab, dropped)
        ents, offset = [], 0
        for sentence in group:
            for start, end, label in tags_to_spans(sentence.tokens, scheme, source):
                if label in unwanted:
                    dropped[f"entities labelled {label}"] += 1
                else:
                    ents.append(Span(doc, offset + start, offset + end, label))
            offset += len(sentence.tokens)
        doc.set_ents(ents, default="outside")
        yield doc


def _make_doc(group: List[Sentence], id: str, vocab: Vocab, dropped: Counter[str]) -> Doc:
    words = [token.text for sentence in group for token in sentence.tokens]
    spaces: List[bool] = []
    for sentence in group:
        sentence_words = [token.text for token in sentence.tokens]
        in_text = None if sentence.text is None else spaces_in_text(sentence_words, sentence.text)
        if sentence.text is not None and in_text is None:
            dropped["texts that don't match their tokens (single spaces instead)"] += 1
        spaces.extend(in_text or [True] * len(sentence_words))
    has_text = any(sentence.text is not None for sentence in group)
    lengths = [len(sentence.tokens) for sentence in group]
    return make_doc(vocab, words, spaces if has_text else None, lengths, id)


def _documents(sentences: List[Sentence], size: Optional[int]) -> Iterator[Tuple[str, List[Sentence]]]:
    """Group sentences by document; pieces of a document are numbered: "id.1", "id.2"."""
    bounded = any(sentence.doc_number for sentence in sentences)
    if size is None and not bounded:
        size = SENTENCES_PER_DOC
    group: List[Sentence] = []
    piece = 1
    for sentence, following in zip(sentences, [*sentences[1:], None], strict=False):
        group.append(sentence)
        ends = following is None or following.doc_number != sentence.doc_number
        if ends or len(group) == size:
            id = sentence.doc_id or str(max(sentence.doc_number, 1))
            yield f"{id}.{piece}" if size else id, group
            group = []
            piece = 1 if ends else piece + 1


def _sentences(
    lines: Iterable[str], source: str, token_column: Optional[int], tag_column: Optional[int]
) -> Iterator[Sentence]:
    columns: Optional[Tuple[int, int]] = None
    tokens: List[TaggedToken] = []
    text = doc_id = width = None
    doc_number, docstart = 0, False
    for number, line in enumerate([*lines, ""], start=1):
        fields = line.split("\t") if "\t" in line else line.split()
        boundary = bool(fields) and fields[0] == "-DOCSTART-"
        if COMMENT.match(line):
            name, _, value = (part.strip() for part in line[1:].partition("="))
            if name == "text":
                text = value
            elif name.split()[0] == "newdoc":
                doc_id, doc_number = value or None, doc_number + 1
        elif boundary or not line.strip():
            if tokens:
                yield Sentence(tokens, text, doc_id, doc_number)
            tokens, text = [], None
            if boundary:
                doc_id, doc_number, docstart = None, doc_number + 1, True
        else:
            if columns is None:
                columns = _columns(fields, token_column, tag_column, docstart)
                width = len(fields) if columns[1] < 0 else None
            tokens.append(_token(fields, columns, width, number, source))


def _columns(
    fields: List[str], token_column: Optional[int], tag_column: Optional[int], docstart: bool
) -> Tuple[int, int]:
    """Told from the first token; after a -DOCSTART- a "1" is a word."""
    numbered = len(fields) > 2 and fields[0] == "1" and not docstart
    token = token_column or (2 if numbered else 1)
    tag = tag_column or (3 if numbered else -1)
    first, second = (column - 1 if column > 0 else column for column in (token, tag))
    return first, second


def _token(
    fields: List[str], columns: Tuple[int, int], width: Optional[int], number: int, source: str
) -> TaggedToken:
    """width: how many columns there must be where the tag's is counted from the end."""
    try:
        text, tag = (fields[column].strip(" ") for column in columns)  # U+00A0 can be a token
    except IndexError:
        text = tag = ""
    if len(fields) < 2 or not text or not tag:
        names = " and ".join(str(column + 1 if column >= 0 else column) for column in columns)
        expected = f"expected token and tag in columns {names}"
        found = f"found {len(fields)} columns, {fields!r}"
        raise ConversionError(source, number, f"{found}, {expected}. Name the columns if they are others.")
    if width not in (None, len(fields)):
        found = f"found {len(fields)} columns, {fields!r}, expected {width} as in the first row"
        raise ConversionError(source, number, f"{found}. Is a part of the row missing?")
    return TaggedToken(text, tag, number)


converter = Converter(
    iob_to_docs,
    example="train.iob2 train.spacy --drop OTH",
    flags={"scheme": "s", "sentences_per_doc": "n"},
)
