"""The entity graph in a real browser."""

import json
from itertools import combinations

import pytest
from looking import overflowing, overlap, settle
from test_page import DENSE, make
from tiny import ANNOTATED

from hmtl_spacy.visualize import render

NAMES = [f"Name{i}" for i in range(24)]
LARGE = (
    NAMES,
    {0},
    [],
    [(i, i + 1, "PER" if i % 2 else "ORG") for i in range(24)],
    [],
    [
        *((0, 1, i, i + 1, "KNOWS") for i in range(1, 14)),
        (3, 4, 3, 4, "SELF"),
        (4, 5, 5, 6, "A"),
        (5, 6, 4, 5, "B"),
    ],
)


def show(page, layers, **options):
    page.set_content(render(make(layers), view="graph", page=True, jupyter=False, **options))
    settle(page)


def boxes(page, css):
    found = [one.bounding_box() for one in page.locator(css).all()]
    return [(box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]) for box in found]


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("layers", [DENSE, LARGE], ids=["dense", "large"])
def test_entities_are_beside_each_other_in_the_page(new_page, width, layers):
    page = new_page(width)
    show(page, layers)
    nodes = boxes(page, ".node")
    assert len(nodes) == page.locator("[data-node]").count() > 8
    assert not [pair for pair in combinations(nodes, 2) if overlap(*pair)]
    left, top, right, bottom = boxes(page, ".graph svg")[0]
    assert all(
        left <= a and b >= top and c <= right and d <= bottom
        for a, b, c, d in [*nodes, *boxes(page, ".edge :is(.line, text)")]
    )
    assert overflowing(page) == []


def test_entities_mentioned_more_often_are_larger_and_have_the_colour_of_their_type(page):
    show(page, ANNOTATED[2])
    sizes = page.evaluate(
        "() => [...document.querySelectorAll('.node circle')].map((one) => Number(one.getAttribute('r')))"
    )
    assert sizes[0] > sizes[1] and len(sizes) == 2  # Bob, he; Rome
    fills = page.evaluate(
        "() => [...document.querySelectorAll('.node circle')].map((one) => getComputedStyle(one).fill)"
    )
    assert len(set(fills)) == 2


def test_arrows_begin_and_end_at_their_entities(page):
    show(page, DENSE)
    far = page.evaluate(
        """() => [...document.querySelectorAll(".edge")].map((edge) => {
          const path = edge.querySelector(".line");
          return ["from", "to"].map((side, i) => {
            const item = document.querySelector(`[data-node="${edge.item.dataset[side]}"]`);
            const { x, y } = path.getPointAtLength(i * path.getTotalLength());
            const node = [...document.querySelectorAll(".node")].find((one) => one.item === item);
            const { x: left, y: top, width, height } = node.getBBox();
            const [byX, byY] = [Math.max(left - x, x - left - width), Math.max(top - y, y - top - height)];
            return Math.hypot(Math.max(byX, 0), Math.max(byY, 0));
          });
        })"""
    )
    assert len(far) == page.locator("[data-from]").count() and max(map(max, far)) <= 8


def test_the_same_graph_is_drawn_the_same_and_again_for_another_width(new_page):
    one, other = new_page(900), new_page(900)
    show(one, LARGE)
    show(other, LARGE)
    drawn = one.locator(".graph svg").inner_html()
    assert other.locator(".graph svg").inner_html() == drawn
    other.set_viewport_size({"width": 500, "height": 800})
    settle(other)
    assert other.locator(".graph svg").inner_html() != drawn
    other.set_viewport_size({"width": 900, "height": 800})
    settle(other)
    assert other.locator(".graph svg").inner_html() == drawn


def test_evidence_is_shown_for_what_is_chosen_and_only_for_it(page):
    show(page, ANNOTATED[0])
    shown = page.locator(".graph li:not(ol li)").filter(visible=True)
    assert shown.count() == 0
    page.locator(".edge text").click()
    assert shown.all_inner_texts() == ["Ann Lee WORK → Acme Corp\nAnn Lee works for Acme Corp ."]
    assert page.locator("mark").filter(visible=True).all_inner_texts() == ["Ann Lee", "Acme Corp"]
    page.locator(".node circle").first.click()
    assert shown.all_inner_texts() == [
        "Ann Lee PER · 2 mentions\nAnn Lee works for Acme Corp .\nShe likes it ."
    ]
    page.locator(".node circle").first.click()
    assert shown.count() == 0


def test_evidence_can_be_reached_with_the_keyboard(page):
    show(page, ANNOTATED[0])
    page.keyboard.press("Tab")
    name = page.evaluate("() => document.activeElement.getAttribute('aria-label')")
    assert name.startswith("Ann Lee WORK → Acme Corp")
    page.keyboard.press("Enter")
    assert page.locator("mark").filter(visible=True).count() == 2
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.locator("mark").filter(visible=True).all_inner_texts() == ["Ann Lee", "She"]


def test_without_script_the_graph_is_a_list(new_page):
    page = new_page(360, java_script_enabled=False)
    show_static = render(make(ANNOTATED[0]), view="graph", page=True, jupyter=False)
    page.set_content(show_static)
    assert page.locator(".edges li").first.is_visible() and page.locator("mark").first.is_visible()


def test_a_folded_graph_is_drawn_when_it_is_opened(page):
    page.set_content(render(make(DENSE), view="all", page=True, jupyter=False))
    settle(page)
    assert page.locator(".graph svg").count() == 0
    page.locator("summary", has_text="Entity graph").click()
    settle(page)
    assert page.locator(".node").count() == page.locator("[data-node]").count()
    assert json.loads(
        page.evaluate(
            "() => JSON.stringify(document.querySelector('.graph svg').viewBox.baseVal.width > 300)"
        )
    )
