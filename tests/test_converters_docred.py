"""DocRED's JSON: relations between entities become relations between their mentions."""

import pytest
from converting import clusters, convert_json, ents, mentions, relations, sentences

from hmtl_spacy.annotations import get_relations
from hmtl_spacy.data.converters import ConversionError

SENTS = [
    ["🎉", "Ana", "Ruiz", "of", "Lyon", "."],
    ["Lyon", "is", "old", ".\u2028"],
    ["Ruiz", "left", "", "Lyon"],
]


def mention(sentence, start, end, type, **more):
    return {"name": "x", "sent_id": sentence, "pos": [start, end], "type": type, **more}


ANA = [mention(0, 1, 3, "PER"), mention(2, 0, 1, "PER")]
LYON = [mention(0, 4, 5, "LOC"), mention(1, 0, 1, "LOC"), mention(2, 3, 4, "LOC"), mention(2, 3, 4, "LOC")]
OLD = [mention(1, 2, 3, "MISC")]


def document(*labels, **more):
    rows = [{"h": h, "t": t, "r": r, "evidence": evidence} for h, t, r, evidence in labels]
    return {"title": "Ana", "sents": SENTS, "vertexSet": [ANA, LYON, OLD], "labels": rows, **more}


LABELS = [(0, 1, "P1", []), (0, 1, "P2", [2]), (0, 2, "P3", None), (1, 1, "P4", [])]


def _places(doc, label):
    (row,) = (row for row in get_relations(doc) if row.label == label)
    return row.head.start, row.head.end, row.tail.start, row.tail.end


def test_entities_and_relations(tmp_path):
    nothing = {"title": "Rain", "sents": [], "vertexSet": [], "labels": []}
    (doc, empty), dropped = convert_json("docred", tmp_path, [document(*LABELS), nothing])
    assert (
        doc.text == "🎉 Ana Ruiz of Lyon . Lyon is old .\u2028 Ruiz left \u200b Lyon"
        and len(sentences(doc)) == 3
    )
    assert [label for _, label in mentions(doc)] == ["PER", "LOC", "LOC", "MISC", "PER", "LOC"]
    assert clusters(doc) == [["Ana Ruiz", "Ruiz"], ["Lyon", "Lyon", "Lyon"]]
    assert sorted(relations(doc)) == [
        ("Ana Ruiz", "P1", "Lyon"),  # two tokens apart in two sentences: the first
        ("Lyon", "P4", "Lyon"),
        ("Ruiz", "P2", "Lyon"),  # in the sentence of the evidence
        ("Ruiz", "P3", "old"),
    ]
    assert doc.user_data["evidence"] == [
        [*place, label, numbers]
        for place, label, numbers in [
            (_places(doc, "P1"), "P1", []),
            (_places(doc, "P2"), "P2", [2]),
            (_places(doc, "P3"), "P3", []),
            (_places(doc, "P4"), "P4", []),
        ]
    ]
    assert "evidence" not in empty.user_data
    assert mentions(empty) == clusters(empty) == relations(empty) == [] and empty.text == ""
    assert dropped["spans that are there twice in 'mentions'"] == 1
    assert dropped["relations across sentences (kept, but no model predicts them)"] == 2


def test_options(tmp_path):
    (doc,), _ = convert_json("docred", tmp_path, document(*LABELS[:1]), pairs="sentence", singletons=True)
    assert relations(doc) == [("Ana Ruiz", "P1", "Lyon"), ("Ruiz", "P1", "Lyon")] and len(clusters(doc)) == 3
    (doc,), _ = convert_json("docred", tmp_path, document(*LABELS[:1]), pairs="all", entities=["PER"])
    assert len(relations(doc)) == 2 * 3 and [label for _, label in ents(doc)] == ["PER", "PER"]


def test_documents_without_labels_are_not_annotated_with_relations(tmp_path):
    data = document()
    del data["labels"]
    (doc,), _ = convert_json("docred", tmp_path, data)
    assert relations(doc) is None and len(clusters(doc)) == 2


def test_positions_of_the_document(tmp_path):
    """In some files `pos` counts so."""
    data = document(vertexSet=[[mention(2, 10, 11, "PER")]])
    (doc,), dropped = convert_json("docred", tmp_path, data)
    assert mentions(doc) == [("Ruiz", "PER")]
    assert dropped["mentions whose `pos` counts the tokens of the document"] == 1


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"sents": None}, "found the keys title, .*, expected 'sents'"),
        ({"sents": ["Ana"]}, "found the sentence 'Ana', expected a list of tokens"),
        ({"vertexSet": None}, "expected 'vertexSet'"),
        ({"vertexSet": [1]}, "found the entity 1, expected a list of mentions"),
        ({"vertexSet": [[mention(3, 0, 1, "x")]]}, "expected sent_id, from 0 to 2, and pos"),
        ({"vertexSet": [[mention(1, 3, 5, "x")]]}, "expected 0 <= start < end <= 4, the tokens"),
        ({"vertexSet": [[mention(1, 1, 2, None)]]}, "expected a label at 'type'"),
        ({"labels": [{"h": 0, "t": 3, "r": "x"}]}, "expected h and t from 0 to 2, the numbers of entities"),
        ({"labels": [{"h": 0, "t": 1, "r": "x", "evidence": "1"}]}, "found the evidence '1', expected"),
        ({"labels": [{"h": 0, "t": 1}]}, "expected a label at 'r'"),
    ],
)  # fmt: skip
def test_errors_name_the_record(tmp_path, changes, message):
    with pytest.raises(ConversionError, match=f"docred.json:1: record 2: .*{message}"):
        convert_json("docred", tmp_path, [document(), {**document(), **changes}])
