"""UIMA CAS that is written, JSON and XMI, is read again the same."""

import zipfile
from collections import Counter

import pytest
import spacy
from converting import clusters, ents, mentions, relations
from spacy.tokens import DocBin
from test_writers_tools import document
from tiny import annotate

from hmtl_spacy.annotate import export
from hmtl_spacy.data.converters import get_converter

pytest.importorskip("cassis", reason="the extra [cas] isn't installed")
NLP = spacy.blank("en")


@pytest.mark.parametrize("format", ["cas", "xmi"])
def test_round_trip(format, tmp_path):
    """Emoji, CRLF, nested spans, two relations on a pair, one across sentences, one name twice, empty."""
    docs = [document(), document(), annotate(NLP.vocab, [], ()), document(relations=None)]
    for doc, id in zip(docs, ("a", "A", "../empty", "x")):
        doc.user_data["id"] = id
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "gold.spacy")
    summary = export(tmp_path / "gold.spacy", tmp_path / f"out.{format}.zip")
    assert not summary.failed
    assert summary.lost["documents whose relations aren't annotated, written as none"] == 1
    (archive,) = (tmp_path / f"out.{format}.zip").iterdir()
    with zipfile.ZipFile(archive) as opened:
        assert not any("/" in name for name in opened.namelist())
        opened.extractall(tmp_path / "in")
    dropped = Counter()
    back = {d.user_data["id"]: d for d in get_converter("cas").read_folder(tmp_path / "in", dropped=dropped)}
    across = "relations across sentences (kept, but no model predicts them)"
    assert +dropped == {across: 4} and back.keys() - {"a", "A_2", "x"} == {"_._empty"}
    for doc in (back["a"], back["A_2"]):
        assert doc.text == docs[0].text and ents(doc) == ents(docs[0]) and mentions(doc) == mentions(docs[0])
        assert clusters(doc) == clusters(docs[0]) and sorted(relations(doc)) == sorted(relations(docs[0]))
        assert [s.text.strip() for s in doc.sents] == [s.text.strip() for s in docs[0].sents]
    assert relations(back["x"]) == mentions(back["_._empty"]) == []
