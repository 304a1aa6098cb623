"""What setup.cfg can't say: presets from another folder, a README whose links work outside the repository."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")


def repository():
    """The address of the repository, which is written in CITATION.cff alone; "" before there is one."""
    found = re.search(r'^repository-code: "?([^"\s]+?)/?"?$', read("CITATION.cff"), re.MULTILINE)
    return found.group(1) if found else ""


def read(name):
    return (ROOT / name).read_text("utf8")


def long_description(url, version):
    """The README. Relative links lead to the repository at this version; without one, their words stay."""

    def absolute(link):
        image, words, target = link.groups()
        if re.match(r"[a-z]+:|#", target):
            return link.group()
        if not url:
            return "" if image else words
        return f"{image}[{words}]({url}/{'raw' if image else 'blob'}/v{version}/{target})"

    return LINK.sub(absolute, read("README.md"))


URL = repository()
VERSION = re.search(r'^__version__ = "(.+)"', read("hmtl_spacy/__init__.py"), re.MULTILINE).group(1)
PAGES = {"Documentation": "tree/{}/docs", "Changelog": "blob/{}/CHANGELOG.md", "Issues": "issues"}

# the presets of `spacy hmtl init-config` travel in the package; their source is the project's folder
setup(
    packages=[*find_packages(include=["hmtl_spacy", "hmtl_spacy.*"]), "hmtl_spacy.configs"],
    package_dir={"hmtl_spacy.configs": "configs"},
    long_description=long_description(URL, VERSION),
    long_description_content_type="text/markdown",
    url=URL,
    project_urls={name: f"{URL}/{page.format('v' + VERSION)}" for name, page in PAGES.items()} if URL else {},
)
