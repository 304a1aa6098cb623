"""What follows from a repair and what is there twice: counted to the last consequence."""

import json
from collections import Counter

import pytest
from converting import argument_types, clusters, convert_text, ents, mentions, relations, sentences

from hmtl_spacy.annotations import get_relations
from hmtl_spacy.data.converters import ConversionError

TEXT = "The bioreactor failed. It leaked."
BIO = {"id": "a", "start": 4, "end": 7, "label": "PART"}
REACTOR = {"id": "b", "start": 7, "end": 14, "label": "DEVICE"}
WHOLE = {"id": "w", "start": 4, "end": 14, "label": "PLANT"}
IT = {"id": "c", "start": 23, "end": 25, "label": "DEVICE"}


def convert(misaligned="error", **layers):
    dropped = Counter()
    [doc] = convert_text(
        "jsonl", json.dumps({"text": TEXT, **layers}), misaligned=misaligned, dropped=dropped
    )
    return doc, dict(dropped)


def test_expanding_makes_two_mentions_one():
    layers = {"clusters": [["b", "c"]], "relations": [{"head": "a", "tail": "b", "label": "PART_OF"}]}
    doc, dropped = convert("expand", mentions=[BIO, REACTOR, IT], **layers)
    assert mentions(doc) == [("bioreactor", "PART"), ("It", "DEVICE")]
    assert clusters(doc) == [["bioreactor", "It"]] and relations(doc) == []
    assert dropped == {
        "spans in 'mentions' expanded to whole tokens": 2,
        "spans in 'mentions' that expanding made the same as another": 1,
        "relations whose arguments expanding made the same": 1,
    }


def test_a_mention_that_was_whole_gives_the_label():
    head = {"head": "b", "tail": "c", "label": "X"}
    doc, dropped = convert("expand", mentions=[REACTOR, WHOLE, IT], relations=[head])
    assert mentions(doc) == [("bioreactor", "PLANT"), ("It", "DEVICE")]
    assert argument_types(get_relations(doc)[0])[0] == "PLANT"
    assert dropped["spans in 'mentions' that expanding made the same as another"] == 1


@pytest.mark.parametrize("order", [1, -1])
def test_expanding_puts_a_mention_into_two_clusters(order):
    doc, dropped = convert("expand", mentions=[BIO, REACTOR, IT], clusters=[["b", "c"], ["a"]][::order])
    assert clusters(doc) == [["bioreactor", "It"]]
    assert dropped == {
        "spans in 'mentions' expanded to whole tokens": 2,
        "spans in 'mentions' that expanding made the same as another": 1,
        "mentions that expanding put into a second cluster": 1,
        "clusters without mentions": 1,
    }


def test_expanding_within_a_cluster_and_between_relations():
    rows = [{"head": head, "tail": "c", "label": "X"} for head in "ab"]
    doc, dropped = convert("expand", mentions=[BIO, REACTOR, IT], clusters=[["a", "b"]], relations=rows)
    assert clusters(doc) == [["bioreactor"]] and relations(doc) == [("bioreactor", "X", "It")]
    assert dropped["mentions named twice in a cluster"] == dropped["clusters left with one mention"] == 1
    assert dropped["duplicates in 'relations'"] == 1


def test_expanding_makes_entities_and_sentences_meet():
    first, second = {"start": 0, "end": 6, "label": "A"}, {"start": 8, "end": 21, "label": "B"}
    doc, dropped = convert("expand", entities=[first, second])
    assert ents(doc) == [("The bioreactor", "A")]
    assert dropped["entities that expanding made overlap with another"] == 1
    doc, dropped = convert("expand", entities=[first, {**WHOLE, "end": 21}])
    assert ents(doc) == [("bioreactor failed", "PLANT")]
    doc, dropped = convert("expand", sentences=[[0, 6], [6, 9], [9, 33]])
    assert sentences(doc) == ["The", "bioreactor failed. It leaked."]
    assert dropped == {
        "spans in 'sentences' expanded to whole tokens": 3,
        "sentences that expanding joined": 1,
    }


def test_dropping_shrinks_clusters_and_takes_relations():
    layers = {"clusters": [["b", "c"], ["a"]], "relations": [{"head": "c", "tail": "a", "label": "X"}]}
    doc, dropped = convert("drop", mentions=[BIO, REACTOR, IT], **layers)
    assert mentions(doc) == [("It", "DEVICE")] and clusters(doc) == [["It"]] and relations(doc) == []
    assert dropped == {
        "spans in 'mentions' that aren't whole tokens": 2,
        "clusters left with one mention": 1,
        "clusters without mentions": 1,
        "relations without an argument that was dropped": 1,
    }


def test_what_is_there_twice_is_kept_once():
    again = {**IT, "id": "c2"}
    other = {**IT, "id": "d", "label": "THING"}  # not the same
    rows = [{"head": "c", "tail": "w", "label": "X"}, {"head": "c2", "tail": "w", "label": "X"}]
    rows.append({"head": "c", "tail": "w", "label": "Y"})
    doc, dropped = convert(
        mentions=[IT, again, other, WHOLE],
        entities=[{**IT, "id": 1}, {**IT, "id": 2}],
        clusters=[["c", "c2"]],
        relations=rows,
    )
    assert mentions(doc) == [("It", "DEVICE"), ("It", "THING"), ("bioreactor", "PLANT")]
    assert ents(doc) == [("It", "DEVICE")] and clusters(doc) == [["It"]]
    assert [label for _, label, _ in relations(doc)] == ["X", "Y"]
    assert dropped == {
        "duplicates in 'mentions'": 1,
        "duplicates in 'entities'": 1,
        "mentions named twice in a cluster": 1,
        "clusters left with one mention": 1,
        "duplicates in 'relations'": 1,
    }


@pytest.mark.parametrize(
    "layers, message",
    [
        (
            {"mentions": [{**IT, "lable": "x"}]},
            "found the key 'lable' in 'mentions', expected some of id, label,",
        ),
        ({"entities": [{**IT, "type": "x"}]}, "found the key 'type' in 'entities'"),
        ({"mentions": [{**IT, "text": "Bob"}]}, "found 'text': 'Bob' in 'mentions', but 23 to 25 is 'It'"),
        ({"clusters": [[{"start": 23, "end": 25, "text": "He"}]]}, "found 'text': 'He' in 'clusters', but"),
        ({"clusters": [[{"start": 23, "end": 25, "begin": 3}]]}, "found the key 'begin' in 'clusters'"),
        (
            {"mentions": [IT], "relations": [{"head": "c", "tail": "c", "label": "R", "direction": "both"}]},
            "found the key 'direction' in 'relations', expected some of head, tail, label, score",
        ),
        (
            {"relations": [{"head": {"start": 23, "end": 25, "ID": 1}, "tail": "c", "label": "R"}]},
            "found the key 'ID' in 'relations'",
        ),
        ({"sentences": [{"start": 0, "end": 33, "id": 1}]}, "found the key 'id' in 'sentences'"),
        (
            {"tokens": TEXT.replace(".", " .").split(), "mentions": [{**IT, "start_token": 5}]},
            "found 'start_token': 5 in 'mentions', but 23 to 25 are the tokens 4 to 5",
        ),
        ({"id": ["x"]}, r"found 'id': \['x'\], expected a string or a number"),
    ],
)
def test_what_the_line_contradicts_is_refused(layers, message):
    with pytest.raises(ConversionError, match=f"file:1: {message}"):
        convert(**layers)


def nested(levels):
    return [nested(levels - 1)] if levels > 1 else []


@pytest.mark.parametrize("format, key", [("jsonl", "meta"), ("dygie", "_meta")])
@pytest.mark.parametrize(
    "meta, message",
    [
        ("18446744073709551616", "'{key}', which can't be stored: an integer is out of range"),
        ("-9223372036854775809", "'{key}', which can't be stored: an integer is out of range"),
        (json.dumps({"a": nested(600)}), "'{key}', which can't be stored: it is nested more than 200"),
        ("[" * 100_000 + "]" * 100_000, "not JSON: maximum recursion depth"),
        ("NaN", "not JSON: NaN isn't a number of JSON"),
        ("-Infinity", "not JSON: -Infinity isn't a number"),
        ("1e999", "not JSON: the number 1e999 is too large"),
        ('{"a": 1, "a": 2}', "not JSON: the key 'a' is there twice"),
        (r'"\ud800"', "not JSON: .*surrogates not allowed"),
        (r'{"\udc00x": 1}', "not JSON: .*surrogates not allowed"),
        ("9" * 5000, "not JSON: Exceeds the limit"),
    ],
)
def test_what_json_can_say_and_files_cannot_hold(format, key, meta, message):
    line = f'{{"text": "a", "{key}": {meta}}}'.replace(
        '"text": "a"', '"sentences": []' if format == "dygie" else '"text": "a"'
    )
    with pytest.raises(ConversionError, match=f"file:2: (found )?{message.format(key=key)}"):
        convert_text(format, "\n" + line)


def test_what_is_stored_is_what_was_written():
    meta = {"a": [2**64 - 1, -(2**63), 0.1, None, True, "\u0000"], "b": nested(198)}
    [doc] = convert_text("jsonl", json.dumps({"text": "a", "meta": meta}))
    assert type(doc)(doc.vocab).from_bytes(doc.to_bytes()).user_data["meta"] == meta


def test_further_layers_are_an_error_or_counted():
    line = json.dumps({"text": "a", "events": [{"start": 0}, {"start": 0}], "topic": "x", "mentions": []})
    with pytest.raises(ConversionError, match="file:1: found the key 'events', .*--further ignore"):
        convert_text("jsonl", line)
    dropped = Counter()
    [doc] = convert_text("jsonl", line, further="ignore", dropped=dropped)
    assert mentions(doc) == []
    assert dropped == {
        "items of 'events', a key that isn't read": 2,
        "items of 'topic', a key that isn't read": 1,
    }
    with pytest.raises(ValueError, match="further is 'drop', expected one of error, ignore"):
        convert_text("jsonl", line, further="drop")
