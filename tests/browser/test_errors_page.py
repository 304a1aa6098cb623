"""The page of errors in a real browser."""

import pytest
import spacy
from looking import overflowing
from spacy.tokens import DocBin
from tiny import annotate

from hmtl_spacy.evaluation.error_analysis import find_errors, page

WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
EVIL = "<img src=x onerror=window.ran=1>"


@pytest.fixture
def html(trained, tmp_path):
    vocab = spacy.blank("en").vocab
    relations = [(0, 1, 2, 3, "R" * 60), (0, 1, 3, 4, EVIL)]
    doc = annotate(
        vocab,
        [WORD, "met", EVIL, "Ann", "."],
        {0},
        [(0, 1, "E" * 60)],
        [(0, 1, "M"), (2, 3, EVIL)],
        [[(0, 1), (2, 3)]],
        relations,
    )
    doc.user_data["title"] = EVIL + "T" * 90
    hebrew = annotate(vocab, "רות גרה בתל אביב .", {0}, [(0, 1, "PER")], [], [], [])
    DocBin(docs=[doc, hebrew], store_user_data=True).to_disk(tmp_path / "data.spacy")
    html = page(find_errors(trained, tmp_path / "data.spacy"), title=EVIL)
    return html.replace("<details>", "<details open>")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_errors_on_a_small_telephone(new_page, html, scheme):
    page = new_page(360, color_scheme=scheme)
    page.set_content(html)
    assert page.locator("li.missed").count() >= 5
    assert overflowing(page) == []
    assert page.evaluate("() => [window.ran, document.images.length]") == [None, 0]
    assert EVIL in page.locator("li.missed").first.inner_text()


def test_examples_open_with_the_keyboard(new_page, html):
    page = new_page()
    page.set_content(html.replace("<details open>", "<details>"))
    assert not page.locator("li.missed").first.is_visible()
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("li.missed").first.is_visible()
    mark = page.locator("mark", has_text="רות").first
    assert mark.evaluate("(one) => getComputedStyle(one.parentElement).direction") == "rtl"
