"""Parts of an input as runs of their own, joined to the bytes of an undivided run."""

import gzip
import json
from dataclasses import replace
from shutil import copytree

import pytest
from annotating import files, write_jsonl
from test_cli_annotate import run

from hmtl_spacy.annotate import annotate, join
from hmtl_spacy.annotate.inputs import Inputs
from hmtl_spacy.annotate.parts import Part, Slice, parse_part
from hmtl_spacy.data.writers import get_writer
from hmtl_spacy.registry import registered, writers

BAD = ["{bad", '{"text": 3}']


def source_of(tmp_path, n_docs=23):
    """Some documents have names that others have."""
    again = [json.dumps({"text": "Bob met Ann Lee .", "id": f"d{i}"}) for i in (0, 0, 20)]
    return write_jsonl(tmp_path / "in.jsonl", n_docs, [*again, *BAD])


def annotate_parts(nlp, source, folder, ending, of, **options):
    """RETURNS: the outputs of all parts."""
    outs = [folder / f"{i}{ending}" for i in range(1, of + 1)]
    for i, out in enumerate(outs, start=1):
        annotate(nlp, source, out, batch_size=4, part=f"{i}/{of}", **options)
    return outs


@pytest.mark.parametrize("format", registered(writers))
def test_joined_parts_are_an_undivided_run(trained, tmp_path, format):
    source, ending = source_of(tmp_path), get_writer(format).endings[0]
    whole = annotate(trained, source, tmp_path / f"whole{ending}", batch_size=4, format=format)
    for of in (1, 3, 9):  # of the last, some are empty
        (folder := tmp_path / str(of)).mkdir()
        outs = annotate_parts(trained, source, folder, ending, of, format=format)
        summary = join(outs[::-1], folder / f"out{ending}")
        assert files(folder / f"out{ending}") == files(tmp_path / f"whole{ending}")
        assert files(summary.errors) == files(whole.errors) and summary[:3] == whole[:3]
        assert not (folder / f"out{ending}.progress").exists()
        assert not (folder / f"out{ending}.part.json").exists()


@pytest.mark.parametrize("name", ["in.jsonl", "in.jsonl.gz"])
@pytest.mark.parametrize("of", [1, 2, 7, 100])
def test_parts_are_the_batches_in_their_order(tmp_path, name, of):
    plain = source_of(tmp_path, 60).read_bytes()
    (tmp_path / name).write_bytes(gzip.compress(plain) if name.endswith("gz") else plain)
    inputs = Inputs(tmp_path / name)
    parts = [Slice(inputs, Part(i, of)) for i in range(1, of + 1)]
    batches = [list(part.batches(3)) for part in parts]
    assert [batch for part in batches for batch in part] == list(inputs.batches(3))
    if of == 7:
        assert {len(part) for part in batches} <= {2, 3, 4}
    digests = [part[-1].digest if part else None for part in batches]
    known = ""
    for part, digest in zip(parts, digests, strict=True):
        assert part.before == known
        known = digest or known


def test_a_part_resumes(trained, tmp_path, monkeypatch):
    from test_annotate_deadly import stop_after

    source, outs = source_of(tmp_path), [tmp_path / f"{i}.jsonl" for i in (1, 2)]
    annotate(trained, source, outs[0], batch_size=2, part="1/2")
    stop_after(monkeypatch, 2, trained, source, outs[1], part="2/2")
    with pytest.raises(ValueError, match="2.jsonl isn't done: its run was interrupted, or goes on"):
        join(outs, tmp_path / "out.jsonl")
    for other in ("1/2", None):
        with pytest.raises(ValueError, match=rf"options \(part\): 2/2 then, {other} now"):
            annotate(trained, source, outs[1], batch_size=2, part=other)
    assert annotate(trained, source, outs[1], batch_size=2, part="2/2").resumed == 2
    join(outs, tmp_path / "out.jsonl")
    annotate(trained, source, tmp_path / "whole.jsonl", batch_size=2)
    assert files(tmp_path / "out.jsonl") == files(tmp_path / "whole.jsonl")


@pytest.fixture
def parts(trained, tmp_path):
    return annotate_parts(trained, source_of(tmp_path), tmp_path, ".jsonl", 3)


def refused(match, parts, out, **options):
    with pytest.raises(ValueError, match=match):
        join(parts, out, **options)


def test_what_is_not_all_parts_of_one_run_is_refused(trained, parts, tmp_path):
    out = tmp_path / "out.jsonl"
    refused("There are no parts to join", [], out)
    refused("Can't join: of 3 parts these are missing: 2.", [parts[0], parts[2]], out)
    refused("twice there are the parts 3 of 3. Name each once", [*parts, parts[2]], out)
    plain = write_jsonl(tmp_path / "plain.jsonl", 2)
    refused("plain.jsonl isn't a part: there is no plain.jsonl.part.json", [*parts, plain], out)
    refused("Can't join to standard output", parts, "-")
    (other := tmp_path / "other").mkdir()
    annotate(trained, tmp_path / "in.jsonl", other / "1.jsonl", batch_size=4, part="1/2")
    refused(
        "different divisions: .*1.jsonl is one of 2, .*2.jsonl one of 3", [other / "1.jsonl", parts[1]], out
    )
    trained.get_pipe("hmtl").cfg["thresholds"]["relations"] = 0.9
    annotate(trained, tmp_path / "in.jsonl", other / "2.jsonl", batch_size=4, part="2/3")
    mixed = [parts[0], other / "2.jsonl", parts[2]]
    refused(r"different runs: model \(digest\): .* in .*1.jsonl, .* in .*other/2.jsonl", mixed, out)
    assert not out.exists()


def test_an_input_that_changed_between_parts_is_refused(trained, parts, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text(source.read_text().replace("Acme", "Ecma", 1))
    annotate(trained, source, parts[1], batch_size=4, part="2/3", overwrite=True)
    refused("Can't join .*2.jsonl: the input before it wasn't", parts, tmp_path / "out.jsonl")


def test_parts_that_changed_are_refused(parts, tmp_path):
    out, kept = tmp_path / "out.jsonl", parts[1].with_name("2.jsonl.part.json")
    size = parts[1].stat().st_size
    with parts[1].open("ab") as file:
        file.write(b"{}\n")
    refused(f"2.jsonl has changed: it had {size} when it was done and has {size + 3} now", parts, out)
    state = kept.read_text()
    kept.write_text(state.replace('"version": 1', '"version": 0'))
    refused("part.json is of another version of hmtl_spacy", parts, out)
    kept.write_text(state[:9])
    refused("Can't read .*part.json .*Annotate the part again", parts, out)


def test_where_the_joined_output_may_be(parts, tmp_path):
    refused("into the input: .* Name another place", parts, parts[1], overwrite=True)
    out = tmp_path / "out.jsonl"
    out.write_text("mine")
    refused("something at .* already. Use --overwrite", parts, out)
    join(parts, out, overwrite=True)
    assert out.read_bytes() == b"".join(map(files, parts))


def test_an_interrupted_join_is_done_again(parts, tmp_path, monkeypatch):
    from hmtl_spacy.annotate import outputs

    out, write = tmp_path / "out.jsonl", outputs.FileOutput.write
    with monkeypatch.context() as patched:

        def failing(output, data):
            write(output, data)
            if output.path == out and data:
                raise KeyboardInterrupt

        patched.setattr(outputs.FileOutput, "write", failing)
        with pytest.raises(KeyboardInterrupt):
            join(parts, out)
    assert (tmp_path / "out.jsonl.progress").exists()
    join(parts, out)
    assert out.read_bytes() == b"".join(map(files, parts))


def test_a_whole_run_in_the_place_of_a_part_is_none(trained, parts, tmp_path):
    annotate(trained, tmp_path / "in.jsonl", parts[1], batch_size=4, overwrite=True)
    refused("2.jsonl isn't a part", parts, tmp_path / "out.jsonl")


def test_a_format_that_cannot_be_joined(trained, tmp_path, monkeypatch):
    class Numbers:
        def number(self, data):
            return data

    writer = replace(get_writer("jsonl"), numbering=Numbers)
    outs = annotate_parts(trained, source_of(tmp_path), tmp_path, ".jsonl", 2)
    monkeypatch.setattr("hmtl_spacy.annotate.joining.get_writer", lambda name: writer)
    refused(
        "Can't join jsonl files: jsonl numbers its documents, and its numbering has no", outs, "out.jsonl"
    )


@pytest.mark.parametrize("part", ["0/3", "4/3", "1", "1/0", "-1/3", "1/2/3", ""])
def test_parts_that_there_cannot_be(part):
    with pytest.raises(ValueError, match=f"The part is '{part}', expected one such as 1/8"):
        parse_part(part)


def test_streams_have_no_parts(trained, tmp_path):
    source = source_of(tmp_path)
    for args in ((source, "-"), ("-", tmp_path / "out.jsonl")):
        with pytest.raises(ValueError, match="Can't annotate part 1/2 from or to standard streams"):
            annotate(trained, *args, part="1/2")


def test_the_commands(trained, tmp_path):
    trained.to_disk(tmp_path / "model")
    source, outs = source_of(tmp_path), [tmp_path / f"{i}.csv" for i in (1, 2)]
    for i, out in enumerate(outs, start=1):
        assert run(tmp_path / "model", source, out, "--part", f"{i}/2")[0] == 0
    assert run(tmp_path / "model", source, tmp_path / "whole.csv")[0] == 0
    code, output = run(outs[0], tmp_path / "out.csv", command="join")
    assert code == 1 and "of 2 parts these are missing: 2" in output
    code, output = run(*outs, tmp_path / "out.csv", command="join")
    assert code == 0 and "26 documents" in output and "Skipped: 2 documents" in output
    assert files(tmp_path / "out.csv") == files(tmp_path / "whole.csv")
    copytree(tmp_path / "out.csv", tmp_path / "copy.csv")
    assert run(*outs, tmp_path / "copy.csv", command="join")[0] == 1
    assert run(*outs, tmp_path / "copy.csv", "--overwrite", command="join")[0] == 0
