"""What each sentence of a document shows, found in one pass: a text may have thousands of sentences."""

from bisect import bisect_left, bisect_right
from typing import Dict, List, NamedTuple, Tuple

from .content import Bar, Content, Link, count_marks


class Sentence(NamedTuple):
    """Tokens that begin in a sentence, and by layer the spans that touch it and the relations whose head
    begins in it.
    """

    tokens: List[Tuple[int, int, str]]
    bars: Dict[str, List[Bar]]
    links: Dict[str, List[Link]]

    @property
    def marks(self) -> List[Tuple[str, Bar]]:
        """Each span with its layer, in the order in which one reads them."""
        marks = [(layer, bar) for layer, bars in self.bars.items() for bar in bars]
        return sorted(marks, key=lambda mark: mark[1].start)

    @property
    def n_links(self) -> int:
        return sum(map(len, self.links.values()))

    @property
    def differences(self) -> int:
        return count_marks(self.bars, self.links)


def split(content: Content) -> List[Sentence]:
    """The sentences of a document, in order."""
    sentences = [
        Sentence([], {layer: [] for layer in content.bars}, {layer: [] for layer in content.links})
        for _ in content.sentences
    ]
    starts = [start for start, _ in content.sentences]

    def place(offset: int) -> int:
        """The last sentence that begins at or before an offset, and ends after it; else none, -1."""
        last = bisect_right(starts, offset) - 1
        return last if last >= 0 and offset < content.sentences[last][1] else -1

    for token in content.tokens:
        if (number := place(token[0])) >= 0:
            sentences[number].tokens.append(token)
    for layer, bars in content.bars.items():
        for bar in bars:
            for i in range(max(0, bisect_right(starts, bar.start) - 1), bisect_left(starts, bar.end)):
                sentences[i].bars[layer].append(bar)
    for layer, links in content.links.items():
        for link in links:
            if (number := place(link.head[0])) >= 0:
                sentences[number].links[layer].append(link)
    return sentences
