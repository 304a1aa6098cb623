"""Example files of other tools' formats and what they should become; skipped where they aren't at hand."""

import json
import os
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin

from hmtl_spacy.data.converters import convert
from hmtl_spacy.data.layers import STANDARD
from hmtl_spacy.data.writers.jsonl import to_jsonl

ROOT = Path(__file__).parent.parent
EXAMPLES = Path(os.environ.get("HMTL_FORMATS") or ROOT.parent / "shared" / "formats")
CASES = {  # the input, its format, and what is expected of it: NAME.expected.jsonl
    "brat": ("brat", "brat"),
    "webanno.tsv": ("webanno", "webanno"),
    "corefud.conllu": ("conllu", "corefud"),
    "inception_cas.json": ("cas", "inception_cas"),
    "bioc.xml": ("bioc", "bioc"),
    "pubtator.txt": ("pubtator", "pubtator"),
    "booknlp": ("booknlp", "booknlp"),
    "labelstudio.json": ("labelstudio", "labelstudio"),
    "doccano.jsonl": ("doccano", "doccano"),
    "prodigy.jsonl": ("prodigy", "prodigy"),
    "docred.json": ("docred", "docred"),
    "crossre.json": ("crossre", "crossre"),
}


def place(span):
    return span["start"], span["end"]


def trimmed(text, start, end):
    inside = text[start:end]
    return start + len(inside) - len(inside.lstrip()), start + len(inside.rstrip())


def content(record):
    """A line without the order within its layers; of the tokens and sentences only what it says of them."""
    found = {key: record[key] for key in ("id", "text", "tokens", "sentences") if key in record}
    if "sentences" in found:  # the white space between two belongs to the first in a Doc
        found["sentences"] = [trimmed(record["text"], *offsets) for offsets in found["sentences"]]
    for layer in STANDARD:
        rows = record.get(layer)
        if rows is None:
            continue
        if layer == "clusters":
            found[layer] = sorted(sorted(map(place, cluster)) for cluster in rows)
        elif layer == "relations":
            found[layer] = sorted((place(row["head"]), place(row["tail"]), row["label"]) for row in rows)
        else:
            found[layer] = sorted((*place(row), row["label"]) for row in rows)
    return found


@pytest.mark.parametrize("name", CASES)
def test_examples_become_what_is_expected(name, tmp_path):
    if not (EXAMPLES / name).exists():
        pytest.skip(f"{name} isn't there; set HMTL_FORMATS to the folder of the examples")
    format, expected_name = CASES[name]
    convert(format, EXAMPLES / name, tmp_path / "out.spacy")
    docs = DocBin().from_disk(tmp_path / "out.spacy").get_docs(spacy.blank("en").vocab)
    found = [content(to_jsonl(doc)) for doc in docs]
    lines = (EXAMPLES / f"{expected_name}.expected.jsonl").read_text(encoding="utf8").split("\n")
    expected = [content(json.loads(line)) for line in lines if line]
    for one, other in zip(found, expected, strict=True):
        asked = set(other).union(STANDARD if one["text"] else ())  # no tokens: entities count as annotated
        assert {key: one[key] for key in one if key in asked} == other


def test_an_expectation_has_its_layers():
    """What is compared tells missing from empty layers, and the ends of spans."""
    span = {"start": 0, "end": 3, "label": "x"}
    records = [{"text": "Ann"}, {"text": "Ann", "mentions": []}, {"text": "Ann", "mentions": [span]}]
    records += [{"text": "Ann", "mentions": [{**span, "end": 2}]}, {"text": "Ann", "clusters": [[span]]}]
    assert len({json.dumps(content(record)) for record in records}) == len(records)
