"""ACE's annotation files (.apf.xml): entity mentions and relations, each with its line for messages."""

from collections import Counter
from typing import Dict, Iterable, List, NamedTuple, Set, Tuple
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ..common import ConversionError
from ..inline.ace import ARGUMENTS, MENTION_TYPES


class CharSeq(NamedTuple):
    """A stretch of the source text without its tags. end: exclusive."""

    start: int
    end: int
    text: str
    line: int


class EntityMention(NamedTuple):
    """A mention of an entity: its place in the text, with the entity's id and type."""

    entity: str
    type: str
    extent: CharSeq
    head: CharSeq


class RelationMention(NamedTuple):
    """A relation between two mentions, where it stands in the file."""

    label: str
    head: str  # the ids of Arg-1
    tail: str  # and Arg-2
    line: int


class Annotation:
    """The mentions and relations of one document.

    lines: the decoded lines of the .apf.xml file.
    source: the name of the file, for messages.
    dropped: what is of other types than ACE 2005's seven and six is counted here.
    """

    def __init__(self, lines: Iterable[str], source: str, dropped: Counter[str]):
        self.source = source
        self.mentions: Dict[str, EntityMention] = {}
        self.relations: List[RelationMention] = []
        root, self._lines = _parse(lines, source)
        documents = root.findall("document")
        if root.tag != "source_file" or len(documents) != 1:
            found = f"found <{root.tag}> around {len(documents)} <document>"
            raise ConversionError(source, 1, f"{found}, expected <source_file> around one, as in ACE 2005.")
        self.id = self._get(documents[0], "DOCID")
        self._known: Set[str] = set()  # all mentions, whatever their type
        for entity in documents[0].findall("entity"):
            self._read_entity(entity, dropped)
        for relation in documents[0].findall("relation"):
            self._read_relation(relation, dropped)

    def _read_entity(self, entity: Element, dropped: Counter[str]) -> None:
        id, type = self._get(entity, "ID"), self._get(entity, "TYPE")
        for element in entity.findall("entity_mention"):
            mention = self._get(element, "ID")
            if mention in self._known:
                raise self._error(element, f"found a second mention {mention!r}; ids are unique")
            self._known.add(mention)
            spans = [self._charseq(element, kind) for kind in ("extent", "head")]
            if type in MENTION_TYPES:
                self.mentions[mention] = EntityMention(id, type, *spans)
            else:
                dropped[f"mentions of the type {type}"] += 1

    def _read_relation(self, relation: Element, dropped: Counter[str]) -> None:
        label = self._get(relation, "TYPE")
        for element in relation.findall("relation_mention"):
            arguments = {}
            for argument in element.findall("relation_mention_argument"):
                arguments[self._get(argument, "ROLE")] = self._get(argument, "REFID")
            head, tail = (arguments.get(role, "") for role in ("Arg-1", "Arg-2"))
            if label not in ARGUMENTS:
                dropped[f"relations of the type {label}"] += 1
            elif not self._known.issuperset((head, tail)):
                found = f"Arg-1 is {arguments.get('Arg-1')!r} and Arg-2 {arguments.get('Arg-2')!r}"
                raise self._error(element, f"{found}, expected ids of entity mentions in this file")
            else:
                self.relations.append(RelationMention(label, head, tail, self._lines[element]))

    def _charseq(self, element: Element, kind: str) -> CharSeq:
        charseq = element.find(f"{kind}/charseq")
        if charseq is None:
            raise self._error(element, f"the mention {element.get('ID')!r} has no <{kind}> with a <charseq>")
        bounds = [self._get(charseq, name) for name in ("START", "END")]
        if not all(bound.isdecimal() for bound in bounds) or int(bounds[0]) > int(bounds[1]):
            found = f"found START={bounds[0]!r} END={bounds[1]!r}"
            raise self._error(charseq, f"{found}, expected character offsets, the end inclusive")
        return CharSeq(int(bounds[0]), int(bounds[1]) + 1, charseq.text or "", self._lines[charseq])

    def _get(self, element: Element, name: str) -> str:
        value = element.get(name)
        if not value:
            raise self._error(element, f"<{element.tag}> has no {name}")
        return value

    def _error(self, element: Element, message: str) -> ConversionError:
        return ConversionError(
            self.source, self._lines[element], f"{message}. Is it ACE's .apf.xml, unchanged?"
        )


def _parse(lines: Iterable[str], source: str) -> Tuple[Element, Dict[Element, int]]:
    """The elements of an XML file and the lines in which they begin. No DTD or other file is read."""
    builder, line_of = TreeBuilder(), {}
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def start(name: str, attributes: Dict[str, str]) -> None:
        line_of[builder.start(name, attributes)] = parser.CurrentLineNumber

    parser.StartElementHandler = start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse("\n".join(lines), True)
    except expat.ExpatError as err:
        reason = expat.ErrorString(err.code)
        raise ConversionError(
            source, err.lineno, f"not XML: {reason}. Is a part of the file missing?"
        ) from None
    return builder.close(), line_of
