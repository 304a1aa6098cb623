"""`spacy hmtl annotate` on the command line."""

import os
import subprocess
import sys

import pytest
import spacy
from annotating import read_jsonl, write_jsonl
from spacy.cli._util import app
from typer.testing import CliRunner

import hmtl_spacy.annotate

BAD = ["{bad", '{"text": 3}']


@pytest.fixture
def model(trained, tmp_path):
    trained.to_disk(tmp_path / "model")
    return tmp_path / "model"


def run(*args, command="annotate"):
    spacy.registry.cli.get_all()  # as `python -m spacy` does
    result = CliRunner().invoke(app, ["hmtl", command, *map(str, args)])
    return result.exit_code, " ".join(result.output.split())


def test_annotate(model, tmp_path):
    source, out = write_jsonl(tmp_path / "in.jsonl", 5), tmp_path / "out.jsonl"
    code, output = run(model, source, out)
    assert code == 0 and "5 documents, 35 tokens, 7 sentences, 6 entities" in output
    assert "Skipped" not in output and "Left out" not in output and len(read_jsonl(out)) == 5
    code, output = run(model, source, out)
    assert code == 1 and "Use --overwrite to replace it" in output and "Traceback" not in output
    assert run(model, source, out, "--overwrite", "--n-process", 2, "--batch-size", 2)[0] == 0


def test_options(model, tmp_path):
    (tmp_path / "in.txt").write_text("It rains .\n\nBob met Ann Lee .\n")
    code, output = run(model, tmp_path / "in.txt", tmp_path / "out", "--lines", "--format", "dygie")
    assert code == 0 and "2 documents" in output and "named entities (of DyGIE's one layer" in output
    assert [r["doc_key"] for r in read_jsonl(tmp_path / "out")] == ["1", "3"]
    (tmp_path / "in.jsonl").write_text('{"body": "It rains .", "n": 7, "x": 1}')
    keys = ["--text-key", "body", "--id-key", "n", "--meta-key", "x"]
    assert run(model, tmp_path / "in.jsonl", tmp_path / "o.jsonl", *keys)[0] == 0
    assert [(r["id"], r["meta"]) for r in read_jsonl(tmp_path / "o.jsonl")] == [("7", 1)]


def test_skipped_documents_are_reported_once_and_fail_if_strict(model, tmp_path):
    source, out = write_jsonl(tmp_path / "in.jsonl", 2, BAD * 4), tmp_path / "out.jsonl"
    code, output = run(model, source, out)
    assert code == 0 and f"Skipped: 8 documents, reported in {out}.errors.jsonl" in output.replace("- ", "-")
    assert "in.jsonl:3: not JSON" in output and "in.jsonl:4: found 'text': 3" in output
    assert "in.jsonl:8" not in output and "and 3 more" in output
    code, output = run(model, source, out, "--overwrite", "--strict")
    assert code == 1 and "2 documents" in output and "Skipped: 8" in output


def test_what_is_wrong_is_one_line(model, tmp_path):
    source = write_jsonl(tmp_path / "in.jsonl", 1)
    for args, message in [
        ([model, source, tmp_path / "out.xml"], "expected a name that ends in .brat.zip (brat)"),
        ([tmp_path / "none", source, tmp_path / "out.jsonl"], "Can't find model"),
        ([model, tmp_path, tmp_path / "out.jsonl", "--format", "dygie"], "Can't write"),
    ]:
        code, output = run(*args)
        assert code == 1 and message in output and "Traceback" not in output


def test_ctrl_c(model, tmp_path, monkeypatch):
    def stop(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(hmtl_spacy.annotate, "annotate", stop)
    code, output = run(model, write_jsonl(tmp_path / "in.jsonl", 1), tmp_path / "out.jsonl")
    assert code == 130 and "Run the same command again to resume" in output
    code, output = run(model, "-", tmp_path / "out.jsonl")
    assert code == 130 and "Stopped." in output and "resume" not in output


def test_help_has_an_example():
    code, output = run("--help")
    assert code == 0 and "Example: python -m spacy hmtl annotate training/model-best texts.jsonl" in output
    assert "With - as input or output there is nothing to resume" in output


def spacy_hmtl(*args, **options):
    command = [sys.executable, "-m", "spacy", "hmtl", "annotate", *map(str, args)]
    return subprocess.run(command, capture_output=True, timeout=240, **options)


def test_standard_input_and_output(model, tmp_path):
    source = write_jsonl(tmp_path / "in.jsonl", 5, BAD)
    run(model, source, tmp_path / "out.jsonl")
    done = spacy_hmtl(model, "-", "-", "--n-process", "2", input=source.read_bytes())
    assert done.returncode == 0 and done.stdout == (tmp_path / "out.jsonl").read_bytes()
    told = done.stderr.decode()
    assert '"line": 6, "reason": "not JSON' in told and "5 documents, 35 tokens" in told
    assert "Skipped: 2 documents, reported above" in told
    done = spacy_hmtl(model, "-", "-", "--format", "spacy", input=b"")
    assert done.returncode == 1 and not done.stdout and b"Can't write to standard output" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="there is a pipe that ends, and /dev/full")
def test_standard_output_that_ends_or_is_full(model, tmp_path):
    source = write_jsonl(tmp_path / "in.jsonl", 5)
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "spacy", "hmtl", "annotate", model, source, "-"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, timeout=240)
    os.close(writing)
    assert done.returncode == 141 and b"Error" not in done.stderr
    if os.path.exists("/dev/full"):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=240)
        message = " ".join(done.stderr.decode().split())
        assert done.returncode == 1 and "Can't write standard output: No space left on device" in message


def test_what_is_left_out_is_counted_and_named(model, tmp_path):
    (folder := tmp_path / "in").mkdir()
    (folder / "a.txt").write_text("It rains .")
    for i in range(7):
        (folder / f"{i}.pdf").write_text("x")
    code, output = run(model, folder, tmp_path / "out.jsonl")
    assert code == 0 and "1 documents" in output and "Not read: 7 files or folders of the input:" in output
    assert "4.pdf: another suffix ... and 2 more" in output and "5.pdf" not in output


@pytest.mark.skipif(os.name != "posix", reason="names are bytes")
def test_names_that_are_not_utf8(model, tmp_path):
    name = os.path.join(os.fsencode(tmp_path), b"caf\xe9.jsonl")
    with open(name, "wb") as file:
        file.write(b"{bad\n")
    done = spacy_hmtl(model, os.fsdecode(name), os.fsdecode(name + b".out"), "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    told = done.stdout.decode("utf-8")
    assert "caf\\xe9.jsonl:1: not JSON" in told and "caf\\xe9.jsonl.out.errors.jsonl" in "".join(told.split())
