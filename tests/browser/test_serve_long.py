"""A text of 5,000 words on the page of `serve`: `benchmarks/page.py` measures the same by its parts."""

import pytest
from application import annotate
from looking import arrows, meets

WORDS = 5_000
CHARACTERS = 50_000
TEXT = "Ann Lee works for Acme Corp . She likes it , and Bob lives in Lyon , where it rains . "
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
SWITCH = f"""async (button) => {{
  const begun = performance.now();
  button.click();
  await ({DRAWN})();
  return performance.now() - begun;
}}"""
# what isn't on the screen is drawn a little later
ALL = "[...document.querySelectorAll('#layers .mentions.begins')].every((one) => {})"
ALL_DRAWN = "() => " + ALL.format("one.style.left")
ALL_SHOWN = "() => " + ALL.format("one.checkVisibility()")
ALL_HIDDEN = "() => " + ALL.format("!one.checkVisibility()")


@pytest.fixture
def long(opened):
    """The page with the text, all of it drawn."""
    opened.set_default_timeout(60_000)
    annotate(opened, TEXT * (WORDS // len(TEXT.split()) + 1))
    opened.wait_for_function(ALL_DRAWN)
    return opened


def test_layers_are_switched_and_the_page_resized_quickly(long):
    """The bounds are several times what is measured on idle machines."""
    assert long.locator("#layers .word").count() >= WORDS
    assert long.locator("#layers .begins").count() > 500
    for layer in ("mentions", "relations", "mentions", "relations"):
        assert long.locator(f"#layers [data-toggle={layer}]").evaluate(SWITCH) < 1_500, layer
    long.wait_for_function(ALL_SHOWN)
    begun = long.evaluate("performance.now()")
    long.set_viewport_size({"width": 700, "height": 800})
    long.evaluate(DRAWN)
    assert long.evaluate("performance.now()") - begun < 3_000


def test_what_is_not_on_the_screen_is_switched_and_drawn_again_too(long):
    for condition in (ALL_HIDDEN, ALL_SHOWN):
        long.locator("#layers [data-toggle=mentions]").click()
        long.wait_for_function(condition)
    long.set_viewport_size({"width": 500, "height": 800})
    assert any(all_meet(long) or long.wait_for_timeout(500) for _ in range(60))


def all_meet(page):
    """Whether all arrows begin and end at their words."""
    found = arrows(page)
    return found and all(meets(one["from"], one["head"]) and meets(one["to"], one["tail"]) for one in found)
