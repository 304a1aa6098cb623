"""A browser for the tests: Debian's Chromium, without a window.

`page` is an empty page that fails the test if a script fails or a request would leave the machine.
`page.outside` and `page.failures` list what was seen.
"""

import shutil
from urllib.parse import urlsplit

import pytest
from application import wait_for
from serving import watched_server

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
LOCAL = {"127.0.0.1", "localhost", "::1", None}


@pytest.fixture(scope="module")
def browser():
    """One browser for the tests of a file, closed after them: no event loop is left to other files."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"these tests need a browser, one of {', '.join(NAMES)}: apt install chromium")
    reason = 'these tests drive a browser with playwright: pip install "hmtl-spacy[test]"'
    playwright = pytest.importorskip("playwright.sync_api", reason=reason)
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser):
    """Opens pages; options: those of playwright's `Browser.new_context`, such as java_script_enabled."""
    contexts = []

    def open_page(width=1000, height=800, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.outside, page.failures = [], []
        page.on("request", lambda request: note_request(page, request.url))
        page.on("websocket", lambda socket: note_request(page, socket.url))
        page.on("pageerror", lambda error: page.failures.append(str(error)))
        page.on("console", lambda line: line.type == "error" and page.failures.append(line.text))
        return page

    yield open_page
    pages = [page for context in contexts for page in context.pages]
    outside = [url for page in pages for url in page.outside]
    failures = [text for page in pages for text in page.failures]
    for context in contexts:
        context.close()
    assert not outside, f"requests left the machine: {outside}"
    assert not failures, f"scripts failed: {failures}"


@pytest.fixture
def page(new_page):
    return new_page()


@pytest.fixture(scope="module")
def server(trained_bytes, request):
    """Takes 1,000 characters, or as many as a module's `CHARACTERS`."""
    with watched_server(trained_bytes, text=getattr(request.module, "CHARACTERS", 1_000)) as served:
        yield served


@pytest.fixture
def url(server):
    return server[0]


@pytest.fixture
def opened(page, url):
    page.goto(url)
    wait_for(page, "Found")
    return page


def note_request(page, url):
    parts = urlsplit(url)
    if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in LOCAL:
        page.outside.append(url)
