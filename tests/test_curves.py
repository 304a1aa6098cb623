"""The picture of scores in training is the one that its script draws from the data beside it."""

import importlib
import json
from pathlib import Path

import pytest

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
if not IMAGES.is_dir():
    pytest.skip("the tests run without the project's docs", allow_module_level=True)


def test_the_picture_is_what_the_data_says(monkeypatch):
    monkeypatch.syspath_prepend(str(IMAGES))
    curves = importlib.import_module("curves")
    trainings = json.loads(curves.DATA.read_text("utf8"))
    assert curves.PICTURE.read_text("utf8") == curves.drawing(trainings), "run python docs/images/curves.py"
    assert all(50 <= score <= 95 for of in trainings for score in of["mentions"] + of["relations"])
