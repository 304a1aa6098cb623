"""Projects of spaCy in the tests: copies of them, their commands, and the configs that they train with."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from spacy.cli._util import app, parse_config_overrides
from spacy.util import load_config
from typer.testing import CliRunner
from weasel.util.config import load_project_config

ROOT = Path(__file__).resolve().parents[1]
# without an index, packages are built with what is installed, and the network isn't needed
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PIP_NO_INDEX": "1"}


def copy_project(folder, *more):
    """Copy what the workflow `smoke` needs, and more."""
    ignored = shutil.ignore_patterns("__pycache__", "corpus", "training", "metrics", "project.lock")
    for name in ("configs", "assets/smoke", *more):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "project.yml", folder)
    return folder


def project(folder, *args):
    """Run `spacy project` in a process of its own."""
    command = [sys.executable, "-m", "spacy", "project", *map(str, args)]
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)


def scripts(folder, name, **variables):
    """The command lines of a step as lists of arguments, without `python -m spacy`."""
    overrides = {f"vars.{key}": value for key, value in variables.items()}
    commands = {
        command["name"]: command for command in load_project_config(folder, overrides=overrides)["commands"]
    }
    lines = [shlex.split(line) for line in commands[name]["script"]]
    return [line[3:] for line in lines if line[:3] == ["python", "-m", "spacy"]]


def invoke(args):
    """Run a command of spaCy in this process."""
    result = CliRunner().invoke(app, args)
    assert result.exit_code == 0, f"{args}\n{result.output}\n{result.exception!r}"
    return result.output


def training_config(folder, step, **variables):
    """The config that a step merges, with the overrides that it trains with."""
    merge, train, tune, *calibrations = scripts(folder, step, **variables)
    invoke(merge)
    assert train[:2] == ["hmtl", "train"] and train[3] == "--resume"
    assert tune[:3] == ["hmtl", "tune", f"{train[5]}/model-best"]
    assert all(args[:3] == ["hmtl", "calibrate", tune[2]] for args in calibrations)
    options = dict(zip(train[4::2], train[5::2]))
    options = {key: value for key, value in options.items() if key not in ("--output", "--gpu-id")}
    overrides = parse_config_overrides([word for option in options.items() for word in option])
    return load_config(train[2], overrides=overrides)
