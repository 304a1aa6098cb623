"""The checks that run before every commit are those of .ci/run, and the [dev] extra installs their tools."""

from configparser import ConfigParser
from pathlib import Path

import pytest
import srsly
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
HOOKS = ROOT / ".pre-commit-config.yaml"

pytestmark = pytest.mark.skipif(not HOOKS.exists(), reason="the tests run without the project's files")


def entries():
    (repo,) = srsly.read_yaml(HOOKS)["repos"]
    assert repo["repo"] == "local", "nothing is fetched from elsewhere"
    return [hook["entry"] for hook in repo["hooks"]]


def dev_requirements():
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf8")
    return [Requirement(line).name for line in setup["options.extras_require"]["dev"].strip().splitlines()]


def test_hooks_run_what_ci_runs():
    commands = [line.strip() for line in (ROOT / ".ci" / "run").read_text(encoding="utf8").splitlines()]
    in_ci = {command.removesuffix(" .") for command in commands if command.startswith(("ruff ", "mypy"))}
    assert set(entries()) == in_ci == {"ruff check", "ruff format --check", "mypy"}


def test_the_dev_extra_installs_the_tools_in_tested_versions():
    names = dev_requirements()
    assert {entry.split()[0] for entry in entries()} | {"pre-commit", "pytest-cov"} <= set(names)
    pinned = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert {name for name in names if name != "hmtl-spacy"} <= pinned
