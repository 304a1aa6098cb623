"""Suggestions while people annotate: what Label Studio and INCEpTION send, and what they are answered."""

import re

import httpx
import pytest
import spacy
from serving import Watched, serving, watched_server
from test_serve import TEXT, same

from hmtl_spacy.data.converters.labelstudio.config import parse_config
from hmtl_spacy.data.layers import read_layers
from hmtl_spacy.data.writers.jsonl import to_jsonl

CONFIG = """<View>
  <Relations choice="multiple"><Relation value="coref"/><Relation value="WORK"/></Relations>
  <Labels name="ner" toName="body"><Label value="PER"/><Label value="ORG"/></Labels>
  <Labels name="kind" toName="body"><Label value="PER"/><Label value="ORG"/></Labels>
  <Labels name="argument" toName="body"><Label value="argument"/></Labels>
  <Text name="body" value="$article"/>
</View>"""


@pytest.fixture(scope="module")
def url(trained_bytes):
    """The address of a server with low limits; one for many tests."""
    with watched_server(trained_bytes, texts=4, text=500, body=40_000) as (address, _):
        yield address


def predict(url, texts, config=CONFIG, key="article", **changes):
    """A request in the form of Label Studio's api_connector."""
    tasks = [
        {
            "id": 7 + i,
            "data": {key: text},
            "meta": {},
            "created_at": "2025-01-01T00:00:00.000000Z",
            "is_labeled": False,
            "project": 3,
            "annotations": [],
            "predictions": [],
        }
        for i, text in enumerate(texts)
    ]
    params = {"login": None, "password": None, "context": None}
    query = {"tasks": tasks, "project": "3.1735689600", "label_config": config, "params": params, **changes}
    return httpx.post(f"{url}/labelstudio/predict", json=query, timeout=30)


def regions(result, control):
    return [
        (row["value"]["text"], *row["value"]["labels"]) for row in result if row.get("from_name") == control
    ]


def links(result):
    texts = {row["id"]: row["value"]["text"] for row in result if row["type"] == "labels"}
    return [
        (texts[row["from_id"]], texts[row["to_id"]], *row["labels"])
        for row in result
        if row["type"] == "relation"
    ]


def gold(doc, layer):
    return [(row.span.text, row.span.label_) for row in getattr(read_layers(doc), layer)]


def test_labelstudio_gets_what_the_pipeline_finds_in_the_projects_controls(trained):
    doc = trained(TEXT)
    with serving(trained) as url:
        answer = predict(url, [TEXT, ""])
        setup = httpx.post(
            f"{url}/labelstudio/setup",
            json={
                "project": "3.1",
                "schema": CONFIG,
                "hostname": "http://localhost:8080",
                "access_token": "x",
            },
        )
        health = httpx.get(f"{url}/labelstudio/health")
    assert health.json() == {"status": "UP", "model_class": "en_hmtl"} and health.status_code == 200
    body = answer.json()
    first, empty = body["results"]
    assert empty == {"result": [], "model_version": body["model_version"]}
    assert setup.json() == {"model_version": body["model_version"]} == {"model_version": "en_hmtl 0.1.0"}
    result = first["result"]
    assert regions(result, "ner") == gold(doc, "entities") != []
    assert regions(result, "kind") == gold(doc, "mentions") != []
    assert links(result) and {link[2] for link in links(result)} <= {"coref", "WORK"}
    scores = [row["score"] for row in result if row.get("from_name") == "ner"]
    assert (
        len(scores) == len(doc.ents) and all(0 < score <= 1 for score in scores) and 0 < first["score"] <= 1
    )
    for row in result:
        if row["type"] == "labels":
            value = row["value"]
            assert row["to_name"] == "body" and TEXT[value["start"] : value["end"]] == value["text"]


def test_a_project_with_one_control_and_fewer_labels(trained, caplog):
    """Named entities and mentions of a span are one region there; what has no place is told once."""
    labels = '<Labels name="label" toName="t"><Label value="ORG"/></Labels>'
    one = f'<View>{labels}<Text name="t" value="$text"/></View>'
    with serving(trained) as url:
        found = [predict(url, [TEXT], one, "text").json()["results"][0]["result"] for _ in range(2)]
    orgs = {
        row for layer in ("entities", "mentions") for row in gold(trained(TEXT), layer) if row[1] == "ORG"
    }
    assert found[0] == found[1] and sorted(regions(found[0], "label")) == sorted(orgs) != []
    assert links(found[0]) == []
    told = [record.message for record in caplog.records if "Left out of predictions" in record.message]
    assert len(told) == len(set(told))
    assert any(one.endswith("entities with a label that no control of the project has: PER") for one in told)
    assert any(one.endswith("clusters (the project has no relation 'coref')") for one in told)


def test_labels_are_stored_by_their_aliases():
    labels = '<Label value="Person" alias="PER"/><Label value="B"/>'
    xml = f'<View><Labels name="a" toName="t">{labels}</Labels></View>'
    assert parse_config(xml.encode(), "c").controls[0].labels == {"PER", "B"}


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE v [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><View>&b;</View>'
)


@pytest.mark.parametrize(
    "changes, status, message",
    [
        ({"label_config": "<View>"}, 422, "the labelling configuration:1: not XML"),
        ({"label_config": BOMB}, 422, "found a declaration of the entity 'a'"),
        (
            {"label_config": CONFIG.replace("$article", "$other")},
            422,
            "Found no text in task 1.*'article'.*'other'",
        ),
        (
            {"label_config": CONFIG.replace('"$article"', '"fixed"')},
            422,
            "Found 1 texts in the labelling conf",
        ),
        (
            {"label_config": CONFIG.replace('toName="body"', 'toName="x"')},
            422,
            "no <Labels> for the text 'body'",
        ),
        ({"tasks": [{"data": {"article": 7}}]}, 422, "Found no text in task 1"),
        ({"tasks": [{}]}, 422, "at 'tasks.0.data'.*Send {\"tasks\""),
        ({"tasks": [{"data": {"article": "a"}}] * 5}, 413, "Found 5 texts, the limit is 4"),
        (
            {"tasks": [{"data": {"article": "a " * 300}}]},
            413,
            "Found a text of 600 characters, the limit is 500",
        ),
        ({"x": "x" * 50_000}, 413, "The body is longer than the limit"),
    ],
)
def test_requests_of_labelstudio_that_are_refused(url, changes, status, message):
    answer = predict(url, ["a"], **changes)
    assert answer.status_code == status
    assert re.search(message, answer.json()["detail"])


def test_training_is_refused_politely(url):
    trainings = [
        httpx.post(f"{url}/labelstudio/webhook", json={"action": "START_TRAINING", "project": {"id": 3}}),
        httpx.post(f"{url}/labelstudio/train", json={"annotations": [], "project": "3.1"}),
        httpx.post(f"{url}/inception/train", json={"documents": []}),
    ]
    event = {"action": "ANNOTATION_CREATED", "annotation": {"id": 1}, "project": {"id": 3}}
    told = httpx.post(f"{url}/labelstudio/webhook", json=event)
    for answer in trainings:
        assert answer.status_code == 501
        assert "predicts and doesn't train" in answer.json()["detail"]
    assert told.status_code == 200 and "Nothing is learned" in told.json()["detail"]


def test_tools_wait_no_longer_than_others(trained, monkeypatch):
    watched = Watched(trained, monkeypatch)
    with serving(trained, seconds=0.3) as url:
        watched.hold()
        answer = predict(url, ["a"])
        watched.free.set()
    assert answer.status_code == 504 and "Not done within 0.3 seconds" in answer.json()["detail"]


DKPRO = "de.tudarmstadt.ukp.dkpro.core.api."
NE, SPAN, RELATION = f"{DKPRO}ner.type.NamedEntity", "custom.Span", "custom.Relation"
EMOJI = f"\U0001f600 {TEXT}"


def types_of_inception(cassis):
    """A type system as INCEpTION sends it: layers, each with the features that suggestions have."""
    types = cassis.TypeSystem()
    for name in (NE, SPAN, RELATION, f"{DKPRO}coref.type.CoreferenceLink", "custom.Other"):
        made = types.create_type(name, "uima.tcas.Annotation")
        if name == RELATION:
            for end in ("Governor", "Dependent"):
                types.create_feature(made, end, SPAN)
        types.create_feature(made, "value", "uima.cas.String")
        if name != "custom.Other":
            types.create_feature(made, "inception_internal_predicted", "uima.cas.Boolean")
            types.create_feature(made, "value_score", "uima.cas.Double")
            types.create_feature(made, "value_score_explanation", "uima.cas.String")
    return types


def ask_inception(url, layer, text=EMOJI, annotated=(), **changes):
    """A request in the documented form. RETURNS: the answer, and the CAS in it."""
    cassis = pytest.importorskip("cassis", reason="the extra [cas] isn't installed")
    types = types_of_inception(cassis)
    cas = cassis.Cas(types)
    cas.sofa_string, cas.sofa_mime = text, "text/plain"
    for start, end in annotated:
        cas.add(types.get_type(SPAN)(begin=start, end=end, value="by hand"))
    metadata = {
        "layer": layer,
        "feature": "value",
        "projectId": 1337,
        "anchoringMode": "tokens",
        "crossSentence": False,
        "range": {"begin": 0, "end": len(text)},
    }
    query = {
        "metadata": metadata,
        "document": {"xmi": cas.to_xmi(), "documentId": 42, "userId": "testuser"},
        "typeSystem": types.to_xml(),
        **changes,
    }
    answer = httpx.post(f"{url}/inception/predict", json=query, timeout=30)
    if answer.status_code != 200:
        return answer, None
    return answer, cassis.load_cas_from_xmi(answer.json()["document"], typesystem=types)


def suggestions(cas, layer):
    return [row for row in cas.select(layer) if row.inception_internal_predicted]


@pytest.mark.parametrize("layer, kind", [(NE, "entities"), (SPAN, "mentions")])
def test_inception_gets_spans_with_scores(trained, layer, kind):
    with serving(trained) as url:
        _, cas = ask_inception(url, layer, annotated=[(2, 9)])
    expected = to_jsonl(trained(EMOJI))[kind]
    found = [
        {"start": row.begin, "end": row.end, "label": row.value, "score": row.value_score}
        for row in suggestions(cas, layer)
    ]
    expected = [{key: row[key] for key in ("start", "end", "label", "score")} for row in expected]
    assert same(found, expected) and found != []
    assert cas.sofa_string == EMOJI
    (kept,) = (row for row in cas.select(SPAN) if not row.inception_internal_predicted)
    assert kept.value == "by hand"


def test_inception_gets_relations_between_what_is_annotated(trained):
    wanted = to_jsonl(trained(EMOJI))["relations"]
    ends = sorted({(row[end]["start"], row[end]["end"]) for row in wanted for end in ("head", "tail")})
    assert len(ends) >= 2
    with serving(trained) as url:
        _, cas = ask_inception(url, RELATION, annotated=ends)
        _, partly = ask_inception(url, RELATION, annotated=ends[:1])
    found = [
        ((row.Governor.begin, row.Governor.end), (row.Dependent.begin, row.Dependent.end), row.value)
        for row in suggestions(cas, RELATION)
    ]
    places = [tuple((row[end]["start"], row[end]["end"]) for end in ("head", "tail")) for row in wanted]
    assert sorted(found) == sorted((*place, row["label"]) for place, row in zip(places, wanted)) != []
    assert suggestions(partly, RELATION) == []


def test_a_pipeline_with_named_entities_alone_fills_the_projects_own_layer():
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "ORG", "pattern": "Acme Corp"}])
    with serving(nlp) as url:
        _, cas = ask_inception(url, SPAN)
        answer, _ = ask_inception(url, RELATION)
        in_one = CONFIG.replace('name="ner"', 'name="label"')
        result = predict(url, [TEXT], in_one).json()["results"][0]["result"]
        _, empty = ask_inception(url, SPAN, text="")
    assert [(row.get_covered_text(), row.value) for row in suggestions(cas, SPAN)] == [("Acme Corp", "ORG")]
    assert answer.status_code == 422
    assert answer.json()["detail"] == "Asked for relations, which the pipeline doesn't have."
    assert regions(result, "label") == [("Acme Corp", "ORG")]
    assert suggestions(empty, SPAN) == []


@pytest.mark.parametrize(
    "layer, changes, status, message",
    [
        ("custom.No", {}, 422, "Asked for the layer custom.No, which isn't in TypeSystem.xml"),
        (f"{DKPRO}coref.type.CoreferenceLink", {}, 422, "there are suggestions for named entities"),
        ("custom.Other", {}, 422, "lacks the feature inception_internal_predicted"),
        (SPAN, {"metadata": {"layer": SPAN, "feature": "no"}}, 422, "lacks the feature no"),
        (SPAN, {"typeSystem": BOMB}, 422, "TypeSystem.xml:1: found a declaration of the entity 'a'"),
        (SPAN, {"document": {"xmi": BOMB}}, 422, "document.xmi:1: found a declaration of the entity 'a'"),
        (SPAN, {"document": {"xmi": "<a/>"}}, 422, "document.xmi.*not a CAS that can be read"),
        (SPAN, {"document": {}}, 422, "at 'document.xmi'.*Send {\"metadata\""),
        (SPAN, {"text": "a " * 300}, 413, "Found a text of 600 characters, the limit is 500"),
    ],
)
def test_requests_of_inception_that_are_refused(url, layer, changes, status, message):
    answer, _ = ask_inception(url, layer, **{"text": TEXT, **changes})
    assert answer.status_code == status
    assert re.search(message, answer.json()["detail"])
