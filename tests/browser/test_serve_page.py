"""The web application's page in a real browser."""

import json
import re
from urllib.parse import quote

import httpx
import pytest
from application import TEXT, annotate, wait_for, words
from looking import arrows, meets, overflowing

ATTACK = (
    "<script>document.title='ran'</script> <img src=x onerror=\"document.title='ran'\"> Ann Lee <b>works</b>"
)


def test_the_page_opens_with_an_example_that_typing_replaces(opened):
    example = opened.locator("[data-text]").first.get_attribute("data-text")
    assert opened.locator("#text").input_value() == example
    assert "".join(words(opened)) == "".join(example.split())
    opened.keyboard.type("Bob")
    assert opened.locator("#text").input_value() == "Bob"


def test_scores_and_the_entity_graph_are_shown(opened):
    annotate(opened, TEXT)
    opened.locator("#layers .entities.begins").first.hover()
    assert re.search(r"\(score \d\.\d\d\)", opened.locator(".hint").inner_text())
    opened.locator("#layers summary", has_text="Entity graph").click()
    opened.wait_for_selector("#layers .node")
    opened.locator("#layers .edge text").first.click()
    assert opened.locator("#layers mark").filter(visible=True).count() >= 2


def test_a_typed_text_is_annotated(opened, url):
    annotate(opened, TEXT)
    assert words(opened) == TEXT.split()
    expected = httpx.post(f"{url}/api/annotate", json={"text": TEXT}).json()
    assert expected["relations"] and expected["clusters"]
    assert opened.locator("#layers .links li").count() == len(expected["relations"])
    assert opened.locator("#layers .clusters li").count() == len(expected["clusters"])
    found = {layer: len(expected[layer]) for layer in ("entities", "mentions", "clusters", "relations")}
    for number in found.values():
        assert str(number) in opened.locator("#status").inner_text()


def test_the_page_works_by_keyboard(opened):
    assert opened.evaluate("document.activeElement.id") == "text"
    opened.keyboard.type(TEXT)
    opened.keyboard.press("Control+Enter")
    wait_for(opened, "Found")
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.id") == "annotate"
    opened.keyboard.press("Tab")
    opened.keyboard.press("Enter")
    opened.wait_for_function("() => document.getElementById('layers').textContent.includes('Keller')")
    reached = set()
    for _ in range(12):
        opened.keyboard.press("Tab")
        reached.add(opened.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"permalink"} <= reached and any("begins" in name for name in reached)


def test_hover_lights_and_arrows_meet_in_a_text_that_was_put_in(opened):
    for text in ("Bob sings .", TEXT):
        annotate(opened, text)
    mention = opened.locator("#layers .coref.begins").first
    mention.hover()
    assert opened.locator("#layers .lit").count() > 1
    drawn = arrows(opened)
    assert drawn and all(meets(one["from"], one["head"]) and meets(one["to"], one["tail"]) for one in drawn)


def test_examples_can_be_clicked(opened):
    buttons = opened.locator("[data-text]").all()
    assert len(buttons) >= 3
    for button in buttons:
        button.click()
        text = button.get_attribute("data-text")
        assert opened.locator("#text").input_value() == text
        opened.wait_for_function(
            "text => JSON.parse(document.getElementById('json').textContent || '{}').text === text", arg=text
        )
        assert "".join(words(opened)) == "".join(text.split())


def test_the_json_is_that_of_the_api(opened, url):
    annotate(opened, TEXT)
    assert not opened.locator("#json").is_visible()
    opened.locator("#beside summary").click()
    assert opened.locator("#json").is_visible()
    shown = json.loads(opened.locator("#json").inner_text())
    assert shown == httpx.post(f"{url}/api/annotate", json={"text": TEXT}).json()


def test_the_json_can_be_copied(new_page, url):
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(url)
    annotate(page, TEXT)
    page.locator("#beside summary").click()
    page.get_by_role("button", name="Copy").click()
    wait_for(page, "copied")
    assert json.loads(page.evaluate("navigator.clipboard.readText()"))["text"] == TEXT


def test_script_in_a_text_is_text(opened, url):
    title = opened.title()
    annotate(opened, ATTACK)
    opened.goto(f"{url}/#text={quote(ATTACK)}")
    opened.reload()
    wait_for(opened, "Found")
    assert opened.title() == title
    assert opened.locator("#layers script, #layers img, #layers b:text('works')").count() == 0
    assert "".join(words(opened)) == "".join(ATTACK.split())


def test_the_policy_stops_what_would_be_put_in(opened):
    opened.evaluate("document.getElementById('layers').innerHTML = '<img src=x onerror=\"window.ran = 1\">'")
    opened.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'ran = 1'}))"
    )
    opened.evaluate("() => fetch('http://127.0.0.1:9/').catch(() => 0)")
    opened.wait_for_timeout(200)
    assert opened.evaluate("window.ran") is None
    assert any("Content Security Policy" in failure for failure in opened.failures)
    opened.failures.clear()


def test_an_empty_text_is_told(opened, server):
    before = len(server[1].calls)
    opened.locator("#text").fill("  \n")
    opened.keyboard.press("Control+Enter")
    assert "no text yet" in opened.get_by_role("alert").inner_text()
    assert len(server[1].calls) == before


def test_a_refusal_is_told_and_the_text_stays(opened):
    annotate(opened, TEXT)
    opened.locator("#text").fill("x" * 1_001)
    opened.keyboard.press("Control+Enter")
    opened.wait_for_function("() => document.getElementById('problem').textContent")
    assert "1,001 characters, the limit is 1,000" in opened.get_by_role("alert").inner_text()
    assert opened.locator("#count").inner_text() == "1001"
    assert opened.locator("#text").input_value() == "x" * 1_001
    assert len(opened.failures) == 1 and "413" in opened.failures[0]
    opened.failures.clear()


def test_a_later_text_wins_over_one_that_takes_longer(opened, server):
    _, watched = server
    watched.hold()
    opened.locator("#text").fill("Bob sings .")
    opened.keyboard.press("Control+Enter")
    assert watched.begun.wait(20)
    opened.locator("#text").fill(TEXT)
    opened.keyboard.press("Control+Enter")
    watched.free.set()
    wait_for(opened, "Found")
    opened.wait_for_timeout(200)
    assert words(opened) == TEXT.split()


def test_sentences_are_as_wide_as_the_page(opened):
    """Not as wide as their words, which would break when arrows or another font need a little more."""
    annotate(opened, TEXT)
    widths = [one.bounding_box()["width"] for one in opened.locator("#layers, #layers .sentence").all()]
    assert len(widths) == 3 and min(widths) > max(widths) - 2


@pytest.mark.parametrize("text", [TEXT * 3, "Donaudampfschifffahrts" * 40])
def test_nothing_overflows_on_a_small_screen(new_page, url, text):
    page = new_page(width=360)
    page.goto(url)
    annotate(page, text)
    page.locator("#beside summary").click()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert overflowing(page) == []


COLOURS = """() => ["body", "#text", "h1", "[data-text]", "#annotate"].map((name) => {
  const { color, backgroundColor } = getComputedStyle(document.querySelector(name));
  return [color, backgroundColor];
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_stand_out_in_light_and_in_dark_colours(new_page, url, scheme):
    page = new_page(color_scheme=scheme)
    page.goto(url)
    colours = [[brightness(one) for one in pair] for pair in page.evaluate(COLOURS)]
    paper = colours[0][1]
    assert (paper < 0.2) == (scheme == "dark")
    for letters, behind in colours:
        assert abs(letters - (paper if behind is None else behind)) > 0.4


def brightness(colour):
    """From 0 to 1 of "rgb(0, 0, 0)"; None of what can be seen through."""
    *parts, alpha = [float(part) for part in re.findall(r"[\d.]+", colour)] + (
        [] if "rgba" in colour else [1]
    )
    return sum(parts) / 765 if alpha else None
