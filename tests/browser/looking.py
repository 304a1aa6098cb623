"""What a page looks like, in numbers; `looking.js` says how they are measured."""

from pathlib import Path

SCRIPT = Path(__file__).with_suffix(".js").read_text("utf-8")


def look(page, what):
    """Call a function of `looking.js`."""
    return page.evaluate(f"() => {{ {SCRIPT}\nreturn {what}(); }}")


def overflowing(page):
    """The elements that stick out of the page to either side."""
    return look(page, "overflowing")


def settle(page):
    """Wait until what follows a change of size is drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def arrows(page):
    settle(page)
    return look(page, "arrows")


def focused(page):
    """What has the focus, whether one sees it, and what is lit."""
    return look(page, "focused")


def meets(point, boxes, tolerance=4):
    """Whether a point is on the upper edge of one of the boxes (left, top, right, bottom)."""
    x, y = point
    return any(left - 1 <= x <= right + 1 and abs(y - top) <= tolerance for left, top, right, _ in boxes)


def overlap(one, other):
    """Whether two boxes share more than their edges."""
    return all(min(one[i + 2], other[i + 2]) - max(one[i], other[i]) > 0.5 for i in (0, 1))
