"""What is written for annotation tools is read again the same; what they can't hold is counted."""

import json
from collections import Counter

import pytest
import spacy
from converting import clusters, convert_json, ents, mentions, relations
from tiny import annotate

from hmtl_spacy.annotations import KEYS, set_mentions
from hmtl_spacy.data.layers import read_layers
from hmtl_spacy.data.writers import format_of, get_writer

NLP = spacy.blank("en")
WORDS = "🎉 Ann Lee works for Acme . \r\n She likes it .".split(" ")
FORMATS = {"labelstudio": {"predictions": True}, "doccano": {}, "prodigy": {"unanswered": True}}


def document(**changes):
    """Nested mentions, a relation across sentences, two on a pair, a cluster's span that is no mention."""
    layers = {
        "entities": [(1, 3, "PER"), (5, 6, "ORG")],
        "mentions": [(1, 3, "PER"), (2, 3, "NAME"), (5, 6, "ORG"), (8, 9, "PER")],
        "clusters": [[(1, 3), (8, 9)], [(5, 6), (10, 11)]],
        "relations": [(1, 3, 5, 6, "WORK"), (1, 3, 5, 6, "OWN"), (8, 9, 5, 6, "LIKE"), (8, 9, 1, 3, "IS")],
    }
    doc = annotate(NLP.vocab, WORDS, {0, 8}, **{**layers, **{k: v or () for k, v in changes.items()}})
    for layer, missing in changes.items():
        if missing is None:
            del doc.spans[getattr(KEYS, layer)]
    doc.user_data.update(id="a b", meta={"n": [1, None]})
    return doc


def write(format, docs, folder):
    writer, lost = get_writer(format), Counter()
    data = writer.join([writer.write(doc, read_layers(doc), lost) for doc in docs])
    return data, {what: count for what, count in lost.items() if count}


def everything(doc):
    return mentions(doc), clusters(doc), sorted(relations(doc))


@pytest.mark.parametrize("format", FORMATS)
def test_round_trip(format, tmp_path):
    docs = [document(), annotate(NLP.vocab, [], ())]
    data, lost = write(format, docs, tmp_path)
    (back, empty), dropped = convert_json(format, tmp_path, data, **FORMATS[format])
    assert back.text == docs[0].text and back.user_data == docs[0].user_data
    expected = everything(docs[0])
    if format == "doccano":  # has no spans without a label
        expected[0].append(("it", "argument"))
        assert lost["spans in clusters or relations alone, written with the label 'argument'"] == 1
        assert lost["spans that overlap (kept: the project must allow overlapping spans)"] == 1
        assert set(dropped) == {"documents in which it matters that offsets count utf16 (see --offsets)"}
    assert everything(back) == expected and everything(empty) == ([], [], [])
    if format == "labelstudio":
        assert ents(back) == ents(docs[0])
    else:
        assert lost["named entities (of the format's one layer, the mentions)"] == 2
    if format == "prodigy":
        assert [token.text for token in back] == WORDS
    assert lost["sentence boundaries"] == 2


@pytest.mark.parametrize("format", ["doccano", "prodigy"])
def test_named_entities_where_there_are_no_mentions(format, tmp_path):
    doc = document(mentions=None, clusters=None, relations=None)
    data, _ = write(format, [doc], tmp_path)
    options = {**FORMATS[format], **({"entities": "*"} if format == "doccano" else {})}
    (back,), _ = convert_json(format, tmp_path, data, **options)
    assert ents(back) == ents(doc) and mentions(back) is relations(back) is clusters(back) is None
    assert json.loads(data).get("_view_id", "ner_manual") == "ner_manual"


def test_labelstudio_wants_ids_that_differ_and_one_relation_a_pair(tmp_path):
    doc = document()
    doc.user_data["hmtl_model"] = "en_x 1.0"
    set_mentions(doc, doc.spans["mentions"], [0.5, 0.25, 0.25, 1.0])
    other = document()
    other.user_data["id"] = "c"
    first, second = json.loads(write("labelstudio", [doc, other], tmp_path)[0])
    (prediction,) = first["predictions"]
    assert prediction["model_version"] == "en_x 1.0" and 0 < prediction["score"] < 1
    regions = [row for row in prediction["result"] if row["type"] == "labels"]
    ids = {row["id"] for row in regions}
    assert len(ids) == 5 and len(regions) == 7  # entities and mentions of a span share a region
    assert ids.isdisjoint(row.get("id") for row in second["predictions"][0]["result"])
    pairs = [(row["from_id"], row["to_id"]) for row in prediction["result"] if row["type"] == "relation"]
    assert len(pairs) == len(set(pairs)) == 4
    assert ["IS", "coref"] in [row.get("labels") for row in prediction["result"]]
    assert all(doc.text[row["value"]["start"] :].startswith(row["value"]["text"]) for row in regions)


def test_doccano_counts_utf16_units(tmp_path):
    rows = json.loads(write("doccano", [document()], tmp_path)[0])["entities"]
    units = document().text.encode("utf-16-le")
    texts = [units[2 * row["start_offset"] : 2 * row["end_offset"]].decode("utf-16-le") for row in rows]
    assert texts == ["Ann Lee", "Lee", "Acme", "She", "it"] and [row["id"] for row in rows] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_lost_is_counted(format, tmp_path):
    doc = document(clusters=[[(1, 3)]], relations=[(1, 3, 5, 6, "Coref")])
    _, lost = write(format, [doc, document(relations=None)], tmp_path)
    assert lost["clusters of one mention"] == 1
    assert lost["relations with a label that means coreference (coref, coreference, equiv)"] == 1
    assert lost["documents whose relations aren't annotated, written as none"] == 1


def test_names_of_files_mean_formats():
    assert [format_of(f"out.{name}.jsonl") for name in ("doccano", "prodigy")] == ["doccano", "prodigy"]
    assert format_of("out.labelstudio.json") == "labelstudio" and format_of("out.jsonl") == "jsonl"
