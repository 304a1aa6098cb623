"""The page of thirty sentences: a report of what a pipeline finds, not a bar that it has to pass."""

import importlib
from collections import Counter
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Span

from hmtl_spacy.annotations import Relation, set_clusters, set_mentions, set_relations

DOCS = Path(__file__).resolve().parents[1] / "docs"
if not DOCS.is_dir():
    pytest.skip("the tests run without the project's docs", allow_module_level=True)


@pytest.fixture
def page(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    return importlib.import_module("sentences")


@pytest.fixture
def doc():
    doc = spacy.blank("en")("Ann left her #1 job")
    ann, her = Span(doc, 0, 1, "PER"), Span(doc, 2, 3, "PER")
    doc.ents = [Span(doc, 0, 1, "PERSON")]
    set_mentions(doc, [ann, her])
    set_clusters(doc, [[(0, 1), (2, 3)]])
    set_relations(doc, [Relation(ann, her, "PER-SOC")])
    return doc


def test_thirty_sentences_of_ten_kinds(page):
    kinds = Counter(kind for kind, _ in page.read_sentences())
    assert len(kinds) == 10 and set(kinds.values()) == {3}


def test_layers_of_a_sentence(page, doc):
    assert page.layers(doc) == [
        "- entities: **Ann** `PERSON`",
        "- mentions: **Ann** `PER`; **her** `PER`",
        "- coreference: **Ann** = **her**",
        "- relations: **Ann** *PER-SOC* **her**",
    ]
    assert page.layers(spacy.blank("en")("No."))[2] == "- coreference: none"


def test_page_keeps_its_introduction(page, doc):
    old = f"# Title\n\n{page.MARK}\nold\n"
    new = page.filled(old, [("chat", "Ann left her #1 job")], [doc])
    assert new.startswith(
        f"# Title\n\n{page.MARK}\n\n## Chat\n\n> Ann left her \\#1 job\n\n- entities: **Ann**"
    )
    assert "old" not in new and page.filled(new, [("chat", "Ann left her #1 job")], [doc]) == new
    with pytest.raises(ValueError, match="has no line <!--"):
        page.filled("no mark", [], [])


def test_the_page_has_every_sentence_in_order(page):
    text = page.PAGE.read_text("utf8")
    places = [text.index(f"> {page._escaped(sentence)}\n") for _, sentence in page.read_sentences()]
    assert places == sorted(places) and len(places) == 30
    for layer in ("entities", "mentions", "coreference", "relations"):
        assert text.count(f"\n- {layer}: ") == 30
