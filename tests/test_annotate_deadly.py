"""A document that ends the process that annotates it costs that document, not the run."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest
import torch
from annotating import files, read_jsonl, write_jsonl
from spacy.language import Language
from spacy.tokens import DocBin

from hmtl_spacy.annotate import annotate, children
from hmtl_spacy.annotate.children import Child

posix = pytest.mark.skipif(os.name != "posix", reason="processes are forked and killed with SIGKILL")
DEADLY = {"text": "deadly", "id": "x"}
REASON = "annotating it ended the process, again when alone: "


@Language.component("hmtl_test_killed")
def killed(doc):
    """As by the kernel when memory is short."""
    if "deadly" in doc.text:
        os.kill(os.getpid(), signal.SIGKILL)
    return doc


@Language.component("hmtl_test_threads")
def threads(doc):
    doc.user_data["meta"] = torch.get_num_threads()
    return doc


def with_deadly(path, positions, n_docs=12):
    """A file with and one without the deadly documents."""
    good = write_jsonl(path.with_name("good.jsonl"), n_docs).read_text().splitlines()
    lines = list(good)
    for position in positions:
        lines[position] = json.dumps(DEADLY)
    path.write_text("\n".join(lines))
    return path, [line for line in lines if "deadly" not in line]


@posix
@pytest.mark.parametrize(
    "component, why", [("hmtl_test_dies", "exit code 1"), ("hmtl_test_killed", "SIGKILL")]
)
@pytest.mark.parametrize("name", ["out.jsonl", "out.spacy"])
def test_several_processes(trained, tmp_path, component, why, name):
    trained.add_pipe(component)
    source, good = with_deadly(tmp_path / "in.jsonl", [0, 5, 6, 11])
    summary = annotate(trained, source, tmp_path / name, batch_size=3, n_process=2)
    errors = read_jsonl(summary.errors)
    assert [error["line"] for error in errors] == [1, 6, 7, 12] and summary.failed == 4
    assert all(error["reason"].startswith(f"{REASON}{why}") for error in errors)
    (tmp_path / "good.jsonl").write_text("\n".join(good))
    annotate(trained, tmp_path / "good.jsonl", tmp_path / f"good_{name}", batch_size=3)
    assert records(tmp_path / name, trained) == records(tmp_path / f"good_{name}", trained)
    assert summary.written["documents"] == 8


def records(path, nlp):
    if path.is_file():
        return read_jsonl(path)
    docs = [doc for file in sorted(path.iterdir()) for doc in DocBin().from_disk(file).get_docs(nlp.vocab)]
    return [(doc.user_data["id"], doc.text, doc.to_json()["ents"]) for doc in docs]


def test_one_that_dies_once_loses_nothing(trained, tmp_path):
    """Somebody ends a process that works: its batch is done again, as it would have been."""
    source = write_jsonl(tmp_path / "in.jsonl", 40)
    annotate(trained, source, tmp_path / "one.jsonl", batch_size=4)
    receive, ended = Child.receive, []

    def ending(child):
        if child.begun and not ended:
            ended.append(child.process.pid)
            child.process.kill()
            child.process.join()
            with suppress(EOFError):
                while True:  # what it had sent before
                    child.connection.recv()
        return receive(child)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Child, "receive", ending)
        summary = annotate(trained, source, tmp_path / "out.jsonl", batch_size=4, n_process=2)
    assert ended and summary.failed == 0 and files(tmp_path / "out.jsonl") == files(tmp_path / "one.jsonl")


def test_processes_that_cannot_begin_are_not_the_documents_fault(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(children, "_be_modest", lambda: os._exit(3))
    source = write_jsonl(tmp_path / "in.jsonl", 4)
    with pytest.raises(RuntimeError, match=r"ended before it could begin \(exit code 3\)"):
        annotate(trained, source, tmp_path / "out.jsonl", n_process=2)


RUN = """
import sys
sys.path.insert(0, sys.argv[1])
import annotating, spacy
from hmtl_spacy.annotate import annotate
summary = annotate(spacy.load(sys.argv[2]), sys.argv[3], sys.argv[4], batch_size=3)
print(summary.failed, summary.resumed)
"""


def test_one_process_does_not_die_at_the_same_place_for_ever(trained, tmp_path):
    trained.add_pipe("hmtl_test_dies")
    trained.to_disk(tmp_path / "model")
    source, good = with_deadly(tmp_path / "in.jsonl", [4, 5, 10])
    out = tmp_path / "out.jsonl"
    command = [sys.executable, "-c", RUN, os.path.dirname(__file__), tmp_path / "model", source, out]
    codes = []
    while not codes or codes[-1]:
        assert len(codes) < 4, "it dies for ever"
        done = subprocess.run(command, capture_output=True, text=True)
        codes.append(done.returncode)
    assert codes == [1, 1, 0] and done.stdout.split() == ["3", "3"], done.stderr
    (tmp_path / "good.jsonl").write_text("\n".join(good))
    annotate(trained, tmp_path / "good.jsonl", tmp_path / "good_out.jsonl")
    assert read_jsonl(out) == read_jsonl(tmp_path / "good_out.jsonl")
    errors = read_jsonl(tmp_path / "out.jsonl.errors.jsonl")
    assert [error["line"] for error in errors] == [5, 6, 11]


def test_a_pipeline_that_cannot_go_to_another_process_resumes_here(trained, tmp_path, monkeypatch):
    source = write_jsonl(tmp_path / "in.jsonl", 9)
    summary = annotate(trained, source, tmp_path / "whole.jsonl", batch_size=2)

    def fails(*args):
        raise AssertionError("daemonic processes are not allowed to have children")

    stop_after(monkeypatch, 2, trained, source, tmp_path / "out.jsonl")
    monkeypatch.setattr(children.Process, "start", fails)
    again = annotate(trained, source, tmp_path / "out.jsonl", batch_size=2)
    assert again.resumed == 2 and again.written == summary.written
    assert files(tmp_path / "out.jsonl") == files(tmp_path / "whole.jsonl")


def stop_after(monkeypatch, n_batches, nlp, source, out, **options):
    """Interrupt a run after so many batches of two documents."""
    from hmtl_spacy.annotate.progress import Progress

    save, left = Progress.save, [n_batches + 1]

    def stopping(state):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        save(state)

    with monkeypatch.context() as patched:
        patched.setattr(Progress, "save", stopping)
        with pytest.raises(KeyboardInterrupt):
            annotate(nlp, source, out, batch_size=2, **options)


def test_processes_have_one_thread_each(trained, tmp_path):
    trained.add_pipe("hmtl_test_threads")
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        annotate(trained, write_jsonl(tmp_path / "in.jsonl", 4), tmp_path / "out.jsonl", n_process=2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert {record["meta"] for record in read_jsonl(tmp_path / "out.jsonl")} == {1}
