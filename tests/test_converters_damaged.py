"""Licensed formats: files that are cut, of another encoding or format are refused by file and line."""

import gzip
import re
import shutil
from collections import Counter

import pytest
from converting import FIXTURES, convert_text

from hmtl_spacy.data.converters import ConversionError, convert
from hmtl_spacy.data.converters.ace import ace_to_docs

ACE = FIXTURES / "ace" / "nw" / "timex2norm"
NEWS = "XYZ_ENG_20300101.0001"
FILES = sorted(path.name for path in FIXTURES.iterdir() if path.is_file())
OF_FORMAT = {
    "conll2012": ["conll2012.v4_gold_conll"],
    "iob": ["conll2003.txt", "conll2003_iob2.txt", "uner.iob2"],
}


def outcome(convert_it):
    """None if it went well; else the line that is named."""
    try:
        list(convert_it())
    except ConversionError as err:
        assert err.line, str(err)
        return err.line


def cuts(text, step=1, first=1):
    for end in range(first, len(text.rstrip()), step):
        yield text[:end]


def test_conll2012_is_refused_wherever_it_is_cut_but_between_documents():
    text = (FIXTURES / "conll2012.v4_gold_conll").read_text("utf8")
    whole = 0
    for cut in cuts(text):
        line = outcome(lambda cut=cut: convert_text("conll2012", cut))
        assert (line is None) == cut.rstrip().endswith("#end document"), cut[-40:]
        assert line is None or line <= cut.count("\n") + 1
        whole += line is None
    assert whole  # documents that are missing whole can't be told


@pytest.mark.parametrize("name", ["conll2003.txt", "conll2003_iob2.txt"])
def test_conll2003_is_refused_where_a_row_is_cut(name):
    """Not where a row is whole by chance, nor in the first: nothing says where a file or a row ends."""
    text = (FIXTURES / name).read_text("utf8")
    first = re.search(r"\n\S+ \S+ \S+ [BIO]", text)
    whole = re.compile(r"|-DOCSTART-.*|\S+ \S+ \S+ (O|[BI]-[A-Z]+)")
    for cut in cuts(text, first=first.end() + 1):
        last = cut.rpartition("\n")[2].rstrip()
        line = outcome(lambda cut=cut: convert_text("iob", cut))
        assert whole.fullmatch(last) or line == cut.count("\n") + 1, last


ROWS = [(format, name) for format, names in OF_FORMAT.items() for name in names]
OTHER_ROWS = [("conllu", "gum.conllu"), ("conll04", "conll04.txt")]


@pytest.mark.parametrize("format, name", ROWS + OTHER_ROWS)
def test_no_row_is_shortened_wherever_a_file_is_cut(tmp_path, format, name):
    """A cut is refused unless it is at the end of a line; in CoNLL-2012, of a document."""
    raw = (FIXTURES / name).read_bytes()
    path, out = tmp_path / name, tmp_path / "out.spacy"
    for end in range(1, len(raw)):
        path.write_bytes(raw[:end])
        try:
            convert(format, path, out)
        except ConversionError as err:
            assert err.line is None or err.line <= raw.count(b"\n", 0, end) + 1
        else:
            assert raw[end - 1 : end] == b"\n" or (
                format == "conll2012" and b"#end document" in raw[end - 13 : end]
            )
    assert convert(format, FIXTURES / name, out)["documents"]


@pytest.mark.parametrize("format, name", [("iob", "uner.iob2"), *OTHER_ROWS])
def test_a_last_line_without_a_line_feed_can_be_repaired(tmp_path, format, name):
    path = tmp_path / name
    path.write_bytes((FIXTURES / name).read_bytes().rstrip(b"\n"))
    with pytest.raises(ConversionError, match=rf"{name}:\d+: the file ends without a line feed.* --repair"):
        convert(format, path, tmp_path / "out.spacy")
    dropped = Counter()
    assert convert(format, path, tmp_path / "out.spacy", repair=True, dropped=dropped)["documents"]
    assert dropped["last lines without a line feed, taken as whole"] == 1


@pytest.mark.parametrize("ending, step", [(".sgm", 5), (".apf.xml", 11)])
def test_ace_is_refused_wherever_it_is_cut(ending, step):
    files = {end: (ACE / f"{NEWS}{end}").read_text("utf8") for end in (".sgm", ".apf.xml")}
    for cut in cuts(files[ending], step):
        lines = {**files, ending: cut}

        def read(lines=lines):
            sgm, apf = (lines[end].split("\n") for end in (".sgm", ".apf.xml"))
            return list(ace_to_docs(sgm, source="a.sgm", annotation=(apf, "a.apf.xml")))

        assert outcome(read), cut[-40:]


@pytest.mark.parametrize(
    "format, name", [(format, name) for format, names in OF_FORMAT.items() for name in names]
)
@pytest.mark.parametrize("number", [1, 3])
def test_another_encoding_is_told_by_line(tmp_path, format, name, number):
    lines = (FIXTURES / name).read_bytes().split(b"\n")
    lines[number - 1] += b" caf\xe9"
    path = tmp_path / name
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(
        ConversionError, match=rf"{re.escape(name)}:{number}: byte 0xe9 isn't UTF-8 .* as UTF-8"
    ):
        convert(format, path, tmp_path / "out.spacy")
    assert not (tmp_path / "out.spacy").exists()


@pytest.mark.parametrize("format, name", [(format, names[0]) for format, names in OF_FORMAT.items()])
def test_utf16_and_compressed_files(tmp_path, format, name):
    text = (FIXTURES / name).read_text("utf8")
    for content in (text.encode("utf-16"), gzip.compress(text.encode("utf8"))):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ConversionError, match=rf"{re.escape(name)}:1: byte 0x.. isn't UTF-8"):
            convert(format, path, tmp_path / "out.spacy")


def test_a_byte_order_mark_and_windows_line_ends_are_no_damage(tmp_path):
    for format, names in OF_FORMAT.items():
        for name in names:
            content = (FIXTURES / name).read_bytes()
            path = tmp_path / name
            path.write_bytes(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"))
            found, expected = (
                convert(format, one, tmp_path / "out.spacy") for one in (path, FIXTURES / name)
            )
            assert found == expected


@pytest.mark.parametrize("format", OF_FORMAT)
@pytest.mark.parametrize("name", FILES)
def test_files_of_other_formats(tmp_path, format, name):
    if name in OF_FORMAT[format]:
        assert convert(format, FIXTURES / name, tmp_path / "out.spacy")["documents"]
        return
    with pytest.raises(
        ConversionError, match=rf"{re.escape(name)}:\d+: found .*(expected|Is a part of the row)"
    ):
        convert(format, FIXTURES / name, tmp_path / "out.spacy")


@pytest.mark.parametrize("ending", [".sgm", ".apf.xml"])
@pytest.mark.parametrize("name", FILES)
def test_files_of_other_formats_in_the_place_of_aces(tmp_path, name, ending):
    folder = shutil.copytree(ACE, tmp_path / "timex2norm")
    shutil.copy(FIXTURES / name, folder / f"{NEWS}{ending}")
    with pytest.raises(ConversionError, match=rf"{NEWS}{ending}:1: (found 0 '<DOC>'|found <|not XML: )"):
        convert("ace", folder, tmp_path / "out.spacy")


def test_two_files_joined_into_one(tmp_path):
    """A file of one format that goes on as another, as a careless `cat` makes it."""
    texts = {name: (FIXTURES / name).read_text("utf8") for name in FILES}
    joined = texts["conll2012.v4_gold_conll"] + texts["conll2003.txt"]
    with pytest.raises(ConversionError, match=r"file:29: found '-DOCSTART- -X- -X- O'"):
        convert_text("conll2012", joined)
    joined = texts["conll2003.txt"] + "\n" + texts["conll2012.v4_gold_conll"]
    with pytest.raises(ConversionError, match=r"file:\d+: found \d+ columns, \['#begin', .* expected 4"):
        convert_text("iob", joined)
    joined = texts["conll2003.txt"] + "\n" + texts["conll2003_iob2.txt"] * 3
    with pytest.raises(
        ConversionError, match=r"file:3: 'I-LOC' .* begins an entity, .* The file is mostly IOB2"
    ):
        convert_text("iob", joined)
