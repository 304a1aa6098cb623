"""The examples for other engines: what they make is what `annotate` writes."""

import json
import logging
import os
import sys
from pathlib import Path

import pytest
from annotating import read_jsonl, write_jsonl

from hmtl_spacy.annotate import annotate

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "examples").is_dir():
    pytest.skip("the tests run without the project's examples", allow_module_level=True)
sys.path.append(str(ROOT))

from examples.ray_data import AnnotateBatch  # noqa: E402
from examples.spark import SCHEMA, annotate_with  # noqa: E402


@pytest.fixture
def known(trained, tmp_path):
    """A pipeline on disk, texts as columns, and what `annotate` writes of them by their ids."""
    trained.add_pipe("hmtl_test_fails")
    trained.to_disk(tmp_path / "model")
    source = write_jsonl(tmp_path / "in.jsonl", 12, ['{"text": "so unbearable", "id": "bad"}'])
    annotate(trained, source, tmp_path / "out.jsonl")
    records = read_jsonl(source)
    columns = {name: [record[name] for record in records] for name in ("id", "text")}
    found = {record["id"]: record for record in read_jsonl(tmp_path / "out.jsonl")}
    for record in found.values():
        del record["meta"]
    return str(tmp_path / "model"), columns, found


def check(rows, found, n_rows=13):
    assert len(rows) == n_rows
    for row in rows:
        if row["id"] == "bad":
            assert row["json"] == "" and row["error"] == "ValueError: found the word"
        else:
            assert json.loads(row["json"]) == found[row["id"]] and row["error"] == ""


def rows_of(columns):
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def test_a_batch(known):
    model, columns, found = known
    rows = rows_of(AnnotateBatch(model)(columns))
    assert [row["id"] for row in rows] == columns["id"]
    check(rows, found)


def test_tables_one_by_one(known):
    model, columns, found = known
    tables = ({name: values[i : i + 5] for name, values in columns.items()} for i in (0, 5, 10))
    results = list(annotate_with(model)(tables))
    assert [", ".join(f"{name} string" for name in table) for table in results] == [SCHEMA] * 3
    check([row for table in results for row in rows_of(table)], found)


def test_ray_data(known, trained, tmp_path, monkeypatch):
    pytest.importorskip("pandas", reason="Ray Data needs pandas: pip install 'ray[data]'")
    pytest.importorskip("ray", reason="Ray isn't installed: pip install 'hmtl-spacy[ray]'")
    import ray.data
    from ray_cluster import ENVIRONMENT

    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{ENVIRONMENT['PYTHONPATH']}")
    _, columns, found = known
    trained.remove_pipe("hmtl_test_fails")  # which no worker knows
    trained.to_disk(tmp_path / "plain")
    model, rows = str(tmp_path / "plain"), [row for row in rows_of(columns) if row["id"] != "bad"]
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    try:
        texts = ray.data.from_items(rows)
        done = texts.map_batches(AnnotateBatch, fn_constructor_args=[model], batch_size=5, concurrency=1)
        check(done.take_all(), found, n_rows=12)
    finally:
        ray.shutdown()
