"""Annotation by spans with ids becomes layers by the rules that all readers share."""

from collections import Counter

import pytest
import spacy
from converting import clusters, ents, mentions, relations

from hmtl_spacy.annotations import get_relations, has_entities
from hmtl_spacy.data.converters.common import ConversionError, make_doc
from hmtl_spacy.data.converters.converter import Converter
from hmtl_spacy.data.converters.options import options_of
from hmtl_spacy.data.converters.rules import ALL_LAYERS, Rules, TextRules, takes
from hmtl_spacy.data.converters.standoff import ACROSS, LEFT_OUT, Standoff
from hmtl_spacy.data.converters.units import Positions

TEXT = "Ada Byron  met old and\nnew friends. She left Rome."


def standoff(rules=None, text=TEXT):
    dropped = Counter()
    doc = spacy.blank("en")(text)

    def error(message):
        return ConversionError("file", 3, message)

    return Standoff(doc, rules or TextRules(), error, dropped), dropped


def add(annotation, id, words, label="X", **more):
    start = annotation.text.index(words)
    annotation.span(id, [(start, start + len(words))], label, **more)


def test_clusters_are_what_links_connect():
    annotation, dropped = standoff()
    annotation.relation("c", "b", "COREF")  # before the spans that it names
    annotation.relation("a", "b", "Coreference")
    annotation.relation("a", "d", "sees")
    for id, words in zip("abcd", ("Ada Byron", "She", "friends", "Rome")):
        add(annotation, id, words)
    doc = annotation.annotate(ALL_LAYERS - {"entities"})
    assert clusters(doc) == [["Ada Byron", "friends", "She"]] and relations(doc) == [
        ("Ada Byron", "sees", "Rome")
    ]
    assert not has_entities(doc) and not +dropped


def test_long_chains_take_no_longer():
    annotation, _ = standoff(text=" ".join("abcdefghij" * 2000))
    for i in range(20_000):
        annotation.span(i, [(2 * i, 2 * i + 1)], "X")
        annotation.link(i, max(0, i - 1))
    assert len(clusters(annotation.annotate({"clusters"}))[0]) == 20_000


def test_entities_are_clusters_of_their_own():
    annotation, dropped = standoff()
    for id, words in zip("abcd", ("Ada Byron", "She", "friends", "Rome")):
        add(annotation, id, words)
    annotation.entity(1, "ab")
    annotation.entity(2, "bcd")
    annotation.entity(3, "d")
    assert clusters(annotation.annotate({"clusters"})) == [["Ada Byron", "She"], ["friends", "Rome"]]
    assert +dropped == {"clusters of one mention": 1, "mentions that another cluster holds already": 1}


@pytest.mark.parametrize(
    "kept, expected", [("extent", ["old and\nnew friends"]), ("first", ["old"]), ("drop", [])]
)
def test_pieces(kept, expected):
    annotation, dropped = standoff(TextRules(discontinuous=kept))
    annotation.span("gap", [(27, 34), (15, 18)], "X")
    annotation.relation("gap", "gap", "is")
    doc = annotation.annotate({"mentions", "relations"})
    assert [text for text, _ in mentions(doc)] == expected
    assert sum("several pieces" in what for what in dropped) == 1 and dropped[LEFT_OUT] == (kept == "drop")


def test_pieces_with_white_space_between_are_one():
    annotation, dropped = standoff()
    annotation.span(1, [(19, 22), (23, 26)], "X")
    assert mentions(annotation.annotate({"mentions"})) == [("and\nnew", "X")] and not dropped


def test_the_first_label_stays_and_entities_are_flat():
    annotation, dropped = standoff()
    for label in ("X", "Y", "X"):
        add(annotation, label + str(len(dropped)), "She", label)
    add(annotation, "e", "Byron", "PER", default="entities")
    add(annotation, "f", "Ada Byron", "PER", default="entities")
    doc = annotation.annotate(ALL_LAYERS)
    assert mentions(doc) == [("She", "X")] and ents(doc) == [("Ada Byron", "PER")]
    assert clusters(doc) == relations(doc) == []
    assert +dropped == {
        "further labels of a span in 'mentions', of which the first stays": 1,
        "spans that are there twice in 'mentions'": 1,
        "entities that overlap with a longer one": 1,
    }


@pytest.mark.parametrize(
    "rules, entities, found",
    [
        (Rules(), None, ["PER", "place"]),
        (Rules(entities=["PER,ORG"]), ["PER"], ["place"]),
        (Rules(entities=["PER", "ORG"], mentions=["*"]), ["PER"], ["PER", "place"]),
        (Rules(entities="*"), ["PER", "place"], None),
        (Rules(mentions=["tool"]), None, ["place"]),
    ],
)
def test_options_name_layers(rules, entities, found):
    annotation, dropped = standoff(rules)
    add(annotation, 1, "Ada Byron", "PER")
    add(annotation, 2, "Rome", "place", names=["tool"])
    doc = annotation.annotate({"mentions"})
    assert has_entities(doc) == (entities is not None)
    assert [label for _, label in ents(doc)] == (entities or [])
    assert (mentions(doc) and [label for _, label in mentions(doc)]) == found
    rules.count_unused(dropped)
    assert dropped["names in --entities that no span has: 'ORG'"] == ("ORG" in "".join(rules.entities))


def test_white_space_and_parts_of_tokens():
    annotation, dropped = standoff()
    annotation.span(1, [(0, 11)], "X")
    annotation.span(2, [(9, 11)], "X")
    annotation.span(3, [(1, 3)], "X")
    annotation.relation(1, 2, "is")
    doc = annotation.annotate({"mentions", "relations"})
    assert mentions(doc) == [("Ada", "X"), ("Ada Byron", "X")] and relations(doc) == []
    assert +dropped == {
        "spans with white space at their ends, which was cut off": 1,
        "spans that are empty or nothing but white space": 1,
        "spans expanded to whole tokens": 1,
        LEFT_OUT: 1,
    }


def test_errors():
    annotation, _ = standoff()
    with pytest.raises(ConversionError, match="file:3: found a span from 3 to 90, expected 0 <= .* <= 50"):
        annotation.span(1, [(3, 90)], "X")
    add(annotation, 1, "Ada")
    with pytest.raises(ConversionError, match="the id 1 is that of two different spans. Ids are unique"):
        add(annotation, 1, "Rome")
    annotation.relation(1, "9", "sees")
    with pytest.raises(ConversionError, match=r"found the span '9', but the ids of spans are \[1\]"):
        annotation.annotate({"relations"})
    annotation, _ = standoff()
    annotation.entity_relation(5, 6, "sees")
    with pytest.raises(ConversionError, match="a relation names the entity 5, but there are none"):
        annotation.annotate({"relations"})
    with pytest.raises(ValueError, match="discontinuous is 'all', expected one of extent, first, drop"):
        TextRules(discontinuous="all")


SENTENCES = [["A", "x", "B", "."], ["C", "y", "y", "A", "."], ["A", "B", "."]]


def entities_in_sentences(evidence=(), **options):
    """Entities A and B by their tokens, and a relation between them."""
    words = [word for sentence in SENTENCES for word in sentence]
    doc, dropped = make_doc(spacy.blank("en").vocab, words, None, [4, 5, 3]), Counter()
    annotation = Standoff(doc, Rules(), ValueError, dropped)
    for i, word in enumerate(words):
        annotation.tokens(i, (i, i + 1), word)
    for name in "ABC":
        annotation.entity(name, [i for i, word in enumerate(words) if word == name])
    annotation.entity_relation("A", "B", "sees", evidence)
    annotation.entity_relation("B", "C", "hears")
    doc = annotation.annotate({"relations"}, **options)
    return [(head.start, tail.start, label) for head, tail, label, _ in get_relations(doc)], dropped


def test_entities_are_related_by_their_nearest_mentions():
    """In one sentence, and then in one of the evidence, if there are such mentions."""
    assert entities_in_sentences()[0] == [(9, 10, "sees"), (2, 4, "hears")]
    assert entities_in_sentences(evidence=[0])[0][0] == (0, 2, "sees")
    assert entities_in_sentences(evidence=[1])[0][0] == (9, 10, "sees")
    found, dropped = entities_in_sentences(pairs="sentence")
    assert found[:2] == [(0, 2, "sees"), (9, 10, "sees")] and dropped == {ACROSS: 1}
    assert len(entities_in_sentences(pairs="all")[0]) == 3 * 2 + 2 * 1


@pytest.mark.parametrize(
    "unit, offsets",
    [
        ("codepoint", [0, 1, 2, 3, 4, 5, 6, None, None]),
        ("utf16", [0, None, 1, 2, 3, 4, 5, 6, None]),
        ("byte", [0, None, None, None, 1, 2, 3, 4, 5]),
        ("grapheme", [0, 1, 2, 4, 6, None, None, None, None]),
    ],
)
def test_units(unit, offsets):
    """An emoji, a letter, CRLF, a letter of two code points; None inside of a character and after the end."""
    positions = Positions("🎉a\r\ne\u0301", unit)
    assert [positions.find(i) for i in range(9)] == offsets
    assert positions.differs == (unit != "codepoint") and not Positions("plain", unit).differs


def test_a_reader_takes_the_rules_as_options():
    @takes(TextRules)
    def read(lines, *, rules, dropped, further: bool = False):
        """Reads.

        further: of its own.
        """
        dropped["asked"] += rules.is_coref("SAME")
        yield from lines

    options = {option.name: option for option in options_of(Converter(read))}
    assert list(options) == [
        "further", "entities", "mentions", "coref_label", "lang", "model", "misaligned", "discontinuous"
    ]  # fmt: skip
    assert all(option.help for option in options.values()) and options["entities"].several
    dropped = Counter()
    assert list(read("ab", coref_label=["same", "alias"], dropped=dropped)) == ["a", "b"]
    assert +dropped == {"asked": 1, "names in --coref-label that no relation has: 'alias'": 1}
