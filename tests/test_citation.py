"""CITATION.cff says what the package says of itself."""

from pathlib import Path

import pytest
import srsly

import hmtl_spacy

CITATION = Path(__file__).resolve().parents[1] / "CITATION.cff"
if not CITATION.exists():
    pytest.skip("the tests run without the project's files", allow_module_level=True)


def test_the_citation_is_of_this_version():
    citation = srsly.read_yaml(CITATION)
    assert citation["cff-version"] == "1.2.0"
    assert str(citation["version"]) == hmtl_spacy.__version__
    assert citation["license"] == "MIT" and "MIT License" in CITATION.with_name("LICENSE").read_text("utf8")


def test_the_paper_is_cited():
    [paper] = srsly.read_yaml(CITATION)["references"]
    assert [author["family-names"] for author in paper["authors"]] == ["Sanh", "Wolf", "Ruder"]
    assert paper["year"] == 2019 and paper["url"].endswith("1811.06031")


def test_the_changelog_has_a_part_for_what_is_not_released():
    changes = CITATION.with_name("CHANGELOG.md").read_text("utf8")
    assert changes.index("## [Unreleased]") < changes.index(f"## [{hmtl_spacy.__version__}]")
