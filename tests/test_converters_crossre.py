"""CrossRE's JSON lines: sentences with mentions and relations by tokens, ends inclusive."""

import json

import pytest
from converting import clusters, convert_json, ents, mentions, relations, sentences

from hmtl_spacy.data.converters import ConversionError

WORDS = ["🎉", "Ana", "Ruiz", "of", "Lyon", "."]
NER = [[1, 2, "person"], [2, 2, "name"], [4, 4, "place"]]
ROWS = [[1, 2, 4, 4, "of", "", False, True], [1, 2, 4, 4, "in", "why", True, False], [3, 3, 4, 4, "x"]]


def sentence(**more):
    return {"doc_key": "a", "sentence": WORDS, "ner": NER, "relations": ROWS, **more}


def test_mentions_and_relations(tmp_path):
    lines = [sentence(), sentence(sentence=[], ner=[], relations=[]), {"sentence": ["OK"]}]
    data = "\ufeff" + "\r\n".join(map(json.dumps, lines))
    (doc, empty, bare), dropped = convert_json("crossre", tmp_path, data)
    assert mentions(doc) == [("Ana Ruiz", "person"), ("Ruiz", "name"), ("Lyon", "place")]
    assert doc.text == "🎉 Ana Ruiz of Lyon ." and len(sentences(doc)) == 1 and clusters(doc) is None
    assert relations(doc) == [("Ana Ruiz", "of", "Lyon"), ("Ana Ruiz", "in", "Lyon"), ("of", "x", "Lyon")]
    assert mentions(empty) == relations(empty) == [] and mentions(bare) is relations(bare) is None
    assert [one.user_data["id"] for one in (doc, bare)] == ["a", "3"]
    assert dropped == {
        "relations that say an explanation (not read)": 1,
        "relations that say that its annotator was uncertain (not read)": 1,
        "relations that say that its syntax is ambiguous (not read)": 1,
    }


def test_layers_by_type(tmp_path):
    (doc,), dropped = convert_json(
        "crossre", tmp_path, sentence(), entities=["place,city"], mentions=["person"]
    )
    assert ents(doc) == [("Lyon", "place")] and mentions(doc) == [("Ana Ruiz", "person")]
    assert dropped["spans of none of the layers that are read"] == 1
    assert dropped["names in --entities that no span has: 'city'"] == 1


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"sentence": [["a"]]}, "expected a list of tokens, none empty. Files with several sentences"),
        ({"sentence": None}, "found 'sentence': None"),
        ({"ner": [[4, 6, "x"]]}, r"found \[4, 6, 'x'\], expected 0 <= start <= end < 6 at 0, tokens"),
        ({"ner": [[4, 4]]}, "expected a label at 2"),
        ({"relations": [[1, 2, 4]]}, "expected 0 <= start <= end < 6 at 2"),
        ({"relations": [[1, 2, 4, 4, 5]]}, "expected a label at 4"),
        ({"ner": {}}, "found 'ner': {}, expected a list"),
    ],
)
def test_errors_name_the_record(tmp_path, changes, message):
    with pytest.raises(ConversionError, match=f"crossre.json:1: record 2: .*{message}"):
        convert_json("crossre", tmp_path, [sentence(), sentence(**changes)])
