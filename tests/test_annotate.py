"""Annotate files: what goes in, what comes out, and what is refused."""

import json
import re

import pytest
from annotating import TEXTS, files, read_jsonl, write_jsonl
from converting import clusters, convert_text, ents, mentions, relations
from spacy.tokens import DocBin
from spacy.training import Example
from tiny import ANNOTATED, layers
from tiny import annotate as annotated_doc

from hmtl_spacy.annotate import Fields, annotate
from hmtl_spacy.data.corpus import read_task_corpus
from hmtl_spacy.data.writers.jsonl import to_jsonl


def expected(nlp, text):
    """What the pipeline finds, as a line has it but for id and meta."""
    return json.loads(json.dumps(to_jsonl(nlp(text))))


def found(path):
    return [{k: v for k, v in record.items() if k not in ("id", "meta")} for record in read_jsonl(path)]


def ids(path):
    return [record["id"] for record in read_jsonl(path)]


def test_jsonl(trained, tmp_path):
    source = write_jsonl(
        tmp_path / "in.jsonl", 7, ['{"text": "Bob met Ann Lee ."}', "", '{"text": "x", "id": 5}']
    )
    summary = annotate(trained, source, tmp_path / "out.jsonl", batch_size=3)
    assert found(tmp_path / "out.jsonl")[:6] == [expected(trained, text) for text in (TEXTS * 2)[:6]]
    assert ids(tmp_path / "out.jsonl") == [f"d{i}" for i in range(7)] + ["8", "5"]
    assert read_jsonl(tmp_path / "out.jsonl")[3]["meta"] == {"n": 3}
    assert summary.written["documents"] == 9 and summary.written["relations"] > 3 and not summary.lost
    assert summary.failed == 0 and summary.errors is None and summary.resumed == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


def test_fields_and_given_tokens(trained, tmp_path):
    words = TEXTS[0].split(" ")
    lines = [
        {"body": "It rains", "n": 1, "who": "me"},
        {"tokens": words, "n": 2},
        {"tokens": ["a"], "body": "a "},
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, lines)))
    fields = Fields("body", "n", "who")
    summary = annotate(trained, tmp_path / "in.jsonl", tmp_path / "out.jsonl", fields=fields)
    first, second, third = read_jsonl(tmp_path / "out.jsonl")
    assert (first["id"], first["text"], first["meta"]) == ("1", "It rains", "me") and not summary.lost
    assert second["tokens"] == words and second["relations"][0]["label"] == "WORK" and third["text"] == "a "
    (tmp_path / "in.jsonl").write_text('{"text": "a", "url": 1, "entities": []}')
    summary = annotate(trained, tmp_path / "in.jsonl", tmp_path / "out.jsonl", overwrite=True)
    assert summary.lost == {"values of other keys of JSON lines than text, tokens, id and meta": 2}


def test_layers_in_other_span_groups(trained, tmp_path):
    tasks = trained.get_pipe("hmtl").tasks
    tasks["mentions"].mentions_key = tasks["relations"].mentions_key = "found"
    tasks["coref"].clusters_key, tasks["relations"].relations_key = "chains", "triples"
    tasks["ner"].scores_key = None
    annotate(trained, write_jsonl(tmp_path / "in.jsonl", 1), tmp_path / "out.jsonl")
    [record] = read_jsonl(tmp_path / "out.jsonl")
    assert [len(record[layer]) for layer in ("entities", "mentions", "clusters", "relations")] == [2, 4, 2, 1]
    assert "score" in record["mentions"][0] and "score" not in record["entities"][0]


def test_text_files_and_lines(trained, tmp_path):
    (folder := tmp_path / "texts" / "a").mkdir(parents=True)
    (folder / "one.txt").write_bytes(b"\xef\xbb\xbfIt rains\r\nthere .\n")
    (folder.parent / "two.txt").write_bytes(b"\n \nBob met\nAnn Lee .")
    annotate(trained, folder.parent, tmp_path / "out.jsonl")
    assert ids(tmp_path / "out.jsonl") == ["a/one", "two"]
    assert [record["text"] for record in read_jsonl(tmp_path / "out.jsonl")] == [
        "It rains\r\nthere .\n",
        "\n \nBob met\nAnn Lee .",
    ]
    annotate(trained, folder.parent, tmp_path / "lines.jsonl", lines=True)
    assert ids(tmp_path / "lines.jsonl") == ["a/one_1", "a/one_2", "two_3", "two_4"]
    annotate(trained, folder / "one.txt", tmp_path / "line.jsonl", lines=True)
    assert [(r["id"], r["text"]) for r in read_jsonl(tmp_path / "line.jsonl")] == [
        ("1", "It rains"),
        ("2", "there ."),
    ]


def test_docs_keep_their_tokens_sentences_and_data(trained, nlp, tmp_path):
    docs = [annotated_doc(nlp.vocab, *gold) for gold in ANNOTATED]
    docs[0].user_data.update(id="x", title="T")
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "in.spacy")
    summary = annotate(trained, tmp_path / "in.spacy", tmp_path / "out.spacy", batch_size=3)
    corpus = tmp_path / "out.spacy"
    assert sorted(files(corpus)) == ["00000.spacy", "00001.spacy"]
    found = [eg.reference for eg in read_task_corpus(corpus, None, 0, gold_sentences=True, limit=0)(nlp)]
    assert [layers(doc) for doc in found] == [layers(doc) for doc in docs]
    assert [doc.user_data["id"] for doc in found] == ["x", "2", "3", "4"]
    assert found[0].user_data["title"] == "T" and found[0].spans["mentions"].attrs["scores"] != [1.0] * 4
    assert summary.lost == {"documents whose own annotation isn't taken over, but for sentences": 4}
    whole = read_task_corpus(tmp_path, None, 0, gold_sentences=True, limit=0)
    assert len(list(whole(nlp))) == 8  # a folder of shards beside a file


@pytest.mark.parametrize("name, format", [("out.json", "dygie"), ("out.conll", "conll2012")])
def test_other_formats_are_read_back(trained, tmp_path, name, format):
    annotate(trained, write_jsonl(tmp_path / "in.jsonl", 3), tmp_path / name, batch_size=2)
    docs = convert_text(format, (tmp_path / name).read_text())
    gold = [trained(text) for text in TEXTS[:3]]
    same = (mentions, relations, clusters) if format == "dygie" else (ents, clusters)
    for layer in same:
        assert [layer(doc) for doc in docs] == [layer(doc) for doc in gold]
        assert any(layer(doc) for doc in gold)


@pytest.mark.parametrize("n_process", [1, 2])
def test_documents_of_one_name_become_parts_of_it(trained, tmp_path, n_process):
    names = ["a b", "x", "x", "a_b", "0", "", "x", "a\tb", "_"]
    lines = [json.dumps({"text": "Bob met Ann Lee .\nHe left .", "id": name}) for name in names]
    source, out = write_jsonl(tmp_path / "in.jsonl", 0, lines), tmp_path / "out.conll"
    annotate(trained, source, out, batch_size=2, n_process=n_process)
    docs = convert_text("conll2012", out.read_text())
    parts = [("a_b", 0), ("x", 0), ("x", 1), ("a_b", 1), ("0", 0), ("_", 0), ("x", 2), ("a_b", 2), ("_", 1)]
    assert [doc.user_data["id"] for doc in docs] == [f"{name}_{number}" for name, number in parts]
    assert len({doc.text for doc in docs}) == 1 and "#begin document (x); part 002\n" in out.read_text()


@pytest.mark.parametrize("name", ["out.jsonl", "out.spacy", "out.json", "out.conll"])
def test_several_processes_write_the_same(trained, tmp_path, name):
    bad = ["{", '{"text": "unbearable"}', '{"text": "Bob met Ann Lee ."}']
    trained.add_pipe("hmtl_test_fails")
    source = write_jsonl(tmp_path / "in.jsonl", 30, bad)
    one = annotate(trained, source, tmp_path / name, batch_size=4)
    several = annotate(trained, source, tmp_path / f"2{name}", batch_size=4, n_process=2)
    assert files(tmp_path / name) == files(tmp_path / f"2{name}")
    assert files(one.errors) == files(several.errors) and one.failed == several.failed == 2
    assert one[:3] == several[:3]


BAD = [
    ("{bad", "not JSON"),
    ('["text"]', "found \\['text'\\], expected an object"),
    ('{"id": "x"}', "found 'text': None, expected a string"),
    ('{"text": 3}', "found 'text': 3, expected a string"),
    ('{"text": "a", "id": [1]}', "found 'id': \\[1\\], expected a string or a number"),
    ('{"text": "a", "tokens": ["b"]}', "found the token 'b' where the text has 'a'"),
    ('{"text": "\\ud800"}', "not JSON: .*surrogates"),
    ("[" * 100_000, "not JSON: maximum recursion"),
    ('{"text": "so unbearable"}', "the component 'hmtl_test_fails.*' failed: ValueError: found the word"),
    ('{"text": "a", "meta": NaN}', "not JSON: NaN"),
]


@pytest.mark.parametrize("component", ["hmtl_test_fails", "hmtl_test_fails_by_the_batch"])
def test_bad_documents_are_skipped_and_told(trained, tmp_path, component):
    trained.add_pipe(component, first=True)
    handler = trained.default_error_handler
    lines = [line.encode() for bad, _ in BAD for line in (bad, '{"text": "Bob met Ann Lee ."}')]
    (tmp_path / "in.jsonl").write_bytes(b"\n".join([*lines, b'{"text": "\xff"}']))
    summary = annotate(trained, tmp_path / "in.jsonl", tmp_path / "out.jsonl", batch_size=6)
    good = expected(trained, "Bob met Ann Lee .")
    assert found(tmp_path / "out.jsonl") == [good] * len(BAD)
    told = read_jsonl(summary.errors)
    assert [failure["line"] for failure in told] == [2 * i + 1 for i in range(len(BAD) + 1)]
    assert {failure["file"] for failure in told} == {str(tmp_path / "in.jsonl")}
    reasons = [reason for _, reason in BAD] + ["byte 0xff isn't UTF-8"]
    if component != "hmtl_test_fails":
        reasons[8] = "the pipeline failed: ValueError: found the word"
    for failure, reason in zip(told, reasons, strict=True):
        assert re.match(reason, failure["reason"]), failure
    assert summary.failed == len(BAD) + 1 and trained.default_error_handler is handler


def test_files_that_cannot_be_read(trained, tmp_path):
    (folder := tmp_path / "in").mkdir()
    (folder / "a.txt").write_bytes(b"It rains .\nbad \xe9\n")
    (folder / "b.txt").write_text("It rains .")
    summary = annotate(trained, folder, tmp_path / "out.jsonl")
    [failure] = read_jsonl(summary.errors)
    assert (
        failure["line"] == 2
        and "byte 0xe9 isn't UTF-8" in failure["reason"]
        and ids(tmp_path / "out.jsonl") == ["b"]
    )
    (tmp_path / "broken.spacy").write_bytes(b"no")
    summary = annotate(trained, tmp_path / "broken.spacy", tmp_path / "o.jsonl")
    assert summary.failed == 1 and "can't read the file" in read_jsonl(summary.errors)[0]["reason"]


def test_a_text_longer_than_the_pipeline_allows(trained, tmp_path):
    trained.max_length = 1000
    text = "Bob met Ann Lee . He lives in Rome . " * 50
    (tmp_path / "in.txt").write_text(text)
    annotate(trained, tmp_path / "in.txt", tmp_path / "out.jsonl")
    [record] = read_jsonl(tmp_path / "out.jsonl")
    assert record["text"] == text and len(record["sentences"]) == 100 and len(record["entities"]) > 100


def test_what_cannot_work_is_refused(trained, tmp_path):
    source = write_jsonl(tmp_path / "in.jsonl", 1)
    (tmp_path / "in.txt").write_text("a")
    (tmp_path / "folder").mkdir()
    for args, options, message in [
        ([tmp_path / "no.txt", "o.jsonl"], {}, "There is nothing at .*no.txt: name a file or folder"),
        (
            [tmp_path, "o.jsonl"],
            {},
            "found .jsonl and .txt, expected files of one kind of .txt, .json",
        ),
        ([tmp_path / "folder", "o.jsonl"], {}, "found none, expected files of one kind"),
        ([source, "o.jsonl"], {"lines": True}, "Lines are for .txt files, but .* has .jsonl files"),
        ([source, "o.xml"], {}, "Can't tell the format of .*o.xml"),
        ([source, "in.jsonl"], {}, "Can't write .* into the input"),
        ([source, "o.jsonl"], {"batch_size": 0}, "batch_size is 0 and n_process is 1, expected 1 or more"),
        ([source, "o.jsonl"], {"n_process": -2}, "batch_size is 64 and n_process is -2, expected 1 or more"),
        ([source, "folder"], {"format": "jsonl"}, "expected a file of 0 bytes, found a folder"),
        (
            [source, "in.txt"],
            {"format": "spacy", "overwrite": True},
            "expected a folder, found a file",
        ),
    ]:
        with pytest.raises(ValueError, match=message):
            annotate(trained, args[0], tmp_path / args[1], **options)
    (tmp_path / "in.txt").unlink()
    with pytest.raises(ValueError, match="Can't write .* into the input"):
        annotate(trained, tmp_path, tmp_path / "folder" / "o.conll")


GOLD = {"ner": {"entities": [(0, 1, "X")]}, "parser": {"heads": [0, 0], "deps": ["ROOT", "x"]}}


@pytest.mark.parametrize("component", list(GOLD))
def test_a_text_longer_than_a_parser_allows_is_reported(trained, tmp_path, component):
    examples = [Example.from_dict(trained.make_doc("a b"), GOLD[component])]
    trained.add_pipe(component, first=True).initialize(lambda: examples, nlp=trained)
    trained.max_length = 100
    lines = [json.dumps({"text": "Bob met Ann Lee . " * n}) for n in (1, 6, 5)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    summary = annotate(trained, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    [error] = read_jsonl(summary.errors)
    reason = "the text has 108 characters, more than the pipeline's max_length, 100, which protects"
    assert error["line"] == 2 and error["reason"].startswith(reason) and component in error["reason"]
    assert ids(tmp_path / "out.jsonl") == ["1", "3"]
