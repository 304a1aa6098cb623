"""The README is short, and what it and the docs link to exists."""

import re
from pathlib import Path

import pytest

from hmtl_spacy.registry import converters, registered

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "README.md").exists():
    pytest.skip("the tests run without the project's README", allow_module_level=True)

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def anchors(path):
    """The names by which GitHub links to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", path.read_text("utf8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_two_screens():
    assert len((ROOT / "README.md").read_text("utf8").splitlines()) <= 130


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text("utf8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith("http") or (page.name, link) == ("project.md", "project.yml"):
            continue  # project.md is generated for the folder of project.yml
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_format_has_a_page_with_an_example():
    index = (ROOT / "docs" / "data_format.md").read_text("utf8")
    for name in registered(converters):
        page = (ROOT / "docs" / "formats" / f"{name}.md").read_text("utf8")
        assert f"[`{name}`](formats/{name}.md)" in index
        assert page.startswith(f"# {name}") and f"spacy hmtl convert {name} " in page


def test_the_index_lists_every_page():
    index = (ROOT / "docs" / "README.md").read_text("utf8")
    names = {page.name for page in PAGES if page.parent == ROOT / "docs"} - {"README.md"}
    assert all(f"]({name})" in index for name in names)
