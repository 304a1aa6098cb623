"""The shipped configs: sections that spaCy resolves alone refer to nothing outside; lengths agree."""

import re
from pathlib import Path

import pytest
from spacy.util import registry

from hmtl_spacy.overlay import merge_configs

ROOT = Path(__file__).parent.parent
BASE = ROOT / "configs" / "hmtl.cfg"
FILES = sorted([*(ROOT / "configs").glob("*.cfg"), *(ROOT / "experiments" / "configs").rglob("*.cfg")])
if not BASE.exists():
    pytest.skip("the tests run without the project's configs", allow_module_level=True)
OVERLAYS = [[file] for file in FILES if file != BASE]
ORIGINAL = ROOT / "experiments" / "configs" / "original.cfg"
OVERLAYS += [[], [ORIGINAL, ORIGINAL.with_name("halving.cfg")]]
STEPS = {"hmtl": 6000, "open": 3000, "science": 2000, "conll04": 1000, "sample": 1500, "smoke": 250}


@pytest.mark.parametrize(
    "overlays", OVERLAYS, ids=lambda files: "+".join(file.stem for file in files) or "hmtl"
)
def test_the_optimizer_is_resolved_alone(overlays):
    """As `nlp.resume_training()` does it, with the variables still in the config."""
    config = merge_configs(BASE, overlays)
    optimizer = registry.resolve({"optimizer": config["training"]["optimizer"]})["optimizer"]
    assert optimizer.learn_rate >= 0.0


def sections(text):
    """The sections of a config or of an example in the docs, as heading and body."""
    headings = re.split(r"^\[([\w.]+)\]", text, flags=re.MULTILINE)
    return list(zip(headings[1::2], headings[2::2], strict=True))


def test_no_config_or_example_refers_out_of_the_optimizer():
    texts = {file: file.read_text("utf8") for file in [*FILES, *(ROOT / "docs").glob("*.md")]}
    found = [
        (file.name, variable)
        for file, text in texts.items()
        for heading, body in sections(text)
        if heading.startswith("training.optimizer")
        for variable in re.findall(r"^\w+ = \"?\$\{([\w.]+)\}", body, re.MULTILINE)
        if not variable.startswith("training.optimizer")
    ]
    assert not found


@pytest.mark.parametrize("name, steps", STEPS.items())
def test_the_schedule_ends_with_the_training(name, steps):
    overlays = [] if name == "hmtl" else [BASE.with_name(f"{name}.cfg")]
    training = merge_configs(BASE, overlays).interpolate()["training"]
    assert training["max_steps"] == training["optimizer"]["learn_rate"]["total_steps"] == steps
