"""CrossRE's JSON lines, a sentence each: mentions and relations by tokens, ends *inclusive*."""

from collections import Counter
from pathlib import Path
from typing import Any, Iterator, List, Optional

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..vocabulary import vocabulary
from .clusters import Offsets
from .common import make_doc
from .converter import Converter
from .json_items import Item, read_items
from .records import shorten
from .rules import Rules, takes
from .standoff import Standoff

EXTRA = ("an explanation", "that its annotator was uncertain", "that its syntax is ambiguous")


@takes(Rules)
def crossre_to_docs(
    path: Path, *, vocab: Optional[Vocab] = None, rules: Rules, dropped: Counter[str]
) -> Iterator[Doc]:
    """CrossRE's JSON lines. Fills mentions and relations.

    path: the file, a sentence a line.
    vocab: the vocabulary of the documents.
    rules: which layer a mention belongs to, by its type.
    dropped: what couldn't be kept is counted here.
    YIELDS: the documents.
    """
    vocab = vocabulary(vocab)
    for item in read_items(path):
        words = item.layer("sentence")
        if words is None or not all(isinstance(word, str) and word for word in words):
            found = f"found 'sentence': {shorten(words)}, expected a list of tokens, none empty"
            raise item.error(f"{found}. Files with several sentences a line are of the format dygie.")
        doc = make_doc(vocab, words, [True] * len(words), [len(words)], item.id("doc_key"))
        annotation = Standoff(doc, rules, item.error, dropped)
        mentions, relations = item.layer("ner"), item.layer("relations")
        for row in mentions or ():
            place = _place(item, row, 0, len(words))
            annotation.tokens(place, place, item.label(row, 2))
        for row in relations or ():
            head, tail = (_place(item, row, column, len(words)) for column in (0, 2))
            for place in (head, tail):
                annotation.argument_tokens(place, place)
            annotation.relation(head, tail, item.label(row, 4))
            _count_extra(row, dropped)
        layers = {"mentions": mentions, "relations": relations}
        if relations is not None and rules.has_coref:
            layers["clusters"] = relations
        yield annotation.annotate({layer for layer, rows in layers.items() if rows is not None})


def _place(item: Item, row: Any, column: int, tokens: int) -> Offsets:
    pair = row[column : column + 2] if isinstance(row, list) else []
    if (
        len(pair) != 2
        or not all(type(value) is int for value in pair)
        or not 0 <= pair[0] <= pair[1] < tokens
    ):
        expected = f"0 <= start <= end < {tokens} at {column}, tokens of the sentence; ends are inclusive"
        raise item.error(f"found {shorten(row)}, expected {expected}.")
    return pair[0], pair[1] + 1


def _count_extra(row: List[Any], dropped: Counter[str]) -> None:
    for what, value in zip(EXTRA, row[5:]):
        dropped[f"relations that say {what} (not read)"] += bool(value)


converter = Converter(crossre_to_docs, example="news-train.json train.spacy", paths=True)
