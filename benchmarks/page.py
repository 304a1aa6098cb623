"""How long the page of `serve` takes in Chromium for a long text: `python benchmarks/page.py MODEL`.

It needs Chromium and the extras `serve` and `test`. No server is started: the browser is answered from here.
"""

import shutil
import sys
from pathlib import Path
from statistics import median
from typing import Any, Dict, List

import spacy
from fastapi.testclient import TestClient
from playwright.sync_api import Page, Route, sync_playwright

from hmtl_spacy.data.converters.inline import inline_to_docs
from hmtl_spacy.serve.app import create_app

SAMPLE = Path(__file__).parents[1] / "assets" / "sample"
URL = "http://serve.test/"
WIDTHS = (900, 1280, 700, 1280)

# `answered`: when the last answer was there; `drawn`: after the next picture is on the screen
CLOCK = """
const ask = window.fetch;
window.fetch = async (...request) => {
  const answer = await ask(...request);
  const body = await answer.json();
  window.answered = performance.now();
  return { ok: answer.ok, status: answer.status, json: async () => body };
};
window.drawn = () => new Promise((done) => {
  requestAnimationFrame(() => setTimeout(() => done(performance.now())));
});
"""
DRAW = """async (text) => {
  document.getElementById("text").value = text;
  const status = document.getElementById("status");
  status.textContent = "";
  document.getElementById("form").requestSubmit();
  await new Promise((done) => {
    const told = new MutationObserver(() => status.textContent.startsWith("Found") && done());
    told.observe(status, { childList: true });
  });
  return (await drawn()) - answered;
}"""
SWITCH = """async (button) => {
  const begun = performance.now();
  button.click();
  return (await drawn()) - begun;
}"""
RESIZE = """() => {
  window.resized = new Promise((done) => addEventListener("resize", async () => {
    const begun = performance.now();
    done((await drawn()) - begun);
  }, { once: true }));
}"""
POINT = """async (item) => {
  const begun = performance.now();
  item.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
  return (await drawn()) - begun;
}"""


def long_text(words: int) -> str:
    """So many words of the sample corpus, from its beginning as often as is needed."""
    texts: List[str] = []
    for path in sorted(SAMPLE.glob("*.txt")):
        with path.open(encoding="utf-8") as lines:
            texts += [doc.text for doc in inline_to_docs(lines)]
    found = "\n\n".join(texts).split(" ")
    return " ".join((found * (words // len(found) + 1))[:words])


def measure(page: Page, text: str, runs: int = 3) -> Dict[str, float]:
    """Milliseconds until something is on the screen, the median of some runs.

    page: an opened page of `serve`.
    """
    times: Dict[str, List[float]] = {}
    for _ in range(runs):
        times.setdefault("draw", []).append(page.evaluate(DRAW, text))
    for button in page.locator("#layers [data-toggle]").all():
        name = f"switch {button.get_attribute('data-toggle')}"
        times[name] = [button.evaluate(SWITCH) for _ in range(2 * runs)]
    times["point"] = [item.evaluate(POINT) for item in page.locator("#layers .coref.begins").all()[:runs]]
    for width in WIDTHS[: runs + 1]:
        page.evaluate(RESIZE)
        page.set_viewport_size({"width": width, "height": 800})
        times.setdefault("resize", []).append(page.evaluate("resized"))
    return {name: median(found) for name, found in times.items()}


def opened(page: Page, client: TestClient) -> Page:
    """The page of an application, whose requests it answers."""

    def answer(route: Route) -> None:
        request = route.request
        body = request.post_data_buffer
        given = client.request(request.method, request.url, content=body, headers=request.headers)
        route.fulfill(status=given.status_code, headers=dict(given.headers), body=given.content)

    page.route(f"{URL}**", answer)
    page.add_init_script(CLOCK)
    page.goto(URL)
    page.wait_for_selector("#layers .word")
    return page


def main(model: str, words: str = "5000") -> None:
    """Print a table."""
    text = long_text(int(words))
    app = create_app(spacy.load(model))
    with TestClient(app, base_url=URL) as client, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = opened(browser.new_page(viewport={"width": 1280, "height": 800}), client)
        times: Dict[str, Any] = measure(page, text)
        print(f"{len(text.split()):,} words, {page.locator('#layers .bar.begins').count():,} marks")
        print(*(f"{name:<20} {value:8,.0f} ms" for name, value in times.items()), sep="\n")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
