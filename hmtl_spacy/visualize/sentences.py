"""What each sentence of a document shows, found in one pass: a text may have thousands of sentences."""

from bisect import bisect_left, bisect_right
from typing import Dict, List, NamedTuple, Tuple

from .content import Bar, Content, Link


class Sentence(NamedTuple):
    """Tokens and heads of relations that begin in a sentence, and by layer the spans that touch it."""

    tokens: List[Tuple[int, int, str]]
    bars: Dict[str, List[Bar]]
    links: List[Link]


def split(content: Content) -> List[Sentence]:
    """The sentences of a document, in order."""
    sentences = [Sentence([], {layer: [] for layer in content.bars}, []) for _ in content.sentences]
    starts = [start for start, _ in content.sentences]

    def place(offset: int) -> int:
        """The last sentence that begins at or before an offset, and ends after it; else none, -1."""
        found = bisect_right(starts, offset) - 1
        return found if found >= 0 and offset < content.sentences[found][1] else -1

    for token in content.tokens:
        if (found := place(token[0])) >= 0:
            sentences[found].tokens.append(token)
    for layer, bars in content.bars.items():
        for bar in bars:
            for i in range(max(0, bisect_right(starts, bar.start) - 1), bisect_left(starts, bar.end)):
                sentences[i].bars[layer].append(bar)
    for link in content.links or ():
        if (found := place(link.head[0])) >= 0:
            sentences[found].links.append(link)
    return sentences
