"""The real corpora against the published numbers; skipped where they aren't at hand."""

import os
from collections import Counter
from pathlib import Path

import pytest

from hmtl_spacy.data.converters import Lines, convert
from hmtl_spacy.data.converters.common import read_lines

ROOT = Path(__file__).parent.parent
CORPORA = Path(os.environ.get("HMTL_CORPORA") or ROOT.parent / "shared" / "corpora")


def convert_corpus(format, name, tmp_path, **options):
    path = CORPORA / name
    if not path.exists():
        pytest.skip(f"{name} isn't there; set HMTL_CORPORA to the folder of the corpora")
    dropped = Counter()
    written = convert(format, path, tmp_path / "out.spacy", dropped=dropped, **options)
    return dict(+written), dict(+dropped)


@pytest.mark.parametrize(
    "part, docs, sentences, tokens, entities",
    [("train", 540, 12543, 204579, 7005), ("dev", 318, 2001, 25149, 966), ("test", 316, 2077, 25097, 1088)],
)
def test_uner(tmp_path, part, docs, sentences, tokens, entities):
    written, dropped = convert_corpus("iob", f"uner_ewt/en_ewt-ud-{part}.iob2", tmp_path, drop=["OTH"])
    assert written == {"documents": docs, "sentences": sentences, "tokens": tokens, "entities": entities}
    expected = {"entities labelled OTH": 888, "entities labelled O": 540}
    assert dropped == (expected if part == "train" else {})


@pytest.mark.parametrize(
    "part, docs, sentences, tokens, mentions, clusters",
    [
        ("train", 177, 10224, 177410, 49649, 25758),
        ("dev", 30, 1575, 28119, 7897, 3940),
        ("test", 30, 1464, 28397, 7927, 4319),
    ],
)
def test_gum(tmp_path, part, docs, sentences, tokens, mentions, clusters):
    name = f"gum/en_gum-ud-{part}.conllu"
    written, dropped = convert_corpus("conllu", name, tmp_path, mentions="extent", singletons=True)
    same = dropped.pop("mentions with the same extent as another", 0)
    assert dropped.pop("bridging links") and dropped.pop("split antecedents")
    assert written.pop("mentions") + same == mentions
    assert written.pop("clusters") == clusters and not dropped
    assert written == {"documents": docs, "sentences": sentences, "tokens": tokens}


def test_gum_without_singletons(tmp_path):
    written, dropped = convert_corpus("conllu", "gum/en_gum-ud-test.conllu", tmp_path)
    assert (written["mentions"], written["clusters"]) == (7786, 4319 - 3225)
    links = {"bridging links": 241, "split antecedents": 54}
    assert dropped == {
        "mentions with the same head as another": 141,
        "clusters of one mention": 3225,
        **links,
    }


@pytest.mark.parametrize(
    "part, docs, tokens, mentions, relations",
    [("train", 910, 26804, 3391, 1271), ("dev", 243, 6975, 877, 353), ("test", 288, 8408, 1079, 422)],
)
def test_conll04(tmp_path, part, docs, tokens, mentions, relations):
    written, dropped = convert_corpus("conll04", f"conll04/{part}.txt", tmp_path)
    assert written.pop("sentences") == docs
    assert written == {"documents": docs, "tokens": tokens, "mentions": mentions, "relations": relations}
    expected = {"I- tags that continue no entity": 7, "relations of which an argument ends no entity": 2}
    assert dropped == (expected if part == "train" else {})


def test_conll04_without_the_leak(tmp_path):
    exclude = Lines(read_lines(CORPORA / "conll04/train.txt"))
    written, dropped = convert_corpus("conll04", "conll04/test.txt", tmp_path, exclude=exclude)
    assert written["documents"] == 288 - 23
    assert dropped == {"sentences that occur in the excluded file": 23}


@pytest.mark.parametrize(
    "part, docs, sentences, tokens, mentions, relations, clusters",
    [
        ("train", 350, 1861, 45412, 5598, 3219 - 4, 719),  # of 720, one names the same mention twice
        ("dev", 50, 275, 6521, 811, 455, 100),
        ("test", 100, 551, 13401, 1685, 974, 195),
    ],
)
def test_scierc(tmp_path, part, docs, sentences, tokens, mentions, relations, clusters):
    written, dropped = convert_corpus("dygie", f"scierc/{part}.json", tmp_path)
    assert (written.pop("documents"), written.pop("sentences"), written.pop("tokens")) == (
        docs,
        sentences,
        tokens,
    )
    assert written == {"mentions": mentions, "relations": relations, "clusters": clusters}
    expected = {
        "duplicates in 'relations'": 4,
        "mentions named twice in a cluster": 1,
        "clusters of one mention": 1,
    }
    assert dropped == (expected if part == "train" else {})
