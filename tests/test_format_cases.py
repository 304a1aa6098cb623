"""The same document and the same damage in every tool's format."""

from collections import Counter
from typing import Any, Callable, Dict, NamedTuple, Tuple

import format_files as files
import pytest
from converting import clusters, ents, mentions, relations

from hmtl_spacy.data.converters import ConversionError, get_converter
from hmtl_spacy.data.converters.common import read_lines
from hmtl_spacy.registry import converters, registered

ALL = [("Ann Lee", "PER"), ("Lee", "NAME"), ("Acme", "ORG"), ("She", "PER")]
PAIR = [("Ann Lee", "OWN", "Acme"), ("Ann Lee", "WORK", "Acme")]
ACROSS = [*PAIR, ("She", "SELL", "Acme")]


class Case(NamedTuple):
    """How a format's files are made, and what of the document it holds.

    input: the file that is read, or "" for the folder. make: writes it, and what belongs to it.
    text: whether it is UTF-8 text with lines.
    """

    input: str
    make: Callable[..., None]
    relations: Any = ACROSS
    clusters: Any = [["Ann Lee", "She"]]
    mentions: Any = ALL
    text: bool = True
    options: Dict[str, Any] = {}


def ours(format: str, name: str, **options: Any) -> Case:
    return Case(name, files.written(format, name), **options)


CASES = {
    "jsonl": ours("jsonl", "in.jsonl"),
    "dygie": ours("dygie", "in.jsonl"),
    "labelstudio": ours("labelstudio", "in.json", options={"predictions": True}),
    "doccano": ours("doccano", "in.jsonl"),
    "prodigy": ours("prodigy", "in.jsonl", options={"unanswered": True}),
    "conllu": ours("conllu", "in.conllu", relations=None, options={"mentions": "extent"}),
    "cas": ours("cas", "in.zip", text=False),
    "parquet": ours("parquet", "in.parquet", text=False),
    "brat": Case("a.txt", files.brat),
    "webanno": Case("in.tsv", files.webanno),
    "bioc": Case("in.xml", files.bioc),
    "pubtator": Case("in.txt", files.pubtator, relations=PAIR),
    "docred": Case("in.json", files.docred, relations=PAIR),
    "crossre": Case("in.jsonl", files.crossre, relations=PAIR, clusters=None, mentions=ALL[:3]),
    "booknlp": Case("in.tokens", files.booknlp, relations=None),
    "spacy-rel": Case("in.spacy", files.spacy_rel, clusters=None, mentions=[ALL[0], *ALL[2:]], text=False),
}
# Tested with files of their own: licensed corpora, columns of tags, and what `parquet` reads in a folder.
OTHERS = {"ace", "conll04", "conll2012", "datasets", "inline", "iob"}
TEXTS = [name for name, case in CASES.items() if case.text]


def read(format: str, folder, **options: Any) -> Tuple[Any, Counter]:
    dropped: Counter = Counter()
    converter, case = get_converter(format), CASES[format]
    path, options = folder / case.input, {**case.options, **options}
    if not converter.paths:
        docs = converter.read(read_lines(path), source=str(path), dropped=dropped, **options)
    else:
        docs = converter.read(path, dropped=dropped, **options)
    return list(docs), +dropped


def content(doc):
    found = mentions(doc), relations(doc), clusters(doc)
    return tuple(None if rows is None else sorted(rows) for rows in found)


def expected(case):
    rows = case.mentions, case.relations, case.clusters
    return tuple(None if layer is None else sorted(layer) for layer in rows)


def test_every_format_is_in_the_table():
    assert set(registered(converters)) == set(CASES) | OTHERS


@pytest.mark.parametrize("format", CASES)
def test_nested_spans_two_relations_on_a_pair_and_across_sentences_behind_an_emoji(format, tmp_path):
    CASES[format].make(tmp_path, empty=False)
    (doc,), _ = read(format, tmp_path)
    assert content(doc) == expected(CASES[format])
    assert doc[0].text == "🙂"
    assert ents(doc) == ([ALL[0], *ALL[2:]] if format == "spacy-rel" else [])


@pytest.mark.parametrize("format", CASES)
def test_an_empty_document(format, tmp_path):
    CASES[format].make(tmp_path, empty=True)
    docs, _ = read(format, tmp_path)
    for doc in docs:
        assert not doc.text.strip() and not any(content(doc))


@pytest.mark.parametrize("format", TEXTS)
def test_windows_line_ends_and_a_byte_order_mark(format, tmp_path):
    CASES[format].make(tmp_path, empty=False)
    for path in tmp_path.iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    (doc,), _ = read(format, tmp_path)
    assert content(doc) == expected(CASES[format])


@pytest.mark.parametrize("format", CASES)
def test_a_file_that_is_cut_is_refused_by_name_or_has_less(format, tmp_path):
    CASES[format].make(tmp_path, empty=False)
    whole = read(format, tmp_path)[0][0]
    refused = 0
    for path in sorted(tmp_path.iterdir()):
        raw = path.read_bytes()
        for end in range(1, len(raw) - 2, max(1, len(raw) // 60)):
            path.write_bytes(raw[:end])
            try:
                docs, _ = read(format, tmp_path)
            except ConversionError as err:
                assert path.stem in str(err)
                refused += 1
            else:
                for doc in docs:
                    assert whole.text.startswith(doc.text.rstrip())
                    for found, known in zip(content(doc), content(whole)):
                        assert format == "brat" or set(map(str, found or ())) <= set(map(str, known or ()))
        path.write_bytes(raw)
    assert refused >= 10


@pytest.mark.parametrize("format", TEXTS)
def test_a_label_that_nobody_knows_is_a_label(format, tmp_path):
    CASES[format].make(tmp_path, empty=False)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes().replace(b"ORG", b"Neu_7"))
    (doc,), _ = read(format, tmp_path)
    wanted = [(text, label.replace("ORG", "Neu_7")) for text, label in CASES[format].mentions]
    assert sorted(mentions(doc)) == sorted(wanted)
