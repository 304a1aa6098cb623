"""The picture of the architecture is the one that its script draws from the table of imports."""

import importlib
from pathlib import Path

import pytest

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
if not IMAGES.is_dir():
    pytest.skip("the tests run without the project's docs", allow_module_level=True)


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(IMAGES))
    return importlib.import_module("architecture")


def test_the_picture_is_what_the_table_says(script):
    drawn = script.drawing(script.read_parts())
    assert script.PICTURE.read_text("utf8") == drawn, "run python docs/images/architecture.py"


def test_every_import_is_an_arrow_or_follows_from_arrows(script):
    layered = importlib.import_module("layered")
    parts = script.read_parts()
    arrows = layered.reduced(set(parts.edges))
    assert arrows < set(parts.edges)
    assert all(target in layered.reachable(part, arrows) for part, target in parts.edges)
    assert ("component", "prediction") in arrows and ("component", "model") not in arrows


def test_every_arrow_points_down(script):
    layered = importlib.import_module("layered")
    parts = script.read_parts()
    depth = layered.depths(parts.names, set(parts.edges))
    assert set(depth) == set(parts.names)
    assert all(depth[part] > depth[target] for part, target in parts.edges)


def test_what_needs_torch_is_marked(script):
    parts = script.read_parts()
    assert {"nn", "component", "evaluation"} <= parts.torch
    assert not parts.torch & {"annotations", "data", "metrics", "visualize"}


def test_a_changed_table_changes_the_picture(script):
    parts = script.read_parts()
    edges = {edge: module for edge, module in parts.edges.items() if edge != ("cli", "training")}
    assert script.drawing(parts._replace(edges=edges)) != script.drawing(parts)
