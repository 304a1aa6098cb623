"""The project of the experiments, run from the folder above it: its commands, paths and configs."""

import shlex
import shutil
import sys
from pathlib import Path

import pytest
import spacy
import srsly
from converting import FIXTURES
from projects import ROOT, copy_project, project, training_config
from spacy.util import load_model_from_config
from weasel.cli.run import project_run
from weasel.util.config import load_project_config

if not (ROOT / "experiments").is_dir():
    pytest.skip("the tests run without the project's experiments", allow_module_level=True)
sys.path.append(str(ROOT / "experiments"))

from hmtl_experiments.probing.__main__ import arguments as probing_arguments
from hmtl_experiments.probing.edges.__main__ import arguments as edge_arguments
from hmtl_experiments.run import arguments

EXPERIMENTS = srsly.read_yaml(ROOT / "experiments" / "project.yml")
STEPS = {command["name"]: command for command in EXPERIMENTS["commands"]}


@pytest.fixture
def folder(tmp_path):
    """A copy of both projects."""
    return copy_project(tmp_path, "experiments")


@pytest.mark.parametrize("workflow", EXPERIMENTS["workflows"])
def test_a_dry_run_goes_through_all_steps(folder, workflow, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    project_run(Path("experiments"), workflow, dry=True)
    n_lines = sum(len(STEPS[step]["script"]) for step in EXPERIMENTS["workflows"][workflow])
    assert capsys.readouterr().out.count("Running command:") == n_lines


def test_the_project_above_converts(folder, tmp_path_factory):
    """With the variable that says where the source is, and once only."""
    copies = tmp_path_factory.mktemp("copies")
    for split in ("train", "dev", "test"):
        shutil.copy(FIXTURES / "dygie.jsonl", copies / f"{split}.json")
    command = ("run", "convert-scierc", "experiments", "--vars.scierc_base", copies)
    done = project(folder, *command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "corpus/scierc/train.spacy").exists() and not list(folder.glob("experiments/corpus/*"))
    assert "Skipping 'convert-scierc': nothing changed" in project(folder, *command).stdout


def test_the_experiments_look_for_the_corpora_above(folder):
    done = project(folder, "run", "ablation-table", "experiments", "--vars.groups", "science")
    assert done.returncode == 1
    assert "There is no corpus at '../corpus/uner/train.spacy': run the project's convert-uner" in done.stderr


@pytest.mark.parametrize("experiment", ["ablation", "embeddings", "speed"])
def test_the_variables_reach_the_experiments(folder, experiment):
    """Every option is one that the command knows; the outputs are what it writes."""
    overrides = {"vars.size": "full", "vars.seeds": "3,4", "vars.groups": "open", "vars.jobs": 2}
    project = load_project_config(folder / "experiments", overrides=overrides)
    [step] = [step for step in project["commands"] if step["name"] == f"{experiment}-table"]
    options = arguments(shlex.split(step["script"][0])[3:])
    assert options.experiment == experiment and options.groups == ["open"] and options.jobs == 2
    assert options.size == "full" and options.seeds == [3, 4] and options.vectors is None
    assert step["outputs"] == [f"{options.metrics}/{experiment}.{suffix}" for suffix in ("md", "json")]


def test_the_variables_reach_probing_and_the_plan(folder):
    overrides = {"vars.name": "mine", "vars.seed": 3, "vars.experiment": "speed", "vars.hours": 4}
    project = load_project_config(folder / "experiments", overrides=overrides)
    steps = {step["name"]: step for step in project["commands"]}
    options = probing_arguments(shlex.split(steps["probing-table"]["script"][0])[3:])
    assert options.name == "mine" and options.seed == 3 and options.vectors == "null"
    assert str(options.treebank) == "../assets/download/gum"
    made = [
        options.results / "probing-mine.json",
        *(options.metrics / f"probing-mine.{x}" for x in ("md", "svg")),
    ]
    assert steps["probing-table"]["outputs"] == list(map(str, made))
    options = edge_arguments(shlex.split(steps["edge-probing-table"]["script"][0])[3:])
    assert options.name == "mine" and options.seed == 3
    assert list(map(str, options.corpus)) == ["../corpus/sample", "../corpus/web"]
    edges = [str(made).replace("probing-mine", "edges-mine") for made in made]
    assert steps["edge-probing-table"]["outputs"] == edges
    options = arguments(shlex.split(steps["plan"]["script"][0])[3:])
    assert options.plan and options.experiment == "speed" and options.hours == 4


def test_the_paper_says_what_is_missing(folder):
    done = project(folder, "run", "paper", "experiments", "--vars.setup", "B")
    assert done.returncode == 1
    assert "ontonotes: 'assets/licensed/ontonotes' is not a folder." in done.stderr
    assert "ace2005" not in done.stderr


@pytest.mark.parametrize("variant", ["", "../configs/hmtl_static.cfg"])
def test_relations_alone(folder, monkeypatch, variant):
    """Relations are the only level, and what the training reads is the corpus of the project above."""
    monkeypatch.chdir(folder / "experiments")
    spacy.registry.cli.get_all()  # as `python -m spacy` does
    config = training_config(folder / "experiments", "train-relations-alone", variant=variant)
    nlp = load_model_from_config(config, auto_fill=True)
    assert {name: task.inputs for name, task in nlp.get_pipe("hmtl").tasks.items()} == {"relations": []}
    settings = config.interpolate()
    assert settings["corpora"]["train"]["corpora"]["conll04"]["path"] == "../corpus/conll04/train.spacy"
    weights = {key: value for key, value in settings["training"]["score_weights"].items() if value}
    assert weights == {"rel_last_token_f": 1.0}


def test_steps_depend_on_what_is_made_before():
    given = {"${vars.config}", "${vars.pipeline}", "${vars.treebank}"}
    for workflow, steps in EXPERIMENTS["workflows"].items():
        made = {f"../corpus/{step.removeprefix('convert-')}" for step in steps}
        for step in steps:
            needed = {dep for dep in STEPS[step].get("deps", []) if not dep.endswith((".cfg", "configs"))}
            assert needed - given <= made, f"{workflow}: {step}"
            made |= set(STEPS[step].get("outputs", []))


def test_shared_variables_are_those_of_the_project_above():
    above = srsly.read_yaml(ROOT / "project.yml")["vars"]
    shared = set(above) & set(EXPERIMENTS["vars"])
    assert {"uner_base", "gum_base", "conll04_base", "scierc_base", "transformer"} <= shared
    assert EXPERIMENTS["vars"]["config"] == f"../{above['config']}"
    for name in shared - {"config", "size"}:  # `size` is that of a search here, of a pipeline there
        assert EXPERIMENTS["vars"][name] == above[name], name


def test_the_documentation_is_what_the_project_says(folder):
    (folder / "experiments" / "README.md").unlink()
    done = project(folder, "document", "experiments", "--output", "experiments/README.md")
    assert done.returncode == 0, done.stdout
    written = (ROOT / "experiments" / "README.md").read_text()
    assert (folder / "experiments" / "README.md").read_text() == written
