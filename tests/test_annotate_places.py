"""What is read, what is left out, where the output may be, who else writes there, and a disk that is full."""

import errno
import gzip
import io
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys

import pytest
from annotating import files, read_jsonl, write_jsonl

from hmtl_spacy.annotate import annotate, readable
from hmtl_spacy.annotate import outputs as outputs_module
from hmtl_spacy.annotate.locks import locked

posix = pytest.mark.skipif(os.name != "posix", reason="names are bytes, and there are named pipes")
TEXT = "Bob met Ann Lee ."
HOLD = """
import sys, time
from pathlib import Path
from hmtl_spacy.annotate.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that writes to an output."""
    child = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "out.jsonl"], stdout=subprocess.PIPE)
    assert child.stdout.readline().strip() == b"held"
    yield child
    child.kill()
    child.wait()
    child.stdout.close()


@pytest.mark.parametrize("n_process", [1, 2])
def test_two_runs_on_one_output(trained, tmp_path, holder, n_process):
    source, out = write_jsonl(tmp_path / "in.jsonl", 3), tmp_path / "out.jsonl"
    who = f"process {holder.pid} on {socket.gethostname()}, since 20..-..-.. ..:..:.."
    for options in ({}, {"overwrite": True}):
        with pytest.raises(RuntimeError, match=rf"Another run is writing to .*out.jsonl: {who}.*Wait until"):
            annotate(trained, source, out, **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl.lock"]
    holder.kill()
    holder.wait()
    assert annotate(trained, source, out, n_process=n_process).written["documents"] == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


def test_a_link_to_an_output_is_the_same_output(trained, tmp_path, holder):
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "out.jsonl")
    with pytest.raises(RuntimeError, match="Another run is writing"):
        annotate(trained, write_jsonl(tmp_path / "in.jsonl", 1), tmp_path / "link.jsonl")


@posix
def test_forked_processes_do_not_hold_the_lock(tmp_path):
    fork = multiprocessing.get_context("fork")
    with locked(tmp_path / "o"):
        child = fork.Process(target=signal.pause)
        child.start()
        with pytest.raises(RuntimeError, match="Another run"), locked(tmp_path / "o"):
            pass
    with locked(tmp_path / "o"):  # although the forked process lives on
        child.kill()
    child.join()


def test_a_lock_that_cannot_be_read(tmp_path):
    with locked(tmp_path / "o"):
        (tmp_path / "o.lock").write_text("[")
        with (
            pytest.raises(RuntimeError, match="Another run .*o.lock is locked. Wait"),
            locked(tmp_path / "o"),
        ):
            pass


@posix
def test_names_that_are_not_utf8(trained, tmp_path):
    (folder := tmp_path / "in").mkdir()
    for name, content in [
        (b"caf\xe9.txt", TEXT.encode()),
        (b"\xff\n\x1b[1m.txt", b"\xff"),
        (b"\xe9.xml", b""),
    ]:
        with open(os.path.join(os.fsencode(folder), name), "wb") as file:
            file.write(content)
    summary = annotate(trained, folder, tmp_path / "out.jsonl", n_process=2)
    [record], [error] = read_jsonl(tmp_path / "out.jsonl"), read_jsonl(summary.errors)
    assert record["id"] == "caf\\xe9" and error["file"] == f"{folder}/\\xff\n\\x1b[1m.txt"
    assert summary.left_out == [("\\xe9.xml", "another suffix")]
    for data in (files(tmp_path / "out.jsonl"), files(summary.errors)):
        assert data.decode("utf-8").isprintable() or b"\\u" not in data
    single = folder / os.fsdecode(b"caf\xe9.txt")
    out = tmp_path / os.fsdecode(b"\xe8.jsonl")
    annotate(trained, single, out)
    assert read_jsonl(out)[0]["text"] == TEXT
    with pytest.raises(ValueError, match=r"something at .*\\xe8.jsonl already"):
        annotate(trained, single, out)
    with pytest.raises(ValueError, match=r"nothing at .*\\xe9"):
        annotate(trained, tmp_path / os.fsdecode(b"\xe9"), out)
    assert readable("\ud800é") == "\\ud800é"


@posix
def test_what_of_a_folder_is_left_out(trained, tmp_path, monkeypatch):
    (folder := tmp_path / "in").mkdir()
    (folder / "sub").mkdir()
    for name in ("a.txt", "B.TXT", "sub/c.Txt", ".DS_Store", "d.pdf", "sub/e"):
        (folder / name).write_text(TEXT)
    (tmp_path / "elsewhere.txt").write_text(TEXT)
    (folder / "link.txt").symlink_to(tmp_path / "elsewhere.txt")
    (folder / "broken.txt").symlink_to(tmp_path / "none.txt")
    (folder / "loop.txt").symlink_to(folder / "loop.txt")
    (folder / "up").symlink_to(folder)
    os.mkfifo(folder / "pipe.txt")
    with socket.socket(socket.AF_UNIX) as listening:
        with monkeypatch.context() as patch:
            patch.chdir(folder)  # names of sockets are short
            listening.bind("socket.txt")
        summary = annotate(trained, folder, tmp_path / "out.jsonl")
    assert [record["id"] for record in read_jsonl(tmp_path / "out.jsonl")] == ["B", "a", "link", "sub/c"]
    assert summary.left_out == [
        (".DS_Store", "another suffix"),
        ("broken.txt", "a broken link"),
        ("d.pdf", "another suffix"),
        ("loop.txt", "a broken link"),
        ("pipe.txt", "a named pipe, not a file"),
        ("socket.txt", "a socket, not a file"),
        ("sub/e", "another suffix"),
        ("up", "a link to a folder"),
    ]


def test_compressed_files(trained, tmp_path):
    (folder := tmp_path / "in").mkdir()
    source = write_jsonl(tmp_path / "in.jsonl", 7)
    annotate(trained, source, tmp_path / "plain.jsonl")
    (tmp_path / "in.jsonl.gz").write_bytes(gzip.compress(source.read_bytes()))
    annotate(trained, tmp_path / "in.jsonl.gz", tmp_path / "out.jsonl")
    assert files(tmp_path / "out.jsonl") == files(tmp_path / "plain.jsonl")
    annotate(trained, source, tmp_path / "docs.spacy")
    docs = (tmp_path / "docs.spacy" / "00000.spacy").read_bytes()
    (tmp_path / "d.spacy.gz").write_bytes(gzip.compress(docs))
    assert annotate(trained, tmp_path / "d.spacy.gz", tmp_path / "d.jsonl").written["documents"] == 7
    (folder / "a.txt").write_text(TEXT)
    (folder / "b.TXT.GZ").write_bytes(gzip.compress(TEXT.encode()))
    (folder / "cut.txt.gz").write_bytes(gzip.compress(TEXT.encode() * 99)[:-9])
    (folder / "not.txt.gz").write_text(TEXT)
    summary = annotate(trained, folder, tmp_path / "folder.jsonl")
    assert [(r["id"], r["text"]) for r in read_jsonl(tmp_path / "folder.jsonl")] == [("a", TEXT), ("b", TEXT)]
    cut, no = read_jsonl(summary.errors)
    assert "can't read the file: Compressed file ended before" in cut["reason"] and "gz" in no["reason"]
    annotate(trained, folder / "b.TXT.GZ", tmp_path / "lines.jsonl", lines=True)
    assert read_jsonl(tmp_path / "lines.jsonl")[0]["id"] == "1"


def refused(match, nlp, source, out, **options):
    before = {path: path.read_bytes() for path in source.parent.rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match=match):
        annotate(nlp, source, out, overwrite=True, **options)
    assert before == {path: path.read_bytes() for path in source.parent.rglob("*") if path.is_file()}


@pytest.mark.parametrize("link", [os.link, os.symlink])
@pytest.mark.parametrize(
    "name", ["out.jsonl", "out.jsonl.errors.jsonl", "out.jsonl.progress", "out.jsonl.lock"]
)
def test_an_output_that_is_the_input_by_another_name(trained, tmp_path, link, name):
    source = write_jsonl(tmp_path / "in.jsonl", 3)
    link(source, tmp_path / name)
    match = f"Can't write .* into the input: .*{name} is the same file as the input .*in.jsonl. Name another"
    refused(match, trained, source, tmp_path / "out.jsonl")


def test_an_output_in_the_input_and_around_it(trained, tmp_path):
    (folder := tmp_path / "all").mkdir()
    source = write_jsonl(folder / "in.jsonl", 3)
    refused("Can't write .*: the input .*in.jsonl is in that folder", trained, source, folder, format="spacy")
    (folder / "sub").mkdir()
    (folder / "sub" / "in.jsonl").write_text("{}")
    refused("is in that folder", trained, folder / "sub", folder, format="spacy")
    (tmp_path / "link").symlink_to(folder)
    refused("Can't write .* into the input", trained, source, tmp_path / "link" / "in.jsonl")
    refused("Can't write .* into the input", trained, folder, tmp_path / "link" / "new.jsonl")
    refused("is in that folder", trained, source, tmp_path / "link", format="spacy")
    (tmp_path / "out.spacy").mkdir()
    os.link(source, tmp_path / "out.spacy" / "00000.spacy")
    refused("is the same file as the input", trained, source, tmp_path / "out.spacy")
    annotate(trained, source, folder / "beside.jsonl")  # a file beside it is none of these


@pytest.mark.parametrize("name", ["out.jsonl", "out.spacy"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_full_disk_at_every_step(trained, tmp_path, monkeypatch, name, code):
    source = write_jsonl(tmp_path / "in.jsonl", 5, ["{bad"])
    whole = annotate(trained, source, tmp_path / "whole" / name, batch_size=2)
    fsync, told = os.fsync, set()
    for step in range(100):
        left = [step]

        def full(handle, left=left):
            left[0] -= 1
            if left[0] < 0:
                raise OSError(code, os.strerror(code))
            fsync(handle)

        out = tmp_path / str(step) / name
        with monkeypatch.context() as patched:
            patched.setattr(outputs_module.os, "fsync", full)
            try:
                annotate(trained, source, out, batch_size=2)
                break
            except OSError as err:
                message = str(err)
        reason = os.strerror(code) + (". Free some space" if code == errno.ENOSPC else "")
        assert message.startswith(f"Can't write {out}") and reason in message
        if (tmp_path / str(step) / f"{name}.progress").exists() and "kept" in message:
            assert "run the same command again to resume" in message
            told.add(message.split(":")[0].removeprefix(f"Can't write {out}"))
        summary = annotate(
            trained, source, out, batch_size=2, overwrite=not os.path.exists(f"{out}.progress")
        )
        assert files(out) == files(tmp_path / "whole" / name) and summary[:3] == whole[:3]
    assert step > 10 and {".progress", ".errors.jsonl"} < told


class Stream:
    """Standard output, say, which has bytes below."""

    def __init__(self, data=b""):
        self.buffer = io.BytesIO(data)

    def write(self, text):
        return self.buffer.write(text.encode())

    def flush(self):
        pass

    def close(self):
        """As multiprocessing does in its processes."""


def stream(monkeypatch, data=b""):
    streams = {name: Stream(data if name == "stdin" else b"") for name in ("stdin", "stdout", "stderr")}
    for name, value in streams.items():
        monkeypatch.setattr(sys, name, value)
    return lambda name: streams[name].buffer.getvalue()


@pytest.mark.parametrize("n_process", [1, 2])
def test_standard_input_and_output(trained, tmp_path, monkeypatch, n_process):
    source = write_jsonl(tmp_path / "in.jsonl", 9, ["{bad"])
    whole = annotate(trained, source, tmp_path / "file.jsonl", batch_size=2)
    with monkeypatch.context() as patched:
        written = stream(patched, source.read_bytes())
        summary = annotate(trained, "-", "-", batch_size=2, n_process=n_process)
    assert written("stdout") == files(tmp_path / "file.jsonl")
    error = json.loads(written("stderr"))
    assert (error["file"], error["line"]) == ("standard input", 10) and summary.errors is None
    assert summary.written == whole.written and summary.failed == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "file.jsonl",
        "file.jsonl.errors.jsonl",
        "in.jsonl",
    ]


def test_standard_input_as_lines_and_other_formats(trained, tmp_path, monkeypatch):
    (tmp_path / "in.txt").write_text(f"{TEXT}\n\n{TEXT}\n")
    annotate(trained, tmp_path / "in.txt", tmp_path / "out.conll", lines=True)
    with monkeypatch.context() as patched:
        written = stream(patched, (tmp_path / "in.txt").read_bytes())
        annotate(trained, "-", "-", lines=True, format="conll2012", batch_size=1)
        with pytest.raises(ValueError, match="Can't write to standard output: the format of .spacy files"):
            annotate(trained, "-", "-", format="spacy")
    assert written("stdout") == files(tmp_path / "out.conll")


def test_standard_input_cannot_be_resumed(trained, tmp_path, monkeypatch):
    data = write_jsonl(tmp_path / "in.jsonl", 5).read_bytes()
    out = tmp_path / "out.jsonl"

    def run(**options):
        with monkeypatch.context() as patched:
            stream(patched, data)
            return annotate(trained, "-", out, batch_size=2, **options)

    with monkeypatch.context() as patched:
        patched.setattr(outputs_module.os, "truncate", lambda *args: None)
        fsyncs = iter(range(9))

        def full(handle):
            if next(fsyncs) == 8:
                raise OSError(errno.ENOSPC, "No space left on device")

        patched.setattr(outputs_module.os, "fsync", full)
        with pytest.raises(OSError, match=r"No space left on device. Free some space.$"):
            run()
    with pytest.raises(ValueError, match="standard input can't be read again. Use --overwrite"):
        run()
    assert run(overwrite=True).written["documents"] == 5
