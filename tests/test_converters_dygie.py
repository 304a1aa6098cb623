import json
from collections import Counter

import pytest
from converting import argument_types, clusters, convert_file, convert_text, mentions, relations, sentences

from hmtl_spacy.annotations import get_relations
from hmtl_spacy.data.converters import ConversionError
from hmtl_spacy.data.converters.clusters import resolve_clusters


def test_all_layers():
    docs, dropped = convert_file("dygie", "dygie.jsonl")
    doc = docs[0]
    assert doc.user_data["id"] == "tiny-1"
    assert sentences(doc) == ["We parse graphs ( DAGs ) .", 'They are " hard " .']
    assert mentions(doc) == [
        ("graphs", "Task"),
        ("graphs ( DAGs )", "Task"),
        ("DAGs", "Task"),
        ("They", "Generic"),
    ]
    assert relations(doc) == [("DAGs", "HYPONYM-OF", "graphs"), ("parse", "USED-FOR", "graphs")]
    assert [argument_types(r)[0] for r in get_relations(doc)] == ["Task", ""]
    assert clusters(doc) == [["graphs", "They"], ["graphs ( DAGs )", "DAGs"]]
    assert dropped == {"clusters of one mention": 1, "mentions that another cluster holds already": 1}


def test_missing_is_not_empty():
    docs, _ = convert_file("dygie", "dygie.jsonl")
    assert docs[1].user_data["id"] == "2"
    assert [layer(docs[1]) for layer in (mentions, relations, clusters)] == [None, None, None]
    assert [layer(docs[2]) for layer in (mentions, relations, clusters)] == [[], [], []]
    assert not docs[2].has_annotation("ENT_IOB")


def test_escapes_and_singletons_can_be_kept():
    docs, _ = convert_file("dygie", "dygie.jsonl", unescape=False, singletons=True)
    assert sentences(docs[0])[1] == "They are `` hard '' ."
    assert ["DAGs"] not in clusters(docs[0])  # a larger cluster has it


@pytest.mark.parametrize(
    "change, message",
    [
        (
            {"sentences": None},
            "file:1: found the keys sentences, expected 'sentences', a list of lists of tokens",
        ),
        (
            {"sentences": [["a", ""]]},
            r"file:1: found the sentence \['a', ''\], expected a list of tokens, none empty",
        ),
        ({"sentences": "a b"}, "file:1: found 'sentences': 'a b', expected a list"),
        ({"ner": [[0, 1, "X"]]}, "file:1: found 'ner': .*, expected a list of lists|start and an end"),
        (
            {"ner": [[[0, 2, "X"]]]},
            r"file:1: found the span \[0, 2\] .* 0 <= start <= end < 2, .*ends are inclusive",
        ),
        ({"ner": [[[1, 0, "X"]]]}, "file:1: found the span"),
        ({"ner": [[[0, True, "X"]]]}, "file:1: found .*, expected a start and an end token at 0"),
        ({"ner": [[[0, 0]]]}, r"file:1: found \[0, 0\], expected a label at 2"),
        ({"relations": [[[0, 0, 1, "X"]]]}, "file:1: found .*, expected a start and an end token at 2"),
        ({"relations": [[[0, 0, 1, 1]]]}, "file:1: found .*, expected a label at 4"),
        ({"clusters": [[0, 1]]}, "file:1: found 0, expected a start and an end token at 0"),
    ],
)
def test_malformed_input(change, message):
    with pytest.raises(ConversionError, match=message):
        convert_text("dygie", json.dumps({"sentences": [["a", "b"]], **change}))


WORDS = {"sentences": [["Ann", "met", "Bob", "."], ["He", "ran", "."]]}


@pytest.mark.parametrize(
    "change, message",
    [
        ({"named": [[], []]}, "found the key 'named', expected some of doc_key, sentences, ner"),
        ({"coref": []}, "found the key 'coref', .*'coref' to 'clusters'"),
        ({"ner": [[], [], []]}, "found 3 lists in 'ner' for 2 sentences"),
        ({"relations": [[]]}, "found 1 lists in 'relations' for 2 sentences"),
        ({"ner": [[], [[0, 0, "P"]]]}, r"found \[0, 0, 'P'\] in the list of 'ner' for the tokens 4 to 6"),
        (
            {"ner": [[[4, 4, "P"]], []]},
            "in the list of 'ner' for the tokens 0 to 3, expected a span that begins",
        ),
        ({"relations": [[], [[0, 0, 2, 2, "R"]]]}, "in the list of 'relations' for the tokens 4 to 6"),
        ({"ner": [[[0, 0, 2, 2, "R"]], []]}, r"found \[0, 0, 2, 2, 'R'\], expected a label at 2"),
        ({"clusters": [[[0, 0, "P"]]]}, "expected .start, end. and nothing else"),
    ],
)
def test_what_the_line_contradicts_is_refused(change, message):
    with pytest.raises(ConversionError, match=f"file:1: .*{message}"):
        convert_text("dygie", json.dumps({**WORDS, **change}))


PREDICTED = {
    **WORDS,
    "ner": [[[0, 0, "P"]], []],
    "predicted_ner": [[[2, 2, "P", 7.1, 0.98]], []],
    "predicted_relations": [[[0, 0, 2, 2, "MET", 3.2, 0.9]], []],
    "predicted_events": [[], []],
}


def test_predictions_are_counted_or_read():
    """DyGIE++'s output has both; its rows have scores."""
    dropped = Counter()
    (doc,) = convert_text("dygie", json.dumps(PREDICTED), dropped=dropped)
    assert mentions(doc) == [("Ann", "P")] and relations(doc) is None
    assert +dropped == {
        f"values of 'predicted_{key}', which isn't read": 1 for key in ("ner", "relations", "events")
    }
    dropped = Counter()
    (doc,) = convert_text("dygie", json.dumps(PREDICTED), dropped=dropped, predictions=True)
    assert mentions(doc) == [("Bob", "P")] and relations(doc) == [("Ann", "MET", "Bob")]
    assert clusters(doc) is None
    assert +dropped == {
        "values of 'predicted_events', which isn't read": 1,
        "values after [start, end, label] in 'ner', such as scores (not read)": 2,
        "values after the label in 'relations', such as scores (not read)": 2,
    }


def test_relations_of_crossre_in_this_form():
    """Explanation, uncertainty and syntax follow the label."""
    dropped = Counter()
    line = {**WORDS, "relations": [[[0, 0, 2, 2, "social", "they met", True, False]], []]}
    (doc,) = convert_text("dygie", json.dumps(line), dropped=dropped)
    assert relations(doc) == [("Ann", "social", "Bob")]
    assert +dropped == {"values after the label in 'relations', such as scores (not read)": 3}


def test_what_is_not_read_or_odd_is_counted():
    dropped = Counter()
    layers = {
        "ner": [[[0, 0, "P"], [0, 0, "P"], [2, 4, "Q"]], []],
        "relations": [[[0, 0, 4, 4, "R"], [0, 0, 4, 4, "R"]], []],
        "events": [[], []],
        "_note": 1,
        "_meta": {"page": 3},
    }
    [doc] = convert_text("dygie", json.dumps({**WORDS, **layers}), dropped=dropped)
    assert mentions(doc) == [("Ann", "P"), ("Bob . He", "Q")] and relations(doc) == [("Ann", "R", "He")]
    assert doc.user_data == {"id": "1", "meta": {"page": 3}}
    assert +dropped == {
        "values of 'events', which isn't read": 1,
        "values of '_note', which isn't read": 1,
        "duplicates in 'ner'": 1,
        "mentions across sentences (kept, but no model predicts them)": 1,
        "duplicates in 'relations'": 1,
        "relations across sentences (kept, but no model predicts them)": 1,
    }


@pytest.mark.parametrize("listed", [False, True])
def test_lines_of_one_sentence_can_be_repaired(listed):
    layers = {"ner": [[0, 0, "P"]], "relations": [[0, 0, 2, 2, "MET"]]}
    layers = {key: [rows] if listed else rows for key, rows in layers.items()}
    line = json.dumps({"sentence": ["Ann", "met", "Bob"], **layers, "clusters": [[[0, 0], [2, 2]]]})
    with pytest.raises(
        ConversionError, match="file:1: found the key 'sentence'.* use --repair .*one sentence"
    ):
        convert_text("dygie", line)
    dropped = Counter()
    [doc] = convert_text("dygie", line, repair=True, dropped=dropped)
    assert mentions(doc) == [("Ann", "P")] and relations(doc) == [("Ann", "MET", "Bob")]
    assert clusters(doc) == [["Ann", "Bob"]] and len(list(doc.sents)) == 1
    assert +dropped == {"lines of one sentence, read as a document": 1}


@pytest.mark.parametrize("sentence", ["Ann ran", [["Ann"]], None])
def test_other_lines_of_one_sentence_cannot(sentence):
    with pytest.raises(ConversionError, match="file:1: found the key 'sentence'.* can be repaired"):
        convert_text("dygie", json.dumps({"sentence": sentence}), repair=True)


@pytest.mark.parametrize(
    "line, message",
    [
        ("{", "file:2: not JSON: .* Write one object per line"),
        ("[1]", r"file:2: found \[1\], expected an object"),
        (r'{"sentences": [["\ud800"]]}', "file:2: not JSON: .*surrogates"),
    ],
)
def test_lines_that_are_no_records(line, message):
    with pytest.raises(ConversionError, match=message):
        convert_text("dygie", "\n" + line)


def test_clusters_are_made_disjoint():
    dropped = Counter()
    rows = [[(0, 1)], [(0, 1), (2, 3), (2, 3)], [(2, 3), (4, 5)], [(6, 7)], []]
    assert resolve_clusters(rows, False, dropped) == [[(0, 1), (2, 3)]]
    assert +dropped == {
        "mentions named twice in a cluster": 1,
        "clusters of one mention": 2,
        "mentions that another cluster holds already": 1,
        "clusters left with fewer than two mentions": 1,
    }
    assert resolve_clusters(rows, True, Counter()) == [[(0, 1), (2, 3)], [(4, 5)], [(6, 7)]]
