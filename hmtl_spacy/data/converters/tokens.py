"""The tokens of a JSON line: given, or made of its text by a tokenizer."""

from functools import lru_cache
from typing import Callable, List, Optional, Sequence, Union

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab

from .clusters import Offsets
from .common import ConversionError
from .records import Record, shorten


def load_tokenizer(lang: str, model: Optional[str], vocab: Optional[Vocab]) -> Language:
    """A pipeline for its tokenizer.

    lang: a language, whose blank pipeline is taken.
    model: a pipeline that is taken instead, a name or a folder.
    vocab: the vocabulary of the documents.
    """
    own = True if vocab is None else vocab  # True: spaCy makes one
    return spacy.load(model, vocab=own) if model else _blank(lang, own)


@lru_cache(maxsize=2)
def _blank(lang: str, vocab: Union[Vocab, bool]) -> Language:
    """By default all converters share one: making its tokenizer takes longer than reading a short file."""
    return spacy.blank(lang, vocab=vocab)


def make_tokens(nlp: Language, record: Record, text_key: str = "text") -> Doc:
    """Build a document of a line with a text, with tokens, or with tokens that spell a text.

    Texts of any length are taken: `nlp.max_length` guards parsers, not tokenizers.

    nlp: the pipeline whose tokenizer is used where the line has no tokens.
    record: the line; its tokens are under "tokens".
    text_key: where its text is.
    RETURNS: the document, with nothing annotated.
    """
    text, words = record.data.get(text_key), record.layer("tokens")
    if not isinstance(text, str) and (text is not None or words is None):
        raise record.error(f"found {text_key!r}: {shorten(text)}, expected a string.")
    if words is None:
        return nlp.tokenizer(text or "")
    if not all(isinstance(word, str) and word for word in words):
        raise record.error(f"found 'tokens': {shorten(words)}, expected a list of strings, none empty.")
    if text is None:
        spaces = [True] * (len(words) - 1) + [False] * bool(words)
    else:
        spaces = _spaces(words, text, record)
    return Doc(nlp.vocab, words=words, spaces=spaces)


def _spaces(words: List[str], text: str, record: Record) -> List[bool]:
    """Whether a space follows each token; they and these spaces are the whole text."""
    spaces: List[bool] = []
    position = 0
    following: List[Optional[str]] = [*words[1:], None]
    for word, after in zip(words, following, strict=False):
        if not text.startswith(word, position):
            found = f"found the token {shorten(word)} where the text has {_here(text, position)}"
            advice = "Together the tokens must be the text, with one space or none between them"
            raise record.error(f"{found}. {advice}; leave one of both out otherwise.")
        position += len(word)
        space = text.startswith(" ", position)
        if space and after is not None and after.startswith(" "):  # a token of spaces
            space = text.startswith(after, position + 1)
        spaces.append(space)
        position += space
    if position < len(text):
        raise record.error(f"the text after {position}, {_here(text, position)}, is in no token.")
    return spaces


def lay_tokens(
    vocab: Vocab, text: str, places: Sequence[Offsets], error: Callable[[str], ConversionError]
) -> Doc:
    """A document of a text and of where its tokens are in it; what lies between them becomes tokens too.

    places: start and end of each token in characters, in order.
    error: makes an error of a message.
    RETURNS: the document, with nothing annotated: its text is the text.
    """
    words: List[str] = []
    spaces: List[bool] = []
    position = 0
    for start, end in [*places, (len(text), len(text))]:
        if start < position:
            raise error(
                f"the token at {start} to {end} begins before {position}, where the one before it ends."
            )
        between = text[position:start]
        if between.startswith(" ") and words:
            spaces[-1], between = True, between[1:]
        for word in (between, text[start:end]):
            if word:
                words.append(word)
                spaces.append(False)
        position = end
    return Doc(vocab, words=words, spaces=spaces)


def _here(text: str, position: int) -> str:
    return shorten(text[position : position + 40])
