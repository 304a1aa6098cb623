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
    drawn = script.drawing(script.read_house())
    assert script.PICTURE.read_text("utf8") == drawn, "run python docs/images/architecture.py"


def test_every_import_is_an_arrow_or_follows_from_arrows(script):
    layered = importlib.import_module("layered")
    house = script.read_house()
    arrows = layered.reduced(set(house.edges))
    assert arrows < set(house.edges)
    assert all(target in layered.reachable(room, arrows) for room, target in house.edges)
    assert ("component", "model") in arrows and ("component", "nn") not in arrows


def test_every_arrow_points_down(script):
    layered = importlib.import_module("layered")
    house = script.read_house()
    depth = layered.depths(house.rooms, set(house.edges))
    assert set(depth) == set(house.rooms)
    assert all(depth[room] > depth[target] for room, target in house.edges)


def test_what_needs_torch_is_marked(script):
    house = script.read_house()
    assert {"nn", "component", "evaluation"} <= house.torch
    assert not house.torch & {"annotations", "data", "metrics", "visualize"}


def test_a_changed_table_changes_the_picture(script):
    house = script.read_house()
    edges = {edge: module for edge, module in house.edges.items() if edge != ("cli", "overlay")}
    assert script.drawing(house._replace(edges=edges)) != script.drawing(house)
