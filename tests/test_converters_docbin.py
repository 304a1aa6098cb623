from collections import Counter

import pytest
import spacy
from converting import FIXTURES, clusters, mentions, relations
from spacy.tokens import Doc, DocBin
from spacy.training import Corpus

from hmtl_spacy.data.converters import ConversionError, convert, get_converter, shards
from hmtl_spacy.data.converters.common import read_lines
from hmtl_spacy.data.converters.shards import write_docs
from hmtl_spacy.data.stored_docs import StoredDocs

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


def numbered(n, fails=False):
    """Documents of ten tokens."""
    vocab = spacy.blank("en").vocab
    for number in range(n):
        doc = Doc(vocab, words=["a"] * 10)
        doc.user_data["id"] = str(number)
        yield doc
    if fails:
        raise ConversionError("in", n, "bad")


def ids(path):
    nlp = spacy.blank("en")
    return [doc.user_data["id"] for doc in StoredDocs(path).read(nlp.vocab)]


def test_a_folder_has_files_of_bounded_size(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "SHARD_TOKENS", 20)
    write_docs(numbered(5), tmp_path / "out")
    assert [file.name for file in sorted((tmp_path / "out").iterdir())] == [
        f"0000{i}.spacy" for i in range(3)
    ]
    sizes = [len(DocBin().from_disk(file)) for file in sorted((tmp_path / "out").iterdir())]
    assert sizes == [2, 2, 1] and ids(tmp_path / "out") == list("01234")
    nlp = spacy.blank("en")
    assert [len(eg.reference) for eg in Corpus(tmp_path / "out")(nlp)] == [10] * 5
    write_docs(numbered(2), tmp_path / "out")
    assert ids(tmp_path / "out") == list("01")
    with pytest.raises(ConversionError, match="bad"):
        write_docs(numbered(3, fails=True), tmp_path / "out")
    assert ids(tmp_path / "out") == list("01") and [one.name for one in tmp_path.iterdir()] == ["out"]


def test_what_a_killed_conversion_left_is_not_read(tmp_path):
    write_docs(numbered(2), tmp_path / "all" / "out")
    write_docs(numbered(1), tmp_path / "all" / ".out.17.part" / "00000.spacy")
    assert ids(tmp_path / "all") == list("01")


def test_folders_that_are_not_replaced(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"more than .spacy files \(notes.txt\)"):
        write_docs(numbered(1), tmp_path / "out")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValueError, match="a file is there, expected a name that ends in .spacy"):
        write_docs(numbered(1), tmp_path / "file")
    with pytest.raises(ValueError, match="found the suffix '.json', expected a name that ends in .spacy"):
        write_docs(numbered(1), tmp_path / "out.json")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "out"]


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
