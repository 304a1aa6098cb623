"""Links to a text and its view, on the page of `serve`."""

from urllib.parse import quote

import pytest
from application import TEXT, annotate, wait_for, words


def test_a_permalink_shows_the_same_and_sends_no_text_in_an_address(opened, new_page, url):
    asked = []
    text = f"{TEXT} 100 % & #1 + “é” \U0001f600\nב"
    annotate(opened, text)
    link = opened.locator("#permalink")
    link.click()
    assert opened.url.startswith(f"{url}/#text=") and quote("#1") in opened.url
    other = new_page()
    other.on("request", lambda request: asked.append(request.url.partition("#")[0]))
    other.goto(opened.url)
    wait_for(other, "Found")
    assert other.locator("#text").input_value() == text
    assert words(other) == words(opened)
    other.reload()
    wait_for(other, "Found")
    assert words(other) == words(opened)
    assert set(asked) == {f"{url}/", f"{url}/api/annotate"}


def test_another_permalink_in_the_same_page_and_the_way_back(opened, url):
    opened.goto(f"{url}/#text=Bob%20sings")
    wait_for(opened, "Found")
    opened.evaluate("location.hash = 'text=Ann%20sings'")
    opened.wait_for_function("() => document.getElementById('layers').textContent.includes('Ann')")
    opened.go_back()
    opened.wait_for_function("() => document.getElementById('layers').textContent.includes('Bob')")


def view(page):
    """What the page shows of its text."""
    pressed = page.locator("#layers [aria-pressed=true]").evaluate_all(
        "all => all.map(one => one.dataset.toggle)"
    )
    return (
        pressed,
        page.locator("#layers .more").get_attribute("open") is not None,
        page.locator(".listed").is_checked(),
    )


def change_view(page):
    """Mentions off, the graph open, relations as lists."""
    page.locator("[data-toggle=mentions]").click()
    page.locator("#layers .more summary").click()
    page.locator(".listed").check()
    page.wait_for_selector("#layers .node")


CHANGED = (["entities", "coref", "relations"], True, True)
AS_IT_OPENS = (["entities", "mentions", "coref", "relations"], False, False)


def test_a_link_has_the_view_too(opened, new_page, url):
    annotate(opened, TEXT)
    assert view(opened) == AS_IT_OPENS
    change_view(opened)
    opened.locator("#permalink").click()
    assert (
        opened.url == f"{url}/#text={quote(TEXT)}&view=graph&layers=entities,coref,relations&relations=lists"
    )
    other = new_page()
    other.goto(opened.url)
    wait_for(other, "Found")
    assert view(other) == CHANGED and words(other) == TEXT.split()
    assert other.locator("#layers .bar.mentions").filter(visible=True).count() == 0
    assert other.locator("#layers .bar.coref").filter(visible=True).count() > 0
    other.wait_for_selector("#layers .node")


def test_back_and_forward_lead_through_texts_and_views(opened, server):
    annotate(opened, TEXT)
    opened.locator("#permalink").click()
    change_view(opened)
    opened.locator("#permalink").click()
    asked = len(server[1].calls)
    opened.go_back()
    wait_for_view(opened, AS_IT_OPENS)
    opened.go_forward()
    wait_for_view(opened, CHANGED)
    assert len(server[1].calls) == asked, "the server was asked again for what is there"
    opened.go_back()
    opened.go_back()  # to the address without a text: the example, as at first
    opened.wait_for_function("() => document.getElementById('layers').textContent.includes('Keller')")
    assert view(opened) == AS_IT_OPENS
    opened.go_forward()
    opened.wait_for_function("() => document.getElementById('layers').textContent.includes('Acme')")
    assert opened.locator("#text").input_value() == TEXT


def wait_for_view(page, expected):
    for _ in range(100):
        if view(page) == expected:
            return
        page.wait_for_timeout(20)
    assert view(page) == expected


def test_a_view_stays_for_the_next_text(opened):
    change_view(opened)
    annotate(opened, TEXT)
    assert view(opened) == CHANGED


def test_a_link_may_have_only_a_view(opened, url):
    opened.goto(f"{url}/#view=graph&layers=entities")
    wait_for_view(opened, (["entities"], True, False))
    assert opened.locator("#text").input_value() == opened.locator("[data-text]").first.get_attribute(
        "data-text"
    )


def test_layers_that_are_not_here_are_told(opened, url):
    opened.goto(f"{url}/#text=Ann%20sings&layers=entities,ev%2Cents")
    opened.reload()
    wait_for(opened, "Found")
    assert "no such layer here: ev,ents" in opened.get_by_role("alert").inner_text()
    assert view(opened)[0] == ["entities"]


@pytest.mark.parametrize(
    "fragment, told",
    [
        ("text=%E0%A4%A", "Can't read text in this page's address: its % signs are damaged"),
        ("text=", "Can't read text in this page's address: there is no text"),
        ("text=Ann&text=Bob", "it is there twice"),
        ("text=Ann&view=map", "Can't read view in this page's address: map isn't one of text, graph"),
        ("text=Ann&relations=lis", "lis isn't one of arrows, lists"),
        ("text=Ann&layers=%", "Can't read layers"),
        ("results", "Can't read results in this page's address: nothing is called that"),
        ("=Ann", "Can't read a nameless part"),
        ("constructor=1", "nothing is called that"),
    ],
)
def test_an_address_that_cant_be_read_is_told_and_the_example_shown(new_page, url, fragment, told):
    page = new_page()
    page.goto(f"{url}/#{fragment}")
    wait_for(page, "Found")
    message = page.get_by_role("alert").inner_text()
    assert told in message and "goes on with #text=" in message and "an example instead" in message
    assert "".join(words(page)) == "".join(
        page.locator("[data-text]").first.get_attribute("data-text").split()
    )
    assert view(page) == AS_IT_OPENS
    annotate(page, TEXT)
    assert page.locator("#problem").inner_text() == ""
