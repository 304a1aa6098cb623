"""Label Studio's JSON: controls, regions, relations with directions, several annotations."""

import json

import pytest
from converting import clusters, convert_json, ents, mentions, relations

from hmtl_spacy.annotations import has_entities
from hmtl_spacy.data.converters import ConversionError, convert

TEXT = "🎉 Mira Blum runs Lumen.\r\nShe left."
CONFIG = """<View><Relations><Relation value="coref"/><Relation value="runs"/></Relations>
<Labels name="ner" toName="text"><Label value="PER"/></Labels>
<Labels name="m" toName="text"><Label value="person"/><Label value="firm"/></Labels>
<Text name="text" value="$body"/></View>"""


def region(id, words, label, control="m", text=TEXT, **more):
    start = text.index(words)
    value = {"start": start, "end": start + len(words), "text": words, "labels": [label], **more}
    return {"id": id, "from_name": control, "to_name": "text", "type": "labels", "value": value}


def relation(head, tail, *labels, direction="right"):
    return {
        "type": "relation",
        "from_id": head,
        "to_id": tail,
        "direction": direction,
        "labels": list(labels),
    }


REGIONS = [
    region("a", "Mira Blum", "PER", "ner"),
    region("a", "Mira Blum", "person"),
    region("b", "Lumen", "firm"),
    region("c", "Blum", "name"),
    region("d", "She", "person"),
]


def task(*results, text=TEXT, id=1, **more):
    return {"id": id, "data": {"text": text}, "annotations": [{"id": 9, "result": list(results), **more}]}


def test_controls_regions_and_relations(tmp_path):
    links = [relation("a", "b", "runs", "owns"), relation("b", "d", "left", direction="left")]
    links += [relation("d", "a", "Coref", direction="bi"), relation("a", "b", "x", direction="bi")]
    (doc,), dropped = convert_json("labelstudio", tmp_path, [task(*links, *REGIONS)])
    assert doc.text == TEXT and ents(doc) == [("Mira Blum", "PER")]
    names = [("Mira Blum", "person"), ("Blum", "name"), ("Lumen", "firm"), ("She", "person")]
    assert mentions(doc) == names and clusters(doc) == [["Mira Blum", "She"]]
    assert sorted(relations(doc)) == [
        ("Lumen", "x", "Mira Blum"),
        ("Mira Blum", "owns", "Lumen"),
        ("Mira Blum", "runs", "Lumen"),
        ("Mira Blum", "x", "Lumen"),
        ("She", "left", "Lumen"),
    ]
    assert dropped == {"relations in both directions, read as two": 1}


def test_layers_are_missing_or_empty(tmp_path):
    """A task has "none" of what another has; the configuration, or an option, says it too."""
    docs, _ = convert_json("labelstudio", tmp_path, [task(text=""), task(*REGIONS[:1])])
    assert [has_entities(doc) for doc in docs] == [True, True] and len(docs[0]) == 0
    assert [mentions(doc) for doc in docs] == [None, None] and relations(docs[1]) is None
    (tmp_path / "config.xml").write_text(CONFIG)
    data = {"id": 4, "data": {"body": TEXT, "note": "x"}, "annotations": [{"result": REGIONS}]}
    (doc,), dropped = convert_json("labelstudio", tmp_path, data, config=tmp_path / "config.xml")
    assert clusters(doc) == relations(doc) == [] and doc.user_data["meta"] == {"note": "x"}
    assert dropped == {"labels that the configuration doesn't have (kept)": 1}
    (doc,), _ = convert_json("labelstudio", tmp_path, task(), coref_label=["same"], entities=["PER"])
    assert clusters(doc) == [] and mentions(doc) == [] and relations(doc) is None


def test_options_choose_layers_by_label_or_control(tmp_path):
    links = [relation("a", "b", "runs"), relation("c", "b", "runs")]
    (doc,), dropped = convert_json(
        "labelstudio", tmp_path, task(*REGIONS, *links), mentions=["m"], entities=["firm,PERS"]
    )
    assert ents(doc) == [("Lumen", "firm")] and len(mentions(doc)) == 4
    assert dropped == {
        "spans of none of the layers that are read": 1,  # PER
        "names in --entities that no span has: 'PERS'": 1,
    }
    (doc,), dropped = convert_json("labelstudio", tmp_path, task(*REGIONS, *links), mentions=["name,firm"])
    assert sorted(relations(doc)) == [("Blum", "runs", "Lumen"), ("Mira Blum", "runs", "Lumen")]
    assert mentions(doc) == [("Blum", "name"), ("Lumen", "firm")] and len(ents(doc)) == 1


@pytest.mark.parametrize("newest", [0, 1])
def test_one_annotation_of_a_task_is_read(tmp_path, newest):
    annotations = [
        {
            "result": REGIONS[i : i + 1],
            "completed_by": {"id": i, "email": f"p{i}"},
            "updated_at": f"2026-0{i}",
        }
        for i in (2, 3)
    ]
    annotations[1 - newest]["updated_at"] = "2025"
    data = {
        "id": 1,
        "data": {"text": TEXT},
        "annotations": [*annotations, {"was_cancelled": True, "result": []}],
    }
    (doc,), dropped = convert_json("labelstudio", tmp_path, [data])
    assert mentions(doc) == [[("Lumen", "firm"), ("Blum", "name")][newest]]
    assert dropped["tasks with several annotations, which differ (the newest was read)"] == 1
    annotations[1 - newest]["ground_truth"] = True
    (doc,), dropped = convert_json("labelstudio", tmp_path, [data])
    assert mentions(doc) == [[("Lumen", "firm"), ("Blum", "name")][1 - newest]]
    docs, dropped = convert_json("labelstudio", tmp_path, [data], annotator="p3")
    assert mentions(docs[0]) == [("Blum", "name")] and dropped["annotations of other people"] == 1
    docs, dropped = convert_json("labelstudio", tmp_path, [data], annotator="7")
    assert not docs and dropped["tasks without annotations to read"] == 1
    data["annotations"] = [annotations[0], {**annotations[0], "result": [region("other", "Lumen", "firm")]}]
    assert convert_json("labelstudio", tmp_path, [data])[1] == {
        "tasks with several annotations, which agree": 1
    }


def test_offsets_in_utf16_units_are_told_by_the_text(tmp_path):
    shifted = [region("a", "Lumen", "firm"), region("b", "She", "person")]
    for one in shifted:
        one["value"] = {**one["value"], "start": one["value"]["start"] + 1, "end": one["value"]["end"] + 1}
    (doc,), dropped = convert_json("labelstudio", tmp_path, [task(*shifted)])
    assert mentions(doc) == [("Lumen", "firm"), ("She", "person")]
    assert dropped == {"tasks whose offsets count UTF-16 units": 1}
    message = r"record 2: found the region 'Lumen' at 18 to 23, where the text is 'umen.' \(cou"
    with pytest.raises(ConversionError, match=message):
        convert_json("labelstudio", tmp_path, [task(), task(*shifted)], offsets="codepoint")
    shifted[1]["value"]["text"] = "He"
    with pytest.raises(ConversionError, match=r"counted by codepoint or utf16\). Name the text"):
        convert_json("labelstudio", tmp_path, [task(*shifted)])


def test_text_as_the_editor_writes_it(tmp_path):
    text = "The Port of\nEmden,  in the north"
    one = region("a", text, "place", text=text)
    one["value"]["text"] = "The Port of\\nEmden, in the north"
    assert mentions(convert_json("labelstudio", tmp_path, [task(one, text=text)])[0][0]) == [(text, "place")]


def test_other_forms(tmp_path):
    """Cloud storage has a task in its annotation, old files `completions`; JSON_MIN has no relations."""
    cloud = {"id": 9, "result": REGIONS, "task": {"id": 5, "data": {"text": TEXT}}}
    (doc,), _ = convert_json("labelstudio", tmp_path, cloud)
    assert doc.user_data["id"] == "5" and len(mentions(doc)) == 4
    old = {"id": 6, "data": {"t": TEXT, "u": "x"}, "completions": [{"result": REGIONS}]}
    assert len(mentions(convert_json("labelstudio", tmp_path, [old], text_key="t")[0][0])) == 4
    guess = {"id": 7, "data": {"text": TEXT, "id": "ada", "meta": [1]}, "predictions": [{"result": REGIONS}]}
    (doc,), _ = convert_json("labelstudio", tmp_path, [guess], predictions=True)
    assert doc.user_data == {"id": "ada", "meta": [1]} and len(mentions(doc)) == 4
    assert convert_json("labelstudio", tmp_path, [guess])[1] == {"tasks without annotations to read": 1}
    small = {"id": 8, "text": TEXT, "m": [REGIONS[2]["value"]], "choice": "yes", "annotator": 1}
    (doc,), dropped = convert_json(
        "labelstudio", tmp_path, [small, {**small, "annotator": 2}], annotator="1", text_key="text"
    )
    assert mentions(doc) == [("Lumen", "firm")] and relations(doc) is None
    assert dropped == {
        "records of JSON_MIN that aren't asked for": 1,
        "records of JSON_MIN, which has no relations": 1,
    }


def test_folders_and_byte_order_marks(tmp_path):
    for i in range(2):
        text = json.dumps(task(*REGIONS, id=i), indent=1).replace("\n", "\r\n")
        (tmp_path / str(i)).write_bytes(b"\xef\xbb\xbf" + text.encode())
    written = convert("labelstudio", tmp_path, tmp_path / "out.spacy")
    assert written["documents"] == 2 and written["mentions"] == 8


def test_other_results_are_counted(tmp_path):
    others = [{"id": "a", "type": "choices", "value": {"choices": ["x"]}}, relation("b", "d")]
    others += [{"id": "z", "type": "rectanglelabels", "value": {"x": 1.5}}, relation("z", "b", "in")]
    _, dropped = convert_json("labelstudio", tmp_path, [task(*others, *REGIONS)])
    assert dropped == {
        "results of the type 'choices'": 1,
        "results of the type 'rectanglelabels'": 1,
        "relations without a label": 1,
        "relations with an argument that was left out": 1,
    }


HTML = {"type": "x", "value": {"start": "/p", "startOffset": 1}}


@pytest.mark.parametrize(
    "results, message",
    [
        ([relation("a", "q", "x"), *REGIONS], "found the span 'q', but the ids of spans are"),
        ([region("a", "Lumen", "x"), REGIONS[0]], "the id 'a' is that of two different spans"),
        ([{**REGIONS[0], "value": {"start": "1", "labels": ["x"]}}], "expected start and end as numbers"),
        ([{**REGIONS[0], "value": {"start": 1, "end": 2, "labels": [3]}}], "expected labels, a list"),
        ([{"type": "relation", "labels": "x"}], "expected labels, a list of strings"),
        ([{**relation("a", "b", "x"), "direction": "up"}], "the direction 'up', expected right, left"),
        ([HTML], "a region of HTML, .* Import the text as <Text>"),
        ([1], r"found 'result': \[1\], expected a list of objects"),
    ],
)
def test_errors_name_the_record(tmp_path, results, message):
    with pytest.raises(ConversionError, match=f"labelstudio.json:1: record 2: .*{message}"):
        convert_json("labelstudio", tmp_path, [task(), task(*results)])


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"data": []}, r"found 'data': \[\], expected an object with the text"),
        ({"data": {"a": "", "b": ""}}, "found strings under a, b. Name the one with the text"),
        ({"annotations": [1]}, r"found 'annotations': \[1\], expected a list of objects"),
    ],
)
def test_tasks_that_cant_be_read(tmp_path, changes, message):
    with pytest.raises(ConversionError, match=f"record 1: {message}"):
        convert_json("labelstudio", tmp_path, {**task(), **changes})


@pytest.mark.parametrize(
    "xml, message",
    [
        ("<View>", "config.xml:1: not XML"),
        ("<View/>", "found no <Labels>"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><View/>', "found a declaration of the entity 'b'"),
    ],
)
def test_configurations_that_cant_be_read(tmp_path, xml, message):
    for encoding in ("utf-8", "utf-16"):
        (tmp_path / "config.xml").write_text(xml, encoding)
        with pytest.raises(ConversionError, match=message):
            convert_json("labelstudio", tmp_path, [task()], config=tmp_path / "config.xml")
