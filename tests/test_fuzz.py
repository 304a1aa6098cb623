"""Hostile texts through every reader, writer and form of storage, seeded: the same 500 every time.

Nothing crashes; what is written is read back equal, or its loss is counted.
"""

import html
import json
import pickle
import random
import re
import unicodedata
from collections import Counter

import pytest
import spacy
from converting import convert_text, ents, mentions, read_lines, relations
from spacy.tokens import Doc, DocBin, Span

from hmtl_spacy.annotations import (
    Relation,
    get_clusters,
    get_mentions,
    get_relations,
    set_clusters,
    set_mentions,
    set_relations,
)
from hmtl_spacy.data.converters import ConversionError, convert, get_converter
from hmtl_spacy.data.layers import read_layers
from hmtl_spacy.data.writers import get_writer
from hmtl_spacy.visualize import render

NLP = spacy.blank("en")
EVERY = range(0x110000)
SPACES = [chr(i) for i in EVERY if chr(i).isspace()]
LINES = ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
FORMATS = [chr(i) for i in EVERY if unicodedata.category(chr(i)) == "Cf" and i < 0x3000]
MARKS = [chr(i) for i in range(0x300, 0x370)] + ["\u20dd", "\ufe0f", "\u0e31", "\u093f"]
EMOJI = ["👍🏽", "👩‍👩‍👧‍👦", "🇩🇪", "❤️", "🏴\U000e0067\U000e0062\U000e007f", "1️⃣", "👩🏿‍🚀", "\ufe0f"]
CONTROLS = [chr(i) for i in (*range(0x20), *range(0x7F, 0xA0))]
NEVER = ["\ufffe", "\uffff", "\U0010ffff", "\ue000", "\ufdd0", "\ufffd", "\ufeff"]
ESCAPES = [r"\ud800", r"\udc00", r"\u0000", "&#xD800;", "&#0;", "%ED%A0%80", r"\N{BULLET}", "\\", r"\x00"]
MARKUP = (
    "<script> </script> &amp; & \" ' ]]> <!-- --> { } [ ], : ; | null =1+1 @SUM(A1) ${x} {{x}} %s $(id) (0 #"
)
ROWS = ["#begin document (x); part 000", "#end document", "# newdoc", "\t"]
METACHARACTERS = [*MARKUP.split(), *ROWS, "-DOCSTART-", "-LRB-", "/.", "``", "*"]
RIGHT_TO_LEFT = ["שלום", "مرحبا", "بِسْمِ", "א'", "١٢٣", "\u200f", "עברית-English"]
PLAIN = ["Ann", "met", "Bob", ".", "She", "ran", "3.5", "U.S.", "it's"]

KINDS = {
    "bidirectional and zero-width characters": FORMATS,
    "combining marks": MARKS,
    "emoji with modifiers": EMOJI,
    "NUL and control characters": CONTROLS,
    "every white space of Unicode": SPACES,
    "line separators": LINES,
    "what is no character": NEVER,
    "escapes that look like surrogates": ESCAPES,
    "metacharacters of HTML, JSON, CSV and columns": METACHARACTERS,
    "right-to-left text": RIGHT_TO_LEFT,
}


def make_texts(seed):
    """YIELDS: 500 texts: long words, blank ones, each kind among plain words, all kinds together."""
    rng = random.Random(seed)
    yield from [
        "",
        " ",
        "\n",
        "\u00a0",
        "\r\n\r\n",
        "\ufeff",
        "\0",
        "a" * 5000,
        "é" * 3000,
        "👍🏽" * 200,
        "א" * 2000,
    ]
    yield from ("".join(SPACES), "x".join(SPACES), "x".join(LINES), "x".join(CONTROLS), "a" + "\u0301" * 300)
    everything = [item for items in KINDS.values() for item in items]
    for number in range(484):
        kind = [*KINDS.values(), everything][number % (len(KINDS) + 1)]
        items = [rng.choice(kind if rng.random() < 0.6 else PLAIN) for _ in range(rng.randint(1, 20))]
        yield rng.choice(["", " ", " "]).join(items)


TEXTS = list(make_texts(13))


def annotated(text, seed):
    """All four layers at random over the text's tokens, with sentences and what hangs beside a text."""
    rng = random.Random(seed)
    doc = NLP.make_doc(text)
    doc.user_data.update(id=text[:40], meta={"text": text, "n": [seed, None, 0.5]})
    for token in doc:
        token.is_sent_start = token.i == 0 or rng.random() < 0.2
    starts = [rng.randrange(len(doc)) for _ in range(5)] if len(doc) else []
    spans = sorted({(start, min(start + rng.randint(1, 3), len(doc))) for start in starts})
    label = "L<&" if rng.random() < 0.5 else "é"
    typed = [Span(doc, *span, label) for span in spans]
    doc.set_ents(spacy.util.filter_spans(typed), default="outside")
    set_mentions(doc, typed)
    set_clusters(doc, [spans[::2], spans[1::2]])
    set_relations(doc, [Relation(*pair, "R|") for pair in zip(typed, typed[1:], strict=False)])
    return doc


DOCS = [annotated(text, number) for number, text in enumerate(TEXTS)]


def content(doc):
    places = [[(span.start, span.end) for span in cluster] for cluster in get_clusters(doc)]
    links = [(*(span.start for span in row[:2]), row.label) for row in get_relations(doc)]
    spans = [(span.start, span.end, span.label_) for span in (*get_mentions(doc), *doc.ents)]
    starts = [token.is_sent_start for token in doc]
    return doc.text, [token.text for token in doc], starts, spans, sorted(places), links, beside(doc)


def beside(doc):
    """What hangs beside the text; .spacy files make tuples of lists."""
    return json.dumps(doc.user_data, sort_keys=True)


def written(doc, format):
    lost = Counter()
    data = get_writer(format).write(doc, read_layers(doc), lost)
    return data, +lost


def test_there_are_500_texts_of_all_kinds():
    assert len(TEXTS) == 500 and len(SPACES) >= 25 and make_texts(13) is not TEXTS
    assert list(make_texts(13)) == TEXTS
    for items in KINDS.values():
        assert sum(any(item in text for item in items) for text in TEXTS) > 20


@pytest.mark.parametrize("form", ["bytes", "docbin", "pickle"])
def test_forms_of_storage(form):
    if form == "docbin":
        stored = DocBin(store_user_data=True, docs=DOCS).to_bytes()
        backs = list(DocBin().from_bytes(stored).get_docs(spacy.blank("en").vocab))
    elif form == "pickle":
        backs = pickle.loads(pickle.dumps(DOCS))
    else:
        backs = [Doc(NLP.vocab).from_bytes(doc.to_bytes()) for doc in DOCS]
    for doc, back in zip(DOCS, backs, strict=True):
        same = content(back) == content(doc)
        assert same, doc.text


def test_jsonl(tmp_path):
    """Through a file, where lines are split."""
    path = tmp_path / "texts.jsonl"
    path.write_bytes("".join(written(doc, "jsonl")[0] for doc in DOCS).encode())
    convert("jsonl", path, tmp_path / "out.spacy")
    backs = DocBin().from_disk(tmp_path / "out.spacy").get_docs(spacy.blank("en").vocab)
    for doc, back in zip(DOCS, backs, strict=True):
        same = content(back) == content(doc)
        assert same, doc.text


def test_jsonl_without_tokens():
    lines = "\n".join(json.dumps({"text": doc.text}) for doc in DOCS)
    for doc, back in zip(DOCS, convert_text("jsonl", lines), strict=True):
        assert [token.text for token in back] == [token.text for token in doc]


def words(doc):
    return [token.text for token in doc if not token.is_space]


def test_dygie(tmp_path):
    path = tmp_path / "texts.json"
    path.write_bytes("".join(written(doc, "dygie")[0] for doc in DOCS).encode())
    convert("dygie", path, tmp_path / "out.spacy", unescape=False, singletons=True)
    backs = DocBin().from_disk(tmp_path / "out.spacy").get_docs(spacy.blank("en").vocab)
    for doc, back in zip(DOCS, backs, strict=True):
        _, lost = written(doc, "dygie")
        assert [token.text for token in back] == words(doc) and beside(back) == beside(doc)
        if not lost["tokens of white space"]:
            assert mentions(back) == spelt(doc)
            assert len(relations(back)) == len(relations(doc))
        assert lost["tokens of white space"] == len(doc) - len(words(doc))


def spelt(doc):
    return [(" ".join(token.text for token in span), span.label_) for span in get_mentions(doc)]


def test_conll2012(tmp_path):
    for doc in DOCS:
        text, lost = written(doc, "conll2012")
        if text is None:
            assert not words(doc) and lost["documents without words"] == 1
            continue
        path = tmp_path / "one_conll"
        path.write_bytes(text.encode())
        convert("conll2012", path, tmp_path / "out.spacy", unescape=False, singletons=True)
        [back] = DocBin().from_disk(tmp_path / "out.spacy").get_docs(NLP.vocab)
        assert len(back) == len(words(doc))
        changed = sum(a.text != b for a, b in zip(back, words(doc), strict=True))
        told = sum(count for what, count in lost.items() if what.startswith("words "))
        brackets = sum(word in ("(", ")", "[", "]", "{", "}") for word in words(doc))
        assert changed <= told + brackets, (changed, lost)


@pytest.mark.parametrize("format", ["iob", "conllu", "conll04", "conll2012", "dygie", "jsonl", "inline"])
def test_texts_that_are_taken_for_files(tmp_path, format):
    """A reader gives documents, or an error with the file; no other exception."""
    path = tmp_path / "in"
    for text in TEXTS[:: 20 if format == "jsonl" else 1]:  # it builds a tokenizer for each file
        path.write_bytes(text.encode())
        try:
            for doc in get_converter(format).read(read_lines(path), source="in"):
                doc.to_bytes()
        except ConversionError as err:
            assert str(err).startswith(("in", str(path)))


@pytest.mark.parametrize("layout", ["{word}\t{tag}", "{i}\t{word}\t{tag}"])
def test_words_in_columns(layout):
    """Words as a file of tags has them: they are read as they are, or the file is refused."""
    for doc in DOCS[::3]:
        texts = [word for word in words(doc) if not re.search(r"[\t\n]|^-DOCSTART-|^#", word)]
        rows = [layout.format(i=i, word=word, tag="B-X") for i, word in enumerate(texts, start=1)]
        if rows:
            [back] = convert_text("iob", "\n".join(rows))
            assert [token.text for token in back] == texts and len(ents(back)) == len(texts)


def test_pages_show_the_text_and_nothing_runs():
    scripts = render(annotated("Ann ran.", 0)).lower().count("<script")
    for doc in DOCS[::5]:
        page = render(doc)
        assert page.lower().count("<script") == scripts
        body = html.unescape(re.sub(r"<[^>]*>", "", page))
        for word in words(doc):
            if word.isalnum() and len(word) < 50:
                assert word in body
