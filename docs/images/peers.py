"""The sentences of page.png in displaCy and in brat: `python docs/images/peers.py BRAT`, as make.py.

BRAT: the folder `package` of brat's page scripts, which `npm pack brat-client@0.0.2` and tar give.
"""

import json
import shutil
import sys
from pathlib import Path

from make import FOLDER, sample
from playwright.sync_api import sync_playwright
from spacy import displacy
from spacy.tokens import Span

from hmtl_spacy.annotations import get_clusters, get_relations

SCRIPTS = (
    "lib/jquery.min lib/jquery.svg.min lib/jquery.svgdom.min src/configuration src/util src/annotation_log"
)
SCRIPTS += " lib/webfont src/dispatcher src/url_monitor src/visualizer"
FONTS = ["static/fonts/PT_Sans-Caption-Web-Regular.ttf", "static/fonts/Liberation_Sans-Regular.ttf"]
COLOURS = {"PER": "#ffccaa", "LOC": "#b5e3b5", "GPE": "#b5d8f0", "ORG": "#f0d0f0"}
N = 3


def main(brat):
    """All at the width of page.png, but for displaCy's arrows, which need more and are shrunk."""
    doc = sample()
    with sync_playwright() as driver:
        options = ["--no-sandbox", "--allow-file-access-from-files"]
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=options)
        page = browser.new_page(viewport={"width": 860, "height": 100}, device_scale_factor=1.25)
        for name, html in (("entities", entities(doc)), ("spans", spans(doc))):
            page.set_content(html)
            page.screenshot(path=FOLDER / f"displacy-{name}.png", full_page=True)
        show_brat(page, doc, Path(brat).resolve())
        page = browser.new_page(viewport={"width": 1900, "height": 100}, device_scale_factor=0.75)
        page.set_content(relations(doc))
        page.screenshot(path=FOLDER / "displacy-relations.png", full_page=True)
        browser.close()


def end(doc):
    """Where the sentences that are shown end, in tokens."""
    return list(doc.sents)[N - 1].end


def drawn(doc, style, **options):
    return displacy.render(doc, style=style, page=True, jupyter=False, options=options).replace(
        "6rem 2rem", "1rem"
    )


def entities(doc):
    return drawn(doc[: end(doc)].as_doc(), "ent")


def spans(doc):
    """Mentions by type, and those in clusters once more by the cluster's number: displaCy draws one group."""
    short = doc[: end(doc)].as_doc()
    clusters = [(span, f"coref {span.id_}") for span in doc.spans["coref_clusters"] if span.id_]
    labelled = [*((span, span.label_) for span in doc.spans["mentions"]), *clusters]
    short.spans["all"] = [Span(short, s.start, s.end, label) for s, label in labelled if s.end <= len(short)]
    return drawn(short, "span", spans_key="all")


def relations(doc):
    """Arrows between words, sentence by sentence, which is how displaCy draws dependencies."""
    pictures = []
    for sentence in list(doc.sents)[:N]:
        found = [r for r in get_relations(doc) if r.head.sent == sentence]
        ends = [(r.head.end - 1 - sentence.start, r.tail.end - 1 - sentence.start, r.label) for r in found]
        arcs = [
            {"start": min(a, b), "end": max(a, b), "label": label, "dir": "right" if a < b else "left"}
            for a, b, label in ends
        ]
        words = [{"text": token.text, "tag": ""} for token in sentence if not token.is_space]
        pictures.append({"words": words, "arcs": arcs})
    options = {"compact": True, "distance": 68}
    html = displacy.render(pictures, style="dep", manual=True, page=True, jupyter=False, options=options)
    return html.replace("margin-bottom: 6rem", "margin: 0").replace("padding: 4rem", "padding: 0")


def show_brat(page, doc, brat):
    """By brat's own script: mentions and clustered phrases as entities, links to antecedents as relations."""
    scripts = "".join(f'<script src="client/{name}.js"></script>' for name in SCRIPTS.split())
    call = f"Util.embed('brat', {', '.join(map(json.dumps, (*brat_data(doc), FONTS)))})"
    html = f"""<!DOCTYPE html><meta charset=utf-8><link rel=stylesheet href="static/style-vis.css">
    <script>module = {{}}</script>{scripts}<div id=brat></div><script>{call}</script>"""
    (brat / "sentences.html").write_text(html, "utf8")
    page.goto((brat / "sentences.html").as_uri())
    page.wait_for_selector("#brat g.arcs path", state="attached")
    page.screenshot(path=FOLDER / "brat.png", full_page=True)


def brat_data(doc):
    """The types with their colours, and the text with what is annotated, as brat's script takes them."""
    stop = end(doc)
    labels = {
        (s.start, s.end): s.label_ or "phrase" for s in [*doc.spans["coref_clusters"], *doc.spans["mentions"]]
    }
    ids = {place: f"T{i}" for i, place in enumerate(labels) if place[1] <= stop}
    links = [(r.head, r.tail, r.label) for r in get_relations(doc)]
    for cluster in get_clusters(doc):
        links += [(span, antecedent, "Coref") for antecedent, span in zip(cluster, cluster[1:])]
    arcs = [
        [f"R{i}", label, [["Arg1", ids[a.start, a.end]], ["Arg2", ids[b.start, b.end]]]]
        for i, (a, b, label) in enumerate(links)
        if (a.start, a.end) in ids and (b.start, b.end) in ids
    ]
    spans = [[ids[p], labels[p], [[doc[p[0]].idx, doc[p[0] : p[1]].end_char]]] for p in ids]
    types = [
        {"type": label, "labels": [label], "bgColor": COLOURS.get(label, "#dddddd"), "borderColor": "darken"}
        for label in sorted({label for _, label, _ in spans})
    ]
    kinds = [
        {
            "type": label,
            "labels": [label],
            "dashArray": "3,3" if label == "Coref" else "-",
            "args": [{"role": "Arg1"}, {"role": "Arg2"}],
        }
        for label in sorted({label for _, label, _ in arcs})
    ]
    text = doc[:stop].text.rstrip()
    return {"entity_types": types, "relation_types": kinds}, {
        "text": text,
        "entities": spans,
        "relations": arcs,
    }


if __name__ == "__main__":
    main(sys.argv[1])
