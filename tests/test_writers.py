"""What is written is read back the same; what a format can't hold is counted."""

import json
from collections import Counter

import pytest
import spacy
from converting import clusters, convert_text, ents, mentions, relations, sentences
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.util import filter_spans
from tiny import annotate

from hmtl_spacy.annotations import (
    KEYS,
    Keys,
    Relation,
    get_clusters,
    get_mentions,
    get_relations,
    set_clusters,
    set_mentions,
    set_relations,
)
from hmtl_spacy.data.layers import read_layers
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
    return get_writer(format).write(doc, read_layers(doc, keys), lost), {k: n for k, n in lost.items() if n}


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
    assert write(empty, "conll2012") == (None, {"tokens of white space": 1, "documents without words": 1})
    plain = Doc(NLP.vocab, words=["a", "b"])
    assert {name for name in write(plain, "conll2012")[1] if name.startswith("documents")} == {
        "documents without sentence boundaries, written as one sentence",
        "documents whose entities aren't annotated, written as none",
        "documents whose clusters aren't annotated, written as none",
    }


def test_conllu(doc):
    text, lost = write(doc, "conllu")
    [back] = convert_text("conllu", text)
    assert [token.text for token in back] == [word for word in words_of(TEXT[0]) if word != "\n"]
    assert back.text == "Ann Lee works for ( Acme ) . She likes it a lot ." and len(sentences(back)) == 2
    assert mentions(back) == mentions(doc) and clusters(back) == clusters(doc)
    assert back.user_data["id"] == "a b" and "# text = She likes it a lot .\n" in text
    assert lost == {"named entities": 2, "relations": 2, "scores": 8, "tokens of white space": 1}


def test_conllu_escapes_and_says_what_it_changes():
    words = ["a\tb", "x", "y", "z", "\n"]
    doc = annotate(
        NLP.vocab, words, {0, 3}, mentions=[(0, 1, "p-(q)|é"), (1, 2, "A"), (1, 2, "B"), (2, 4, "C")]
    )
    set_clusters(doc, [[(0, 3), (1, 4), (0, 1)]])
    text, lost = write(doc, "conllu")
    [back] = convert_text("conllu", text)
    assert mentions(back) == [("a_b", "p-(q)|é"), ("x", "A")] and clusters(back) == [["a_b", "a_b x y"]]
    for what in ("that cross another", "mentions across", "further labels", "words with tabs"):
        assert sum(count for name, count in lost.items() if what in name) == 1, what
    assert write(Doc(NLP.vocab, words=["\n"]), "conllu")[0] is None
    plain = write(Doc(NLP.vocab, words=["a", "b"]), "conllu")[1]
    assert plain["documents whose clusters aren't annotated, written as none"] == 1


def test_dygie(doc):
    line, lost = write(doc, "dygie")
    [back] = convert_text("dygie", line)
    assert everything(back)[1:] == everything(doc)[1:] and len(sentences(back)) == 2
    record = json.loads(line)
    assert record["ner"][0][0] == [0, 1, "PER"] and record["relations"][1] == [[8, 8, 10, 10, "LIKE"]]
    assert back.user_data == {"id": "a b", "meta": {"n": [1, None]}} and record["_meta"] == {"n": [1, None]}
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
    """A document with white space anywhere, spans of all layers that nest and cross, entities that don't."""
    words = draw(st.lists(WORD, max_size=10) | st.lists(WORD, min_size=8, max_size=10))
    starts = draw(st.sets(st.integers(0, 10)))
    doc = Doc(NLP.vocab, words=words, sent_starts=[i == 0 or i in starts for i in range(len(words))])
    offsets = st.tuples(st.integers(0, 10), st.integers(0, 10)).map(sorted)
    found = draw(st.lists(offsets, max_size=6) | st.lists(offsets, min_size=12, max_size=20))
    spans = sorted({(s, e) for s, e in found if s < e <= len(words)})
    set_clusters(doc, [spans[::2], spans[1::2]])
    set_mentions(doc, [Span(doc, s, e, draw(st.sampled_from("AB"))) for s, e in spans])
    pairs = draw(st.lists(st.tuples(*[st.sampled_from(spans)] * 2, st.sampled_from("CD")))) if spans else []
    set_relations(doc, [Relation(doc[a:b], doc[c:d], label) for (a, b), (c, d), label in pairs])
    ents = [Span(doc, s, e, "A") for s, e in spans]
    doc.set_ents(filter_spans(ents), default="outside")
    return doc


def in_words(span):
    """Offsets among the words that aren't white space, None if there are none."""
    words = [token.i for token in span.doc if not token.is_space]
    inside = [words.index(token.i) for token in span if not token.is_space]
    return (inside[0], inside[-1] + 1) if inside else None


def held(spans):
    """Those with words."""
    return {in_words(span) for span in spans} - {None}


def uncrossed(spans):
    """Those that don't cross an earlier one, the longer of two with one start being earlier."""
    kept = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not any(other[0] < start < other[1] < end for other in kept):
            kept.append((start, end))
    return set(kept)


def inside(span, sentence):
    """Whether all words of a span are in a sentence."""
    outer = in_words(sentence)
    start, end = in_words(span)
    return outer is not None and outer[0] <= start and end <= outer[1]


def typed(doc):
    """The mentions that have words, counted."""
    return Counter((in_words(span), span.label_) for span in get_mentions(doc) if in_words(span))


def related(doc):
    """The relations between spans that have words, counted."""
    rows = Counter((in_words(head), in_words(tail), label) for head, tail, label, _ in get_relations(doc))
    return Counter({row: count for row, count in rows.items() if None not in row})


def assert_clusters(found, expected):
    """All spans are there, and those of one cluster together; one of two clusters is in either."""
    assert set().union(*found) == set().union(*expected)
    for i, cluster in enumerate(expected):
        own = cluster.difference(*expected[:i], *expected[i + 1 :])
        assert not own or any(own <= one <= cluster for one in found)


def one_document(format, doc):
    """What is read of what is written, if anything is."""
    text, lost = write(doc, format)
    backs = convert_text(format, (text or "").removesuffix("\n"), singletons=True)
    assert len(backs) == (0 if "documents without words" in lost else 1)
    for back in backs:
        assert [token.text for token in back] == [token.text for token in doc if not token.is_space]
        assert len(list(back.sents)) == len(held(doc.sents))
    return backs


@settings(max_examples=150)
@given(doc=docs())
def test_whatever_is_written_as_conll2012_can_be_read(doc):
    for back in one_document("conll2012", doc):
        expected = [uncrossed(held(cluster)) for cluster in get_clusters(doc)]
        assert_clusters([held(cluster) for cluster in get_clusters(back)], expected)
        within = [ent for ent in doc.ents if any(in_words(ent) and inside(ent, sent) for sent in doc.sents)]
        assert held(back.ents) == held(within) and {ent.label_ for ent in back.ents} <= {"A"}


@settings(max_examples=150)
@given(doc=docs())
def test_whatever_is_written_as_conllu_can_be_read(doc):
    within = {in_words(span) for sent in doc.sents for span in get_mentions(doc) if fits(span, sent)}
    for back in one_document("conllu", doc):
        expected = [uncrossed(held(cluster)) & within for cluster in get_clusters(doc)]
        found = [held(cluster) for cluster in get_clusters(back)]
        clustered = set().union(*expected)  # other mentions are clusters of one
        assert_clusters([cluster for cluster in found if cluster & clustered], expected)
        assert held(get_mentions(back)) == within and set(typed(back)) <= set(typed(doc))


def fits(span, sentence):
    return in_words(span) is not None and inside(span, sentence)


@settings(max_examples=150)
@given(doc=docs())
def test_whatever_is_written_as_dygie_can_be_read(doc):
    for back in one_document("dygie", doc):
        expected = [held(cluster) for cluster in get_clusters(doc)]
        assert_clusters([held(cluster) for cluster in get_clusters(back)], expected)
        assert typed(back) == Counter(set(typed(doc))) and related(back) == Counter(set(related(doc)))


def test_format_by_name():
    names = {
        "a.jsonl": "jsonl",
        "a.spacy": "spacy",
        "a.v4_auto_conll": "conll2012",
        "a.json": "dygie",
        "a.conllu": "conllu",
    }
    assert {name: format_of(name) for name in names} == names
    assert format_of("a.txt", "dygie") == "dygie"
    expected = r"format of a.txt: expected a name that ends in .brat.zip \(brat\), .* conll \(conll2012"
    with pytest.raises(ValueError, match=expected):
        format_of("a.txt")
    with pytest.raises(ValueError, match="Can't write 'xml'; the formats are .*conll2012, .*dygie, .*jsonl"):
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
