"""Imports point one way, as docs/design.md says, and entry points import fast and without torch."""

import ast
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import hmtl_spacy
from hmtl_spacy.data.converters import Converter
from hmtl_spacy.data.writers import Writer

ROOT = Path(hmtl_spacy.__file__).parent
LIGHT = "numpy spacy thinc wasabi srsly catalogue tqdm typer"  # what spaCy itself needs

# Part: what it may import of ours, what it may import of others; both beside itself and the standard library.
TABLE = {
    "__init__": ("", ""),
    "registry": ("", "catalogue spacy"),
    "defaults": ("", ""),
    "annotations": ("", "spacy"),
    "nn": ("", "torch numpy"),
    "metrics": ("", "numpy scipy"),
    "data": ("annotations entities registry", f"{LIGHT} regex cassis pyarrow"),
    "entities": ("annotations", "spacy networkx"),
    "calibration": ("", "numpy scipy"),
    "storage": ("", "torch safetensors"),
    "shims": ("storage", "thinc torch"),
    "requirements": ("__init__", "spacy thinc"),
    "tasks": ("nn annotations calibration metrics data.label_rules data.layers data.teaching", "numpy spacy"),
    "embedding": (
        "nn shims side_by_side storage requirements",
        "thinc spacy numpy torch transformers tokenizers",
    ),
    "hierarchy": ("tasks.base", ""),
    "candidates": ("data nn tasks.base", "spacy numpy"),
    "meta": ("__init__ data", "spacy"),
    "model": ("nn shims side_by_side tasks.base", "thinc spacy numpy torch"),
    "side_by_side": ("", "torch"),
    "prediction": ("model nn side_by_side", "numpy spacy thinc torch"),
    "thresholds": ("data tasks.base", "numpy spacy"),
    "divergence": ("data", "thinc spacy torch"),
    "agreement": ("annotations data entities tasks.base", "spacy"),
    "component": (
        "agreement annotations calibration candidates data divergence entities hierarchy meta model nn"
        " prediction side_by_side tasks.base thresholds",
        "thinc spacy numpy torch",
    ),
    "evaluation": (
        "agreement annotations calibration component hierarchy model nn prediction tasks metrics data"
        " entities thresholds visualize",
        f"{LIGHT} markupsafe",
    ),
    "overlay": ("", "spacy thinc"),
    "presets": ("defaults overlay", "spacy thinc"),
    "schedules": ("", ""),
    "annotate": ("data", f"{LIGHT} ray"),
    "graphs": ("annotate.files annotate.outputs annotate.places data entities", LIGHT),
    "logger": ("data thresholds", LIGHT),
    "training": ("shims annotate.locks annotate.models annotate.outputs", f"{LIGHT} torch safetensors"),
    "visualize": ("annotations data.layers entities", "spacy IPython jinja2 markupsafe"),
    "serve": ("__init__ data visualize", "spacy pydantic fastapi starlette uvicorn markupsafe"),
    "cli": (
        "registry annotate data evaluation graphs overlay presets training visualize",
        f"{LIGHT} fastapi torch uvicorn",
    ),
    "factories": ("defaults registry", "spacy thinc"),
}
# Inside functions these may import more: what is heavy waits until it is needed.
LATE = {"factories": tuple(TABLE), "model": ("embedding",), "cli": ("component", "serve")}


def modules():
    return sorted(".".join(path.relative_to(ROOT).with_suffix("").parts) for path in ROOT.rglob("*.py"))


def part_of(module):
    return module.split(".")[0]


def imports(module):
    """All imports of a module as (ours, name, inside a function); of ours without the package's name."""
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    package = ["hmtl_spacy", *module.split(".")[:-1]]
    tree = ast.parse(path.read_text(encoding="utf8"))
    late = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1] + (node.module.split(".") if node.module else [])
            names = [".".join(base)]
            if len(base) == 1:  # from . import name
                members = [alias.name for alias in node.names]
                names = [f"hmtl_spacy.{name if name in modules() else '__init__'}" for name in members]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module]
        else:
            continue
        for name in names:
            ours = name.split(".")[0] == "hmtl_spacy"
            yield ours, name.partition(".")[2] if ours else name.split(".")[0], id(node) in late


def test_every_module_is_in_the_table_and_in_the_design():
    assert {part_of(module) for module in modules()} <= set(TABLE)
    design = ROOT.parent / "docs" / "design.md"
    if not design.exists():
        pytest.skip("the tests run without the project's docs")
    table = design.read_text(encoding="utf8").split("Imports point one way")[1].split("```")[1]
    for part in ("nn", "metrics", "annotations", "data", "shims", "tasks", "embedding"):
        assert f"{part} " in table
    for part in ("hierarchy", "model", "component", "evaluation", "overlay", "cli", "factories"):
        assert f"{part} " in table


@pytest.mark.parametrize("module", modules())
def test_imports_point_one_way(module):
    part = part_of(module)
    ours, others = (words.split() for words in TABLE[part])
    late_too = LATE.get(part, ())
    for is_ours, name, late in imports(module):
        if is_ours:
            allowed = [part, *ours, *(late_too if late else ())]
            assert any(name == one or name.startswith(f"{one}.") for one in allowed), (module, name)
        elif name not in sys.stdlib_module_names:
            assert name in others, (module, name)


def test_the_check_sees_imports():
    found = set(imports("embedding.transformer"))
    assert (True, "shims", False) in found and (False, "torch", False) in found
    assert (True, "component", True) in set(imports("factories"))
    assert (True, "registry", False) in set(imports("factories"))
    assert (True, "nn.level", False) in set(imports("tasks.base"))


def test_modules_depend_on_each_other_without_a_circle():
    graph = {
        module: {name for ours, name, late in imports(module) if ours and not late} for module in modules()
    }
    done = set()
    while len(done) < len(graph):
        ready = {m for m, needs in graph.items() if m not in done and needs & set(graph) <= done}
        assert ready, f"a circle among {set(graph) - done}"
        done |= ready


WITHOUT_TORCH = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers", "spacy_transformers"):
            raise ImportError(name)

sys.meta_path.insert(0, Blocked())
import catalogue

class WithoutSpacyTransformers:
    def __init__(self, found):
        self.found = found
    def select(self, **wanted):
        return [ep for ep in self.found.select(**wanted) if not ep.value.startswith("spacy_transformers")]

catalogue.AVAILABLE_ENTRY_POINTS = WithoutSpacyTransformers(catalogue.AVAILABLE_ENTRY_POINTS)
import spacy
nlp = spacy.blank("en")
nlp.add_pipe("ner").add_label("A")
nlp.initialize()
nlp("Somebody else's pipeline.")
import hmtl_spacy.factories
for name in ("factories", "architectures", "readers", "batchers", "scorers", "loggers", "callbacks", "misc"):
    getattr(spacy.registry, name).get_all()
print(sorted(name for name in spacy.registry.hmtl_tasks.get_all()))
"""


def test_other_pipelines_load_where_there_is_no_torch():
    found = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, timeout=240)
    expected = sorted(point.name for point in entry_points(group="spacy_hmtl_tasks"))
    assert "hmtl_spacy.NER.v1" in expected
    assert found.stdout.strip() == str(expected), found.stderr


def test_importing_the_package_is_fast():
    code = """
import sys, time, spacy
before = set(sys.modules)
start = time.process_time()
import hmtl_spacy, hmtl_spacy.factories
print(time.process_time() - start, len(set(sys.modules) - before))
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240)
    seconds, n_modules = found.stdout.split()
    assert float(seconds) < 0.3, found.stderr
    assert int(n_modules) <= 5


def test_every_entry_point_exists():
    ours = [
        point
        for group in entry_points().groups
        for point in entry_points(group=group)
        if point.value.startswith("hmtl_spacy.") and group.startswith("spacy_")
    ]
    assert len(ours) >= 28
    formats = (Converter, Writer)
    assert all(callable(entry) or isinstance(entry, formats) for entry in (point.load() for point in ours))
