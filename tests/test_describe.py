"""What a pipeline says of itself: `spacy hmtl describe`, and spaCy's README of it."""

import json
import re

import pytest
import spacy
from spacy.cli.package import generate_readme
from typer.testing import CliRunner

from hmtl_spacy.cli import hmtl_cli
from hmtl_spacy.evaluation.card import describe_pipeline, scores_table

ABOUT = {
    "description": "Reads ships' logs.",
    "license": "CC BY-SA 4.0",
    "sources": [{"name": "Logs", "url": "https://logs.example", "author": "A. Mate", "license": "CC0"}],
    "notes": "Learned from logs.",
}


@pytest.fixture
def folder(tmp_path):
    """A pipeline, what is to be said of it, and scores on two corpora."""
    spacy.blank("en").to_disk(tmp_path / "model")
    files = {
        "about": ABOUT,
        "logs": {"scores": {"ents_f": 0.8123, "ents_p": 0.9, "rel_strict_f": 0.5}},
        "mail": {"scores": {"ents_f": 0.25, "coref_f": None}},
    }
    for name, content in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def describe(folder, scores=("logs", "mail"), about="about"):
    files = {name: folder / f"{name}.json" for name in scores}
    return describe_pipeline(folder / "model", folder / f"{about}.json", files)


def test_description_reaches_the_loaded_pipeline(folder):
    describe(folder)
    meta = spacy.load(folder / "model").meta
    assert {field: meta[field] for field in ("description", "license", "sources")} == {
        field: ABOUT[field] for field in ("description", "license", "sources")
    }
    assert meta["lang"] == "en"
    assert meta["performance"]["test"] == {
        "logs": {"ents_f": 0.8123, "rel_strict_f": 0.5},
        "mail": {"ents_f": 0.25},
    }


def test_readme_of_the_package_has_sources_and_scores(folder):
    readme = generate_readme(describe(folder))
    assert "[Logs](https://logs.example) (A. Mate)" in readme and "Learned from logs." in readme
    assert "| F1 on test data | entities | relations, strict |" in readme
    assert "| logs | 81.2 | 50.0 |" in readme and "| mail | 25.0 |  |" in readme


def test_describing_twice_is_describing_once(folder):
    assert describe(folder) == describe(folder)


def test_table_has_the_columns_that_were_scored():
    assert scores_table({"x": {"coref_f": 0.5}}).splitlines()[0] == "| F1 on test data | coreference |"


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"licence": "MIT"}, r"has the fields \['licence'\]. Those of a description are"),
        ({"sources": "news"}, "found 'news' as sources, expected a list"),
        ({"author": 3}, "found 3 as author, expected text"),
        (["MIT"], "has to be a JSON object"),
    ],
)
def test_wrong_descriptions_are_told(folder, about, message):
    (folder / "wrong.json").write_text(json.dumps(about))
    with pytest.raises(ValueError, match=message):
        describe(folder, about="wrong")


def test_files_that_cannot_be_used_are_told(folder):
    with pytest.raises(ValueError, match="has none of the scores"):
        describe(folder, scores=["about"])
    (folder / "cut.json").write_text('{"scores":')
    with pytest.raises(ValueError, match="cut.json' isn't JSON"):
        describe(folder, scores=["cut"])
    with pytest.raises(ValueError, match="has no meta.json"):
        describe_pipeline(folder, folder / "about.json", {})


def test_command(folder):
    arguments = ["describe", str(folder / "model"), str(folder / "about.json"), "--scores"]
    done = CliRunner().invoke(hmtl_cli, [*arguments, f"logs={folder / 'logs.json'}"])
    assert done.exit_code == 0, done.output
    assert "81.2" in done.output and "Wrote the description" in done.output
    done = CliRunner().invoke(hmtl_cli, [*arguments, "logs=nowhere.json"])
    assert done.exit_code == 1
    assert "expected a name and an existing file" in re.sub(r"\s+", " ", done.output)
