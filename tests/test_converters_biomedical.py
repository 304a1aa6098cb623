"""BioC and PubTator: offsets of the document, identifiers, relations between them."""

import json
from collections import Counter

import pytest
from converting import FIXTURES, clusters, mentions, relations

from hmtl_spacy.data.converters import ConversionError, get_converter

BIOC, PUBTATOR = ((FIXTURES / name).read_text("utf8") for name in ("bioc.xml", "pubtator.txt"))


@pytest.fixture
def read(tmp_path):
    def run(format, content, **options):
        path = tmp_path / "a.file"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        dropped = Counter()
        docs = list(get_converter(format).read(path, dropped=dropped, **options))
        return docs, {k: n for k, n in dropped.items() if n}

    return run


def everything(doc):
    return doc.user_data["id"], doc.text, mentions(doc), clusters(doc), relations(doc)


def test_bioc(read):
    [doc, empty], dropped = read("bioc", BIOC)
    assert doc.text == "α-zol 🙂 for sore or stiff knees." + " " * 8 + "Zol helps."
    assert mentions(doc) == [
        ("α-zol", "Drug"),
        ("sore or stiff knees", "Disease"),
        ("stiff knees", "Disease"),
        ("Zol", "Drug"),
    ]
    assert clusters(doc) == [["α-zol", "Zol"]]
    assert relations(doc) == [
        ("α-zol", "treats", "stiff knees"),
        ("α-zol", "helps", "stiff knees"),
        ("α-zol", "Link", "stiff knees"),
    ]
    assert everything(empty) == ("2", "", [], [], [])
    expected = {
        "mentions with another text than that at their offsets (which are kept)": 1,
        "mentions of several identifiers (in no cluster)": 1,
        "relations of identifiers that no mention has": 1,
        "spans in several pieces, kept from the first to the last": 1,
    }
    assert {what: dropped.get(what) for what in expected} == expected


def test_bioc_in_bytes(read):
    """An alpha is two bytes, an emoji four."""
    moved = BIOC.replace('length="5"/><text>α', 'length="6"/><text>α')
    for old, new in (("12", "16"), ("26", "30"), ("20", "24"), ("40", "44")):
        moved = moved.replace(f'offset="{old}"', f'offset="{new}"')
    moved = moved.replace("<offset>40<", "<offset>44<")
    [doc, _], dropped = read("bioc", moved)
    assert everything(doc) == everything(read("bioc", BIOC)[0][0])
    assert dropped["documents whose offsets count bytes"] == 1


def test_bioc_json(read):
    location = {"offset": 0, "length": 3}
    rows = [{"id": "a", "infons": {"type": "T", "MESH": "M1"}, "locations": [location], "text": "Zol"}]
    passage = {
        "offset": 0,
        "text": "Zol.",
        "infons": {},
        "annotations": rows,
        "sentences": [],
        "relations": [],
    }
    data = {"documents": [{"id": "9", "passages": [passage], "relations": []}]}
    [doc], _ = read("bioc", json.dumps(data))
    assert everything(doc) == ("9", "Zol.", [("Zol", "T")], [], None)
    for cut in range(10, 200, 17):
        with pytest.raises(ConversionError, match="a.file:1: not JSON: .* Is a part of the file missing"):
            read("bioc", json.dumps(data)[:cut])
    location["length"] = -1
    with pytest.raises(ConversionError, match="a.file: document 1: found the length -1, expected a number"):
        read("bioc", json.dumps(data))


def test_bioc_without_identifiers_or_relations(read):
    [doc, _], _ = read("bioc", BIOC, identifier=["MESH"])
    assert clusters(doc) is None and len(relations(doc)) == 2
    lines = [line for line in BIOC.split("\n") if "<relation" not in line]
    [doc, _], _ = read("bioc", "\n".join(lines))
    assert relations(doc) is None and len(clusters(doc)) == 1


@pytest.mark.parametrize(
    "old, new, message",
    [
        (
            'offset="40"',
            'offset="400"',
            r"a.file:13: found the annotation 'd' at .*Offsets count the document",
        ),
        ("<offset>40", "<offset>4", r"a.file:4: the passages of '1' overlap: \[0, 4\]"),
        ("<offset>40", "<offset>x", r"a.file:12: found the offset 'x', expected a number"),
        ("collection>", "html>", r"a.file:3: found <html>, expected <collection>"),
        ('"BioC.dtd">', '"BioC.dtd" [<!ENTITY a "b">]>', r"a.file:2: found a declaration of the entity 'a'"),
        ("</collection>", "", r"a.file:\d+: not XML: no element found. Is a part"),
    ],
)
def test_bioc_that_is_malformed(read, old, new, message):
    assert old in BIOC
    with pytest.raises(ConversionError, match=message):
        read("bioc", BIOC.replace(old, new))


def test_pubtator(read):
    [doc, empty], dropped = read("pubtator", PUBTATOR)
    assert everything(doc) == (
        "7",
        "α-zol 🙂 for knees. Zol is | a drug.",
        [("α-zol", "Drug"), ("knees", "Part"), ("Zol", "Drug"), ("| a drug", "Drug")],
        [["α-zol", "Zol"]],
        [("α-zol", "Drug_Part", "knees")],
    )
    assert everything(empty) == ("8", "Nothing. ", [], [], [])
    assert dropped["relations of identifiers that no mention has"] == 1
    assert dropped["mentions of several identifiers (in no cluster)"] == 1
    marked = b"\xef\xbb\xbf" + PUBTATOR.replace("\n", "\r\n").encode()
    assert everything(read("pubtator", marked)[0][0]) == everything(doc)


def test_pubtator_in_utf16_and_without_relations(read):
    rows = [line for line in PUBTATOR.split("\n") if "Drug_" not in line and "CID" not in line]
    [doc, empty], _ = read("pubtator", "\n".join(rows))
    assert relations(doc) is None and relations(empty) is None and clusters(empty) == []
    text = "\n".join(rows)
    for old, new in (("12\t17", "13\t18"), ("19\t22", "20\t23"), ("26\t34", "27\t35")):
        text = text.replace(old, new)
    [other, _], dropped = read("pubtator", text)
    assert mentions(other) == mentions(doc) and dropped["documents whose offsets count UTF-16 units"] == 1


@pytest.mark.parametrize(
    "old, new, message",
    [
        (
            "\tknees\t",
            "\tknee\t",
            r"a.file:4: found the text 'knee' of 12 to 17, but its characters are 'knees'",
        ),
        ("7\t0\t5", "9\t0\t5", r"a.file:3: found .*, expected ID\|t\|TITLE of 7. Blank lines separate"),
        ("\tC1\tK2\tNovel", "\tC1", r"a.file:7: found 3 columns, .* Is a part of the row missing"),
        ("7|a|", "7|t|", r"a.file:2: found a second \|t\| of the document '7'"),
        ("8|a|\n\n", "8|a|", r"a.file:11: the file ends without a line feed"),
    ],
)
def test_pubtator_that_is_malformed(read, old, new, message):
    assert old in PUBTATOR
    with pytest.raises(ConversionError, match=message):
        read("pubtator", PUBTATOR.replace(old, new))


@pytest.mark.parametrize("format, content", [("bioc", BIOC), ("pubtator", PUBTATOR)])
def test_folders_are_read_as_one_corpus(read, tmp_path, format, content):
    """A layer that one file has is annotated in the documents of all; errors name the file."""
    whole, _ = read(format, content)
    folder = tmp_path / "corpus" / "deep"
    folder.mkdir(parents=True)
    plain = "1|t|None.\n\n" if format == "pubtator" else BIOC[: BIOC.index("<document>")] + "</collection>\n"
    (tmp_path / "corpus" / "a.txt").write_text(plain, "utf8")
    (folder / "b.txt").write_text(content, "utf8")
    docs = list(get_converter(format).read_folder(tmp_path / "corpus", dropped=Counter()))
    assert [everything(doc) for doc in docs][-len(whole) :] == [everything(doc) for doc in whole]
    if format == "pubtator":
        assert relations(docs[0]) == [] and len(docs) == len(whole) + 1
    (folder / "c.txt").write_text("1|x|", "utf8")
    with pytest.raises(ConversionError, match="c.txt:1: "):
        list(get_converter(format).read_folder(tmp_path / "corpus", dropped=Counter()))
