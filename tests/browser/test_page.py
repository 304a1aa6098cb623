"""The page of documents in a real browser."""

from itertools import combinations

import pytest
import spacy
from looking import arrows, focused, look, meets, overflowing, overlap, settle
from spacy.tokens import Span
from tiny import ANNOTATED, annotate

from hmtl_spacy.annotations import Relation, set_clusters, set_mentions, set_relations
from hmtl_spacy.visualize import assets, render

DENSE = (
    "Ann Lee , a lawyer from Geneva , met her brother Bob and his wife Eva in Lyon , where they run Acme "
    "with Tom Reed of Oslo .",
    {0},
    [(0, 2, "PERSON"), (6, 7, "GPE"), (11, 12, "PERSON"), (15, 16, "PERSON"), (17, 18, "GPE")],
    [(0, 2, "PER"), (4, 5, "PER"), (6, 7, "GPE"), (9, 10, "PER"), (10, 11, "PER"), (17, 18, "GPE")],
    [[(0, 2), (3, 7), (9, 10)], [(9, 12), (13, 14)], [(13, 16)]],
    [
        (4, 5, 6, 7, "GEN-AFF"),
        (9, 10, 10, 11, "PER-SOC"),
        (13, 14, 14, 15, "PER-SOC"),
        (0, 2, 17, 18, "PHYS"),
        (11, 12, 17, 18, "PHYS"),
        (15, 16, 17, 18, "PHYS"),
        (20, 21, 22, 23, "ORG-AFF"),
        (24, 26, 22, 23, "ORG-AFF"),
        (0, 2, 22, 23, "ORG-AFF"),
        (0, 2, 24, 26, "PER-SOC"),
        (4, 5, 27, 28, "A-LABEL-LONGER-THAN-THE-LINE-OF-A-SMALL-TELEPHONE"),
    ],
)
LONG = (
    ["Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft", "met", "x" * 90],
    {0},
    [(0, 1, "E" * 70)],
    [(0, 1, "M" * 70), (2, 3, "M")],
    [[(0, 1), (2, 3)]],
    [(0, 1, 2, 3, "R" * 70)],
)
HEBREW = (
    "רות כהן עובדת עבור הצלב האדום ( Red Cross 1998 ) בתל אביב .",
    {0},
    [(0, 2, "PER"), (4, 6, "ORG"), (7, 9, "ORG"), (11, 13, "GPE")],
    [(0, 2, "PER"), (4, 6, "ORG"), (4, 10, "ORG"), (11, 13, "GPE")],
    [[(4, 6), (7, 9)]],
    [(0, 2, 4, 6, "ORG-AFF"), (0, 2, 11, 13, "PHYS")],
)


def make(layers, language="en"):
    return annotate(spacy.blank(language).vocab, *layers)


def show(page, docs, **options):
    page.set_content(render(docs, page=True, jupyter=False, **options))


def lit(page):
    return page.evaluate("() => [...document.querySelectorAll('.lit')].map((one) => one.dataset.cluster)")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_hover_lights_the_whole_cluster_and_only_it(page, number):
    show(page, [make(DENSE), make(ANNOTATED[0])])
    first = page.locator(".document").first
    expected = first.locator(f'[data-cluster="{number}"]').count()
    assert expected > 1
    for item in first.locator(f'.coref.begins[data-cluster="{number}"]').all():
        item.hover()
        assert lit(page) == [str(number)] * expected
    page.locator("h2, body").first.hover(position={"x": 1, "y": 1})
    assert lit(page) == []


def test_hover_over_a_word_or_the_list_lights_too(page):
    show(page, make(DENSE))
    page.get_by_text("lawyer", exact=True).first.hover()
    assert set(lit(page)) == {"1"}
    page.locator(".clusters li").nth(1).hover()
    assert set(lit(page)) == {"2"}
    page.get_by_text("met ", exact=True).hover()
    assert lit(page) == []


def test_mentions_light_with_the_cluster_of_their_head(page):
    show(page, make(DENSE))
    page.locator('.mentions.begins[title*="lawyer"]').hover()
    assert set(lit(page)) == {"1"} and "cluster 1" in page.locator(".hint").inner_text()


def test_hover_over_an_arrow_lights_its_arguments(page):
    show(page, make(DENSE))
    page.locator("text.arrow", has_text="GEN-AFF").hover()
    words = page.locator(".word.lit").all_inner_texts()
    assert [word.strip() for word in words] == ["lawyer", "Geneva"]
    assert page.locator(".link.lit").all_inner_texts() == ["lawyer GEN-AFF → Geneva"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_labels_take_no_room_from_the_text(new_page, width, scheme):
    page = new_page(width, color_scheme=scheme)
    short = make(
        ("I , a US . I ; U , I", {0, 4}, [(0, 1, "PERSON"), (3, 4, "COUNTRY")], [(0, 1, "LONGER")], [], [])
    )
    show(page, [make(DENSE), make(LONG), make(HEBREW, "he"), *map(make, ANNOTATED), short, glued()])
    settle(page)
    found = look(page, "displaced")
    assert len(found) >= 10
    for sentence in found:
        assert sentence["off"] < 0.5, sentence
        assert sentence["lines"][0] == sentence["lines"][1], sentence
    assert look(page, "crowded") == []


def test_displaced_words_would_be_seen(page):
    show(page, make(ANNOTATED[0]))
    page.add_style_tag(content=".word { padding-right: 2px; }")
    assert look(page, "displaced")[0]["off"] > 5
    page.add_style_tag(content=".bar { margin-top: -12px; }")
    assert look(page, "crowded")


def glued():
    """Words and signs without spaces between them, which make other line breaks if they are boxes."""
    doc = spacy.blank("en")(
        "“Ann’s brother-in-law,” (Alec, a shepherd), said: “It’s nine miles; isn’t it?”" * 4
    )
    doc.ents = [
        Span(doc, i, i + 1, "PERSON") for i, token in enumerate(doc) if token.text in ("Ann", "Alec", "a")
    ]
    set_mentions(doc, [Span(doc, i, i + 1, "PER") for i in range(0, len(doc), 2)])
    return doc


@pytest.mark.parametrize("width", [1400, 700, 360])
def test_arrows_meet_their_arguments_and_labels_can_be_read(new_page, width):
    page = new_page(width)
    show(page, [make(DENSE), make(LONG), make(HEBREW, "he")])
    drawn = arrows(page)
    assert len(drawn) == 14
    for arrow in drawn:
        assert meets(arrow["from"], arrow["head"]), arrow
        assert meets(arrow["to"], arrow["tail"]), arrow
        left, _, right, _ = arrow["sentence"]
        assert left <= arrow["label"][0] and arrow["label"][2] <= right
        assert left <= arrow["path"][0] and arrow["path"][2] <= right
    for one, other in combinations(drawn, 2):
        assert not overlap(one["label"], other["label"]), (one, other)
    words = page.evaluate(
        "() => [...document.querySelectorAll('.word, .bar.begins')].map((one) => {"
        "const b = one.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; })"
    )
    assert not [(arrow["name"], word) for arrow in drawn for word in words if overlap(arrow["label"], word)]
    assert [arrow["name"] for arrow in drawn[:2]] == ["GEN-AFF", "PER-SOC"]


def test_arrows_that_overlap_have_different_heights(page):
    show(page, make(DENSE))
    levels = [(arrow["path"][0], arrow["path"][2], arrow["path"][1]) for arrow in arrows(page)]
    for (left, right, top), (other_left, other_right, other_top) in combinations(levels, 2):
        if min(right, other_right) - max(left, other_left) > 12:  # more than two ends at one argument
            assert abs(top - other_top) > 5


def test_arrows_follow_the_words_when_the_page_changes(page):
    show(page, make(DENSE))
    before = arrows(page)
    page.set_viewport_size({"width": 420, "height": 800})
    narrow = arrows(page)
    assert all(meets(one["from"], one["head"]) and meets(one["to"], one["tail"]) for one in narrow)
    assert [one["to"] for one in narrow] != [one["to"] for one in before]
    page.evaluate("() => { document.querySelector('.hmtl').style.fontSize = '22px'; }")
    larger = arrows(page)
    assert all(meets(one["from"], one["head"]) and meets(one["to"], one["tail"]) for one in larger)
    page.set_viewport_size({"width": 1000, "height": 800})
    page.evaluate("() => { document.querySelector('.hmtl').style.fontSize = ''; }")
    assert [one["to"] for one in arrows(page)] == [one["to"] for one in before]


def test_arrows_wait_until_they_can_be_seen(page):
    show(page, make(ANNOTATED[0]))
    page.set_content(f'<div id="tab" style="display: none">{render(make(ANNOTATED[0]), jupyter=False)}</div>')
    assert page.locator("svg").count() == 0
    page.evaluate("() => { document.querySelector('#tab').style.display = 'block'; }")
    assert meets(arrows(page)[0]["to"], arrows(page)[0]["tail"])


@pytest.mark.parametrize("compared", [False, True])
def test_nothing_overflows_a_small_telephone(new_page, compared):
    page = new_page(360)
    docs = [make(DENSE), make(LONG), make(HEBREW, "he")]
    docs[1].user_data["title"] = "T" * 100
    show(page, docs, gold=[make(DENSE), make(LONG), make(HEBREW, "he")] if compared else None)
    settle(page)
    assert overflowing(page) == []
    if compared:
        one, other = (
            side.bounding_box() for side in page.locator(".row:has(.sentence)").first.locator(".side").all()
        )
        assert one["x"] == other["x"] and other["y"] >= one["y"] + one["height"]
        page.set_viewport_size({"width": 1000, "height": 800})
        for row in page.locator(".row:has(.sentence)").all():
            one, other = (side.bounding_box() for side in row.locator(".side").all())
            assert one["y"] == other["y"] and other["x"] >= one["x"] + one["width"]


def test_only_differences_are_shown_when_that_is_asked_for(new_page):
    page = new_page(360)
    other = make(ANNOTATED[0])
    set_relations(other, [])
    show(page, [other, make(ANNOTATED[1])], gold=[make(ANNOTATED[0]), make(ANNOTATED[1])])
    assert [page.locator(css).filter(visible=True).count() for css in (".document", ".sentence")] == [2, 8]
    page.locator(".filter").check()
    assert [page.locator(css).filter(visible=True).count() for css in (".document", ".sentence")] == [1, 2]
    page.locator(".filter").uncheck()
    assert page.locator(".sentence").filter(visible=True).count() == 8 and look(page, "crowded") == []


def test_contents_lead_to_a_folded_document_and_open_it(page, tmp_path):
    long = make(("word " * 600 + ".", {0}, [], [], [], []))
    docs = [make(DENSE), long, make(DENSE)]
    (tmp_path / "page.html").write_text(render(docs, page=True, jupyter=False), "utf-8")
    page.goto((tmp_path / "page.html").as_uri())
    assert not page.locator(".sentence").last.is_visible()
    page.locator("nav a").last.click()
    assert page.locator(".sentence").last.is_visible()
    assert [meets(one["to"], one["tail"]) for one in arrows(page)[-11:]] == [True] * 11


@pytest.mark.parametrize(
    "layer, css", [("mentions", ".mentions"), ("entities", ".entities"), ("relations", "svg")]
)
def test_layers_can_be_hidden(page, layer, css):
    show(page, make(DENSE))
    height = page.locator(".sentence").bounding_box()["height"]
    button = page.locator(f"[data-toggle={layer}]")
    button.click()
    assert page.locator(f".sentence {css}").filter(visible=True).count() == 0
    assert page.locator(".sentence").bounding_box()["height"] < height
    button.click()
    settle(page)
    assert page.locator(".sentence").bounding_box()["height"] == height and look(page, "crowded") == []


def test_highlights_hide_no_border(page):
    show(page, make(DENSE))
    look_at = """() => [...document.querySelectorAll('[data-cluster="1"]:is(.tint, .coref)')].map((one) => {
      const { borderBottomWidth, borderBottomStyle, borderBottomColor } = getComputedStyle(one);
      return [borderBottomWidth, borderBottomStyle, borderBottomColor].join(" ");
    })"""
    before = page.evaluate(look_at)
    page.locator('.coref.begins[data-cluster="1"]').first.hover()
    assert page.locator(".tint.lit").count() == 1 and page.evaluate(look_at) == before
    assert all("solid" in border and not border.startswith("0px") for border in before)


def test_overflow_would_be_seen(new_page):
    page = new_page(360)
    page.set_content("<p style='white-space: nowrap'>" + "word " * 99)
    assert overflowing(page)


def test_script_in_the_text_does_not_run(page):
    evil = '<img src=x onerror=window.ran=1><script>window.ran=1</script>"\' onfocus="window.ran=1'
    nlp = spacy.blank("en")
    doc, n = nlp(f"{evil} and </div></section> {evil}"), len(nlp(evil))
    doc.user_data["title"] = evil
    doc.ents = [Span(doc, 0, n, evil)]
    set_mentions(doc, [Span(doc, 0, n, evil)])
    set_clusters(doc, [[(0, n), (len(doc) - n, len(doc))]])
    set_relations(doc, [Relation(doc[:n], doc[-n:], evil)])
    show(page, doc, gold=doc, title="</title><script>window.ran=1</script>")
    page.locator(".listed").check()
    for item in page.locator(".begins, .link, .clusters li").all():
        item.hover()
        item.focus()
    attributes = "() => [...document.querySelectorAll('*')].flatMap((one) => one.getAttributeNames())"
    assert not [name for name in page.evaluate(attributes) if name.startswith("on")]
    assert page.evaluate("() => window.ran") is None
    assert page.evaluate("() => [document.images.length, document.scripts.length]") == [0, 1]
    assert "<script>window.ran=1</script>" in page.locator(".sentence").first.inner_text().replace("\n", "")
    assert evil in page.locator(".link").first.inner_text()


def test_every_item_is_reached_with_the_keyboard(page):
    show(page, [make(ANNOTATED[0]), make(ANNOTATED[1])])
    first = page.locator(".document").first
    items = first.locator(".begins, .link, .clusters li").count()
    page.locator("summary").first.focus()
    page.keyboard.press("Tab")
    seen = []
    for _ in range(items):
        here = focused(page)
        assert here["outline"] and here["outline"] >= 2, here
        assert here["lit"], here
        seen.append(here["name"])
        page.keyboard.press("ArrowRight")
    assert focused(page)["name"] == seen[-1]  # the end
    assert seen[0] == "Named entity: PER, cluster 1: Ann Lee" and seen[-1] == "2 Acme Corp · it"
    assert "Ann Lee WORK → Acme Corp" in seen and "Mention: PER, cluster 1: She" in seen
    page.keyboard.press("Home")
    assert focused(page)["name"] == seen[0]
    page.keyboard.press("ArrowDown")
    assert "link" in focused(page)["css"] and "arrow lit" in focused(page)["lit"]
    page.keyboard.press("ArrowUp")
    assert focused(page)["name"] == seen[0]
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert focused(page)["name"] == seen[-2]
    page.keyboard.press("Tab")  # to the next document, in one step
    assert "Document 2" in focused(page)["name"]
    page.keyboard.press("Tab")
    assert focused(page)["name"].startswith("Mention: PER: My mom")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")  # and back to where one was
    assert focused(page)["name"] == seen[-2]


def test_focus_lights_as_hover_does_and_escape_clears(page):
    show(page, make(DENSE))
    page.locator('.coref.begins[data-cluster="2"]').first.focus()
    expected = page.locator('[data-cluster="2"]').count()
    assert focused(page)["lit"] == ["2"] * expected
    page.keyboard.press("Escape")
    assert focused(page)["lit"] == [] and page.locator(".hint").inner_text() == ""
    page.locator('.coref.begins[data-cluster="1"]').first.hover()
    assert set(lit(page)) == {"1"}
    page.keyboard.press("Escape")
    assert lit(page) == []


def test_right_to_left(page):
    show(page, make(HEBREW, "he"))
    words = {word.inner_text().strip(): word.bounding_box()["x"] for word in page.locator(".word").all()}
    assert words["רות"] > words["כהן"] > words["עובדת"]
    assert words["האדום"] > words["1998"] > words["Cross"] > words["Red"] > words["בתל"]
    for arrow in arrows(page):
        assert arrow["from"][0] > arrow["to"][0]
        assert meets(arrow["from"], arrow["head"]) and meets(arrow["to"], arrow["tail"])
    assert page.locator(".side").first.get_attribute("lang") == "he"
    page.locator(".listed").focus()
    page.keyboard.press("Tab")
    assert focused(page)["name"].startswith("Named entity: PER: רות")
    page.keyboard.press("ArrowLeft")
    assert focused(page)["name"].startswith("Mention: PER: רות")
    page.keyboard.press("ArrowRight")
    assert focused(page)["name"].startswith("Named entity: PER: רות")


def test_a_cluster_that_goes_on_in_the_next_line_shows_its_number_again(new_page):
    page = new_page(220)
    show(page, make(ANNOTATED[0]))
    set_clusters(doc := make(ANNOTATED[0]), [[(0, 6), (7, 8)]])
    show(page, doc)
    shown = page.locator(".coref.continues").all()
    assert shown and {one.get_attribute("data-label") for one in shown} == {"1"}
    page.set_viewport_size({"width": 1000, "height": 800})
    settle(page)
    assert page.locator(".coref.continues").count() == 0


def test_documents_put_in_later_are_started(page):
    style, script = assets()
    page.set_content(f"<style>{style}</style><main></main><script>{script}</script>")
    page.evaluate(
        """(html) => {
            const main = document.querySelector("main");
            main.innerHTML = html;
            hmtl.start(main);
            hmtl.start(main.querySelector(".hmtl"));
            hmtl.start();
        }""",
        render(make(ANNOTATED[0]), jupyter=False),
    )
    assert page.locator("svg").count() == 1 and page.locator(".hint").count() == 1
    assert meets(arrows(page)[0]["to"], arrows(page)[0]["tail"])
    page.locator(".coref.begins").first.hover()
    assert set(lit(page)) == {"1"}


def test_without_script_everything_is_there(new_page):
    page = new_page(360, java_script_enabled=False)
    page.set_content(render(make(DENSE), page=True, jupyter=False))
    assert page.locator(".link").first.is_visible() and page.locator(".clusters li").first.is_visible()
    assert page.locator("svg").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_can_be_read(new_page, scheme):
    page = new_page(color_scheme=scheme)
    words = [f"w{i}" for i in range(20)]
    clusters = [[(i, i + 1), (i + 10, i + 11)] for i in range(9)]
    doc = make((words, {0}, [(0, 1, "A")], [(0, 1, "A")], clusters, [(0, 1, 2, 3, "R")]))
    show(page, doc, gold=make((words, {0}, [(0, 1, "B")], [(0, 1, "A")], clusters, [(0, 1, 2, 3, "R")])))
    found = {}
    for number in range(1, 10):
        page.locator(f'.coref.begins[data-cluster="{number}"]').first.hover()
        found.update(look(page, "contrasts"))
    assert len([name for name in found if name.startswith("lit")]) >= 18 and min(found.values()) >= 4.5, found
    background = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")


def test_printed_pages_are_drawn_for_paper_and_open(page):
    long = make(("word " * 600 + ".", {0}, [], [], [], []))
    show(page, [make(DENSE), long, make(ANNOTATED[0])])
    last = page.locator("details").last
    assert last.get_attribute("open") is None
    before = arrows(page)[0]
    page.emulate_media(media="print")
    settle(page)
    assert last.get_attribute("open") is not None and last.locator("svg").is_visible()
    drawn = arrows(page)
    assert all(meets(one["from"], one["head"]) and meets(one["to"], one["tail"]) for one in drawn)
    assert drawn[0]["sentence"][2] - drawn[0]["sentence"][0] <= 42 * 16 + 1
    assert page.pdf()[:4] == b"%PDF"
    page.emulate_media(media="screen")
    settle(page)
    assert last.get_attribute("open") is None and arrows(page)[0]["to"] == before["to"]
