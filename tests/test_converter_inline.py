from collections import Counter

import pytest
from converting import clusters, convert_text, ents, mentions, relations, sentences

from hmtl_spacy.data.converters import ConversionError, convert
from hmtl_spacy.data.converters.inline.ace import ARGUMENTS, ENTITY_LABELS, MENTION_TYPES, NAMES, forbidden

HEADER = "# newdoc id = a\n# genre = news\n# split = train\n"
TEXT = f"""{HEADER}
## a comment
[Ana Ruiz](ruiz:PER PERSON), [the mayor of [Lyon](lyon:GPE GPE)](ruiz), resigned on [Monday](DATE).
> ruiz#2 ORG-AFF lyon

[[Her](ruiz) mother](mum:PER) drove [a *truck* with \\*\\[one\\]\\* door](truck:VEH).
> ruiz PER-SOC mum
> mum ART truck
[Someone](:PER) laughed.
"""


def test_all_layers():
    [doc] = convert_text("inline", TEXT)
    assert doc.user_data == {"id": "a", "genre": "news", "split": "train", "paragraphs": (0, 12)}
    assert sentences(doc) == [
        "Ana Ruiz, the mayor of Lyon, resigned on Monday.",
        "Her mother drove a truck with *[one]* door.",
        "Someone laughed.",
    ]
    assert ents(doc) == [("Ana Ruiz", "PERSON"), ("Lyon", "GPE"), ("Monday", "DATE")]
    assert mentions(doc) == [
        ("Ana Ruiz", "PER"),
        ("mayor", "PER"),
        ("Lyon", "GPE"),
        ("Her", "PER"),
        ("mother", "PER"),
        ("truck", "VEH"),
        ("Someone", "PER"),
    ]
    assert clusters(doc) == [["Ana Ruiz", "the mayor of Lyon", "Her"]]
    assert relations(doc) == [
        ("mayor", "ORG-AFF", "Lyon"),
        ("Her", "PER-SOC", "mother"),
        ("mother", "ART", "truck"),
    ]


def test_extents_heads_and_singletons():
    [doc] = convert_text("inline", TEXT, mentions="extent", clusters="head", singletons=True)
    assert ("the mayor of Lyon", "PER") in mentions(doc)
    assert ("a truck with *[one]* door", "VEH") in mentions(doc)
    assert relations(doc)[1] == ("Her", "PER-SOC", "Her mother")
    assert [len(cluster) for cluster in clusters(doc)] == [3, 1, 1, 1, 1]
    assert clusters(doc)[0] == ["Ana Ruiz", "mayor", "Her"]


def test_nothing_annotated_is_none_found():
    [doc] = convert_text("inline", HEADER + "It rained.")
    assert ents(doc) == [] and doc.has_annotation("ENT_IOB")
    assert mentions(doc) == [] and clusters(doc) == [] and relations(doc) == []


@pytest.mark.parametrize(
    "mention, head",
    [
        ("[Ana](a:PER PERSON)", "Ana"),
        ("[the Belgian Navy](a:ORG ORG)", "Belgian Navy"),
        ("[Dr [Ana Ruiz](PERSON)](a:PER)", "Ana Ruiz"),
        ("[the mayor of [Lyon](l:GPE GPE)](a:PER)", "mayor"),
        ("[the [mayor](m:PER)'s dog handler's *aunt*](a:PER)", "aunt"),
        ("[[Ana](a:PER PERSON)'s brother](b:PER)", "brother"),
        ("[a [Dutch](n:GPE NORP) captain](a:PER)", "captain"),
        ("[[two](CARDINAL) men](a:PER)", "men"),
        ("[all [four](CARDINAL) of [them](m:PER)](a:PER)", "four"),
        ("[the *brother-in-law*](a:PER)", "brother-in-law"),
        ("[a *[Fiat](ORG)* car](a:VEH)", "Fiat"),
    ],
)
def test_heads(mention, head):
    [doc] = convert_text("inline", f"{HEADER}We saw {mention}.")
    assert head in [text for text, _ in mentions(doc)]


@pytest.mark.parametrize(
    "old, new, message",
    [
        # brackets
        ("[Monday](DATE)", "[Monday", r"file:6: the bracket before 'Monday.*' never closes in its line"),
        ("[Monday](DATE)", "Monday](DATE)", r"file:6: found '\]' without '\['"),
        ("[Monday](DATE)", "[Monday]", r"file:6: \[Monday\] has no annotation"),
        ("[Monday](DATE)", "[Monday](DATE", r"file:6: \[Monday\] has no annotation"),
        ("[Monday](DATE)", "[Monday]()", r"file:6: \[Monday\] has the annotation ''"),
        ("[Monday](DATE)", "[Monday](day DATE x)", r"file:6: \[Monday\] has the annotation 'day DATE x'"),
        ("[Monday](DATE)", "[Monday](dayDATE)", r"file:6: \[Monday\] has the annotation 'dayDATE'"),
        ("one", "\\one", r"file:9: found '\\\\o'; a backslash escapes one of"),
        # heads
        (
            "*truck* with",
            "*truck with",
            r"file:9: a head \(\*\) opens in \[a truck.* and doesn't close",
        ),
        (
            "mayor of [Lyon]",
            "*mayor of [Ly*on]",
            r"file:6: a head .* opens in \[Lyon\].* can't cross",
        ),
        ("drove", "*drove*", r"file:9: found a head \(\*\) outside of its mention"),
        ("*truck*", "*truck* *x*", r"file:9: found a second head \(\*\) in a mention"),
        ("[Monday]", "[*Monday*]", r"file:6: \[Monday\] has a head \(\*\) but isn't a mention"),
        ("*truck*", "truck", r"file:9: the head of \[a truck with .*\] isn't clear. Put asterisks around it"),
        ("[Ana Ruiz](ruiz:PER PERSON)", "[[Ana](PERSON) [Ruiz](PERSON)](ruiz:PER)", "isn't clear"),
        # tokens
        (
            "[Monday](DATE)",
            "[Mon](DATE)day",
            r"file:6: 'Mon' isn't whole tokens, which are 'Monday'. Move",
        ),
        ("on [Monday]", "on[ Monday]", r"file:6: ' Monday' isn't whole tokens, which are 'Monday'"),
        ("*truck*", "*tru*ck", r"file:9: 'tru' isn't whole tokens, which are 'truck'. .* or asterisk"),
        ("resigned on", "resigned  on", r"file:6: found ' ' between words, expected single spaces"),
        # labels and types
        ("(DATE)", "(DAY)", r"file:6: \[Monday\] has the entity label 'DAY', expected one of PERSON, NORP"),
        ("lyon:GPE", "lyon:CITY", r"file:6: \[Lyon\] has the mention type 'CITY', expected one of PER, ORG"),
        ("lyon:GPE", "lyon:", r"file:6: \[Lyon\] has the mention type ''"),
        ("lyon:GPE", "lyon", r"file:6: the entity 'lyon' never gets a type. Write \(lyon:TYPE\)"),
        ("[Her](ruiz)", "[Her](ruiz:ORG)", r"file:9: the entity 'ruiz' has two types, PER and ORG"),
        (
            "](ruiz), resigned",
            "](ruiz PERSON), resigned",
            r"file:6: the named entity 'Lyon' is inside",
        ),
        # two for one
        (
            "[Her](ruiz)",
            "[[Her](ruiz)](ruiz)",
            r"file:9: two mentions have the extent 'Her': 'Her'",
        ),
        (
            "mother](mum",
            "*[mother](x:PER)*](mum",
            r"file:9: two mentions have the head 'mother'",
        ),
        # relations
        ("> mum ART truck", "> mum ART car", r"file:11: no mention of this document has the id 'car'"),
        ("> mum ART truck", "> mum ART lyon", r"file:11: 'lyon' has no mention in the sentence above"),
        (
            "> mum ART truck",
            "> mum OWN truck",
            r"file:11: found the relation type 'OWN', expected",
        ),
        (
            "> mum ART truck",
            "> truck ART mum",
            r"file:11: ART can't hold from VEH to PER; it goes from",
        ),
        ("> mum ART truck", "> mum ART", r"file:11: found '> mum ART', expected '> head TYPE tail'"),
        ("> mum ART truck", "> ruiz PER-SOC mum", r"file:11: 'ruiz PER-SOC mum' is there twice"),
        (
            "> mum ART truck",
            "> mum PER-SOC ruiz",
            r"file:11: PER-SOC has no direction.* Turn 'mum PER",
        ),
        (
            "ruiz#2 ORG-AFF lyon",
            "ruiz ORG-AFF lyon",
            r"file:7: 'ruiz' has 2 mentions there: ruiz#1 'Ana",
        ),
        (
            "ruiz#2 ORG-AFF lyon",
            "ruiz#3 ORG-AFF lyon",
            r"file:7: found 'ruiz#3', expected .* from 1 to 2",
        ),
        ("ruiz#2 ORG-AFF lyon", "ruiz#x ORG-AFF lyon", r"file:7: found 'ruiz#x', expected a number"),
        ("ruiz#2 ORG-AFF lyon", "#2 ORG-AFF lyon", r"file:7: no mention of this document has the id ''"),
        ("ruiz#2 ORG-AFF lyon", "ruiz#1 PER-SOC ruiz#2", r"file:7: .* relates an entity to itself"),
        ("\n## a comment", "> a ART b\n", r"file:4: found a relation before any sentence"),
        # headers
        ("# newdoc id = a\n", "", r"file:1: found 'genre' a second time or not below"),
        (HEADER, "", r"file:3: found text before '# newdoc id = ...'"),
        ("# split = train\n", "", r"file:1: the document 'a' has no split. Write '# split = ...'"),
        ("# genre = news\n", "", r"file:1: the document 'a' has no genre"),
        ("= train", "= training", r"file:3: found the split 'training', expected one of train, dev, test"),
        ("# genre = news", "# gnere = news", r"file:2: found '# gnere = news', expected '# key = value'"),
        ("# genre = news", "# genre =", r"file:2: found '# genre =', expected '# key = value'"),
        ("# split = train", "# split = train\n# split = dev", r"file:4: found 'split' a second time"),
        ("## a comment", "# title = x\n# a", r"file:6: found '# a', expected '# key = value'"),
        ("[Someone]", "# title = x\n[Someone]", r"file:12: found 'title' a second time or not below"),
        (TEXT, HEADER, r"file:1: the document 'a' has no text"),
        (TEXT, TEXT + TEXT, r"file:13: the document 'a' is at file:1 already. Ids are unique"),
    ],
)
def test_what_is_refused(old, new, message):
    assert old in TEXT
    with pytest.raises(ConversionError, match=message):
        convert_text("inline", TEXT.replace(old, new, 1))


def test_argument_types():
    assert forbidden("ORG-AFF", "PER", "GPE") is None
    assert "PER-SOC can't hold from PER to ORG; it goes from PER to PER" in forbidden("PER-SOC", "PER", "ORG")
    assert forbidden("PART-WHOLE", "VEH", "WEA") and not forbidden("PART-WHOLE", "VEH", "VEH")
    for pairs in ARGUMENTS.values():
        assert {*pairs, *(tail for tails in pairs.values() for tail in tails)} <= set(MENTION_TYPES)
    assert list(NAMES) == list(MENTION_TYPES)
    assert {label for labels in NAMES.values() for label in labels} <= set(ENTITY_LABELS)


def test_folders_and_splits(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "README.md").write_text("no document")
    (folder / "b.txt").write_text(TEXT)
    (folder / "c.txt").write_text(TEXT.replace("= a", "= c").replace("train", "dev"))
    assert convert("inline", folder, tmp_path / "all.spacy")["documents"] == 2
    counts = convert("inline", folder, tmp_path / "dev.spacy", split="dev", singletons=True)
    assert counts == {
        "documents": 1,
        "tokens": 28,
        "sentences": 3,
        "entities": 3,
        "mentions": 7,
        "clusters": 5,
        "relations": 3,
    }
    dropped = Counter()
    kept = convert("inline", folder, tmp_path / "dev.spacy", split="dev", dropped=dropped)["clusters"]
    assert sum(dropped.values()) == 5 - kept  # those of the other split aren't counted
    (folder / "d.txt").write_text(TEXT)
    with pytest.raises(ConversionError, match=r"d.txt:1: the document 'a' is at .*b.txt:1 already"):
        convert("inline", folder, tmp_path / "all.spacy")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConversionError, match="found no documents"):
        convert("inline", tmp_path / "empty", tmp_path / "all.spacy")


@pytest.mark.parametrize("name, value", [("mentions", "minspan"), ("clusters", "all"), ("split", "valid")])
def test_options_are_checked(name, value):
    with pytest.raises(ValueError, match=f"{name} is '{value}', expected"):
        convert_text("inline", TEXT, **{name: value})
