"""Prodigy's JSON lines: views, answers, relations by tokens."""

import pytest
import spacy
from converting import clusters, convert_json, ents, mentions, relations

from hmtl_spacy.annotations import has_entities
from hmtl_spacy.data.converters import ConversionError

TEXT = "🎉 Ana Ruiz  of\r\nLyon. She left."
NLP = spacy.blank("en")
TOKENS = [
    {"text": token.text, "start": token.idx, "end": token.idx + len(token), "id": token.i}
    for token in NLP(TEXT)
]


def span(words, label, **more):
    start = TEXT.index(words)
    inside = [t["id"] for t in TOKENS if start <= t["start"] < start + len(words)]
    place = {"start": start, "end": start + len(words), "token_start": inside[0], "token_end": inside[-1]}
    return {**place, "label": label, **more}


SPANS = [span("Ana Ruiz", "PER"), span("Ruiz", "NAME"), span("Lyon", "GPE", text="Lyon"), span("She", "PER")]


def relation(head, child, label, **more):
    """By tokens and by spans, as Prodigy writes it."""
    ends = {"head": head["token_end"], "child": child["token_end"]}
    return {**ends, "head_span": head, "child_span": child, "label": label, **more}


def task(*relations, **more):
    both = {"text": TEXT, "tokens": TOKENS, "spans": SPANS, "relations": list(relations)}
    return {**both, "_view_id": "relations", "answer": "accept", **more}


LEFT = relation(SPANS[3], SPANS[2], "left")


@pytest.mark.parametrize("with_spans", [True, False])
def test_relations_by_spans_or_by_last_tokens(tmp_path, with_spans):
    links = [relation(SPANS[0], SPANS[2], label) for label in ("of", "in")]
    links += [LEFT, relation(SPANS[3], SPANS[0], "COREF"), {**LEFT, "label": None}]
    links += [relation(span("left", None), SPANS[2], "from")]
    if not with_spans:
        links = [{key: row[key] for key in ("head", "child", "label")} for row in links]
    (doc,), dropped = convert_json("prodigy", tmp_path, task(*links))
    assert doc.text == TEXT and [token.text for token in doc] == [token["text"] for token in TOKENS]
    assert mentions(doc) == [("Ana Ruiz", "PER"), ("Ruiz", "NAME"), ("Lyon", "GPE"), ("She", "PER")]
    assert sorted(relations(doc)) == [
        ("Ana Ruiz", "in", "Lyon"),
        ("Ana Ruiz", "of", "Lyon"),
        ("She", "left", "Lyon"),
        ("left", "from", "Lyon"),
    ]
    assert clusters(doc) == [["Ana Ruiz", "She"]] and not has_entities(doc)
    assert dropped == {"relations without a label": 1}


def test_views_say_which_layer_spans_are(tmp_path):
    tasks = [task(_view_id=view) for view in ("ner_manual", "spans_manual", "other")]
    for one in tasks:
        del one["relations"]
    tasks += [task(LEFT, text="", tokens=[], spans=[], relations=[])]
    del tasks[0]["tokens"]
    tasks[0]["spans"] = [SPANS[0], SPANS[2]]
    (names, spans, other, empty), _ = convert_json("prodigy", tmp_path, tasks)
    assert ents(names) == [("Ana Ruiz", "PER"), ("Lyon", "GPE")] and mentions(names) is None
    assert len(mentions(spans)) == len(mentions(other)) == 4 and not has_entities(spans)
    assert relations(names) is relations(spans) is clusters(spans) is None
    assert mentions(empty) == relations(empty) == [] and clusters(empty) is None and empty.text == ""
    (doc,), _ = convert_json("prodigy", tmp_path, tasks[:1], mentions=["ner_manual"], entities=["GPE"])
    assert ents(doc) == [("Lyon", "GPE")] and len(mentions(doc)) == 2


def test_only_what_was_accepted_is_read(tmp_path):
    tasks = [task(answer=answer, _annotator_id=name) for answer, name in [("reject", "a"), ("accept", "b")]]
    tasks += [task(answer="ignore"), task(answer=None), {"image": "x", "answer": "accept"}]
    docs, dropped = convert_json("prodigy", tmp_path, tasks)
    assert [doc.user_data["id"] for doc in docs] == ["2"]
    assert dropped == {
        "tasks with the answer 'reject'": 1,
        "tasks with the answer 'ignore'": 1,
        "tasks without an answer": 1,
        "tasks without a text": 1,
    }
    docs, dropped = convert_json("prodigy", tmp_path, tasks, unanswered=True, annotator="b")
    assert len(docs) == 1 and dropped["tasks of other annotators"] == 2
    docs, _ = convert_json("prodigy", tmp_path, tasks, unanswered=True)
    assert [doc.user_data["id"] for doc in docs] == ["2", "4"]


def test_answers_on_one_text_are_counted(tmp_path):
    tasks = [task(_input_hash=5), task(_input_hash=5), task(LEFT, _input_hash=5), task(_input_hash=6)]
    docs, dropped = convert_json("prodigy", tmp_path, tasks)
    assert len(docs) == 4 and dropped == {
        "further answers on a text (kept as documents), which agree": 1,
        "further answers on a text (kept as documents), which differ": 1,
    }


def test_meta_and_our_own_id(tmp_path):
    tasks = [task(meta={"page": 7}), task(meta={"hmtl_id": "ada", "meta": {"page": 7}})]
    docs, _ = convert_json("prodigy", tmp_path, tasks)
    assert [doc.user_data for doc in docs] == [{"id": id, "meta": {"page": 7}} for id in ("1", "ada")]


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"spans": [{"start": 0, "end": 99, "label": "x"}]}, "found the span .*, characters of the text"),
        ({"spans": [{**SPANS[2], "text": "Rome"}]}, "but the text is 'Lyon' there"),
        ({"spans": [{**SPANS[2], "label": 3}]}, "expected a label at 'label'"),
        ({"tokens": [TOKENS[1], TOKENS[0]]}, "the token at 0 to 1 begins before 5, where the one before"),
        ({"tokens": [{"start": "0"}]}, "found the token .* expected start and end"),
        ({"relations": [{"head": 99, "child": 0, "label": "x"}]}, "the head 99 of a relation, but the task"),
        ({"tokens": None, "relations": [{"head": 1, "label": "x"}]}, "but the task has no tokens"),
        ({"relations": [1]}, "found the relation 1, expected head, child and label"),
    ],
)  # fmt: skip
def test_errors_name_the_record(tmp_path, changes, message):
    with pytest.raises(ConversionError, match=f"prodigy.json:1: record 2: .*{message}"):
        convert_json("prodigy", tmp_path, [task(), task(**changes)])
