"""File formats of another package: a converter and a writer, defined here alone, and registered."""

import os
import subprocess
import sys
from collections import Counter
from typing import List, Literal, Optional

import catalogue
import pytest
import spacy
from annotating import write_jsonl
from spacy.cli._util import app
from spacy.tokens import Doc, DocBin
from typer.testing import CliRunner

from hmtl_spacy.data.converters import ConversionError, Converter, Lines, convert
from hmtl_spacy.data.writers import Writer, format_of
from hmtl_spacy.registry import registry


def shout_to_docs(
    lines,
    *,
    source="<input>",
    vocab=None,
    dropped=None,
    case: Literal["upper", "lower"] = "upper",
    drop: Optional[List[str]] = None,
    names: Optional[Lines] = None,
    times: int = 1,
    tagged: bool = True,
):
    """Words in one case. Fills nothing.

    case: which case the words
        get.
    drop: word to leave out; can be repeated.
    names: list of words that keep their case.
    times: how often each line is repeated.
    tagged: whether sentences are set.
    """
    kept = set(names.lines if names else ())
    for line in lines:
        words = [word for word in line.split() * times if word not in (drop or ())]
        dropped["words"] += len(line.split()) * times - len(words)
        cased = [word if word in kept else getattr(word, case)() for word in words]
        starts = [i == 0 for i in range(len(cased))] if tagged else None
        if cased:
            yield Doc(vocab or spacy.blank("en").vocab, words=cased, sent_starts=starts)


def shout_folder_to_docs(path, *, first: int = 0, **options):
    """first: how many files to skip."""
    for file in sorted(path.glob("*.shout"))[first:]:
        yield from shout_to_docs(file.read_text().splitlines(), source=str(file), **options)


def doc_to_shout(doc, layers, lost):
    lost["relations"] += len(layers.relations or ())
    return " ".join(token.text.upper() for token in doc) + "\n" if len(doc) > 1 else None


CONVERTER = Converter(
    shout_to_docs, shout_folder_to_docs, input="A file or folder", example="a b.spacy", flags={"case": "c"}
)
WRITER = Writer(doc_to_shout, (".shout", ".loud.jsonl"))


@pytest.fixture(autouse=True)
def registered():
    registry.hmtl_converters.register("shout", func=CONVERTER)
    registry.hmtl_writers.register("shout", func=WRITER)
    yield
    for kind in ("hmtl_converters", "hmtl_writers"):
        catalogue.REGISTRY.pop(("spacy", kind, "shout"))


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "a.shout"
    path.write_text("Ann likes it\nBob too\n")
    return path


def run(*args):
    registry.cli.get_all()  # as `python -m spacy` does
    result = CliRunner().invoke(app, ["hmtl", *map(str, args)])
    return result.exit_code, " ".join(result.output.split())


def converted(path):
    return [doc.text.strip() for doc in DocBin().from_disk(path).get_docs(spacy.blank("en").vocab)]


def test_a_converter_is_a_command(texts):
    code, output = run("convert", "--help")
    assert code == 0 and "shout Words in one case." in output and "iob Columns with" in output
    code, output = run("convert", "shout", "--help")
    assert (
        code == 0
        and "Words in one case. Fills nothing. Example: python -m spacy hmtl convert shout a b" in output
    )
    assert "A file or folder" in output and "Word to leave out; can be repeated" in output
    assert "-c, --case" in output and "upper|lower" in output and "Which case the words get" in output
    assert "--tagged / --no-tagged" in output and "--first" in output and "How many files to skip" in output
    assert "--vocab" not in output and "--source" not in output and "--dropped" not in output


@pytest.mark.parametrize(
    "options, expected, dropped",
    [
        ([], ["ANN LIKES IT", "BOB TOO"], 0),
        (["-c", "lower"], ["ann likes it", "bob too"], 0),
        (["--drop", "it", "--drop", "likes", "--drop", "too"], ["ANN", "BOB"], 3),
        (["--names", "names.txt"], ["Ann LIKES IT", "Bob TOO"], 0),
        (["--times", "2", "--drop", "it"], ["ANN LIKES ANN LIKES", "BOB TOO BOB TOO"], 2),
    ],
)
def test_its_options_are_those_of_the_command(texts, tmp_path, monkeypatch, options, expected, dropped):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names.txt").write_text("Ann\nBob\n")
    code, output = run("convert", "shout", texts, "out.spacy", *options)
    assert code == 0 and "2 documents" in output, output
    assert converted("out.spacy") == expected
    assert ("Changed or left out" in output) == bool(dropped)
    assert not dropped or f"left out: {dropped} words" in output


def test_flags_and_defaults(texts, tmp_path):
    out = tmp_path / "out.spacy"
    assert "2 sentences" in run("convert", "shout", texts, out)[1]
    assert "2 sentences" not in run("convert", "shout", texts, out, "--no-tagged")[1]
    code, output = run("convert", "shout", texts, out, "--case", "title")
    assert code == 2 and "'title'" in output
    assert run("convert", "shout", texts, out, "--names", tmp_path / "absent")[0] == 2


def test_folders_and_their_options(texts, tmp_path):
    (tmp_path / "b.shout").write_text("Eve\n")
    out = tmp_path / "out.spacy"
    assert run("convert", "shout", tmp_path, out, "--first", 1, "-c", "lower")[0] == 0
    assert converted(out) == ["eve"]
    code, output = run("convert", "shout", texts, out, "--first", 1)
    assert code == 1 and "--first is an option for folders, but the input is a file" in output


def test_from_python(texts, tmp_path):
    dropped = Counter()
    assert convert("shout", texts, tmp_path / "out.spacy", dropped=dropped, drop=["it"])["documents"] == 2
    assert dropped["words"] == 1
    with pytest.raises(ValueError, match="There is no converter for 'xyz'.*, jsonl, .*shout"):
        convert("xyz", texts, tmp_path / "out.spacy")


@pytest.mark.parametrize("broken", [{"read": None}, shout_to_docs])
def test_what_is_no_converter_is_reported_and_the_others_work(broken, tmp_path, texts):
    registry.hmtl_converters.register("shout", func=broken)
    code, output = run("convert", "--help")
    assert code == 0 and "shout Can't be loaded (TypeError: The converter 'shout' is a" in output
    assert "iob Columns with" in output
    code, output = run("convert", "shout", texts, tmp_path / "out.spacy", "--case", "lower")
    assert code == 1 and "The converter 'shout' can't be loaded" in output and "Traceback" not in output


@pytest.fixture
def model(trained, tmp_path):
    trained.to_disk(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("name, options", [("o.shout", []), ("o.loud.jsonl", []), ("o.txt", ["-f", "shout"])])
def test_a_writer_is_a_format_of_annotate(model, tmp_path, name, options):
    source, out = write_jsonl(tmp_path / "in.jsonl", 3), tmp_path / name
    code, output = run("annotate", model, source, out, *options)
    assert code == 0 and "3 documents" in output, output
    lines = out.read_text().splitlines()
    assert len(lines) == 3 and all(line.isupper() for line in lines)


def test_errors_list_the_writer(model, tmp_path):
    source = write_jsonl(tmp_path / "in.jsonl", 1)
    code, output = run("annotate", model, source, tmp_path / "out.xml")
    assert code == 1 and ".shout (shout), .loud.jsonl (shout), .spacy (spacy)" in output
    code, output = run("annotate", model, source, tmp_path / "out.xml", "--format", "xyz")
    assert code == 1 and "Can't write 'xyz'; the formats are " in output and ", shout," in output


def test_a_broken_writer_stops_only_itself():
    registry.hmtl_writers.register("shout", func=doc_to_shout)
    assert format_of("a.jsonl") == "jsonl"
    with pytest.raises(
        TypeError, match="The writer 'shout' is a function, expected a hmtl_spacy.data.writers"
    ):
        format_of("a.jsonl", "shout")


def test_a_package_that_is_installed(tmp_path):
    """Real entry points: one package whose formats work, and one that can't be imported."""
    info = tmp_path / "loud-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loud\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[spacy_hmtl_converters]\nloud = loud:converter\nbroken = loud_and_broken:converter\n"
        "[spacy_hmtl_writers]\nloud = loud:writer\nbroken = loud_and_broken:writer\n"
    )
    (tmp_path / "loud_and_broken.py").write_text("import a_module_that_is_missing\n")
    (tmp_path / "loud.py").write_text(
        '''from __future__ import annotations
from spacy.tokens import Doc
from spacy.vocab import Vocab
from hmtl_spacy.data.converters import Converter
from hmtl_spacy.data.writers import Writer

def loud_to_docs(lines, *, source, vocab: Vocab | None, dropped, end: str = "!"):
    """Loud words.

    end: last word of each document.
    """
    for line in lines:
        yield Doc(vocab or Vocab(), words=[*line.upper().split(), end])

converter = Converter(loud_to_docs)
writer = Writer(lambda doc, layers, lost: doc.text, (".loud",))
'''
    )
    (tmp_path / "in.loud").write_text("come here\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}

    def spacy_command(*args):
        command = [sys.executable, "-m", "spacy", *args]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    code, output = spacy_command("hmtl", "--help")
    assert code == 0 and "convert" in output
    code, output = spacy_command("hmtl", "convert", "--help")
    assert code == 0 and "loud Loud words." in output and "iob Columns with" in output
    assert "broken Can't be loaded (ModuleNotFoundError: No module named" in output
    code, output = spacy_command("hmtl", "convert", "loud", "in.loud", "out.spacy", "--end", ".")
    assert code == 0 and "1 documents, 3 tokens" in output
    assert converted(tmp_path / "out.spacy") == ["COME HERE ."]
    code, output = spacy_command("hmtl", "convert", "broken", "in.loud", "out.spacy")
    assert code == 1 and "The converter 'broken' can't be loaded" in output and "a_module_that" in output
    ask = "from hmtl_spacy.data.writers import format_of; print(format_of('a.loud'), format_of('a.json'))"
    done = subprocess.run([sys.executable, "-c", ask], env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["loud", "dygie"], done.stderr


def bytes_to_docs(path, *, vocab=None, dropped=None):
    yield Doc(vocab or spacy.blank("en").vocab, words=[path.read_bytes().hex()])


def test_a_format_that_is_not_lines_is_read_by_its_path(tmp_path):
    registry.hmtl_converters.register("shout", func=Converter(bytes_to_docs, paths=True))
    (tmp_path / "a.bin").write_bytes(b"\xff\r\n")
    convert("shout", tmp_path / "a.bin", tmp_path / "out.spacy")
    [doc] = DocBin().from_disk(tmp_path / "out.spacy").get_docs(spacy.blank("en").vocab)
    assert doc[0].text == "ff0d0a"
    for name, found in (("b.bin", "no such file"), (".", "it is a folder")):
        with pytest.raises(ConversionError, match=f"{found}; name an existing file"):
            convert("shout", tmp_path / name, tmp_path / "out.spacy")
