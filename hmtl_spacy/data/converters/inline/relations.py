"""The relations below a sentence: `> ruiz#2 ORG-AFF lyon`."""

from typing import Iterator, List, Sequence, Tuple

from ..common import ConversionError
from .ace import SYMMETRIC, forbidden
from .lines import RelationLine, Sentence
from .spans import Mention


def resolve_relations(
    sentences: Sequence[Sentence], mentions: Sequence[Mention], source: str
) -> Iterator[Tuple[int, str, int]]:
    """Find the arguments of all relations of a document.

    sentences: its sentences.
    mentions: its mentions.
    source: the name of the file, for messages.
    YIELDS: the number of the head's mention, the label, that of the tail's.
    """
    for number, sentence in enumerate(sentences):
        seen = set()
        for line in sentence.relations:
            head, tail = (_find(name, number, mentions, line, source) for name in (line.head, line.tail))
            from_, to = mentions[head], mentions[tail]
            written = f"{line.head} {line.label} {line.tail}"
            if reason := forbidden(line.label, from_.type, to.type):
                raise ConversionError(source, line.line, f"{reason}. Correct {written!r}.")
            if from_.entity == to.entity:
                found = f"{written!r} relates an entity to itself"
                raise ConversionError(source, line.line, f"{found}. That is coreference; leave it out.")
            if line.label in SYMMETRIC and to.head.start < from_.head.start:
                found = f"{line.label} has no direction: the mention whose head comes first goes first"
                raise ConversionError(source, line.line, f"{found}. Turn {written!r} around.")
            if (head, line.label, tail) in seen:
                raise ConversionError(source, line.line, f"{written!r} is there twice. Leave one.")
            seen.add((head, line.label, tail))
            yield head, line.label, tail


def _find(name: str, number: int, mentions: Sequence[Mention], line: RelationLine, source: str) -> int:
    """The mention that `id` or `id#2`, the second of its entity in the sentence, stands for."""
    entity, mark, place = name.partition("#")
    of_entity = [i for i, mention in enumerate(mentions) if mention.entity == entity and entity]
    here: List[int] = [i for i in of_entity if mentions[i].sentence == number]
    if not of_entity:
        raise ConversionError(source, line.line, f"no mention of this document has the id {entity!r}.")
    if not here:
        found = f"{entity!r} has no mention in the sentence above, and relations stay in one sentence"
        raise ConversionError(source, line.line, f"{found}. Leave the relation out or move it.")
    if not mark and len(here) > 1:
        texts = ", ".join(f"{entity}#{n} {mentions[i].extent.text!r}" for n, i in enumerate(here, start=1))
        raise ConversionError(
            source, line.line, f"{entity!r} has {len(here)} mentions there: {texts}. Name one."
        )
    if mark and not (place.isdecimal() and 1 <= int(place) <= len(here)):
        found = f"found {name!r}, expected a number from 1 to {len(here)} after #"
        raise ConversionError(source, line.line, f"{found}, in the order in which the mentions open.")
    return here[int(place) - 1 if mark else 0]
