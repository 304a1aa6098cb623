"""The pictures of this folder: `python docs/images/make.py MODEL`, with Chromium and the extra `test`.

MODEL: a pipeline trained by `spacy project run all`.
"""

import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import spacy
from playwright.sync_api import sync_playwright

from hmtl_spacy.data.converters.inline import inline_to_docs
from hmtl_spacy.visualize import render

FOLDER = Path(__file__).parent
SAMPLE = FOLDER.parent.parent / "assets" / "sample" / "biography_04.txt"


def main(model):
    """All pictures of pages, in light colours."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 860, "height": 520}, device_scale_factor=1.5)
        show_sample(page)
        page = browser.new_page(viewport={"width": 1060, "height": 720}, device_scale_factor=1.25)
        show_pairs(page, spacy.load(model))
        page = browser.new_page(viewport={"width": 860, "height": 640}, device_scale_factor=1.5)
        show_graph(page)
        page = browser.new_page(viewport={"width": 1060, "height": 780}, device_scale_factor=1.25)
        with serving(model) as url:
            show_application(page, url)
        browser.close()


def sample():
    with SAMPLE.open(encoding="utf-8") as lines:
        return next(inline_to_docs(lines))


def show_sample(page):
    page.set_content(render(sample(), page=True, jupyter=False))
    page.locator(".coref.begins").first.hover()
    page.add_style_tag(content=".hint { display: none }")  # it would be over the text
    page.screenshot(path=FOLDER / "page.png", clip=sentences(page, 3), full_page=True)


def sentences(page, n):
    """What a clip has, from the page's left upper corner to the end of a sentence."""
    end = page.locator(".row").nth(n - 1).evaluate("(row) => row.getBoundingClientRect().bottom + scrollY")
    return {"x": 0, "y": 0, "width": page.viewport_size["width"], "height": end}


def show_pairs(page, nlp):
    gold = sample()
    page.set_content(render(nlp(gold.text), gold=gold, page=True, jupyter=False))
    page.locator(".filter").check()
    page.screenshot(path=FOLDER / "pairs.png")


def show_graph(page):
    page.set_content(render(sample(), view="graph", page=True, jupyter=False))
    page.locator(".edge text").first.click()
    page.screenshot(path=FOLDER / "graph.png")


def show_application(page, url):
    page.goto(url)
    page.wait_for_selector("#layers .word")
    page.locator("#beside summary").click()
    page.locator("#layers .coref.begins").first.focus()
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=FOLDER / "serve.png")


@contextmanager
def serving(model):
    """YIELDS: the address of a server for a pipeline."""
    command = [sys.executable, "-m", "spacy", "hmtl", "serve", model, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = iter(process.stderr.readline, "")
            yield next(filter(None, (re.search(r"http://\S+", line) for line in lines))).group()
        finally:
            process.terminate()


if __name__ == "__main__":
    main(sys.argv[1])
