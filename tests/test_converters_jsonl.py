import json
import re
from collections import Counter
from pathlib import Path

import pytest
import spacy
from converting import (
    argument_types,
    clusters,
    convert_file,
    convert_text,
    ents,
    mentions,
    relations,
    sentences,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl_spacy.annotations import Relation, get_relations, set_clusters, set_mentions, set_relations
from hmtl_spacy.data.converters import ConversionError
from hmtl_spacy.data.writers.jsonl import to_jsonl

NLP = spacy.blank("xx")  # quick to build
LABELS = st.sampled_from(["PER", "LOC", "é"])


def test_all_layers():
    docs, dropped = convert_file("jsonl", "own.jsonl")
    doc = docs[0]
    assert doc.user_data["id"] == "ada" and not dropped
    assert [sent.strip() for sent in sentences(doc)] == ["Ada Byron lives in Hull.", "She works for Acme."]
    assert ents(doc) == [("Ada Byron", "PER"), ("Hull", "LOC"), ("Acme", "ORG")]
    assert mentions(doc) == [("Ada Byron", "person"), ("She", "person"), ("Acme", "organization")]
    assert clusters(doc) == [["Ada Byron", "She"]]
    assert relations(doc) == [("She", "WORK_FOR", "Acme")]
    assert [argument_types(r) for r in get_relations(doc)] == [("person", "organization")]


def test_missing_is_not_empty():
    docs, _ = convert_file("jsonl", "own.jsonl")
    assert docs[1].user_data["id"] == "2"
    assert [layer(docs[1]) for layer in (mentions, clusters, relations)] == [None, None, None]
    assert not docs[1].has_annotation("ENT_IOB") and not docs[1].has_annotation("SENT_START")
    assert [layer(docs[2]) for layer in (mentions, clusters, relations)] == [[], [], []]
    assert docs[2].has_annotation("ENT_IOB")


TEXT = "New York. Ada came."
LATE = {"start": 4, "end": 8, "label": "LOC"}
INSIDE = {"id": 1, "start": 5, "end": 8, "label": "LOC"}  # "ork"
ADA = {"id": 2, "start": 10, "end": 13, "label": "PER"}
BORN = {"head": 2, "tail": 1, "label": "BORN_IN"}


def record(**layers):
    return json.dumps({"text": TEXT, **layers})


def test_misaligned_spans_are_errors_by_default():
    message = (
        r"file:1: 'ork' \(5 to 8\) in 'entities' isn't made of whole tokens; the tokens there are \['York'\]"
    )
    with pytest.raises(ConversionError, match=message):
        convert_text("jsonl", record(entities=[INSIDE]))


def test_misaligned_spans_can_be_dropped():
    dropped = Counter()
    line = record(mentions=[INSIDE, ADA], relations=[BORN], clusters=[[1, 2]])
    [doc] = convert_text("jsonl", line, misaligned="drop", dropped=dropped)
    assert mentions(doc) == [("Ada", "PER")] and relations(doc) == [] and clusters(doc) == [["Ada"]]
    assert dropped == {
        "spans in 'mentions' that aren't whole tokens": 1,
        "relations without an argument that was dropped": 1,
        "clusters left with one mention": 1,
    }


def test_misaligned_spans_can_be_expanded():
    dropped = Counter()
    line = record(mentions=[INSIDE, ADA], relations=[BORN])
    [doc] = convert_text("jsonl", line, misaligned="expand", dropped=dropped)
    assert relations(doc) == [("Ada", "BORN_IN", "York")]
    assert dropped == {"spans in 'mentions' expanded to whole tokens": 1}


@pytest.mark.parametrize(
    "layers, message",
    [
        ({"entites": []}, "found the key 'entites', expected some of id, text, .*under 'meta'"),
        ({"text": None}, "found 'text': None, expected a string"),
        ({"entities": {}}, "found 'entities': {}, expected a list. Leave the key out"),
        ({"entities": [{"start": 0, "end": 3}]}, "found .*, expected a label at 'label'"),
        ({"entities": ["x"]}, "found 'x', expected a label"),
        (
            {"entities": [{"start": 0, "label": "X"}]},
            "found .* in 'entities', expected start and end, counted in char",
        ),
        ({"entities": [{"start": 3, "end": 3, "label": "X"}]}, "expected 0 <= start < end <= 19"),
        ({"entities": [{"start": 3, "end": 20, "label": "X"}]}, "expected 0 <= start < end <= 19"),
        (
            {"entities": [LATE, {"start": 0, "end": 8, "label": "X"}]},
            "the entities 'New York' and 'York' overlap. Put spans that overlap in 'mentions'",
        ),
        ({"mentions": [ADA, ADA]}, "found the id 2, expected a string or number that no other span has"),
        ({"mentions": [ADA], "clusters": [[2, 3]]}, r"found 3 in 'clusters', but the ids .* are \[2\]"),
        ({"clusters": [["m"]]}, "found 'm' in 'clusters', but the ids of mentions and entities are none"),
        ({"clusters": [3]}, "found the cluster 3, expected a list of spans or ids"),
        ({"mentions": [ADA], "clusters": [[2], [2]]}, "'Ada' is in 2 clusters. Leave it in one"),
        ({"relations": [{"head": 1}]}, "found the relation {'head': 1}, expected head, tail and label"),
        ({"mentions": [ADA], "relations": [{"head": 2, "tail": 2}]}, "expected a label at 'label'"),
        ({"sentences": [[0, 9]]}, "the text after 9 is in no sentence"),
        ({"sentences": [[10, 19]]}, r"the sentence \[10, 19\] doesn't follow the one that ends at 0"),
        ({"sentences": [[0, 9], [4, 19]]}, r"the sentence \[4, 19\] doesn't follow the one that ends at 9"),
        ({"sentences": [[0]]}, r"found \[0\] in 'sentences', expected start and end"),
    ],
)
def test_malformed_input(layers, message):
    with pytest.raises(ConversionError, match=f"file:1: .*({message})"):
        convert_text("jsonl", record(**layers))


def test_options_are_checked():
    with pytest.raises(ValueError, match="misaligned is 'skip', expected one of error, drop, expand"):
        convert_text("jsonl", record(), misaligned="skip")


def test_the_tokenizer_of_a_pipeline(tmp_path):
    nlp = spacy.blank("en")
    nlp.tokenizer.add_special_case("York.", [{"ORTH": "York."}])
    nlp.to_disk(tmp_path)
    [doc] = convert_text("jsonl", record(), model=str(tmp_path))
    assert doc[1].text == "York."


@st.composite
def annotated_docs(draw):
    """Documents with any of the layers, over texts that spaCy's tokenizer made the tokens of."""
    text = draw(st.text("Ab. 'é-\n\u00a0😀,", max_size=25))
    doc = NLP.make_doc(text)
    bounds = st.tuples(st.integers(0, max(len(doc) - 1, 0)), st.integers(1, 4))
    spans = st.lists(bounds, max_size=5 if len(doc) else 0, unique=True)

    def some(key):
        found = {(start, min(start + width, len(doc))) for start, width in draw(spans)}
        return [
            doc.char_span(doc[s].idx, doc[e - 1].idx + len(doc[e - 1]), draw(LABELS))
            for s, e in sorted(found)
        ]

    if draw(st.booleans()):
        doc.set_ents(spacy.util.filter_spans(some("entities")), default="outside")
    if draw(st.booleans()):
        set_mentions(doc, some("mentions"))
    if draw(st.booleans()):
        members = [(span.start, span.end) for span in some("clusters")]
        cut = draw(st.integers(0, len(members)))
        set_clusters(doc, [members[:cut], members[cut:]])
    if draw(st.booleans()):
        heads, tails = some("heads"), some("tails")
        set_relations(doc, [Relation(*pair, draw(LABELS)) for pair in zip(heads, tails, strict=False)])
    if draw(st.booleans()):
        starts = draw(st.sets(st.integers(0, max(len(doc) - 1, 0))))
        for token in doc:
            token.is_sent_start = token.i == 0 or token.i in starts
    return doc


@settings(max_examples=150, deadline=None)
@given(annotated_docs())
def test_round_trip(doc):
    line = json.dumps(to_jsonl(doc))
    [back] = convert_text("jsonl", line, lang="xx")
    assert back.text == doc.text
    del (again := to_jsonl(back))["id"]
    assert json.dumps(again, sort_keys=True) == json.dumps(json.loads(line), sort_keys=True)


def test_the_documented_example():
    text = (Path(__file__).parent.parent / "docs" / "formats" / "jsonl.md").read_text()
    example = json.loads(re.search(r"```json\n(.*?)```", text, re.DOTALL).group(1))
    [doc] = convert_text("jsonl", json.dumps(example))
    assert sentences(doc) == ["Ada Byron lives in Hull.", "She works for Acme."]
    assert ents(doc) == [("Ada Byron", "PER"), ("Hull", "LOC"), ("Acme", "ORG")]
    assert clusters(doc) == [["Ada Byron", "She"]]
    assert relations(doc) == [("She", "WORK_FOR", "Acme")]
