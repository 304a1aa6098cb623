"""Documents of a text and the places of its tokens and sentences, where a tool has tokens of its own."""

import re
from typing import Iterable, List, Sequence

from spacy.tokens import Doc
from spacy.vocab import Vocab

from .clusters import Offsets

PIECE = re.compile(r"\s+|\S+")


def lay_tokens(vocab: Vocab, text: str, tokens: Iterable[Offsets], sentences: Sequence[Offsets] = ()) -> Doc:
    """A document of exactly this text.

    vocab: the shared vocabulary.
    text: the text.
    tokens: start and end of each token, in characters. What lies between them becomes tokens too, but for
        single spaces; of two that overlap the first stays.
    sentences: start and end of each sentence; no sentence starts are set without.
    RETURNS: the document, with nothing else annotated.
    """
    words: List[str] = []
    spaces: List[bool] = []
    position = 0
    for start, end in [*sorted(set(tokens)), (len(text), len(text))]:
        if start < position:
            continue
        gap = text[position:start]
        if words and gap.startswith(" "):
            spaces[-1], gap = True, gap[1:]
        pieces = [*PIECE.findall(gap), text[start:end]]
        words.extend(filter(None, pieces))
        spaces.extend(False for piece in pieces if piece)
        position = end
    doc = Doc(vocab, words=words, spaces=spaces)
    starts = sorted(start for start, _ in sentences)
    following = 0
    for token in doc if starts else ():
        begins = following < len(starts) and token.idx >= starts[following]
        token.is_sent_start = begins or token.i == 0
        while following < len(starts) and token.idx >= starts[following]:
            following += 1
    return doc
