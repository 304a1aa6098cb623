"""DocRED and Re-DocRED: entities with their mentions, and relations between entities.

Positions count the tokens of a sentence, ends exclusive.
"""

from collections import Counter
from itertools import accumulate
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..vocabulary import vocabulary
from .clusters import Offsets
from .common import make_doc
from .converter import Converter
from .json_items import Item, read_items
from .nearest import Pairs
from .records import shorten
from .rules import Rules, takes
from .standoff import Standoff


@takes(Rules)
def docred_to_docs(
    path: Path,
    *,
    vocab: Optional[Vocab] = None,
    rules: Rules,
    pairs: Pairs = "nearest",
    singletons: bool = False,
    dropped: Counter[str],
) -> Iterator[Doc]:
    """DocRED's JSON, Re-DocRED's too. Fills mentions, coreference and relations.

    A relation between entities is written between two of their mentions. Documents without `labels`, such as
    those of the test sets, have no layer of relations.

    path: the file, a list of documents.
    vocab: the vocabulary of the documents.
    rules: which layer a mention belongs to, by its type.
    pairs: the mentions between which a relation is written: the nearest two, those in one sentence first and
        in a sentence of the evidence before these; all in one sentence, if there are any; or all.
    singletons: keep clusters of one mention.
    dropped: what couldn't be kept is counted here.
    YIELDS: the documents.
    """
    vocab = vocabulary(vocab)
    for item in read_items(path):
        sentences = _sentences(item)
        words = [word for sentence in sentences for word in sentence]
        doc = make_doc(vocab, words, [True] * len(words), list(map(len, sentences)), item.id("title"))
        annotation = Standoff(doc, rules, item.error, dropped)
        entities, labels = item.layer("vertexSet"), item.layer("labels")
        if entities is None:
            raise item.error(f"found the keys {', '.join(item.data) or 'none'}, expected 'vertexSet'.")
        _add_entities(annotation, item, entities, sentences, dropped)
        for label in labels or ():
            _relate(annotation, item, label, len(entities))
        layers = {"mentions", "clusters"} | ({"relations"} if labels is not None else set())
        yield annotation.annotate(layers, singletons=singletons, pairs=pairs)


def _sentences(item: Item) -> List[List[str]]:
    sentences = item.layer("sents")
    if sentences is None:
        raise item.error(f"found the keys {', '.join(item.data) or 'none'}, expected 'sents'.")
    for sentence in sentences:
        if not isinstance(sentence, list) or not all(isinstance(word, str) for word in sentence):
            raise item.error(f"found the sentence {shorten(sentence)}, expected a list of tokens.")
    return [[word or "\u200b" for word in sentence] for sentence in sentences]  # a token has a character


def _add_entities(
    annotation: Standoff, item: Item, entities: List[Any], sentences: List[List[str]], dropped: Counter[str]
) -> None:
    starts = list(accumulate(map(len, sentences), initial=0))
    for number, mentions in enumerate(entities):
        if not isinstance(mentions, list):
            raise item.error(f"found the entity {shorten(mentions)}, expected a list of mentions.")
        for place, mention in enumerate(mentions):
            offsets = _place(item, mention, starts, dropped)
            annotation.tokens((number, place), offsets, item.label(mention, "type"))
        annotation.entity(number, [(number, place) for place in range(len(mentions))])


def _place(item: Item, mention: Any, starts: List[int], dropped: Counter[str]) -> Offsets:
    """The tokens of a mention, counted in the document; in some files `pos` counts so."""
    row: Dict[str, Any] = mention if isinstance(mention, dict) else {}
    sentence, pos = row.get("sent_id", ""), row.get("pos", [])
    ints = isinstance(pos, list) and len(pos) == 2 and all(type(value) is int for value in (sentence, *pos))
    if not ints or not 0 <= sentence < len(starts) - 1:
        expected = f"sent_id, from 0 to {len(starts) - 2}, and pos, a start and an end"
        raise item.error(f"found the mention {shorten(mention)}, expected {expected}.")
    first, after = starts[sentence], starts[sentence + 1]
    if 0 <= pos[0] < pos[1] <= after - first:
        return first + pos[0], first + pos[1]
    if first <= pos[0] < pos[1] <= after:
        dropped["mentions whose `pos` counts the tokens of the document"] += 1
        return pos[0], pos[1]
    expected = f"0 <= start < end <= {after - first}, the tokens of its sentence"
    raise item.error(f"found the mention {shorten(mention)}, expected {expected}.")


def _relate(annotation: Standoff, item: Item, value: Any, entities: int) -> None:
    ends = [value.get(key) if isinstance(value, dict) else None for key in ("h", "t")]
    if not all(type(end) is int and 0 <= end < entities for end in ends):
        expected = f"h and t from 0 to {entities - 1}, the numbers of entities"
        raise item.error(f"found the relation {shorten(value)}, expected {expected}.")
    evidence = value.get("evidence") or []
    if not isinstance(evidence, list) or not all(type(number) is int for number in evidence):
        raise item.error(f"found the evidence {shorten(evidence)}, expected the numbers of sentences.")
    annotation.entity_relation(ends[0], ends[1], item.label(value, "r"), evidence)


converter = Converter(docred_to_docs, example="train_annotated.json train.spacy --pairs sentence", paths=True)
