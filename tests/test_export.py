"""`spacy hmtl export`: what .spacy files have, in each format of the writers, without a pipeline."""

import csv
import json
import re
import subprocess
import sys

import pytest
import spacy
from annotating import files, read_jsonl
from converting import clusters, ents, mentions, relations
from spacy.cli._util import app
from spacy.tokens import DocBin
from test_writers_tools import document
from tiny import annotate
from typer.testing import CliRunner

from hmtl_spacy.annotate import export, exporting
from hmtl_spacy.data.converters import convert
from hmtl_spacy.data.layers import layers_to_json, read_layers
from hmtl_spacy.data.writers import get_writer
from hmtl_spacy.registry import registered, writers

NLP = spacy.blank("en")


def run(*args):
    spacy.registry.cli.get_all()  # as `python -m spacy` does
    result = CliRunner().invoke(app, ["hmtl", "export", *map(str, args)])
    return result.exit_code, " ".join(result.output.split())


def everything(doc):
    return doc.text, ents(doc), mentions(doc), clusters(doc), sorted(relations(doc) or ())


@pytest.fixture
def gold(tmp_path):
    """Five documents in two files: the third has no relations annotated, the fourth is empty."""
    docs = [document(), document(), document(relations=None), annotate(NLP.vocab, [], ()), document()]
    for i, doc in enumerate(docs):
        doc.user_data["id"] = f"d{i}"
    folder = tmp_path / "gold"
    folder.mkdir()
    for name, part in (("a.spacy", docs[:2]), ("b.spacy", docs[2:])):
        DocBin(docs=part, store_user_data=True).to_disk(folder / name)
    return folder, docs


@pytest.mark.parametrize("format", registered(writers))
def test_every_format_is_what_its_writer_gives(format, gold, tmp_path):
    folder, docs = gold
    summary = export(folder, tmp_path / "out", format=format)
    assert not summary.failed and summary.written["documents"] in (4, 5)  # some hold no empty document
    writer, out = get_writer(format), tmp_path / "out"
    if not writer.makes_folder and writer.numbering is None:
        parts = [writer.write(doc, read_layers(doc), summary.lost.copy()) for doc in docs]
        assert out.read_bytes() == writer.join([part for part in parts if part is not None])
    assert out.is_dir() == writer.makes_folder and not list(tmp_path.glob("out.*"))


def test_our_json_lines_come_back_the_same(gold, tmp_path):
    folder, docs = gold
    assert export(folder, tmp_path / "out.jsonl").written["relations"] == 12
    convert("jsonl", tmp_path / "out.jsonl", tmp_path / "back.spacy")
    back = list(DocBin().from_disk(tmp_path / "back.spacy").get_docs(NLP.vocab))
    assert [layers_to_json(read_layers(doc)) for doc in back] == [
        json.loads(json.dumps(layers_to_json(read_layers(doc)))) for doc in docs
    ]
    assert [doc.user_data["id"] for doc in back] == ["d0", "d1", "d2", "d3", "d4"]


def test_white_space_is_known_without_a_pipeline(gold, tmp_path):
    """A blank vocabulary wouldn't tell: these formats leave out tokens of white space."""
    export(gold[0], tmp_path / "out.conllu")
    assert "\r" not in (tmp_path / "out.conllu").read_text()


def test_a_name_is_given_where_a_document_has_none(tmp_path):
    doc = annotate(NLP.vocab, ["Ann"], {0}, entities=[(0, 1, "PER")])
    DocBin(docs=[doc, doc]).to_disk(tmp_path / "a.spacy")
    export(tmp_path / "a.spacy", tmp_path / "out.jsonl")
    assert [record["id"] for record in read_jsonl(tmp_path / "out.jsonl")] == ["1", "2"]


@pytest.mark.parametrize("format", ["jsonl", "csv", "spacy", "conll2012"])
def test_an_interrupted_export_resumes(format, gold, tmp_path, monkeypatch):
    folder, _ = gold
    whole, out = tmp_path / "whole", tmp_path / "out"
    export(folder, whole, format=format, batch_size=1)
    real, calls = exporting.write_docs, []

    def stop(*args):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(exporting, "write_docs", stop)
    with pytest.raises(KeyboardInterrupt):
        export(folder, out, format=format, batch_size=1)
    with pytest.raises(ValueError, match=r"options \(batch size\): 1 then, 2 now"):
        export(folder, out, format=format, batch_size=2)
    if format == "csv":  # what was written but not confirmed is cut off
        with (out / "mentions.csv").open("a") as file:
            file.write("half a ro")
    summary = export(folder, out, format=format, batch_size=1)
    assert summary.resumed == 2 and files(out) == files(whole)


def test_another_annotation_of_the_same_words_is_another_input(gold, tmp_path, monkeypatch):
    folder, _ = gold

    def stop(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(exporting, "write_docs", stop)
        with pytest.raises(KeyboardInterrupt):
            export(folder, tmp_path / "out.jsonl")
    size = (folder / "a.spacy").stat().st_size
    data = (folder / "a.spacy").read_bytes()
    (folder / "a.spacy").write_bytes(data[:-1] + b"\0")
    assert (folder / "a.spacy").stat().st_size == size
    with pytest.raises(ValueError, match="input"):
        export(folder, tmp_path / "out.jsonl")


def test_what_cannot_be_written_is_skipped_and_reported(gold, tmp_path):
    folder, _ = gold
    (folder / "c.spacy").write_bytes(b"no .spacy file")
    code, output = run(folder, tmp_path / "out.jsonl", "--strict")
    assert code == 1 and "Skipped: 1 documents" in output and "can't read the file" in output
    assert len(read_jsonl(tmp_path / "out.jsonl")) == 5


def test_what_is_wrong_is_said(gold, tmp_path):
    folder, _ = gold
    (tmp_path / "a.jsonl").write_text("{}\n")
    for args, message in [
        ([tmp_path / "a.jsonl", tmp_path / "o.csv"], "expected .spacy files, found .jsonl files. Convert it"),
        (["-", tmp_path / "o.csv"], "expected .spacy files, found standard input"),
        ([tmp_path / "none", tmp_path / "o.csv"], "There is nothing at"),
        ([folder, folder / "o.csv"], "into the input"),
        ([folder, tmp_path / "o.xyz"], "Can't tell the format"),
        ([folder, tmp_path / "o", "--format", "xyz"], "Can't write 'xyz'; the formats are brat,"),
        ([folder, "-", "--format", "csv"], "Can't write to standard output"),
    ]:
        code, output = run(*args)
        assert code == 1 and message in output and "Traceback" not in output, output
    assert run(folder, tmp_path / "o.csv")[0] == 0
    code, output = run(folder, tmp_path / "o.csv")
    assert code == 1 and "Use --overwrite to replace it" in output
    assert run(folder, tmp_path / "o.csv", "--overwrite")[0] == 0
    (tmp_path / "p.csv").write_text("a file")
    code, output = run(folder, tmp_path / "p.csv", "--overwrite")
    assert code == 1 and "expected a folder, found a file" in output


def test_help_names_the_formats_of_the_registry():
    code, output = run("--help")
    words = re.findall(r"[\w-]+", output)
    assert code == 0 and set(registered(writers)) <= set(words)
    assert "Example: python -m spacy hmtl export corpus/train.spacy" in output


def test_what_is_lost_is_said(gold, tmp_path):
    code, output = run(gold[0], tmp_path / "out.csv")
    assert code == 0 and "5 documents" in output and "5 documents' meta" not in output
    assert "4 documents' meta" in output and "8 sentence boundaries" in output


def read_table(folder, name):
    with (folder / f"{name}.csv").open(newline="", encoding="utf8") as file:
        return list(csv.DictReader(file))


def test_tables(gold, tmp_path):
    export(gold[0], tmp_path / "out.csv", batch_size=2)
    tables = {name: read_table(tmp_path / "out.csv", name) for name in ("documents", "mentions", "relations")}
    assert [row["doc"] for row in tables["documents"]] == ["d0", "d1", "d2", "d3", "d4"]
    assert tables["documents"][0]["relations"] == "4" and tables["documents"][3]["mentions"] == "0"
    assert tables["documents"][2]["relations"] == ""  # not annotated
    first = [row for row in tables["mentions"] if row["doc"] == "d0"]
    assert [(row["text"], row["label"], row["cluster"]) for row in first] == [
        ("Ann Lee", "PER", "1"), ("Lee", "NAME", ""), ("Acme", "ORG", "2"), ("She", "PER", "1"),
    ]  # fmt: skip
    text = document().text
    assert all(text[int(row["start"]) : int(row["end"])] == row["text"] for row in first)
    (own,) = [row for row in tables["relations"] if row["doc"] == "d4" and row["label"] == "OWN"]
    found = [own[key] for key in ("head_text", "head_label", "head_cluster", "tail_text", "tail_start")]
    assert found == ["Ann Lee", "PER", "1", "Acme", "20"]
    rows = read_table(tmp_path / "out.csv", "clusters")
    assert [(row["cluster"], row["text"]) for row in rows if row["doc"] == "d1"] == [
        ("1", "Ann Lee"), ("1", "She"), ("2", "Acme"), ("2", "it"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["=1+1", "+49", "-5", "@SUM(A1)", "'=1", "＝1", 'a "b", c', "'s", "x=1"])
def test_no_cell_is_a_formula_and_each_can_be_had_back(text, tmp_path):
    doc = annotate(NLP.vocab, [text, "x"], {0}, mentions=[(0, 1, "=label")])
    doc.user_data["id"] = "-1"
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "a.spacy")
    summary = export(tmp_path / "a.spacy", tmp_path / "out.csv")
    (row,) = read_table(tmp_path / "out.csv", "mentions")
    assert not any(cell.startswith(("=", "+", "-", "@", "＝")) for cell in row.values())
    assert row["label"] == "'=label" and row["doc"] == "'-1"
    harmless = text in ('a "b", c', "'s", "x=1")
    assert row["text"] == (text if harmless else f"'{text}")
    (count,) = [count for what, count in summary.lost.items() if "formulas" in what]
    assert count == 4 - harmless  # the id in two tables, the label, the text


def test_line_ends_stay_in_their_cell(tmp_path):
    doc = annotate(NLP.vocab, ["a", "\r\n", "b", "\r", "c"], {0}, mentions=[(0, 5, "X")])
    DocBin(docs=[doc]).to_disk(tmp_path / "a.spacy")
    export(tmp_path / "a.spacy", tmp_path / "out.csv")
    (row,) = read_table(tmp_path / "out.csv", "mentions")
    assert row["text"] == doc[0:5].text


def test_standard_output(gold, tmp_path):
    export(gold[0], tmp_path / "out.jsonl")
    command = [sys.executable, "-m", "spacy", "hmtl", "export", str(gold[0]), "-"]
    done = subprocess.run(command, capture_output=True, timeout=240)
    assert done.returncode == 0 and done.stdout == (tmp_path / "out.jsonl").read_bytes()
    assert b"5 documents" in done.stderr
