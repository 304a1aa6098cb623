"""What is written for brat is read again the same; hostile names stay in their zip."""

import io
import zipfile
from collections import Counter

import pytest
import spacy
from converting import clusters, mentions, relations
from spacy.tokens import Span
from tiny import annotate

from hmtl_spacy.annotations import set_mentions
from hmtl_spacy.data.converters import get_converter
from hmtl_spacy.data.layers import read_layers
from hmtl_spacy.data.writers import format_of, get_writer

VOCAB = spacy.blank("en").vocab
WORDS = "Ann 🙂 Lee \n sails the Skua . She owns it .".split(" ")


@pytest.fixture
def doc():
    """A mention over a line end, nested ones, two relations on a pair, one across sentences."""
    doc = annotate(
        VOCAB,
        WORDS,
        {0, 8},
        mentions=[(0, 4, "PER"), (0, 1, "PER"), (5, 7, "SHIP"), (8, 9, "PER")],
        clusters=[[(0, 4), (8, 9)], [(5, 7), (10, 11)]],
        relations=[(0, 4, 5, 7, "sails"), (0, 4, 5, 7, "owns"), (8, 9, 5, 7, "owns")],
    )
    doc.user_data["id"] = "crew"
    return doc


def write(tmp_path, *docs):
    """What is read of what is written, and what was lost."""
    writer, lost = get_writer("brat"), Counter()
    data = writer.join([writer.write(doc, read_layers(doc), lost) for doc in docs])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "out")
    back = list(get_converter("brat").read_folder(tmp_path / "out"))
    return back, names, {what: count for what, count in lost.items() if count}


def test_round_trip(tmp_path, doc):
    [back], names, lost = write(tmp_path, doc)
    assert names == ["crew.txt", "crew.ann", "annotation.conf"]
    assert back.text == doc.text and back.user_data["id"] == "crew"
    assert mentions(back) == [
        ("Ann", "PER"),
        ("Ann 🙂 Lee", "PER"),
        ("the Skua", "SHIP"),
        ("She", "PER"),
        ("it", "argument"),
    ]
    assert clusters(back) == [["Ann 🙂 Lee", "She"], ["the Skua", "it"]]
    assert sorted(relations(back)) == [
        ("Ann 🙂 Lee", "owns", "the Skua"),
        ("Ann 🙂 Lee", "sails", "the Skua"),
        ("She", "owns", "the Skua"),
    ]
    assert lost == {
        "scores": 11,
        "sentence boundaries": 2,
        "spans in clusters or relations alone, written with the label 'argument'": 1,
    }
    annotation = (tmp_path / "out" / "crew.ann").read_text("utf8")
    assert "\tPER 0 9\tAnn 🙂 Lee\n" in annotation
    configuration = (tmp_path / "out" / "annotation.conf").read_text()
    assert "[entities]\nPER\nSHIP\nargument\n" in configuration and "\nowns\tArg1:<ANY>" in configuration


def test_a_span_over_a_line_end_and_windows_line_ends(tmp_path):
    doc = annotate(VOCAB, ["Ann", "\r\n", "Lee", "ran"], set(), mentions=[(0, 3, "P-q")])
    [back], _, lost = write(tmp_path, doc)
    assert mentions(back) == [("Ann \n Lee", "P-q")] and lost["line ends that became line feeds"] == 1
    assert "T1\tP-q 0 3;6 9\tAnn Lee" in (tmp_path / "out" / "document.ann").read_text("utf8")


def test_names_and_labels_that_files_and_brat_cannot_have(tmp_path):
    docs = [annotate(VOCAB, ["Ann", "ran"], set(), mentions=[(0, 1, "a b|é")]) for _ in range(4)]
    for doc, id in zip(docs, ["../../etc/x", "/root", "a", "A"], strict=True):
        doc.user_data["id"] = id
    backs, names, lost = write(tmp_path, *docs)
    assert names[::2] == ["_._.._etc_x.txt", "_root.txt", "a.txt", "A_2.txt", "annotation.conf"]
    assert {label for doc in backs for _, label in mentions(doc)} == {"a_b__"}
    assert lost["names of documents that no file can have, of which signs became _"] == 2


def test_what_has_no_place_is_counted(tmp_path):
    doc = annotate(VOCAB, ["Ann", "\n"], set(), entities=[(0, 1, "P")])
    set_mentions(doc, [Span(doc, 1, 2, "X")])
    [back], _, lost = write(tmp_path, doc)
    assert mentions(back) == [] and lost["spans of nothing but white space"] == 1
    assert lost["named entities (of the format's one layer, the mentions)"] == 1
    assert get_writer("brat").join([]) == b"" and format_of("a.brat.zip") == "brat"
