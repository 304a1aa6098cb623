"""doccano's JSON lines: both forms, offsets in three units, metadata."""

import json

import pytest
from converting import clusters, convert_json, ents, mentions, relations

from hmtl_spacy.data.converters import ConversionError

TEXT = "🎉 Ana Ruiz of Lyon.\r\nShe left."


def span(id, words, label, shift=1, text=TEXT):
    start = text.index(words) + shift  # the emoji is two units
    return {"id": id, "label": label, "start_offset": start, "end_offset": start + len(words)}


def relation(head, tail, type):
    return {"id": 1, "from_id": head, "to_id": tail, "type": type}


SPANS = [span(4, "Ana Ruiz", "PER"), span(5, "Ruiz", "NAME"), span(6, "Lyon", "GPE"), span(7, "She", "PER")]


def line(*relations, spans=SPANS, text=TEXT, **more):
    return {"id": 9, "text": text, "entities": spans, "relations": list(relations), "Comments": [], **more}


def lines(*records):
    return "\ufeff" + "\r\n".join(json.dumps(record, ensure_ascii=False) for record in records)


def test_spans_and_relations(tmp_path):
    links = [relation(4, 6, "of"), relation(4, 6, "in"), relation(7, 6, "left"), relation(7, 4, "coref")]
    data = lines(line(*links, topic="x"), line(relation(4, 4, "is")), line(text="", spans=[]))
    (doc, other, empty), dropped = convert_json("doccano", tmp_path, data)
    assert mentions(doc) == [("Ana Ruiz", "PER"), ("Ruiz", "NAME"), ("Lyon", "GPE"), ("She", "PER")]
    assert doc.text == TEXT and doc.user_data == {"id": "9", "meta": {"topic": "x"}}
    assert sorted(relations(doc)) == [
        ("Ana Ruiz", "in", "Lyon"),
        ("Ana Ruiz", "of", "Lyon"),
        ("She", "left", "Lyon"),
    ]
    assert clusters(doc) == [["Ana Ruiz", "She"]] and clusters(other) == clusters(empty) == []
    assert mentions(empty) == relations(empty) == [] and relations(other) == [("Ana Ruiz", "is", "Ana Ruiz")]
    assert dropped == {"documents in which it matters that offsets count utf16 (see --offsets)": 2}


@pytest.mark.parametrize("key", ["label", "labels", "annotations", "tags"])
def test_lists_of_spans(tmp_path, key):
    spans = [[3, 11, "PER"], {"start_offset": 15, "end_offset": 19, "label": 7}, [5, 5, "x"]]
    label_key = key if key == "tags" else None
    (doc,), dropped = convert_json("doccano", tmp_path, {"text": TEXT, key: spans}, label_key=label_key)
    assert mentions(doc) == [("Ana Ruiz", "PER"), ("Lyon", "7")] and relations(doc) is clusters(doc) is None
    assert dropped["labels that are numbers of a table of labels"] == 1 and doc.user_data["id"] == "1"
    assert dropped["spans that end before they begin, which doccano doesn't show"] == 1


@pytest.mark.parametrize("unit, shift", [("utf16", 1), ("codepoint", 0), ("byte", 3), ("grapheme", 0)])
def test_units(tmp_path, unit, shift):
    """CRLF is one grapheme: what follows begins one earlier."""
    spans = [span(1, "Lyon", "GPE", shift), span(2, "She", "PER", shift - (unit == "grapheme"))]
    (doc,), _ = convert_json("doccano", tmp_path, line(spans=spans), offsets=unit)
    assert mentions(doc) == [("Lyon", "GPE"), ("She", "PER")]


def test_layers_by_label_and_our_own_id(tmp_path):
    data = line(hmtl_id="ada", meta=[1])
    (doc,), _ = convert_json("doccano", tmp_path, data, entities=["PER,GPE"], mentions="*")
    assert [label for _, label in ents(doc)] == ["PER", "GPE", "PER"] and len(mentions(doc)) == 4
    assert doc.user_data == {"id": "ada", "meta": [1]}
    docs, _ = convert_json("doccano", tmp_path, {"text": "a", "relations": []}, coref_label=["same"])
    assert mentions(docs[0]) is None and clusters(docs[0]) == []


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"text": None}, r"found 'text': None, expected the text. Name its key \(--text-key\): there are"),
        ({"entities": [[3, 90, "x"]]}, r"found the span \[3, 90, 'x'\], which ends outside of .*--offsets"),
        ({"entities": [[1, 3, "x"]]}, r"found the span \[1, 3, 'x'\], which ends outside of the text"),
        ({"entities": [[1, 3]]}, "expected start_offset, end_offset and label"),
        ({"entities": [{**SPANS[0], "label": ""}]}, "expected start_offset, end_offset and label"),
        ({"entities": "x"}, "found 'entities': 'x', expected a list"),
        ({"relations": [{"from_id": 4}]}, "expected from_id, to_id and type"),
        ({"relations": [relation(4, 99, "x")]}, r"found the span 99, but the ids of spans are \[4, 5,"),
        ({"entities": [SPANS[0], {**SPANS[1], "id": 4}]}, "the id 4 is that of two different spans"),
    ],
)  # fmt: skip
def test_errors_name_line_and_record(tmp_path, changes, message):
    with pytest.raises(ConversionError, match=f"doccano.json:2: record 2: .*{message}"):
        convert_json("doccano", tmp_path, lines(line(), {**line(), **changes}))
