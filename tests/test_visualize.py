"""Pages of annotated documents: every layer is there, differences are marked, text stays text."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
import spacy
from spacy.cli._util import app
from spacy.tokens import Doc, DocBin, Span
from tiny import ANNOTATED, annotate
from typer.testing import CliRunner

from hmtl_spacy.annotations import Relation, set_clusters, set_mentions, set_relations
from hmtl_spacy.visualize import render
from hmtl_spacy.visualize.direction import direction_of

VOID = {"meta", "br", "input"}
BLOCKS = {"section", "div", "h2", "h3", "ul", "li"}


class Page(HTMLParser):
    """Elements with their attributes; complains if they don't nest."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.open, self.words = [], [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag in BLOCKS:
            self.words.append(" ")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "section" in self.open:  # without the legend
            self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).split())

    def labels(self, layer):
        classes = [(attrs.get("class", "").split(), attrs) for _, attrs in self.elements]
        return [attrs["data-label"] for names, attrs in classes if layer in names and "begins" in names]


@pytest.fixture
def doc():
    return annotate(spacy.blank("en").vocab, *ANNOTATED[0])


def test_all_layers(doc):
    page = Page(render(doc))
    assert page.labels("entities") == ["PER", "ORG"]
    assert sorted(page.labels("mentions")) == ["ORG", "ORG", "PER", "PER"]
    assert sorted(page.labels("coref")) == ["1", "1", "2", "2"]
    assert "Ann Lee WORK → Acme Corp" in page.text
    assert page.text.endswith("1 Ann Lee · She 2 Acme Corp · it")


@pytest.mark.parametrize("layer", ["entities", "mentions", "coref", "relations"])
def test_only_the_layers_that_were_asked_for(doc, layer):
    page = Page(render(doc, layers=[layer]))
    shown = {name for name in ("entities", "mentions", "coref") if page.labels(name)}
    assert shown == {layer} - {"relations"}
    assert ("WORK" in page.text) == (layer == "relations")


def test_unknown_layer(doc):
    with pytest.raises(ValueError, match=r"Can't show the layers \['ner'\]: there are \['entities', "):
        render(doc, layers=["ner"])


def test_documents_without_annotation():
    nlp = spacy.blank("en")
    page = Page(render([nlp("Some plain words."), nlp("")]))
    assert page.text == "Document 1 Some plain words. Document 2 0 named entities"
    assert not page.labels("entities")


def test_text_is_text():
    doc = spacy.blank("en")('<script>alert(1)</script> & "Ann" <b>\'s</b>')
    doc.user_data["title"] = "<i>title</i>"
    doc.ents = [Span(doc, 0, len(doc), "<u>")]
    set_mentions(doc, [Span(doc, 0, 3, '"x" onclick="')])
    set_clusters(doc, [[(0, 2), (3, 5)]])
    set_relations(doc, [Relation(doc[0:2], doc[3:5], "<a href=x>")])
    page = Page(render(doc, page=True, title="</title>"))
    assert {tag for tag, _ in page.elements} == set(
        "html head meta title body style div button label input section h2 span ul li b bdi script".split()
    )
    assert sum(tag == "script" for tag, _ in page.elements) == 1
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)
    assert "<script>alert(1)</script>" in page.text


def test_a_page_needs_nothing_else(doc):
    html = render(doc, page=True, title="Two people")
    assert html.startswith("<!DOCTYPE html>") and "<title>Two people</title>" in html
    html = html.replace("http://www.w3.org/2000/svg", "")  # a name, not an address
    assert not re.search(r"https?:|url\(|@import|src=|href=", html)


def test_side_by_side(doc):
    other = annotate(doc.vocab, *ANNOTATED[0])
    other.ents = [Span(other, 0, 2, "ORG"), other.ents[1]]
    set_clusters(other, [[(4, 6), (9, 10), (7, 8)]])
    set_relations(other, [])
    page = Page(render(other, gold=doc))
    assert page.text.startswith("predicted gold Ann Lee works for Acme Corp .")
    assert page.text.count("She likes it .") == 2
    assert page.labels("entities") == ["ORG ≠", "ORG", "PER ≠", "ORG"]
    # the predicted cluster has most in common with the second gold cluster
    assert page.labels("coref") == ["2", "1 ≠", "2", "2 ≠", "2", "1 ≠", "2"]
    assert "Acme Corp only here" in page.text
    assert not any("≠" in label for label in Page(render(doc, gold=doc)).labels("coref"))


def test_several_documents_have_contents_with_counts(doc):
    other = annotate(doc.vocab, *ANNOTATED[0])
    set_relations(other, [])
    html = render([doc, other], gold=[doc, doc])
    rows = re.findall(r"<tr><th scope=.row.>(.*?)</tr>", html)
    assert [re.findall(r">([^<>]+)<", row) for row in rows] == [
        ["Document 1", "2", "4", "2", "1", "0"],
        ["Document 2", "2", "4", "2", "0", "1"],
    ]
    assert html.count('class="row same two"') == 3 and html.count('<section class="document same">') == 1
    assert "<nav" not in render(doc, gold=doc)


def test_documents_after_the_first_screens_are_folded():
    nlp = spacy.blank("en")
    html = render([nlp("word " * 300), nlp("word " * 300), nlp("short")])
    assert re.findall("<details( open)?>", html) == [" open", " open", ""]
    assert "<details" not in render(nlp("word " * 900))


def test_differing_tokens_compare_by_characters():
    vocab = spacy.blank("en").vocab
    one = Doc(vocab, words=["Ann", "Lee", "left"])
    other = Doc(vocab, words=["Ann Lee", "left"])
    one.ents, other.ents = [Span(one, 0, 2, "PER")], [Span(other, 0, 1, "PER")]
    assert Page(render(one, gold=other)).labels("entities") == ["PER", "PER"]


def test_gold_must_fit(doc):
    with pytest.raises(ValueError, match="Can't compare 1 documents with 2 gold documents"):
        render(doc, gold=[doc, doc])
    with pytest.raises(ValueError, match="document 1: its text begins 'Ann Lee works .*', that of its gold"):
        render(doc, gold=annotate(doc.vocab, *ANNOTATED[1]))


def test_right_to_left():
    nlp = spacy.blank("he")
    elements = Page(render(nlp("שלום עולם"))).elements
    assert [attrs["dir"] for _, attrs in elements if "dir" in attrs] == ["rtl"]


def test_direction_is_that_of_most_letters():
    assert direction_of("שלום Bob", "ltr") == "rtl"
    assert direction_of("Hello, שלום!", "rtl") == "ltr"
    assert direction_of("1998 ...", "rtl") == "rtl"


def further(name, to_json):
    """The tasks of a pipeline that has a layer of its own."""
    return {name: SimpleNamespace(layer=name, keys={}, to_json=to_json)}


def test_a_further_layer_of_spans_is_a_track(doc):
    items = [
        {"start": 8, "end": 13, "label": "<EVENT>", "score": 0.5},
        {"start": 0, "end": 13, "label": "ALL"},
    ]
    page = Page(render(doc, tasks=further("events", lambda doc: items)))
    assert sorted(page.labels("further")) == ["<EVENT>", "ALL"]
    assert page.labels("entities") and page.labels("mentions")
    titles = [attrs["title"] for _, attrs in page.elements if "begins" in attrs.get("class", "").split()]
    assert titles.count("events: <EVENT>: works") == titles.count("events: ALL: Ann Lee works") == 1
    assert not Page(render(doc, tasks=further("events", lambda doc: []))).labels("further")


def test_a_further_layer_of_relations_is_drawn(doc):
    ann, acme = {"start": 0, "end": 7}, {"start": 18, "end": 27}
    items = [{"head": acme, "tail": ann, "label": "PAYS<"}]
    page = Page(render(doc, tasks=further("money", lambda doc: items)))
    assert "Acme Corp PAYS< → Ann Lee money" in page.text and "WORK" in page.text
    only = Page(render(doc, tasks=further("money", lambda doc: items), layers=["money"]))
    assert "WORK" not in only.text and "PAYS<" in only.text and not only.labels("mentions")


@pytest.mark.parametrize(
    "data, shown",
    [
        ("<b>good</b>", "<b>good</b>"),
        ({"label": "é"}, '{"label": "é"}'),
        (0.5, "0.5"),
        ([{"start": 0, "end": 1000, "label": "A"}], '[{"start": 0, "end": 1000, "label": "A"}]'),
        ([{"start": 0, "end": 3}], '[{"start": 0, "end": 3}]'),
        (["<i>"], '["<i>"]'),
    ],
)
def test_any_other_further_layer_is_a_note(doc, data, shown):
    page = Page(render(doc, tasks=further("tone", lambda doc: data)))
    assert page.text.startswith(f"tone {shown} Ann Lee")
    assert not page.labels("further") and not {"i"} & {tag for tag, _ in page.elements}


def test_further_layers_side_by_side(doc):
    gold = annotate(doc.vocab, *ANNOTATED[0])
    gold.user_data["kind"] = "gold"

    def spans(of):
        return [{"start": 0, "end": 3, "label": "A" if of.user_data.get("kind") else "B"}]

    def links(of):
        pair = {"head": {"start": 0, "end": 3}, "tail": {"start": 4, "end": 7}, "label": "R"}
        return [] if of.user_data.get("kind") else [pair]

    assert Page(render(doc, gold=gold, tasks=further("x", spans))).labels("further") == ["B ≠", "A ≠"]
    assert "Ann R → Lee only here x" in Page(render(doc, gold=gold, tasks=further("x", links))).text
    text = Page(render(doc, gold=gold, tasks=further("x", lambda of: of.user_data.get("kind", "none")))).text
    assert "x ≠ none" in text and "x ≠ gold" in text
    missing = further("x", lambda of: "yes" if of.user_data.get("kind") else None)
    assert "≠" not in Page(render(doc, gold=gold, tasks=missing)).text


def test_unknown_layers_name_the_further_ones(doc):
    with pytest.raises(ValueError, match=r"Can't show the layers \['y'\]: there are \['entities', .*'x'\]"):
        render(doc, tasks=further("x", str), layers=["x", "y"])


def test_in_a_notebook(doc, monkeypatch):
    shown = []
    display = SimpleNamespace(HTML=lambda html: html, display=shown.append)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(display=display))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    assert render(doc, jupyter=True) is None
    assert len(shown) == 1 and "Ann" in shown[0]


def visualize(*args):
    spacy.registry.cli.get_all()  # as `python -m spacy` does
    return CliRunner().invoke(app, ["hmtl", "visualize", *map(str, args)])


@pytest.fixture
def data(tmp_path):
    vocab = spacy.blank("en").vocab
    docs = [annotate(vocab, *row) for row in ANNOTATED]
    for number, doc in enumerate(docs):
        doc.user_data["title"] = f"Document {number}"
    DocBin(store_user_data=True, docs=docs).to_disk(tmp_path / "data.spacy")
    return tmp_path / "data.spacy"


def test_command_shows_what_a_file_has(data, tmp_path):
    done = visualize(data, tmp_path / "pages" / "page.html", "--limit", 2)
    assert done.exit_code == 0, done.output
    page = Page((tmp_path / "pages" / "page.html").read_text("utf-8"))
    assert "Document 0" in page.text and "Document 2" in page.text and "Document 1" not in page.text
    assert "gold" not in page.text and "PER" in page.labels("entities")


@pytest.mark.parametrize("limit, shown", [(1, [0]), (5, [0, 1, 3, 5, 7]), (8, range(8)), (20, range(9))])
def test_documents_are_spread_over_the_data(tmp_path, limit, shown):
    docs = [annotate(spacy.blank("en").vocab, f"Number{i} .", {0}) for i in range(9)]
    DocBin(docs=docs).to_disk(tmp_path / "data.spacy")
    done = visualize(tmp_path / "data.spacy", tmp_path / "page.html", "--limit", limit)
    assert done.exit_code == 0, done.output
    text = Page((tmp_path / "page.html").read_text("utf-8")).text
    assert [i for i in range(9) if f"Number{i}" in text] == list(shown)


def test_command_compares_with_a_pipeline(data, tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PER", "pattern": "Ann Lee"}])
    nlp.to_disk(tmp_path / "model")
    done = visualize(data, tmp_path / "page.html", "--model", tmp_path / "model", "--title", "Rules")
    assert done.exit_code == 0, done.output
    html = (tmp_path / "page.html").read_text("utf-8")
    assert "<title>Rules</title>" in html and "4 documents" in done.output
    assert Page(html).labels("entities")[:3] == ["PER", "PER", "ORG ≠"]
    assert "Document 3" in Page(html).text


def test_command_errors(data, tmp_path):
    done = visualize(data, tmp_path / "page.html", "--view", "grph")
    assert done.exit_code == 1 and "Can't show the view 'grph': choose one of text, graph, all" in done.output
    done = visualize(data, tmp_path / "page.html", "--model", "no_such_model")
    assert done.exit_code == 1 and "no_such_model" in done.output and "Traceback" not in done.output


def test_the_first_picture_of_the_docs_is_drawn(tmp_path, monkeypatch):
    page = Path(__file__).parents[1] / "docs" / "visualize.md"
    if not page.exists():
        pytest.skip("the tests run without the documentation")
    section = page.read_text("utf-8").partition("## A first picture")[2]
    monkeypatch.chdir(tmp_path)
    exec(re.search(r"```python\n(.*?)```", section, re.S).group(1), {})
    html = (tmp_path / "first.html").read_text("utf-8")
    assert html.startswith("<!DOCTYPE html>") and html.count('class="link"') == 2
    assert re.findall(r"Named entity: (\w+)[^:]*: ([^\"]+)", html) == [
        ("PERSON", "Ana Ruiz"),
        ("GPE", "Lyon"),
        ("DATE", "Monday"),
        ("DATE", "eleven years"),
    ]
