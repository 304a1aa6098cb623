"""BookNLP's output for a book: tokens, and mentions with the numbers of their characters."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..vocabulary import vocabulary
from .clusters import Offsets
from .common import ConversionError, read_text
from .converter import Converter
from .folders import files_of, read_rows
from .layout import lay_tokens
from .records import shorten
from .rules import Rules, takes
from .standoff import Standoff

TOKENS, ENTITIES, TEXT = ".tokens", ".entities", ".txt"
TOKEN_COLUMNS = ("sentence_ID", "token_ID_within_document", "word", "byte_onset", "byte_offset")
ENTITY_COLUMNS = ("COREF", "start_token", "end_token", "prop", "cat", "text")


class Token(NamedTuple):
    """A row of the tokens. start, end: characters of the text, though their columns say bytes."""

    sentence: str
    word: str
    start: int
    end: int


@takes(Rules)
def booknlp_to_docs(
    path: Path,
    *,
    vocab: Optional[Vocab] = None,
    singletons: bool = False,
    repair: bool = False,
    dropped: Counter[str],
    rules: Rules,
) -> Iterator[Doc]:
    """BookNLP's .tokens and .entities. Fills mentions and coreference clusters.

    The text is that of a .txt file beside them, else the tokens laid at their offsets.

    path: the .tokens file, or another of the same name beside it.
    vocab: the vocabulary of the documents.
    singletons: keep clusters of one mention.
    repair: take a last line without a line feed as whole.
    dropped: what couldn't be kept is counted here.
    YIELDS: the document.
    """
    path = path.with_suffix(TOKENS)
    tokens = _tokens(path, repair, dropped)
    places = [(token.start, token.end) for token in tokens]
    text = _text(path, tokens, dropped)
    doc = lay_tokens(vocabulary(vocab), text, places, _sentences(tokens))
    doc.user_data["id"] = path.stem
    file = path.with_suffix(ENTITIES)
    if not file.is_file():
        dropped[f"documents without an {ENTITIES} file (left unannotated)"] += 1
        yield doc
        return
    standoff = Standoff(doc, rules, partial(ConversionError, str(file), None), dropped)
    characters: Dict[str, List[int]] = {}
    for line, row in _rows(file, ENTITY_COLUMNS, repair, dropped):
        coref, first, last, prop, cat, words = row
        standoff.error = partial(ConversionError, str(file), line)
        start, end = _number(first, standoff), _number(last, standoff)
        if not 0 <= start <= end < len(tokens):
            expected = f"expected 0 <= start <= end < {len(tokens)}, the number of tokens; ends are inclusive"
            raise standoff.error(f"found the tokens {start} to {end}, {expected}.")
        there = "".join(token.word for token in tokens[start : end + 1])
        if "".join(words.split()) != "".join(there.split()):
            found = f"found the text {shorten(words)}, but the tokens {start} to {end} are {shorten(there)}"
            raise standoff.error(f"{found}. Are the two files of one run, and whole?")
        standoff.span(line, [(places[start][0], places[end][1])], cat, (prop,))
        characters.setdefault(coref, []).append(line)
    for number, lines in characters.items():
        standoff.entity(number, lines)
    yield standoff.annotate({"mentions", "clusters"}, singletons=singletons)


def _tokens(path: Path, repair: bool, dropped: Counter[str]) -> List[Token]:
    tokens: List[Token] = []
    position = 0
    for line, (sentence, number, word, onset, offset) in _rows(path, TOKEN_COLUMNS, repair, dropped):
        if not (number == str(len(tokens)) and onset.isdecimal() and offset.isdecimal()):
            found = f"found token {shorten(number)} at {shorten(onset)} to {shorten(offset)}"
            raise ConversionError(str(path), line, f"{found}, expected token {len(tokens)} and its offsets.")
        start, end = int(onset), int(offset)
        if not position <= start < end:
            found = f"the token {shorten(word)} is at {start} to {end}"
            raise ConversionError(str(path), line, f"{found}, but the one before it ends at {position}.")
        tokens.append(Token(sentence, word, start, end))
        position = end
    return tokens


def _rows(
    file: Path, columns: Sequence[str], repair: bool, dropped: Counter[str]
) -> Iterator[Tuple[int, List[str]]]:
    """The values of some columns, by their names in the first line. Nothing is quoted."""
    where: List[int] = []
    header: List[str] = []
    for line, text in enumerate(read_rows(file, repair, dropped), start=1):
        cells = text.split("\t")
        if not header:
            header = cells
            if missing := [name for name in columns if name not in header]:
                found = f"found the columns {shorten(header)}, expected {missing[0]!r} among them"
                raise ConversionError(str(file), line, f"{found}, as BookNLP 1.0 writes them.")
            where = [header.index(name) for name in columns]
        elif text and len(cells) != len(header):
            found = f"found {len(cells)} columns, expected {len(header)} as in the first line"
            raise ConversionError(str(file), line, f"{found}. Is a part of the row missing?")
        elif text:
            yield line, [cells[i] for i in where]
    if not header:
        raise ConversionError(str(file), None, "the file is empty, expected BookNLP's columns.")


def _number(value: str, standoff: Standoff) -> int:
    if not value.isdecimal():
        raise standoff.error(f"found {shorten(value)}, expected the number of a token.")
    return int(value)


def _text(path: Path, tokens: List[Token], dropped: Counter[str]) -> str:
    """The original if the tokens are where they should be in it, else the tokens with spaces between them."""
    file = path.with_suffix(TEXT)
    if file.is_file():
        original = read_text(file)
        # a CRLF counts one where BookNLP read the file itself
        for text in (original.replace("\r\n", "\n").replace("\r", "\n"), original):
            if all(_is_at(token, text) for token in tokens):
                return text
        dropped[f"{TEXT} files that aren't the text of the tokens (not read)"] += 1
    pieces, position = [], 0
    for token in tokens:
        pieces.append(" " * (token.start - position))
        pieces.append(token.word.ljust(token.end - token.start)[: token.end - token.start])
        position = token.end
    return "".join(pieces)


def _is_at(token: Token, text: str) -> bool:
    """Whether a token is in its place, but for white space inside of it, which BookNLP replaces."""
    there = text[token.start : token.end]
    return there == token.word or "".join(there.split()) == "".join(token.word.split()) != ""


def _sentences(tokens: List[Token]) -> List[Offsets]:
    sentences: List[Offsets] = []
    for token, before in zip(tokens, [None, *tokens]):
        if before is None or token.sentence != before.sentence:
            sentences.append((token.start, token.end))
        else:
            sentences[-1] = sentences[-1][0], token.end
    return sentences


def booknlp_folder_to_docs(
    path: Union[str, Path],
    *,
    pattern: str = "*.tokens",
    vocab: Optional[Vocab] = None,
    dropped: Optional[Counter[str]] = None,
    **options: object,
) -> Iterator[Doc]:
    """Convert all books in or below a folder.

    path: the folder.
    pattern: what the names of the files of tokens are like.
    vocab, dropped: as for a file.
    options: the other options of a file.
    YIELDS: the documents.
    """
    for file in files_of(path, pattern):
        yield from booknlp_to_docs(file, vocab=vocab, dropped=dropped, **options)


converter = Converter(
    booknlp_to_docs,
    booknlp_folder_to_docs,
    input="A folder of BookNLP's output, or a .tokens file",
    example="books train.spacy --entities PROP --mentions '*'",
    paths=True,
)
