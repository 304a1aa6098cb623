import shutil
from collections import Counter

import pytest
from converting import FIXTURES, clusters, ents, mentions, relations

from hmtl_spacy.data.converters import ConversionError, get_converter

BRAT = FIXTURES / "brat"
TEXT, ANNOTATION = ((BRAT / f"crew{end}").read_text("utf8") for end in (".txt", ".ann"))


def read(path, **options):
    dropped = Counter()
    converter = get_converter("brat")
    read = converter.read_folder if path.is_dir() else converter.read
    return list(read(path, dropped=dropped, **options)), dict(+dropped)


@pytest.fixture
def crew(tmp_path):
    """Read the fixture with other content."""

    def make(text=TEXT, annotation=ANNOTATION, **options):
        for end, content in ((".txt", text), (".ann", annotation)):
            raw = content.encode() if isinstance(content, str) else content
            (tmp_path / f"crew{end}").write_bytes(raw)
        return read(tmp_path, **options)

    return make


def test_all_layers_and_what_is_not_read():
    [doc, empty], dropped = read(BRAT)
    assert (doc.user_data["id"], doc.text) == ("crew", TEXT)
    assert mentions(doc) == [
        ("Ida", "Person"),
        ("Ida 🙂 and Per Moe", "Person"),
        ("Per Moe", "Person"),
        ("the\nSkua", "Ship"),
        ("She", "Person"),
        ("it", "Ship"),
    ]
    assert clusters(doc) == [["Ida", "She"], ["the\nSkua", "it"]]
    assert relations(doc) == [
        ("Per Moe", "Sails", "the\nSkua"),
        ("Per Moe", "Owns", "the\nSkua"),
        ("She", "Owns", "the\nSkua"),
    ]
    assert not doc.has_annotation("ENT_IOB")
    assert empty.user_data["id"] == "none"
    assert (empty.text, mentions(empty), clusters(empty), relations(empty)) == ("", [], [], [])
    kept = {"spans in several pieces, kept from the first to the last": 1}
    assert dropped == {"events": 1, "attributes": 1, "notes": 1, **kept}


@pytest.mark.parametrize("name", ["crew.txt", "crew.ann"])
def test_one_file(name):
    docs, _ = read(BRAT / name)
    assert [doc.user_data["id"] for doc in docs] == ["crew"]


def test_options(crew):
    [doc], _ = crew(entities=["Person"], mentions=["Ship,Person"], discontinuous="first")
    assert ents(doc) == [("Ida", "Person"), ("Per Moe", "Person"), ("She", "Person")]
    assert len(mentions(doc)) == 5
    [doc], _ = crew(coref_label=["sails"])
    assert clusters(doc) == [["Per Moe", "the\nSkua"]] and len(relations(doc)) == 2


def test_layers_that_no_file_has_are_missing(crew):
    lines = ANNOTATION.split("\n")
    [doc], _ = crew(annotation="\n".join(line for line in lines if line[:1] != "*"))
    assert clusters(doc) is None and len(relations(doc)) == 3
    [doc], _ = crew(annotation="\n".join(line for line in lines if line[:1] not in "*R"))
    assert clusters(doc) is None and relations(doc) is None and len(mentions(doc)) == 6


def test_the_configuration_says_what_was_annotated(tmp_path):
    shutil.copy(BRAT / "annotation.conf", tmp_path)
    for end in (".txt", ".ann"):
        shutil.copy(BRAT / f"none{end}", tmp_path)
    [doc], _ = read(tmp_path)
    assert clusters(doc) == [] and relations(doc) == []


def test_texts_without_annotation_and_folders_in_folders(tmp_path):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "c.d.txt").write_text("Ida sails.")
    [doc], dropped = read(tmp_path)
    assert doc.user_data["id"] == "a/b/c.d" and mentions(doc) is None
    assert dropped == {"texts without an .ann file (left unannotated)": 1}
    with pytest.raises(ConversionError, match="found no files with names like 'x'"):
        read(tmp_path, pattern="x")


def test_a_crlf_and_a_byte_order_mark(crew):
    """brat counts a CRLF as one character."""
    expected = crew()[0][0]
    [doc], _ = crew(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode(), "\ufeff" + ANNOTATION)
    assert doc.text == TEXT and mentions(doc) == mentions(expected)
    [doc], _ = crew(annotation=ANNOTATION.replace("\n", "\r\n"))
    assert relations(doc) == relations(expected)


def shifted(after, by):
    """The annotation with offsets as others count them."""
    rows = []
    for row in ANNOTATION.split("\n"):
        id, *cells = row.split("\t")
        if id.startswith("T"):
            label, *offsets = cells[0].replace(";", " ; ").split(" ")
            moved = [str(int(x) + by * (int(x) > after)) if x.isdigit() else x for x in offsets]
            row = "\t".join([id, " ".join([label, *moved]).replace(" ; ", ";"), *cells[1:]])
        rows.append(row)
    return "\n".join(rows)


@pytest.mark.parametrize(
    "after, by, newline, what",
    [
        (4, 1, "\n", "UTF-16 units"),
        (4, 3, "\n", "bytes"),
        (26, 1, "\r\n", "both characters of a CRLF"),
    ],
)
def test_offsets_as_other_tools_count_them(crew, after, by, newline, what):
    expected = crew()[0][0]
    [doc], dropped = crew(TEXT.replace("\n", newline), shifted(after, by))
    assert dropped[f"documents whose offsets count {what}"] == 1
    assert [text.replace("\r", "") for text, _ in mentions(doc)] == [text for text, _ in mentions(expected)]


@pytest.mark.parametrize(
    "old, new, message",
    [
        (
            "\tIda\n",
            "\tAda\n",
            r"crew.ann:1: found the text 'Ada' of T1, but its characters are 'Ida'.*whole",
        ),
        ("0 3\t", "0 300\t", r"crew.ann:1: found the text 'Ida' of T1, but its"),
        ("T1\tPerson", "T1 Person", r"crew.ann:1: found 'T1 Person.*, expected T1, a tab, .*space where"),
        ("T2\t", "T1\t", r"crew.ann:2: found the id 'T1' a second time, first in line 1"),
        ("Arg2:T4\t", "Arg2:T9\t", r"crew.ann:8: found 'T9' in 'Sails', but there is no such annotation"),
        ("Equiv T1 T5", "Equiv T1 T50", r"crew.ann:12: found 'T50' in 'Equiv', but there is"),
        ("#1\t", "X1\t", r"crew.ann:15: found 'X1.*', expected an id that begins with one of T, R"),
        ("E1\tOwning:T7", "E1\tOwning", r"crew.ann:11: found .*, expected E1, a tab, Type:T1"),
    ],
)
def test_malformed_input(crew, old, new, message):
    assert old in ANNOTATION
    with pytest.raises(ConversionError, match=message):
        crew(annotation=ANNOTATION.replace(old, new, 1))


@pytest.mark.parametrize("kind", "TRE*")
def test_files_that_are_cut(crew, kind):
    """A cut is an error with its line, unless a span's text or brat's tab shows that the row is whole."""
    start = ANNOTATION.index(f"\n{kind}") + 1
    row = ANNOTATION[start : ANNOTATION.index("\n", start)]
    for length in range(1, len(row) + (kind in "E*")):
        with pytest.raises(ConversionError, match=rf"crew.ann:{ANNOTATION[:start].count(chr(10)) + 1}: "):
            crew(annotation=ANNOTATION[:start] + row[:length])
    if kind in "TR":
        assert crew(annotation=ANNOTATION[:start] + row)


def test_texts_that_are_cut(crew):
    with pytest.raises(ConversionError, match=r"crew.ann:\d: found the text .* Is the text .* whole\?"):
        crew(text=TEXT[:30])


def test_a_last_line_that_may_be_cut_can_be_repaired(crew):
    cut = ANNOTATION[: ANNOTATION.index("Equiv T4 T6") + 11]
    with pytest.raises(ConversionError, match="crew.ann:13: the file ends without a line feed.*--repair"):
        crew(annotation=cut)
    [doc], dropped = crew(annotation=cut, repair=True)
    assert len(clusters(doc)) == 2 and dropped["last lines without a line feed, taken as whole"] == 1


def test_what_has_no_place_is_counted(crew):
    added = ["R4\tSees Arg1:T1 Arg2:E1\t", "R5\tGives Arg1:T1 Arg2:T2 Arg3:T4\t"]
    added += ["*\tAlias T1 T2", "N1\tReference T1 W:1\tIda", ""]
    docs, dropped = crew(annotation=ANNOTATION + "\n".join(added))
    assert len(relations(docs[0])) == 3
    expected = {
        "relations with an argument that was left out": 1,
        "relations of other than two arguments": 1,
        "sets of 'Alias', which isn't coreference": 1,
        "normalisations": 1,
    }
    assert {what: dropped[what] for what in expected} == expected


def test_bytes_that_are_not_utf8(crew):
    with pytest.raises(ConversionError, match="crew.txt:2: byte 0xff isn't UTF-8"):
        crew(text=TEXT[:28].encode() + b"\xff\n")
    with pytest.raises(ConversionError, match="crew.ann:1: byte 0xff isn't UTF-8"):
        crew(annotation=b"\xff" + ANNOTATION.encode())
