"""The cost model of docs/scale.md: the picture and the table are what its constants say."""

import importlib
import json
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
if not DOCS.is_dir():
    pytest.skip("the tests run without the project's docs", allow_module_level=True)


@pytest.fixture
def scale(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS / "images"))
    return importlib.import_module("scale")


@pytest.fixture
def known(scale):
    return json.loads(scale.DATA.read_text("utf8"))


def test_the_picture_is_what_the_constants_say(scale, known):
    assert scale.PICTURE.read_text("utf8") == scale.drawing(known), "run python docs/images/scale.py"


def test_a_driver_is_the_limit_until_there_are_parts(scale, known):
    per_core = known["words per second and core"]["hmtl.cfg"]
    few, many = (scale.days(1e12, cores, per_core, known) for cores in (10, 100))
    assert few / many == pytest.approx(10, rel=0.01)
    full = known["driver words per second"] / per_core * known["ray over nlp.pipe"]
    one, more = (scale.days(1e12, full * factor, per_core, known) for factor in (1, 50))
    assert one == pytest.approx(more)
    assert one / scale.days(1e12, full * 50, per_core, known, parts=50) == pytest.approx(50, rel=0.01)


def test_the_page_has_the_numbers_of_the_model(scale, known):
    page = (DOCS / "scale.md").read_text("utf8")
    row = r"^\| ([\d,]+) words, `(\w+\.cfg)`, ([\d,]+) cores?, (\d+) parts? \| (\S+) days"
    rows = re.findall(row, page, re.MULTILINE)
    assert len(rows) >= 6
    for words, pipeline, cores, parts, days in rows:
        words, cores = (float(number.replace(",", "")) for number in (words, cores))
        per_core = known["words per second and core"][pipeline]
        found = scale.days(words, cores, per_core, known, int(parts))
        assert float(days.replace(",", "")) == pytest.approx(found, rel=0.05), (words, pipeline, cores, parts)
