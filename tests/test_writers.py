"""What is written is read back the same; what a format can't hold is counted."""

import json
from collections import Counter

import pytest
import spacy
from converting import clusters, convert_text, ents, mentions, relations, sentences
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from tiny import annotate

from hmtl_spacy.annotations import set_clusters, set_mentions
from hmtl_spacy.data.layers import KEYS, Keys, read_layers
from hmtl_spacy.data.writers import format_of, get_writer

NLP = spacy.blank("en")
TEXT = ("Ann Lee works for ( Acme ) . \n She likes it a lot .", {0, 9})


def words_of(text):
    return text.split(" ")


@pytest.fixture
def doc():
    """Nested and crossing mentions, white space between sentences, a bracket, scores."""
    doc = annotate(
        NLP.vocab,
        words_of(TEXT[0]),
        TEXT[1],
        entities=[(0, 2, "PER"), (5, 6, "ORG")],
        mentions=[(0, 2, "PER"), (0, 7, "PER"), (5, 6, "ORG"), (9, 10, "PER")],
        clusters=[[(0, 2), (9, 10)], [(5, 6), (11, 12)]],
        relations=[(0, 2, 5, 6, "WORK"), (9, 10, 11, 12, "LIKE")],
    )
    doc.user_data.update(id="a b", meta={"n": [1, None]})
    return doc


def write(doc, format, keys=KEYS):
    lost = Counter()
    return get_writer(format)(doc, read_layers(doc, keys), lost), {k: n for k, n in lost.items() if n}


def everything(doc):
    return ents(doc), mentions(doc), clusters(doc), relations(doc)


def test_jsonl_holds_everything(doc):
    set_mentions(doc, doc.spans["mentions"], [0.5, 0.25, 0.125, 1.0])
    set_clusters(doc, [[(0, 2), (9, 10)]], {(0, 2): 0.75})
    line, lost = write(doc, "jsonl")
    [back] = convert_text("jsonl", line, lang="xx")
    assert not lost and [token.text for token in back] == words_of(TEXT[0]) and back.text == doc.text
    assert everything(back) == everything(doc) and sentences(back) == sentences(doc)
    assert back.user_data == doc.user_data
    assert list(back.spans["mentions"].attrs["scores"]) == [0.5, 0.25, 0.125, 1.0]
    assert list(back.spans["coref_clusters"].attrs["scores"]) == [0.75, 1.0]
    record = json.loads(line)
    for span in [*record["mentions"], *record["clusters"][0], record["relations"][1]["tail"]]:
        assert doc.text[span["start"] : span["end"]] == doc[span["start_token"] : span["end_token"]].text


def test_jsonl_keeps_scores_of_entities_and_relations(trained):
    doc = trained("Ann Lee works for Acme Corp . She likes it .")
    [back] = convert_text("jsonl", write(doc, "jsonl")[0])
    assert back.spans["ents"].attrs["scores"] == [round(x, 4) for x in doc.spans["ents"].attrs["scores"]]
    assert [r.score for r in back._.relations] == [round(r.score, 4) for r in doc._.relations] != []


def test_conll2012(doc):
    text, lost = write(doc, "conll2012")
    [back] = convert_text("conll2012", text)
    assert [token.text for token in back] == [word for word in words_of(TEXT[0]) if word != "\n"]
    assert "-LRB-" in text and "a_b\t0\t0\tAnn" in text and back.user_data["id"] == "a_b_0"
    assert ents(back) == ents(doc) and clusters(back) == clusters(doc) and len(sentences(back)) == 2
    assert lost == {
        "mentions": 4,
        "relations": 2,
        "scores": 4,
        "tokens of white space": 1,
        "names of documents with white space or a #, which became _": 1,
    }


def test_conll2012_says_what_it_changes():
    words = ["a b", "/.", "x", "y", "z", "\n"]
    doc = annotate(NLP.vocab, words, {0, 3}, entities=[(1, 2, "A|B"), (2, 4, "C")])
    doc.spans.pop("coref_clusters")
    set_clusters(doc, [[(0, 3), (1, 4), (2, 3)]])
    text, lost = write(doc, "conll2012")
    [back] = convert_text("conll2012", text)
    assert ents(back) == [(".", "A_B")] and clusters(back) == [["a_b . x", "x"]]
    for what in ("that cross another", "across sentences", "labels with", "words with white", "escaped sign"):
        assert sum(count for name, count in lost.items() if what in name) == 1, what
    empty = Doc(NLP.vocab, words=["\n"])
    assert write(empty, "conll2012") == ("", {"tokens of white space": 1, "documents without words": 1})
    plain = Doc(NLP.vocab, words=["a", "b"])
    assert {name for name in write(plain, "conll2012")[1] if name.startswith("documents")} == {
        "documents without sentence boundaries, written as one sentence",
        "documents whose entities aren't annotated, written as none",
        "documents whose clusters aren't annotated, written as none",
    }


def test_dygie(doc):
    line, lost = write(doc, "dygie")
    [back] = convert_text("dygie", line)
    assert everything(back)[1:] == everything(doc)[1:] and len(sentences(back)) == 2
    record = json.loads(line)
    assert record["ner"][0][0] == [0, 1, "PER"] and record["relations"][1] == [[8, 8, 10, 10, "LIKE"]]
    assert back.user_data["id"] == "a b" and record["_meta"] == {"n": [1, None]}
    assert lost == {
        "scores": 10,
        "tokens of white space": 1,
        "named entities (of DyGIE's one layer, the mentions)": 2,
    }


def test_dygie_takes_named_entities_where_there_are_no_mentions(doc):
    del doc.spans["mentions"]
    del doc.spans["relations"]
    [back] = convert_text("dygie", write(doc, "dygie")[0])
    assert mentions(back) == ents(doc) and relations(back) is None


def test_other_span_groups(doc):
    set_mentions(doc, [Span(doc, 0, 1, "X")], key="other")
    assert [m["label"] for m in json.loads(write(doc, "jsonl", Keys(mentions="other"))[0])["mentions"]] == [
        "X"
    ]


WORD = st.sampled_from(["Ann", "(", "-", "*", "é", "\n", " ", "0)", "#", '"'])


@st.composite
def docs(draw):
    words = draw(st.lists(WORD, max_size=10))
    starts = draw(st.sets(st.integers(0, 10)))
    doc = Doc(NLP.vocab, words=words, sent_starts=[i == 0 or i in starts for i in range(len(words))])
    offsets = st.tuples(st.integers(0, 10), st.integers(0, 10)).map(sorted)
    spans = {(s, e) for s, e in draw(st.lists(offsets)) if s < e <= len(words)}
    set_clusters(doc, [sorted(spans)[::2], sorted(spans)[1::2]])
    set_mentions(doc, [Span(doc, s, e, "A") for s, e in sorted(spans)])
    return doc


@pytest.mark.parametrize("format", ["conll2012", "dygie"])
@settings(max_examples=100)
@given(doc=docs())
def test_whatever_is_written_can_be_read(format, doc):
    text, lost = write(doc, format)
    backs = convert_text(format, text.removesuffix("\n"), singletons=True)
    assert len(backs) == (0 if "documents without words" in lost else 1)
    for back in backs:
        spans = {span for cluster in clusters(doc) for span in cluster}
        assert {span for cluster in clusters(back) for span in cluster} <= {
            " ".join(s.split()) for s in spans
        }


def test_format_by_name():
    names = {"a.jsonl": "jsonl", "a.spacy": "spacy", "a.v4_auto_conll": "conll2012", "a.json": "dygie"}
    assert {name: format_of(name) for name in names} == names
    assert format_of("a.txt", "dygie") == "dygie"
    with pytest.raises(ValueError, match=r"format of a.txt: expected a name that ends in .jsonl \(jsonl\)"):
        format_of("a.txt")
    with pytest.raises(ValueError, match="Can't write 'xml'; the formats are jsonl, spacy"):
        format_of("a.jsonl", "xml")


@pytest.mark.parametrize(
    "record, text",
    [
        ({"tokens": ["a", "b."]}, "a b."),
        ({"tokens": ["a", " ", "b", "\n"], "text": "a  b\n"}, "a  b\n"),
        ({"tokens": ["a", " ", "b"], "text": "a b"}, "a b"),
        ({"tokens": [], "text": ""}, ""),
        ({"tokens": ["a"], "text": "a "}, "a "),
    ],
)
def test_given_tokens(record, text):
    [doc] = convert_text("jsonl", json.dumps(record))
    assert [token.text for token in doc] == record["tokens"] and doc.text == text


@pytest.mark.parametrize(
    "record, message",
    [
        ({"tokens": ["a", ""]}, "found 'tokens': .*, expected a list of strings, none empty"),
        ({"tokens": ["a", "c"], "text": "a b"}, "found the token 'c' where the text has 'b'. Together"),
        ({"tokens": ["a"], "text": "a b"}, "the text after 2, 'b', is in no token"),
        ({"tokens": "a"}, "found 'tokens': 'a', expected a list"),
        ({}, "found 'text': None, expected a string"),
        (
            {"text": "a", "mentions": [{"start": 0, "end": 1, "label": "X", "score": 2}]},
            "expected a score from 0",
        ),
    ],
)
def test_tokens_and_scores_are_checked(record, message):
    with pytest.raises(ValueError, match=message):
        convert_text("jsonl", json.dumps(record))
