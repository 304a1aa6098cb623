import json

import pytest
from converting import clusters, convert_file, convert_text, mentions, relations, sentences

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
    assert [r.head.label_ for r in get_relations(doc)] == ["Task", ""]
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
    from collections import Counter

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
