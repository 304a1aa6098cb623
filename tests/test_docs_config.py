"""docs/config.md says what the code does: defaults, functions, keys of scores; its examples work."""

import inspect
import json
import re
import shlex
from configparser import ConfigParser
from importlib import import_module
from importlib.metadata import entry_points
from itertools import product
from pathlib import Path

import pytest
from spacy.cli._util import parse_config_overrides
from spacy.util import load_config, load_model_from_config, registry
from thinc.api import Config

from hmtl_spacy import defaults, factories
from hmtl_spacy.data.gold import MISALIGNED, WHITE_SPACE
from hmtl_spacy.overlay import merge_configs

ROOT = Path(__file__).parent.parent
DOC = (ROOT / "docs" / "config.md").read_text("utf8")
BASE = ROOT / "configs" / "hmtl.cfg"
EXTRAS = {"hmtl_spacy.Transformer.v1", "spacy-transformers.TransformerListener.v1"}
GROUPS = tuple("architectures callbacks hmtl_tasks scorers readers batchers loggers schedules".split())

INI = re.findall(r"```ini\n(.*?)```", DOC, re.DOTALL)
TABLE = r"((?:^\|.*\n)+)"
CODE = re.compile(r"`([^`]+)`")


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def tables():
    """Each table as its header and rows."""
    for text in re.findall(TABLE, DOC, re.MULTILINE):
        header, _, *rows = text.splitlines()
        yield cells(header), [cells(row) for row in rows]


def documented_defaults():
    """The default of each argument, as the tables write it, by function and argument."""
    documented = {}
    for header, rows in tables():
        if header[:3] == ["function", "argument", "default"]:
            function = ""
            for first, argument, default, _ in rows:
                function = first.strip("`") or function
                assert (function, argument) not in documented
                documented[function, argument.strip("`")] = default
        elif header[0] == "argument":
            for argument, *defaults, _ in rows:
                for function, default in zip(header[1:-1], defaults, strict=True):
                    documented[function.strip("`"), argument.strip("`")] = default
    return documented


def registered():
    """The functions that setup.cfg names, by their names in configs."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", "utf8")
    functions = {}
    for group, lines in setup["options.entry_points"].items():
        if group.partition("_")[2] in GROUPS:
            for line in lines.strip().splitlines():
                name, _, target = line.partition("=")
                module, _, function = target.strip().partition(":")
                functions[name.strip()] = getattr(import_module(module), function)
    return functions


DEFAULTS = documented_defaults()
REGISTERED = registered()
TASKS = sorted(point.name for point in entry_points(group="spacy_hmtl_tasks"))


def require_extras(text):
    if any(name in text for name in EXTRAS):
        pytest.importorskip("spacy_transformers")


def test_the_groups_of_setup_cfg_are_known():
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", "utf8")
    groups = {group.partition("_")[2] for group in setup["options.entry_points"]}
    assert groups == {*GROUPS, "factories", "cli", "hmtl_converters", "hmtl_writers"}


@pytest.mark.parametrize("name", sorted(REGISTERED))
def test_the_tables_have_every_argument_with_its_default(name):
    assert f"`{name}`" in DOC or f'"{name}"' in DOC
    documented = {argument: default for (function, argument), default in DEFAULTS.items() if function == name}
    parameters = inspect.signature(REGISTERED[name]).parameters
    assert set(documented) == set(parameters)
    for argument, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty:
            assert documented[argument] == "required"
        else:
            default = json.loads(documented[argument].strip("`"))
            expected = list(parameter.default) if parameter.default == () else parameter.default
            assert (type(default), default) == (type(expected), expected), argument


def test_an_empty_list_is_filled_in_as_one():
    config = Config(
        {"nlp": {"lang": "en", "pipeline": ["hmtl"]}, "components": {"hmtl": {"factory": "hmtl"}}}
    )
    filled = load_model_from_config(config, auto_fill=True).config.to_str()
    section = filled[filled.index("[components.hmtl.tasks.ner]") :]
    assert "\ninputs = []\n" in section[: section.index("\n\n")]
    again = load_model_from_config(Config().from_str(filled), auto_fill=False)
    assert again.get_pipe("hmtl").tasks["ner"].inputs == []


def test_the_tables_have_no_function_that_is_not_registered():
    assert {function for function, _ in DEFAULTS} <= set(REGISTERED)


def test_the_default_block_is_that_of_the_factory():
    block = next(block for block in INI if 'factory = "hmtl"' in block)
    config = Config().from_str("[components]\n\n" + block)["components"]["hmtl"]
    assert config.pop("factory") == "hmtl"
    assert config == defaults.DEFAULT_CONFIG


def test_the_settings_of_the_component_are_explained():
    rows = next(rows for header, rows in tables() if header == ["setting", "meaning"])
    settings = set(inspect.signature(factories.make_hmtl).parameters) - {"nlp", "name"}
    assert {row[0].strip("`") for row in rows} == settings


def test_score_weights():
    text = " ".join(DOC[DOC.index("`[training.score_weights]`") :].split())
    counted, stored = re.search(r"By default (.*?) have 0\.25 each; (.*?) have 0\.0:", text).groups()
    weights = {**dict.fromkeys(CODE.findall(counted), 0.25), **dict.fromkeys(CODE.findall(stored), 0.0)}
    assert weights == defaults.SCORE_WEIGHTS


def expand(pattern):
    """rel_{a,b}_{p,r} to rel_a_p, rel_a_r ..."""
    parts = [part.split(",") for part in re.split(r"[{}]", pattern)]
    return {"".join(choice) for choice in product(*parts)}


def test_keys_of_scores():
    rows = next(rows for header, rows in tables() if header == ["task", "keys"])
    assert sorted(row[0].strip("`") for row in rows) == TASKS
    for name, keys in rows:
        documented = set().union(*(expand(pattern) for pattern in CODE.findall(keys)))
        assert documented == set(REGISTERED[name.strip("`")]().score([])), name


def test_reasons_of_lost_annotations():
    rows = next(rows for header, rows in tables() if header[0] == "reason")
    tasks = [*(REGISTERED[name]() for name in TASKS), factories.make_mentions(nested=True)]
    reasons = {MISALIGNED, WHITE_SPACE}.union(*(task.reasons for task in tasks))
    assert {row[0] for row in rows} == reasons


@pytest.mark.parametrize("block", INI, ids=lambda block: block.splitlines()[0])
def test_ini_blocks_resolve_as_overlays(block, tmp_path):
    overlay = tmp_path / "overlay.cfg"
    overlay.write_text(block, "utf8")
    config = merge_configs(BASE, [overlay])
    require_extras(config.to_str(interpolate=False))
    registry.resolve({"corpora": config.interpolate()["corpora"]})
    assert load_model_from_config(config, auto_fill=True).pipe_names == config["nlp"]["pipeline"]


OVERRIDES = [row for header, rows in tables() if header == ["what", "override"] for row in rows]


@pytest.mark.parametrize("override", [row[1] for row in OVERRIDES], ids=[row[0] for row in OVERRIDES])
def test_overrides(override):
    pytest.importorskip("spacy_transformers")
    given = parse_config_overrides(shlex.split(override.strip("`")))
    nlp = load_model_from_config(load_config(BASE, overrides=given, interpolate=False), auto_fill=True)
    hmtl, config = nlp.get_pipe("hmtl"), nlp.config["components"]["hmtl"]
    hierarchy = given.get("components.hmtl.hierarchy", list(defaults.HIERARCHY))
    assert list(hmtl.tasks) == hierarchy
    for key, value in given.items():
        setting = config
        for part in key.split(".")[2:]:
            setting = setting[part]
        assert setting == value
    parts = hmtl.model.get_ref("embedding").ref_names
    assert ("characters" in parts) == ("components.hmtl.embedding.parts.characters" not in given)


def test_a_hierarchy_without_a_level_that_another_reads_is_refused():
    pytest.importorskip("spacy_transformers")
    config = load_config(BASE, overrides={"components.hmtl.hierarchy": ["mentions"]}, interpolate=False)
    with pytest.raises(ValueError, match=r"change \[components.hmtl.tasks.mentions\] inputs"):
        load_model_from_config(config, auto_fill=True)


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "docs").glob("*.md")))
def test_ini_blocks_of_all_documents_parse(name, tmp_path):
    base, file = tmp_path / "base.cfg", tmp_path / "block.cfg"
    base.write_text("", "utf8")
    for block in re.findall(r"```ini\n(.*?)```", (ROOT / "docs" / name).read_text("utf8"), re.DOTALL):
        lines = [re.sub(r"\s+;.*", "", line) for line in block.splitlines() if line != "..."]
        file.write_text("\n".join(lines), "utf8")
        assert merge_configs(base, [file])


def test_files_that_are_named_exist():
    assert all((ROOT / path).is_file() for path in re.findall(r"configs/\w+\.cfg", DOC))
    assert all((ROOT / "docs" / path).is_file() for path in re.findall(r"\]\((\w+\.md)\)", DOC))
