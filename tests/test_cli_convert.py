import subprocess
import sys

import pytest
import spacy
from converting import FIXTURES, vector_package
from spacy.cli._util import app
from spacy.tokens import DocBin
from typer.testing import CliRunner

from hmtl_spacy.registry import converters, registered


def run(*args):
    spacy.registry.cli.get_all()  # as `python -m spacy` does
    result = CliRunner().invoke(app, ["hmtl", *map(str, args)])
    return result.exit_code, " ".join(result.output.split())


@pytest.mark.parametrize(
    "args, message",
    [
        (["iob", "uner.iob2", "--drop", "OTH"], "2 documents, 15 tokens, 3 sentences, 2 entities"),
        (["iob", "conll2003.txt", "--scheme", "iob1", "-n", "1"], "3 documents"),
        (["iob", "uner.iob2", "--token-column", "2", "--tag-column", "3"], "3 entities"),
        (["conllu", "gum.conllu", "--clusters", "head", "--singletons"], "7 mentions, 5 clusters"),
        (["conllu", "gum.conllu", "--mentions", "extent"], "1 clusters"),
        (["conll04", "conll04.txt", "--ents"], "3 entities, 3 mentions, 3 relations"),
        (["conll2012", "conll2012.v4_gold_conll", "--no-unescape"], "3 documents, 18 tokens, 4 sentences"),
        (["ace", "ace", "--files", FIXTURES / "ace" / "test_list"], "1 documents, 13 tokens, 4 sentences"),
        (["ace", "ace", "--stage", "adj", "--mentions", "extent", "--misaligned", "drop"], "1 relations"),
        (["dygie", "dygie.jsonl", "--no-unescape", "--singletons"], "4 mentions, 2 clusters, 2 relations"),
        (["jsonl", "own.jsonl", "--lang", "xx", "--misaligned", "drop"], "3 documents"),
        (["brat", "brat", "--entities", "Ship", "--mentions", "*"], "2 entities, 6 mentions, 2 clusters"),
        (
            ["labelstudio", "labelstudio.json"],
            "1 entities, 4 mentions, 1 clusters, 2 relations",
        ),
        (["labelstudio", "labelstudio.json", "--config", FIXTURES / "labelstudio.xml"], "2 relations"),
        (["doccano", "doccano.jsonl", "--entities", "PER", "--mentions", "*"], "2 entities, 4 mentions"),
        (["prodigy", "prodigy.jsonl", "--coref-label", "left,coref"], "1 clusters"),
        (["docred", "docred.json", "--pairs", "all", "--singletons"], "3 clusters, 20 relations"),
        (["crossre", "crossre.jsonl"], "3 mentions, 3 relations"),
        (["inline", "inline.txt", "--split", "dev"], "1 documents, 15 tokens, 1 sentences"),
        (["inline", "inline.txt", "--mentions", "extent", "--singletons"], "7 mentions, 5 clusters"),
    ],
)
def test_convert(tmp_path, args, message):
    format, name, *options = args
    code, output = run("convert", format, FIXTURES / name, tmp_path / "out.spacy", *options)
    assert code == 0, output
    assert message in output
    assert len(DocBin().from_disk(tmp_path / "out.spacy")) > 0


def test_what_was_dropped_is_reported_once(tmp_path):
    _, output = run("convert", "conll04", FIXTURES / "conll04.txt", tmp_path / "out.spacy")
    assert output.count("Changed or left out: 1 relations of which an argument ends no entity") == 1


def test_exclude(tmp_path):
    source = FIXTURES / "conll04.txt"
    code, output = run("convert", "conll04", source, tmp_path / "out.spacy", "--exclude", source)
    assert code == 1 and "conll04.txt: found no documents" in output
    assert not list(tmp_path.iterdir())


def test_errors_are_one_line_and_leave_nothing(tmp_path):
    (tmp_path / "bad.txt").write_text("Ada O\nByron I-PER\n")
    args = ["convert", "iob", tmp_path / "bad.txt", tmp_path / "out.spacy", "--scheme", "iob2"]
    code, output = run(*args)
    assert code == 1 and "bad.txt:2: 'I-PER' ('Byron') after O" in output and "Traceback" not in output
    assert not (tmp_path / "out.spacy").exists()
    code, output = run(*args[:3], tmp_path / "out.json")
    assert code == 1 and "expected a name that ends in .spacy" in output
    code, output = run("convert", "jsonl", FIXTURES / "own.jsonl", tmp_path / "out.spacy", "--lang", "zzz")
    assert code == 1 and "zzz" in output


@pytest.mark.parametrize("args", [["iob", "--singletons"], ["dygie", "--scheme", "iob1"], ["none"]])
def test_options_of_another_format_are_refused(tmp_path, args):
    format, *options = args
    code, output = run("convert", format, FIXTURES / "uner.iob2", tmp_path / "out.spacy", *options)
    assert code == 2 and "No such" in output


@pytest.mark.parametrize("format", registered(converters))
def test_help_has_an_example(format):
    code, output = run("convert", format, "--help")
    assert code == 0 and f"Example: python -m spacy hmtl convert {format}" in output


def test_vectors(tmp_path):
    code, output = run("vectors", vector_package(tmp_path), tmp_path / "vectors", "--truncate", "3")
    assert code == 0 and "Wrote 3 vectors of width 3" in output
    assert spacy.load(tmp_path / "vectors").vocab.vectors.shape == (3, 3)
    code, output = run("vectors", FIXTURES / "uner.iob2", tmp_path / "none")
    assert code == 1 and "found no such header" in output


def test_installed_command_imports_little():
    code = "import sys, spacy, hmtl_spacy.cli; print(*[m for m in sys.modules if m.startswith('hmtl_spacy')])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert {name.split(".")[1] for name in output.split() if "." in name} == {"cli", "registry"}
