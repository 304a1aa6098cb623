"""Columns with IOB tags, as in UNER (`id token tag - annotator`) and CoNLL-2003 (`token pos chunk tag`)."""

from collections import Counter
from pathlib import Path
from typing import Any, Iterable, Iterator, List, Optional, Sequence, Tuple, Union

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ..vocabulary import vocabulary
from .common import make_doc, spaces_in_text
from .converter import Converter
from .folders import read_folder
from .iob_rows import Sentence, read_sentences
from .repair import Repair
from .tagging import SCHEMES, UNKNOWN, Scheme, guess_scheme, tags_to_spans

SENTENCES_PER_DOC = 10  # where the file has no document boundaries
DUMMY_LABEL = "O"  # B-O: UNER's annotators mark "nothing" like this


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
    repair: bool = False,
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
    repair: count and mend tags that don't fit the scheme (an I- that begins an entity), missing tags (_ or
        empty), and a last line without a line feed.
    dropped: what couldn't be kept is counted here.
    YIELDS: the documents.
    """
    vocab = vocabulary(vocab)
    dropped = Counter() if dropped is None else dropped
    if scheme is not None and scheme not in SCHEMES:
        raise ValueError(f"scheme is {scheme!r}, expected one of {', '.join(SCHEMES)}, or None to guess it.")
    if sentences_per_doc is not None and sentences_per_doc < 1:
        raise ValueError(f"sentences_per_doc is {sentences_per_doc}, expected 1 or more.")
    mender = Repair(repair, source, dropped)
    sentences = list(read_sentences(lines, mender, token_column, tag_column))
    scheme = scheme or guess_scheme([sentence.tokens for sentence in sentences], source, repair)
    unwanted = {DUMMY_LABEL, *drop}
    for id, group in _documents(sentences, sentences_per_doc):
        doc = _make_doc(group, id, vocab, dropped)
        ents: List[Span] = []
        missing: List[Span] = []
        offset = 0
        for sentence in group:
            for start, end, label in tags_to_spans(sentence.tokens, scheme, source, mender):
                if label in unwanted:
                    dropped[f"entities labelled {label}"] += 1
                else:
                    ents.append(Span(doc, offset + start, offset + end, label))
            unknown = [i for i, token in enumerate(sentence.tokens, start=offset) if token.tag in UNKNOWN]
            missing.extend(Span(doc, i, i + 1) for i in unknown)
            offset += len(sentence.tokens)
        doc.set_ents(ents, missing=missing, default="outside")
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


def iob_folder_to_docs(
    path: Union[str, Path], *, pattern: str = "*", repair: bool = False, **options: Any
) -> Iterator[Doc]:
    """Convert all files in or below a folder.

    path: the folder.
    pattern: what the names of the files are like, such as *.iob2.
    repair: as for a file.
    options: those of `iob_to_docs`.
    YIELDS: the documents.
    """
    yield from read_folder(iob_to_docs, path, pattern, repair=repair, **options)


converter = Converter(
    iob_to_docs,
    iob_folder_to_docs,
    input="File to convert, or a folder of such files",
    rows=True,
    example="train.iob2 train.spacy --drop OTH",
    flags={"scheme": "s", "sentences_per_doc": "n"},
)
