"""The .spacy files of spaCy's relation tutorial."""

from collections import Counter

import pytest
import spacy
from converting import clusters, ents, mentions, relations
from spacy.tokens import Doc, DocBin

from hmtl_spacy.annotations import has_entities
from hmtl_spacy.data.converters import ConversionError, convert, get_converter
from hmtl_spacy.data.converters.spacy_rel import REL

WORDS = "🎉 Ann Lee left Acme .\r\n She likes Rome".split(" ")


def document(pairs=None, words=WORDS):
    doc = Doc(spacy.blank("en").vocab, words=words)
    if words:
        spans = [(1, 3, "PER"), (4, 5, "ORG"), (6, 7, "PER"), (8, 9, "GPE")]
        doc.ents = [
            doc.char_span(doc[s].idx, doc[e - 1].idx + len(doc[e - 1]), label) for s, e, label in spans
        ]
    if pairs is not None:
        doc.user_data[REL] = pairs
    return doc


def read(folder, *docs, **options):
    DocBin(store_user_data=True, docs=docs).to_disk(folder / "in.spacy")
    dropped = Counter()
    found = list(get_converter("spacy-rel").read(folder / "in.spacy", dropped=dropped, **options))
    return found, {what: count for what, count in dropped.items() if count}


PAIRS = {(1, 4): {"LEFT": 1.0, "OWNS": 0.5, "IN": 0.4}, (6, 8): {"LIKES": 1.0}, (6, 1): {"COREF": 0.9}}


def test_entities_and_relations(tmp_path):
    none = {(1, 4): {"LEFT": 0.0}}
    docs = [document(PAIRS), document(), document(none), document({}, words=[])]
    (doc, bare, zero, empty), dropped = read(tmp_path, *docs)
    names = [("Ann Lee", "PER"), ("Acme", "ORG"), ("She", "PER"), ("Rome", "GPE")]
    assert ents(doc) == mentions(doc) == names and clusters(doc) == [["Ann Lee", "She"]]
    assert relations(doc) == [
        ("Ann Lee", "LEFT", "Acme"),
        ("Ann Lee", "OWNS", "Acme"),
        ("She", "LIKES", "Rome"),
    ]
    assert relations(bare) is clusters(bare) is None and relations(zero) == clusters(zero) == []
    assert mentions(empty) == relations(empty) == [] and doc.user_data == {"id": "1"} and not dropped
    (doc,), _ = read(tmp_path, document(PAIRS), threshold=0.95, coref_label=["likes"], entities=["PER"])
    assert relations(doc) == [("Ann Lee", "LEFT", "Acme")] and clusters(doc) == [["She", "Rome"]]
    assert [label for _, label in ents(doc)] == ["PER", "PER"] and len(mentions(doc)) == 2


def test_pairs_of_no_entity_and_documents_without_entities_are_told(tmp_path):
    plain = Doc(spacy.blank("en").vocab, words=["a"])
    docs, dropped = read(tmp_path, document({(2, 4): {"LEFT": 1.0, "IN": 0.1}}), plain)
    assert relations(docs[0]) == [] and dropped == {"relations of a token that begins no entity": 1}
    assert not has_entities(docs[1]) and mentions(docs[1]) is None


def test_what_is_written_can_be_stored(tmp_path):
    DocBin(store_user_data=True, docs=[document(PAIRS)]).to_disk(tmp_path / "in.spacy")
    written = convert("spacy-rel", tmp_path / "in.spacy", tmp_path / "out.spacy")
    assert written["relations"] == 3 and written["clusters"] == 1


@pytest.mark.parametrize("pairs", [[1], {(1, 4): 1.0}, {(1, 4): {"x": "y"}}, {1: {}}])
def test_other_things_under_rel_are_errors(tmp_path, pairs):
    with pytest.raises(ConversionError, match=r"in.spacy: document 2: found doc._.rel: .*expected \{\(start"):
        read(tmp_path, document(), document(pairs))


def test_cut_files_are_errors(tmp_path):
    raw = DocBin(docs=[document()]).to_bytes()
    (tmp_path / "in.spacy").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(ConversionError, match="in.spacy: it is cut short, damaged, or not a .spacy file"):
        list(get_converter("spacy-rel").read(tmp_path / "in.spacy"))
