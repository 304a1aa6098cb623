"""The colours of pages, as numbers: they can be read and told apart, with any colour vision."""

import re
from importlib.resources import files
from itertools import combinations

import numpy as np
import pytest

from hmtl_spacy.visualize.palette import COLOURS, FAMILIES, type_colours

STYLE = files("hmtl_spacy.visualize").joinpath("style.css").read_text("utf-8")
LIGHT, DARK = STYLE.split("@media (prefers-color-scheme: dark)")

# what eyes without one kind of cone see, in linear RGB: Machado et al. 2009, severity 1
EYES = {
    "all cones": np.eye(3),
    "no red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "no blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
}
# from linear RGB to OKLab, https://bottosson.github.io/posts/oklab
CONES = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566]]
CONES = np.array([*CONES, [0.0883024619, 0.2817188376, 0.6299787005]])
LAB = [[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099]]
LAB = np.array([*LAB, [0.0259040371, 0.7827717662, -0.808675766]])


def linear(colour):
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    values = np.array([int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """By WCAG 2, from 1 to 21."""
    low, high = sorted(linear(colour) @ [0.2126, 0.7152, 0.0722] + 0.05 for colour in (one, other))
    return high / low


def distance(one, other, eyes):
    """In OKLab, where black is 1 from white."""
    labs = [LAB @ np.cbrt(CONES @ np.clip(np.array(eyes) @ linear(colour), 0, 1)) for colour in (one, other)]
    return np.linalg.norm(labs[0] - labs[1])


def values(style, attribute, name):
    found = re.findall(rf'\[data-{attribute}="(\d)"\] {{[^}}]*--{name}: (#\w+)', style)
    assert [int(number) for number, _ in found] == list(range(8))
    return [colour for _, colour in found]


def value(style, name):
    return re.search(rf"--{name}: (#\w+)", style).group(1)


@pytest.mark.parametrize("style", [LIGHT, DARK], ids=["light", "dark"])
def test_types_can_be_read_on_the_page_and_on_their_tints(style):
    paper, ink = value(style, "paper"), value(style, "ink")
    for colour, tint in zip(values(style, "type", "type"), values(style, "type", "tint"), strict=True):
        assert contrast(colour, paper) >= 4.5 and contrast(colour, tint) >= 4.5, (colour, tint)
        assert contrast(ink, tint) >= 7, tint


@pytest.mark.parametrize("style", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("eyes", EYES.values(), ids=EYES)
def test_types_are_told_apart_with_any_colour_vision(style, eyes):
    for one, other in combinations(values(style, "type", "type"), 2):
        assert distance(one, other, eyes) >= 0.08, (one, other)


@pytest.mark.parametrize("style", [LIGHT, DARK], ids=["light", "dark"])
def test_clusters_and_quiet_words_can_be_read(style):
    for pale in values(style, "colour", "pale"):
        assert contrast(value(style, "ink"), pale) >= 7, pale
    for name in ("quiet", "mention", "further", "arrow", "differs", "focus"):
        assert contrast(value(style, name), value(style, "paper")) >= 4.5, name


def test_contrast_and_distance_are_those_of_their_definitions():
    assert contrast("#000", "#fff") == pytest.approx(21) and contrast("#777777", "#fff") == pytest.approx(
        4.48, abs=0.01
    )
    assert distance("#000", "#fff", np.eye(3)) == pytest.approx(1, abs=1e-3)
    assert distance("#d55e00", "#d55e00", EYES["no red"]) == 0
    assert distance("#cc0000", "#5e5200", EYES["no red"]) < 0.1 < distance("#cc0000", "#5e5200", np.eye(3))


def test_types_of_a_family_share_a_colour_and_the_rest_take_turns():
    found = type_colours(["PERSON", "per", "ORG", "Z", "GPE", "DATE", "Y", "X", "W", "V"])
    assert found["PERSON"] == found["per"] == 0 and (found["ORG"], found["GPE"], found["DATE"]) == (1, 2, 3)
    assert [found[name] for name in "VWXYZ"] == [4, 5, 6, 7, 4]
    assert type_colours(["B", "A"]) == type_colours(["A", "B"]) and len(FAMILIES) < COLOURS == 8
