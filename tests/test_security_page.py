import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "security.md"


@pytest.fixture
def page():
    if not PAGE.exists():
        pytest.skip("the tests run without the project's docs")
    return PAGE.read_text(encoding="utf8")


def test_every_promise_of_the_tables_names_a_test_that_exists(page):
    promises = re.findall(r"^\| (?!promise \|)(.+) \| (.+) \|$", page, re.MULTILINE)
    defined = {
        name
        for path in TESTS.rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", path.read_text(encoding="utf8"), re.MULTILINE)
    }
    assert len(promises) > 20
    for promise, tests in promises:
        named = set(re.findall(r"`(test_\w+)`", tests))
        assert named, promise
        assert named <= defined, (promise, named - defined)
