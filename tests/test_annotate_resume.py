"""A run that is stopped anywhere and made again writes what an undisturbed run writes."""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import spacy
from annotating import files, write_jsonl

from hmtl_spacy.annotate import annotate
from hmtl_spacy.annotate import outputs as outputs_module
from hmtl_spacy.annotate.models import describe_model
from hmtl_spacy.data.writers import format_of, get_writer

BAD = ["{bad", '{"text": 3}']
posix = pytest.mark.skipif(os.name != "posix", reason="processes are forked and killed with SIGKILL")


class Crash(BaseException):
    """The power fails."""


def crash_at(monkeypatch, countdown):
    """Fail in the so manieth of the steps that make the output last."""
    steps = {"left": countdown}

    def failing(step):
        def run(*args):
            steps["left"] -= 1
            if steps["left"] < 0:
                raise Crash
            return step(*args)

        return run

    for name in ("fsync", "replace", "truncate"):
        monkeypatch.setattr(outputs_module.os, name, failing(getattr(os, name)))
    monkeypatch.setattr(Path, "unlink", failing(Path.unlink))


@pytest.mark.parametrize("name", ["out.jsonl", "out.spacy", "out.conll"])
def test_a_crash_at_every_step(trained, tmp_path, monkeypatch, name):
    source = write_jsonl(tmp_path / "in.jsonl", 5, [*BAD, '{"text": "Bob met Ann Lee .", "id": "d0"}'])
    settings = {"batch_size": 2}
    whole = annotate(trained, source, tmp_path / "whole" / name, **settings)
    for step in range(1000):
        (folder := tmp_path / str(step)).mkdir()
        with monkeypatch.context() as patched:
            crash_at(patched, step)
            try:
                annotate(trained, source, folder / name, **settings)
            except Crash:
                pass
            else:
                break
        if (folder / name).exists():
            assert (folder / f"{name}.progress").exists()  # else it would look like a whole one
            torn = folder / name / ".00009.spacy.part" if (folder / name).is_dir() else folder / name
            torn.open("ab").write(b"torn")
        summary = annotate(trained, source, folder / name, **settings)
        assert files(folder / name) == files(tmp_path / "whole" / name), step
        assert files(summary.errors) == files(whole.errors) and summary[:3] == whole[:3], step
        assert not (folder / f"{name}.progress").exists()
    assert 20 < step < 100


@posix
@pytest.mark.parametrize("name, n_process", [("out.jsonl", 1), ("out.spacy", 1), ("out.conll", 2)])
def test_killed_at_random(trained, tmp_path, name, n_process):
    source = write_jsonl(tmp_path / "in.jsonl", 400, BAD)
    settings = {"batch_size": 4, "n_process": n_process}
    whole = annotate(trained, source, tmp_path / f"whole_{name}", **settings)
    out, draw, kills = tmp_path / name, random.Random(name), 0
    fork = multiprocessing.get_context("fork")
    while kills < 100:
        child = fork.Process(target=annotate, args=(trained, source, out), kwargs=settings)
        child.start()
        child.join(draw.uniform(0.05, 0.4) * (1 + kills / 10))  # a busy machine needs more to get anywhere
        if child.exitcode is not None:
            break
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        kills += 1
        if out.exists() and not Path(f"{out}.progress").exists():
            break  # it was done already, and only tidying up
    assert child.exitcode in (0, -signal.SIGKILL) and 3 <= kills < 100
    assert files(out) == files(tmp_path / f"whole_{name}")
    assert files(Path(f"{out}.errors.jsonl")) == files(whole.errors)


@posix
def test_the_command_killed_and_run_again(trained, tmp_path):
    trained.to_disk(tmp_path / "model")
    source = write_jsonl(tmp_path / "in.jsonl", 1000)
    annotate(trained, source, tmp_path / "whole.jsonl", batch_size=4)
    out, progress = tmp_path / "out.jsonl", tmp_path / "out.jsonl.progress"
    command = [sys.executable, "-m", "spacy", "hmtl", "annotate", tmp_path / "model", source, out]
    command += ["--batch-size", "4", "--n-process", "2"]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not progress.exists() or json.loads(progress.read_bytes())["batches"] < 5:
        assert child.poll() is None
        time.sleep(0.01)
    workers = children_of(child.pid)
    child.kill()
    child.wait()
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 0 and "Resumed after" in again.stdout
    assert files(out) == files(tmp_path / "whole.jsonl")
    deadline = time.monotonic() + 120
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < deadline, "processes stayed behind"
        time.sleep(0.05)
    assert len(workers) == 2 or not Path("/proc").exists()


def children_of(pid):
    """Ids of the processes that a process has started, where there is a /proc."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


@pytest.fixture
def stopped(trained, tmp_path, monkeypatch):
    """A run that was stopped after three batches of two documents."""
    source = write_jsonl(tmp_path / "in.jsonl", 9)
    with monkeypatch.context() as patched:
        crash_at(patched, 17)
        with pytest.raises(Crash):
            annotate(trained, source, tmp_path / "out.jsonl", batch_size=2)
    assert json.loads((tmp_path / "out.jsonl.progress").read_text())["batches"] == 3
    return source, tmp_path / "out.jsonl"


def refused(match, *args, **options):
    with pytest.raises(ValueError, match=match):
        annotate(*args, **options)


def test_another_job_is_refused(trained, stopped):
    source, out = stopped
    before = files(out)
    advice = ". Run it as before to resume, or use --overwrite to start again"
    refused(rf"different: options \(batch size\): 2 then, 3 now{advice}", trained, source, out, batch_size=3)
    refused(r"options \(format\): jsonl then, dygie now", trained, source, out, batch_size=2, format="dygie")
    source.write_text(source.read_text() + "{}\n")
    refused(
        r"different: input \(bytes\): \d+ then, \d+ now; input \(names", trained, source, out, batch_size=2
    )
    trained.get_pipe("hmtl").cfg["thresholds"]["relations"] = 0.9
    refused(r"different: model \(digest\): .* then, .* now; input", trained, source, out, batch_size=2)
    assert files(out) == before
    assert annotate(trained, source, out, batch_size=3, overwrite=True).written["documents"] == 9


def test_other_weights_are_another_model(trained, tmp_path):
    trained.to_disk(tmp_path / "model")
    nlp = spacy.load(tmp_path / "model")
    described = describe_model(nlp)
    assert describe_model(spacy.load(tmp_path / "model")) == described
    weights = tmp_path / "model" / "hmtl" / "model"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    assert describe_model(nlp) != described


def test_another_text_of_the_same_length_is_refused(trained, stopped):
    source, out = stopped
    text = source.read_text()
    source.write_text(text.replace("Acme", "Ecma", 1))
    refused("its input isn't what it was, in the part that was annotated", trained, source, out, batch_size=2)
    source.write_text(text)
    assert annotate(trained, source, out, batch_size=2).resumed == 3


def test_output_and_progress_that_do_not_fit(trained, stopped):
    source, out = stopped
    progress = out.with_name("out.jsonl.progress")
    state = progress.read_text()
    out.write_bytes(out.read_bytes()[:5])
    refused("expected a file of [0-9,]+ bytes, found a file of 5 bytes", trained, source, out, batch_size=2)
    progress.write_text(state[:20])
    refused("Can't read .*progress .*Use --overwrite", trained, source, out, batch_size=2)
    progress.write_text(state.replace('"version": 1', '"version": 0'))
    refused("is of another version of hmtl_spacy", trained, source, out, batch_size=2)
    assert annotate(trained, source, out, batch_size=2, overwrite=True).written["documents"] == 9


@pytest.mark.parametrize("name", ["out.jsonl", "out.spacy"])
def test_a_finished_output_is_replaced_only_if_asked(trained, tmp_path, name):
    many, few = write_jsonl(tmp_path / "many.jsonl", 9, BAD), write_jsonl(tmp_path / "few.jsonl", 3)
    out = tmp_path / name
    annotate(trained, many, out, batch_size=2)
    before = files(out)
    refused("something at .* already. Use --overwrite to replace it", trained, few, out, batch_size=2)
    assert files(out) == before
    annotate(trained, few, out, batch_size=2, overwrite=True)
    annotate(trained, few, tmp_path / f"new_{name}", batch_size=2)
    assert files(out) == files(tmp_path / f"new_{name}")
    assert not Path(f"{out}.errors.jsonl").exists()


@pytest.mark.parametrize("name", ["out.jsonl", "out.spacy"])
def test_two_runs_at_one_place_are_noticed(trained, tmp_path, name):
    writer = get_writer(format_of(name))
    one, two = (outputs_module.open_output(writer, tmp_path / name, 0) for _ in range(2))
    one.write(b"a")
    with pytest.raises(RuntimeError, match="has changed since this run wrote to it. Is another run writing"):
        two.write(b"b")
    (missing := tmp_path / "missing").mkdir()
    if name == "out.spacy":
        with pytest.raises(ValueError, match="Can't resume .*00000.spacy is gone"):
            outputs_module.open_output(writer, missing, 2)
