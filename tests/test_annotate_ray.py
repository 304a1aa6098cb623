"""Batches on a Ray cluster: the bytes of a local run, whatever dies meanwhile."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from shutil import copy

import pytest
import spacy
from annotating import files, read_jsonl, write_jsonl

from hmtl_spacy.annotate import Ray, annotate
from hmtl_spacy.data.writers import get_writer
from hmtl_spacy.registry import registered, writers

if sys.platform != "linux":
    pytest.skip("several Ray nodes on one machine are for Linux", allow_module_level=True)
ray = pytest.importorskip("ray", reason="Ray isn't installed: pip install 'hmtl-spacy[ray]'")

from ray_cluster import STORE, add_node, cluster_of  # noqa: E402

from hmtl_spacy.annotate.ray_pool import Pool  # noqa: E402

BAD = ["{bad", '{"text": 3}']


@pytest.fixture(scope="module")
def cluster():
    with cluster_of(1, 1) as cluster:
        yield cluster


def on(cluster, **settings):
    return Ray(cluster.address, **{"workers": 2, **settings})


@pytest.fixture
def kept(cluster, monkeypatch):
    """Workers are kept from run to run: starting a process takes longer than all that it does here."""
    actors, hire = [], Pool._hire
    monkeypatch.setattr(Pool, "_hire", lambda pool: actors.pop() if actors else hire(pool))
    monkeypatch.setattr(Pool, "_dismiss", lambda pool, actor: actors.append(actor))
    ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    yield
    for actor in actors:
        ray.kill(actor)
    ray.shutdown()


def test_every_format_is_as_by_a_local_run(cluster, kept, trained, tmp_path):
    source = write_jsonl(tmp_path / "in.jsonl", 22, [*BAD, '{"text": "It rains .", "id": "d0"}'])
    for format in registered(writers):
        one, two = (tmp_path / f"{i}{get_writer(format).endings[0]}" for i in range(2))
        summaries = [
            annotate(trained, source, out, batch_size=4, format=format, engine=engine)
            for out, engine in ((one, "local"), (two, on(cluster)))
        ]
        assert files(one) == files(two), format
        assert files(summaries[0].errors) == files(summaries[1].errors) and summaries[0].failed == 2
        assert summaries[0][:3] == summaries[1][:3], format


def lines_with(path, lines):
    """A file of JSON lines, some of them given by their positions."""
    records = path.read_text().splitlines()
    for position, text in lines.items():
        records[position] = json.dumps({"text": text, "id": f"special {position}"})
    path.write_text("\n".join(records))
    return path


@pytest.fixture
def waiting(trained, tmp_path):
    """A pipeline, an input of which one document waits, and the file that says where it does."""
    trained.add_pipe("hmtl_test_waits")
    place = tmp_path / "waiting"
    return trained, lines_with(write_jsonl(tmp_path / "in.jsonl", 60), {21: f"wait {place}"}), place


def while_it_waits(place, act):
    """In another thread: once the document waits, something happens to its process and node; it goes on."""

    def run():
        deadline = time.monotonic() + 120
        while not place.exists():
            assert time.monotonic() < deadline, "no worker came to the document that waits"
            time.sleep(0.02)
        pid, node = place.read_text().split()
        act(int(pid), node)
        place.with_suffix(".go").touch()
        happened.append(node)

    happened = []
    thread = threading.Thread(target=run)
    thread.start()
    return thread, happened


def check_as_local(nlp, source, out, summary, place):
    place.with_suffix(".go").touch()
    local = annotate(nlp, source, out.with_name(f"local_{out.name}"), batch_size=4)
    assert summary[:3] == local[:3] and summary.failed == 0
    assert files(out) == files(out.with_name(f"local_{out.name}"))


@pytest.fixture
def judged(monkeypatch):
    """How often a job's workers had died, its own fault, after each death."""
    deaths, judge = [], Pool._judge

    def judging(pool, ref):
        job = pool.asked[ref].job
        judge(pool, ref)
        deaths.append(job.deaths)

    monkeypatch.setattr(Pool, "_judge", judging)
    return deaths


def test_a_worker_that_is_killed_loses_nothing(cluster, waiting, judged, tmp_path):
    nlp, source, place = waiting
    thread, happened = while_it_waits(place, lambda pid, node: os.kill(pid, signal.SIGKILL))
    summary = annotate(nlp, source, tmp_path / "out.spacy", batch_size=4, engine=on(cluster))
    thread.join()
    assert happened and judged == [1]
    check_as_local(nlp, source, tmp_path / "out.spacy", summary, place)


def test_a_node_that_is_killed_loses_nothing(cluster, waiting, judged, tmp_path):
    nlp, source, place = waiting

    def remove(pid, id):
        (node,) = (node for node in cluster.worker_nodes if node.node_id == id)
        cluster.remove_node(node, allow_graceful=False)
        with suppress(ProcessLookupError):  # it outlives the node for a moment, as on a real one it wouldn't
            os.kill(pid, signal.SIGKILL)

    thread, happened = while_it_waits(place, remove)
    summary = annotate(nlp, source, tmp_path / "out.csv", batch_size=4, engine=on(cluster))
    thread.join()
    assert happened and judged == [0]
    add_node(cluster, 1)
    check_as_local(nlp, source, tmp_path / "out.csv", summary, place)


def test_a_driver_that_is_killed_is_resumed_by_any_engine(cluster, trained, tmp_path):
    trained.to_disk(tmp_path / "model")
    nlp = spacy.load(tmp_path / "model")
    source = write_jsonl(tmp_path / "in.jsonl", 1000)
    out, progress = tmp_path / "out.jsonl", tmp_path / "out.jsonl.progress"
    command = [sys.executable, "-m", "spacy", "hmtl", "annotate", tmp_path / "model", source, out, "-b", "4"]
    command += ["--engine", "ray", "--address", cluster.address, "--workers", "2"]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while not progress.exists() or json.loads(progress.read_bytes())["batches"] < 5:
        assert driver.poll() is None, driver.stderr.read().decode()
        time.sleep(0.01)
    driver.kill()
    driver.communicate()
    for file in (out, progress):
        copy(file, tmp_path / f"local_{file.name}")
    summaries = [
        annotate(nlp, source, out, batch_size=4, engine=on(cluster)),
        annotate(nlp, source, tmp_path / "local_out.jsonl", batch_size=4),
    ]
    whole = annotate(nlp, source, tmp_path / "whole.jsonl", batch_size=4)
    assert all(summary.resumed >= 5 and summary[:3] == whole[:3] for summary in summaries)
    assert files(out) == files(tmp_path / "local_out.jsonl") == files(tmp_path / "whole.jsonl")


@pytest.fixture
def suspects(monkeypatch):
    """How many documents of batches that failed were annotated at the same time."""
    counts, assign = [], Pool._assign

    def assigning(pool):
        assign(pool)
        counts.append(sum(worker.job is not None and worker.job.alone for worker in pool.running.values()))

    monkeypatch.setattr(Pool, "_assign", assigning)
    return counts


def test_poison_costs_the_poison(cluster, waiting, suspects, tmp_path):
    """A document that ends its worker and one that hangs; the rest is annotated."""
    nlp, source, place = waiting
    nlp.add_pipe("hmtl_test_dies")
    lines_with(source, {2: "deadly", 3: "Bob met Ann Lee .", 21: f"wait {place}"})
    out = tmp_path / "out.jsonl"
    summary = annotate(nlp, source, out, batch_size=4, engine=on(cluster, timeout=5))
    dead, late = read_jsonl(summary.errors)
    assert max(suspects) == 1
    assert (dead["line"], late["line"], summary.failed) == (3, 22, 2)
    assert dead["reason"].startswith("annotating it ended the worker's process, again when alone: ")
    assert late["reason"] == "annotating it took too long, again when alone: more than 5 seconds"
    good = [line for line in source.read_text().splitlines() if "deadly" not in line and "wait" not in line]
    (tmp_path / "good.jsonl").write_text("\n".join(good))
    annotate(nlp, tmp_path / "good.jsonl", tmp_path / "good_out.jsonl", batch_size=4)
    assert files(out) == files(tmp_path / "good_out.jsonl")


MEASURE = """
import resource, sys
import annotating, spacy
from hmtl_spacy.annotate import Ray, annotate

nlp, engine = spacy.load(sys.argv[1]), Ray(sys.argv[2], workers=1)
for source in sys.argv[3:]:
    annotate(nlp, source, source + ".out.jsonl", batch_size=8, engine=engine)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def test_memory_does_not_grow_with_more_than_the_store_holds(cluster, trained, tmp_path):
    """Neither the driver's nor a worker's; pages of the store, which they share, count as theirs too. [MB]"""
    trained.add_pipe("hmtl_test_peak")
    trained.to_disk(tmp_path / "model")
    pad, sources = "x" * 200_000, [tmp_path / "few.jsonl", tmp_path / "many.jsonl"]
    for source, n_docs in zip(sources, (20, 2 * STORE // len(pad)), strict=True):
        with source.open("w") as file:
            for i in range(n_docs):
                file.write(json.dumps({"text": "It rains .", "meta": {"n": i, "pad": pad}}) + "\n")
    command = [sys.executable, "-c", MEASURE, tmp_path / "model", cluster.address, *sources]
    done = subprocess.run(command, capture_output=True, text=True)
    few, many = map(float, done.stdout.split() or pytest.fail(done.stderr))
    with open(f"{sources[1]}.out.jsonl", encoding="utf8") as lines:
        peaks = [json.loads(line)["meta"]["peak"] for line in lines]
    assert len(peaks) == 2 * STORE // len(pad)
    allowed = (STORE >> 20) + 30
    assert many < few + allowed and peaks[-1] < peaks[20] + allowed, (few, many, peaks[20], peaks[-1])


def test_a_document_that_needs_too_much_memory(trained, tmp_path):
    """Ray ends its worker before the machine is short of memory."""
    total, available = memory()
    if available < 6 << 30:
        pytest.skip("needs 6 GiB of memory that nobody uses")
    trained.add_pipe("hmtl_test_eats")
    used = (total - available + (3 << 30)) / total
    source = lines_with(write_jsonl(tmp_path / "in.jsonl", 12), {5: f"eat {4 << 30}"})
    limits = {"RAY_memory_usage_threshold": f"{used:.4f}", "RAY_memory_monitor_refresh_ms": "50"}
    with cluster_of(1, **limits) as small:
        out = tmp_path / "out.jsonl"
        summary = annotate(trained, source, out, batch_size=4, engine=on(small, workers=1))
    [failure] = read_jsonl(summary.errors)
    assert failure["line"] == 6 and "memory" in failure["reason"], failure
    good = [line for line in source.read_text().splitlines() if "eat" not in line]
    (tmp_path / "good.jsonl").write_text("\n".join(good))
    annotate(trained, tmp_path / "good.jsonl", tmp_path / "good_out.jsonl", batch_size=4)
    assert files(out) == files(tmp_path / "good_out.jsonl")


def memory():
    """Of the machine, and what of it is available. [bytes]"""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return tuple(1024 * int(lines[name].split()[0]) for name in ("MemTotal", "MemAvailable"))
