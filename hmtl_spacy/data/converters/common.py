"""What all converters share: one error, reading lines, building a `Doc`."""

from functools import lru_cache
from pathlib import Path
from typing import Callable, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Union

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab

TREEBANK_ESCAPES = {
    "-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}", "``": '"', "''": '"',
}  # fmt: skip


class ConversionError(ValueError):
    """An input that can't be converted: "file:line: what was found, what to do".

    source: the name of the file.
    line: the number of the line, from 1, or None for the whole file.
    message: what was found, what was expected and what to do.
    """

    def __init__(self, source: str, line: Optional[int], message: str):
        where = source if line is None else f"{source}:{line}"
        super().__init__(f"{where}: {message}")
        self.source = source
        self.line = line
        self.message = message


class Lines(NamedTuple):
    """The lines of a second file that a converter reads, a list of names for example.

    source: the name of that file, for messages.
    """

    lines: Iterable[str]
    source: str = "<lines>"


def read_lines(path: Union[str, Path], unended: Optional[Callable[[int], None]] = None) -> Iterator[str]:
    """Yield the lines of a UTF-8 file without their ends, a byte order mark or none.

    Only a line feed ends a line: U+2028 and its like stay inside a token.

    path: the file to read.
    unended: called with the number of the last line if that has no line feed, before the line is yielded.
    YIELDS: its lines.
    """
    if not Path(path).is_file():
        raise ConversionError(str(path), None, "no such file; name an existing file to convert.")
    with Path(path).open("rb") as file_:
        for number, raw in enumerate(file_, start=1):
            if unended is not None and not raw.endswith(b"\n"):
                unended(number)
            yield decode(raw, str(path), number).rstrip("\r\n")


def read_text(path: Union[str, Path]) -> str:
    """A UTF-8 file as it is, line ends included, without its byte order mark."""
    with Path(path).open("rb") as file_:
        return "".join(decode(raw, str(path), number) for number, raw in enumerate(file_, start=1))


def decode(raw: bytes, source: str, line: int) -> str:
    """Decode a line of UTF-8; the file's first may begin with a byte order mark.

    raw: the line.
    source: the name of the file, for messages.
    line: the number of the line, from 1.
    RETURNS: the text.
    """
    try:
        return raw.decode("utf-8-sig" if line == 1 else "utf-8")
    except UnicodeDecodeError as err:
        found = f"byte {raw[err.start]:#04x} isn't UTF-8 ({err.reason})"
        raise ConversionError(source, line, f"{found}. Save the file as UTF-8.") from None


def make_doc(
    vocab: Vocab,
    words: List[str],
    spaces: Optional[List[bool]] = None,
    sentence_lengths: Sequence[int] = (),
    id: Optional[str] = None,
) -> Doc:
    """Build a document with nothing annotated but its sentences.

    vocab: the shared vocabulary.
    words: the tokens.
    spaces: whether a space follows each token; None if the
        format doesn't tell, which gives single spaces and `doc.has_unknown_spaces`.
    sentence_lengths: tokens per sentence; empty if the format has no sentences.
    id: kept as `doc.user_data["id"]`.
    RETURNS: the document.
    """
    if spaces:
        spaces = [*spaces[:-1], False]
    sent_starts: List[Union[bool, int, None]] = [i == 0 for length in sentence_lengths for i in range(length)]
    doc = Doc(vocab, words=words, spaces=spaces, sent_starts=sent_starts or None)
    if id is not None:
        doc.user_data["id"] = id
    return doc


@lru_cache(maxsize=2)
def blank_english(vocab: Optional[Vocab] = None) -> Language:
    """spaCy's blank English pipeline, whose tokenizer is used; by default all converters share one.

    vocab: the vocabulary of the documents.
    """
    return spacy.blank("en") if vocab is None else spacy.blank("en", vocab=vocab)


def spaces_in_text(words: Sequence[str], text: str) -> Optional[List[bool]]:
    """Tell from the raw text which tokens are followed by a space; the last one is.

    words: the tokens of a sentence.
    text: the sentence as it was written.
    RETURNS: one value per token, or None if the tokens aren't those of the text.
    """
    spaces: List[bool] = []
    position = 0
    for word in words:
        start = position
        while start < len(text) and text[start].isspace() and not text.startswith(word, start):
            start += 1
        if not text.startswith(word, start):
            return None
        if spaces:
            spaces[-1] = start > position
        spaces.append(True)
        position = start + len(word)
    return None if text[position:].strip() else spaces
