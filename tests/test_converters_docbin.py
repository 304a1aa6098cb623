from collections import Counter

import pytest
import spacy
from converting import FIXTURES, clusters, mentions, relations
from spacy.tokens import Doc, DocBin

from hmtl_spacy.data.converters import ConversionError, convert, get_converter
from hmtl_spacy.data.converters.common import read_lines, write_docs

NAMES = {
    "iob": "uner.iob2",
    "conllu": "gum.conllu",
    "conll04": "conll04.txt",
    "conll2012": "conll2012.v4_gold_conll",
    "ace": "ace/nw/timex2norm/XYZ_ENG_20300101.0001.sgm",
    "dygie": "dygie.jsonl",
    "jsonl": "own.jsonl",
    "inline": "inline.txt",
}


def read(format, **options):
    """The documents of a format's fixture; that of ACE has its annotation beside it."""
    path = FIXTURES / NAMES[format]
    return list(get_converter(format).read(read_lines(path), source=str(path), **options))


@pytest.mark.parametrize("format", NAMES)
def test_words_have_their_attributes_without_a_vocabulary_too(format):
    """Pronouns and white space are known by them."""
    tokens = [token for doc in read(format) for token in doc]
    assert tokens and all(t.lower_ == t.text.lower() and t.is_space == t.text.isspace() for t in tokens)


def describe(doc):
    found = [layer(doc) for layer in (mentions, clusters, relations)]
    missing = [doc.has_annotation(name) for name in ("ENT_IOB", "SENT_START")]
    starts = [token.is_sent_start for token in doc]
    return doc.text, dict(doc.user_data), [(e.text, e.label_) for e in doc.ents], found, missing, starts


@pytest.mark.parametrize("format", NAMES)
def test_everything_survives_the_file(format, tmp_path):
    path = tmp_path / "new folder" / "docs.spacy"
    written = convert(format, FIXTURES / NAMES[format], path)
    docs = list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab))
    assert [describe(doc) for doc in docs] == [describe(doc) for doc in read(format)]
    assert written["documents"] == len(docs) and written["tokens"] == sum(map(len, docs))
    assert [child.name for child in path.parent.iterdir()] == ["docs.spacy"]


def test_an_error_leaves_no_file(tmp_path):
    source = tmp_path / "bad.iob2"
    source.write_text((FIXTURES / "uner.iob2").read_text() + "4\tbad\n")
    with pytest.raises(ConversionError, match=r"bad\.iob2:26: found 2 columns"):
        convert("iob", source, tmp_path / "out.spacy")
    assert [child.name for child in tmp_path.iterdir()] == ["bad.iob2"]


def test_an_error_while_writing_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "out.spacy"
    path.write_bytes(b"old")

    def fail(self, path):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(DocBin, "to_disk", fail)
    with pytest.raises(OSError, match="disk full"):
        write_docs([Doc(spacy.blank("en").vocab, words=["a"])], path)
    assert [(child.name, child.read_bytes()) for child in tmp_path.iterdir()] == [("out.spacy", b"old")]


@pytest.mark.parametrize("format", NAMES)
def test_an_empty_file_is_an_error(format, tmp_path):
    source = tmp_path / "empty"
    source.write_text("\n")
    with pytest.raises(ConversionError, match="empty: found no documents|empty:1: found 0 '<DOC>'"):
        convert(format, source, tmp_path / "out.spacy")


def test_unknown_format():
    with pytest.raises(ValueError, match="no converter for 'gff'; the formats are ace, bioc, "):
        get_converter("gff")


def test_lines_that_are_not_utf8(tmp_path):
    path = tmp_path / "latin1.txt"
    path.write_bytes(b"a O\n\xe9 O\n")
    with pytest.raises(
        ConversionError, match=r"latin1\.txt:2: byte 0xe9 isn't UTF-8 .*Save the file as UTF-8"
    ):
        list(read_lines(path))
    with pytest.raises(ConversionError, match="absent.txt: no such file"):
        list(read_lines(tmp_path / "absent.txt"))


def test_marks_and_line_ends(tmp_path):
    path = tmp_path / "windows.txt"
    path.write_bytes("\ufeffa O\r\nb\u2028 O\n".encode())
    assert list(read_lines(path)) == ["a O", "b\u2028 O"]


@pytest.mark.parametrize("format", NAMES)
def test_dropped_is_optional(format):
    assert read(format)
    dropped = Counter()
    read(format, dropped=dropped)
    assert all(count >= 0 for count in dropped.values())
