"""The tables of docs/results.md are those of docs/results.json, and one command adds a training to it."""

import importlib
import json
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
if not DOCS.is_dir():
    pytest.skip("the tests run without the project's docs", allow_module_level=True)

PROJECT = """
workflows:
  conll04: [prepare, train-conll04]
commands:
  - name: prepare
    script: ["python -c 'import time; time.sleep(1.5)'"]
  - name: train-conll04
    script: ["python -c 'import time; x = bytes([1]) * 400_000_000; time.sleep(0.5)'"]
    outputs: []
"""


@pytest.fixture
def results(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    return importlib.import_module("results")


@pytest.fixture
def entries(results):
    return json.loads(results.DATA.read_text("utf8"))


def entry(seeds, **changes):
    f1 = sum(seeds.values()) / len(seeds)
    given = {"workflow": "all", "encoder": "base", "layer": "ner", "f1": f1, "seeds": seeds}
    return {**given, "seconds": 60, "peak_mb": 1500, "command": "python -m spacy project run all", **changes}


def test_the_page_has_the_tables_of_the_data(results, entries):
    page = results.PAGE.read_text("utf8")
    assert results.filled(page, entries) == page, "run python docs/results.py tables"
    changed = [{**entries[0], "f1": 12.3}, *entries[1:]]
    assert "| 12.3 " in results.filled(page, changed)


def test_every_entry_is_whole_and_in_a_table(results, entries):
    assert len({results._key(e) for e in entries}) == len(entries)
    shown = {pair for pairs in results.TABLES.values() for pair in pairs}
    for e in entries:
        keys = {"workflow", "encoder", "layer", "f1", "seeds", "seconds", "peak_mb", "command"}
        assert keys <= set(e) <= keys | {"target", "range"}
        assert e["encoder"] in results.ENCODERS and (e["workflow"], e["layer"]) in shown
        known = [value for value in e["seeds"].values() if value is not None]
        if len(known) == len(e["seeds"]):  # rounded: means to a tenth of numbers with one more digit
            assert e["f1"] == pytest.approx(sum(known) / len(known), abs=0.11)
    assert results.dumped(entries) == results.DATA.read_text("utf8")


def test_rows(results):
    rows = results.table([entry({"0": 80.0, "1": 81.0})], results.TABLES["workflows"])[2:]
    assert rows == [
        "| `all`, seeds 0, 1 | MPNet-base | named entities, 16 types | 80.5 (80.0, 81.0) |  | 1 min, 1.5 GB |"
    ]


def test_seeds_of_one_command_join_and_others_replace(results):
    old = entry({"0": 80.0}, target=79)
    (joined,) = results.merged([old], [entry({"1": 82.0}, seconds=90, peak_mb=None)])
    assert joined == {**old, "f1": 81.0, "seeds": {"0": 80.0, "1": 82.0}, "seconds": 90}
    (again,) = results.merged([joined], [entry({"1": 84.0})])
    assert again["seeds"] == {"0": 80.0, "1": 84.0} and again["f1"] == 82.0
    new = entry({"1": 82.0}, command="python -m spacy project run all . --vars.variant x.cfg")
    assert results.merged([old], [new]) == [{**new, "target": 79}]
    other = entry({"0": 50.0}, encoder="static")
    assert results.merged([old], [other]) == [old, other]


def test_a_page_without_the_mark(results):
    with pytest.raises(ValueError, match="results.md has 0 tables marked <!-- workflows"):
        results.filled("no tables", [])


def test_training_is_timed_and_its_memory_measured(results, tmp_path):
    (tmp_path / "project.yml").write_text(PROJECT)
    seconds, peak_mb = results.train(tmp_path, "conll04", 0, [])
    assert seconds >= 0.5 and 400 <= peak_mb < 4000


def test_add(results, tmp_path, monkeypatch):
    """Scores, time and memory of a training that was done get into the data and the page."""
    for name in ("DATA", "PAGE"):
        copy = tmp_path / getattr(results, name).name
        copy.write_text(getattr(results, name).read_text("utf8"), "utf8")
        monkeypatch.setattr(results, name, copy)
    others = [e for e in json.loads(results.DATA.read_text("utf8")) if e["encoder"] != "base"]
    results.DATA.write_text(results.dumped(others), "utf8")
    monkeypatch.setattr(results, "ROOT", tmp_path)
    metrics = tmp_path / "metrics" / "conll04" / "seed-7"
    metrics.mkdir(parents=True)
    scores = {"spans_mentions_f": 0.9012, "rel_strict_f": 0.7345, "rel_last_token_f": 0.75}
    for name in ("test", "test_noleak"):
        (metrics / f"{name}.json").write_text(json.dumps({"scores": scores}))
    options = ["--encoder", "base", "--seed", "7", "--done", "--seconds", "5400", "--peak-mb", "5432"]
    results.main(["add", "conll04", *options, "--vars.transformer", "mpnet"])
    added = [e for e in json.loads(results.DATA.read_text("utf8")) if e["encoder"] == "base"]
    assert [(e["layer"], e["f1"]) for e in added][:2] == [("mentions", 90.12), ("relations_strict", 73.45)]
    assert {e["command"] for e in added} == {"python -m spacy project run conll04 . --vars.transformer mpnet"}
    row = "| `conll04`, seed 7 | MPNet-base | mentions, strict | 90.1 |  | 90 min, 5.4 GB |"
    assert row in results.PAGE.read_text("utf8")
