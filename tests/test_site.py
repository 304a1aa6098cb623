"""The documentation as a site: it builds without a warning, its links lead somewhere, and all is its own."""

import os
import re
import subprocess
import sys
from configparser import ConfigParser
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "mkdocs.yml").exists():
    pytest.skip("the tests run without the project's files", allow_module_level=True)
for name in ("mkdocs", "material", "mkdocstrings"):
    pytest.importorskip(name, reason='pip install "hmtl-spacy[docs]"')

LOADS = {
    "script",
    "img",
    "source",
    "iframe",
    "embed",
    "object",
    "video",
    "audio",
}  # elements that load by themselves
RELS = {"stylesheet", "icon", "preload", "preconnect", "dns-prefetch", "modulepreload", "manifest"}


class Page(HTMLParser):
    """The ids of a page, where its links lead, and what it loads."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.loaded = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag in LOADS:
            self.loaded += [given[key] for key in ("src", "data", "poster") if given.get(key)]
        if tag == "link" and RELS & set((given.get("rel") or "").split()):
            self.loaded.append(given["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "-q",
        "-f",
        ROOT / "mkdocs.yml",
        "-d",
        folder,
    ]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site):
    # the page for what isn't found has links that begin at the server's root
    paths = [path for path in site.rglob("*.html") if path.name != "404.html"]
    return {path: Page(path.read_text("utf8")) for path in paths}


def test_every_page_of_the_documentation_is_there(site):
    for path in (ROOT / "docs").rglob("*.md"):
        relative = path.relative_to(ROOT / "docs").with_suffix(".html")
        name = relative.with_name("index.html") if path.name == "README.md" else relative
        assert (site / name).is_file(), name
    assert (site / "project" / "CONTRIBUTING.html").is_file()
    assert not list(site.glob("*.py")) and not list(site.rglob("images/*.py"))


def test_links_lead_somewhere(pages):
    dead = []
    for path, page in pages.items():
        for link in [*page.links, *page.loaded]:
            if re.match(r"[a-z]+:", link):
                continue
            target, anchor = urldefrag(link)
            there = (path.parent / unquote(target)).resolve() if target else path
            if not there.is_file() or (anchor and there in pages and unquote(anchor) not in pages[there].ids):
                dead.append((path.name, link))
    assert sum(len(page.links) for page in pages.values()) > 1000
    assert not [link for link in dead if link[1] != "#__skip"]


def test_nothing_is_loaded_from_elsewhere(site, pages):
    loaded = [(path.name, link) for path, page in pages.items() for link in page.loaded]
    assert len(loaded) > 100
    assert not [link for link in loaded if re.match(r"(https?:)?//", link[1])]
    for style in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", style.read_text("utf8")), style


def test_the_reference_is_made_from_the_docstrings(site):
    component = (site / "api" / "component.html").read_text("utf8")
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", "utf8")
    made = re.findall(r"hmtl_spacy\.factories:(\w+)", " ".join(setup["options.entry_points"].values()))
    assert len(made) > 10
    assert not [name for name in made if f'id="hmtl_spacy.factories.{name}"' not in component]
    assert "<li><strong>hierarchy</strong>: the tasks that are learned" in re.sub(r"</?p>|\n", "", component)
    render = (site / "api" / "visualize.html").read_text("utf8")
    assert "<strong>returns</strong>: HTML; None if it was displayed." in render
