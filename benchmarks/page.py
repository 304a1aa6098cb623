"""How long the page of `serve` takes in Chromium for a long text: `python benchmarks/page.py MODEL`.

It needs Chromium and the extras `serve` and `test`. No server is started: the browser is answered from here.
"""

import shutil
import sys
from functools import partial
from pathlib import Path
from statistics import median
from typing import Callable, Dict, List, Tuple

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


class Watch:
    """Milliseconds until something is on the screen; and of the processor, in the page's main thread."""

    def __init__(self, page: Page):
        self.page = page
        self.session = page.context.new_cdp_session(page)
        self.session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def __call__(self, action: Callable[[], float]) -> Tuple[float, float]:
        begun = self._settled()
        wall = action()
        return wall, self._processor() - begun

    def _settled(self) -> float:
        """The processor's time when all is drawn that has been waiting."""
        before, now = -1.0, self._processor()
        while now - before > 5:
            self.page.wait_for_timeout(300)
            before, now = now, self._processor()
        return now

    def _processor(self) -> float:
        metrics = self.session.send("Performance.getMetrics")["metrics"]
        return 1000 * next(one["value"] for one in metrics if one["name"] == "TaskDuration")


def measure(page: Page, text: str, runs: int = 3) -> Dict[str, Tuple[float, float]]:
    """The medians of some runs, of what a `Watch` measures.

    page: an opened page of `serve`.
    """
    watch = Watch(page)
    times: Dict[str, List[Tuple[float, float]]] = {}
    for _ in range(runs):
        times.setdefault("draw", []).append(watch(lambda: page.evaluate(DRAW, text)))
    for button in page.locator("#layers [data-toggle]").all():
        name = f"switch {button.get_attribute('data-toggle')}"
        times[name] = [watch(partial(button.evaluate, SWITCH)) for _ in range(runs)]
    items = page.locator("#layers .coref.begins").all()[:runs]
    times["point"] = [watch(partial(item.evaluate, POINT)) for item in items]
    times["resize"] = [watch(partial(resize, page, width)) for width in WIDTHS[: runs + 1]]
    return {
        name: (median(wall for wall, _ in found), median(processor for _, processor in found))
        for name, found in times.items()
    }


def resize(page: Page, width: int) -> float:
    page.evaluate(RESIZE)
    page.set_viewport_size({"width": width, "height": 800})
    return page.evaluate("resized")


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
        times = measure(page, text)
        print(f"{len(text.split()):,} words, {page.locator('#layers .bar.begins').count():,} marks")
        print(f"{'':<20}   on the screen   processor")
        for name, (wall, processor) in times.items():
            print(f"{name:<20}{wall:13,.0f} ms{processor:9,.0f} ms")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
