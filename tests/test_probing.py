"""Probing: tasks made of a treebank, their splits, embeddings of every layer, tables made again."""

import json
import os
import sys
from collections import Counter
from pathlib import Path
from random import Random

import numpy
import pytest
import spacy

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "experiments").is_dir():
    pytest.skip("the tests run without the project's experiments", allow_module_level=True)
pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
sys.path.append(str(ROOT / "experiments"))

from hmtl_experiments.again import main as again  # noqa: E402
from hmtl_experiments.probing import embedding as embedding_module  # noqa: E402
from hmtl_experiments.probing.__main__ import main  # noqa: E402
from hmtl_experiments.probing.classifying import probe  # noqa: E402
from hmtl_experiments.probing.comparing import comparisons  # noqa: E402
from hmtl_experiments.probing.embedding import embed, embed_with_vectors, pool  # noqa: E402
from hmtl_experiments.probing.generating import TASKS, Example  # noqa: E402
from hmtl_experiments.probing.inverting import inverted  # noqa: E402
from hmtl_experiments.probing.odd_words import count, odd_words  # noqa: E402
from hmtl_experiments.probing.report import by_layer, table  # noqa: E402
from hmtl_experiments.probing.splitting import balance, counts, divide, make_splits  # noqa: E402
from hmtl_experiments.probing.treebank import read_treebank  # noqa: E402

GUM = Path(os.environ.get("GUM", ROOT / "assets/download/gum"))

# "Yesterday the dogs chased a cat in Rome , and it ran ." : columns that matter, the others are filled
COORDINATED = """\
Yesterday yesterday ADV RB 4 advmod
the the DET DT 3 det
dogs dog NOUN NNS 4 nsubj
chased chase VERB VBD 0 root
a a DET DT 6 det
cat cat NOUN NN 4 obj
in in ADP IN 8 case
Rome Rome PROPN NNP 4 obl
, , PUNCT , 12 punct
and and CCONJ CC 12 cc
it it PRON PRP 12 nsubj
ran run VERB VBD 4 conj
. . PUNCT . 4 punct"""


def conllu(sentences, doc="news"):
    """CoNLL-U of sentences in short lines: text, lemma, pos, tag, head, relation."""
    lines = [f"# newdoc id = {doc}"]
    for sentence in sentences:
        for i, row in enumerate(sentence.splitlines(), start=1):
            text, lemma, pos, tag, head, relation = row.split()
            lines.append("\t".join([str(i), text, lemma, pos, tag, "_", head, relation, "_", "_"]))
        lines.append("")
    return "\n".join(lines) + "\n"


def simple(noun, number, verb, past, adverb="", obj="bread"):
    """A sentence such as "the bakers often sold bread today"."""
    forms = [
        ("the", "the", "DET", "DT", "noun", "det"),
        (noun + "s" * (number == "NNS"), noun, "NOUN", number, "verb", "nsubj"),
        *([(adverb, adverb, "ADV", "RB", "verb", "advmod")] if adverb else []),
        (verb + ("ed" if past else ""), verb, "VERB", "VBD" if past else "VBP", "0", "root"),
        (obj, obj.removesuffix("s"), "NOUN", "NNS" if obj.endswith("s") else "NN", "verb", "obj"),
        ("today", "today", "ADV", "RB", "verb", "advmod"),
        (".", ".", "PUNCT", ".", "verb", "punct"),
    ]
    places = {"noun": "2", "verb": str([form[5] for form in forms].index("root") + 1)}
    return "\n".join(" ".join([*form[:4], places.get(form[4], form[4]), form[5]]) for form in forms)


def write(tmp_path, *documents):
    path = tmp_path / "bank.conllu"
    path.write_text("".join(conllu(sentences, f"doc{i}") for i, sentences in enumerate(documents)))
    return path


@pytest.fixture
def treebank(tmp_path):
    """300 sentences in 30 documents; every tense and number with every lemma."""
    random = Random(0)
    nouns, verbs = (
        [f"noun{'abcdefghij'[i]}" for i in range(10)],
        [f"verb{'abcdefghij'[i]}" for i in range(10)],
    )
    documents = [
        [
            simple(
                random.choice(nouns),
                random.choice(("NN", "NNS")),
                random.choice(verbs),
                random.random() < 0.5,
                random.choice(("", "often", "never")),
                random.choice(nouns) + random.choice(("", "s")),
            )
            for _ in range(12)
        ]
        for _ in range(30)
    ]
    return write(tmp_path, *documents)


def only(tmp_path, sentence):
    [found] = read_treebank([write(tmp_path, [sentence])])
    return found


def examples(task, sentences, seed=0):
    return list(TASKS[task](sentences, Random(seed)))


def test_a_treebank_is_read_without_ranges_empty_nodes_and_repetitions(tmp_path):
    text = conllu([COORDINATED, COORDINATED.replace("Yesterday", "yesterday"), "Hi hi INTJ UH 0 root"])
    text = text.replace("1\tYes", "1-2\tYesterdaythe" + "\t_" * 8 + "\n1\tYes", 1)
    text = text.replace("2\tthe", "1.1\tempty" + "\t_" * 8 + "\n2\tthe", 1)
    path = tmp_path / "a.conllu"
    path.write_text(text)
    [sentence] = read_treebank([path])
    assert len(sentence.words) == 13 and sentence.doc == "news" and sentence.texts[:2] == ("Yesterday", "the")
    assert sentence.root == 3 and sentence.depth == 3 and sentence.dependents(3, "obj") == [5]
    assert sentence.subtree(11) == {8, 9, 10, 11}


def test_files_without_trees_are_refused(tmp_path):
    path = tmp_path / "a.iob"
    path.write_text("1\tHello\tO\t-\n\n")
    with pytest.raises(ValueError, match=r"a.iob, line 1: a word needs ten columns with its head"):
        read_treebank([path])
    path.write_text(conllu(["Hi hi INTJ UH 0 root"]))
    with pytest.raises(
        ValueError, match=r"No sentence of 5 to 28 words in .*a.iob: name files of a treebank"
    ):
        read_treebank([path])


def test_labels(tmp_path):
    sentence = only(tmp_path, COORDINATED)
    labels = {task: [(eg.label, eg.group) for eg in examples(task, [sentence])] for task in TASKS}
    assert labels["SentLen"] == [("13-16", "doc0")]
    assert labels["TopConst"] == [("ADVP NP VP .", "doc0")]
    assert labels["Tense"] == [("past", "chase")]
    assert labels["SubjNum"] == [("plural", "dog")] and labels["ObjNum"] == [("singular", "cat")]
    assert labels["CoordInv"] == [("original", "doc0"), ("inverted", "doc0")]
    assert labels["TreeDepth"] == [], "no sentence of the other depths is as long"
    assert labels["SOMO"] == [], "no other word has the same tag"


def test_clauses_change_places_and_capitals_stay_where_they_were(tmp_path):
    text = "It ran , and yesterday the dogs chased a cat in Rome ."
    assert " ".join(inverted(only(tmp_path, COORDINATED))) == text
    named = COORDINATED.replace("Yesterday yesterday ADV RB", "Anna Anna PROPN NNP")
    assert "and Anna the dogs" in " ".join(inverted(only(tmp_path, named)))
    for other in (
        COORDINATED.replace("11 nsubj", "11 obj").replace("12 nsubj", "12 obj"),  # a clause without a subject
        COORDINATED.replace("12 cc", "4 cc"),  # the conjunction isn't the second clause's
        COORDINATED.replace("8 case", "12 case"),  # part of the second clause stands in the first
    ):
        assert inverted(only(tmp_path, other)) is None


def test_neighbours_change_places_in_half_of_the_sentences(treebank):
    sentences = read_treebank([treebank])
    shifted = {eg.label: eg.words for eg in examples("BShift", sentences)}
    assert set(shifted) == {"original", "shifted"}
    originals = {sentence.texts for sentence in sentences}
    for eg in examples("BShift", sentences):
        [original] = [texts for texts in originals if sorted(texts) == sorted(eg.words)][:1]
        assert (eg.words in originals) == (eg.label == "original")
        assert eg.words[0] == original[0] and eg.words[-1] == "."
    share = Counter(eg.label for eg in examples("BShift", sentences))
    assert 0.4 < share["shifted"] / len(sentences) < 0.6


def test_one_of_the_targets_is_in_each_sentence(treebank):
    sentences = read_treebank([treebank])
    labels = {eg.label for eg in examples("WC", sentences)}
    assert all(len(set(eg.words) & labels) == 1 for eg in examples("WC", sentences))


def test_depth_cannot_be_told_from_length(tmp_path, monkeypatch):
    """Of 30 shallow and 7 deep short sentences there are 7 each, of shallow long ones none."""
    monkeypatch.setattr("hmtl_experiments.probing.generating.DEPTHS", range(3, 5))
    short = [simple(f"n{i}", "NN", f"v{i}", True) for i in range(30)]
    deep = [text.replace("today today ADV RB 3", "late late ADV RB 1") for text in short[:7]]
    long = [text + "\n. . PUNCT . 3 punct" * 4 for text in short[:4]]
    found = examples("TreeDepth", read_treebank([write(tmp_path, short, deep, long)]))
    assert Counter((len(eg.words), eg.label) for eg in found) == {(6, "3"): 7, (6, "4"): 7}


def test_replacements_are_as_frequent_beside_their_neighbours(tmp_path):
    """A word of its own in each sentence says which one it was."""
    random, nouns, verbs = Random(0), [f"noun{x}" for x in "abcd"], [f"verb{x}" for x in "abcd"]
    texts = [
        simple(random.choice(nouns), "NNS", random.choice(verbs), True, obj=random.choice(nouns)).replace(
            "today today", f"at{i} at{i}"
        )
        for i in range(300)
    ]
    sentences = read_treebank([write(tmp_path, texts)])
    frequencies = count(sentences)
    originals = {sentence.texts[4]: sentence for sentence in sentences}
    found = Counter()
    part_of = {}
    for words, label, part, lemma in odd_words(sentences, Random(1)):
        original = originals[words[4]]
        changed = [i for i in range(len(words)) if words[i] != original.texts[i]]
        assert len(changed) == (label == "odd")
        assert lemma in {word.lemma for word in original.words}
        found[label] += 1
        for i in changed:
            old, new = original.texts[i], words[i]
            for with_old, with_new in (
                ((words[i - 1], old), (words[i - 1], new)),
                ((old, words[i + 1]), (new, words[i + 1])),
            ):
                times = frequencies.pairs[with_old] - 1, frequencies.pairs[with_new]
                assert times[0].bit_length() == times[1].bit_length()
            for word in (old, new):
                assert part_of.setdefault(word.removesuffix("s"), part) == part
    assert found["odd"] >= 15 and found["original"] >= 15


def test_splits_are_balanced_and_share_no_group(treebank):
    sentences = read_treebank([treebank])
    for task in ("BShift", "Tense", "SubjNum", "ObjNum", "SOMO"):
        splits = make_splits(task, sentences, 0)
        groups = [{eg.group for eg in of_split} for of_split in splits.values()]
        assert not groups[0] & groups[1] and not groups[0] & groups[2] and not groups[1] & groups[2], task
        for of_split in splits.values():
            assert len(set(Counter(eg.label for eg in of_split).values())) == 1, task
        assert len(splits["train"]) > len(splits["test"]) > 0 < len(splits["dev"])


def test_the_same_seed_makes_the_same_examples(treebank):
    sentences = read_treebank([treebank])
    for task in ("BShift", "Tense", "SOMO"):
        assert make_splits(task, sentences, 0) == make_splits(task, sentences, 0)
        assert make_splits(task, sentences, 0) != make_splits(task, sentences, 1)
    found = {task: counts(make_splits(task, sentences, 0)) for task in ("BShift", "Tense", "SubjNum")}
    assert found == {
        "BShift": {"train": (236, 2), "dev": (34, 2), "test": (72, 2)},
        "Tense": {"train": (242, 2), "dev": (38, 2), "test": (68, 2)},
        "SubjNum": {"train": (236, 2), "dev": (36, 2), "test": (76, 2)},
    }


def test_dividing_gives_each_split_its_share_of_every_label():
    made = [Example((str(i),), "ab"[i % 2], str(i // 4)) for i in range(400)]
    splits = divide(made, Random(0))
    assert [len(splits[split]) for split in ("train", "dev", "test")] == [280, 40, 80]
    chosen = balance([*made, Example(("x",), "a", "x")], ["a", "b"], 100, Random(0))
    assert Counter(eg.label for eg in chosen) == {"a": 50, "b": 50}


def test_too_small_a_treebank_says_so(tmp_path):
    sentences = read_treebank([write(tmp_path, [COORDINATED])])
    with pytest.raises(ValueError, match="Tense: of 1 sentences none is left in dev, test once every label"):
        make_splits("Tense", sentences, 0)


@pytest.mark.skipif(not list(GUM.glob("*.conllu")), reason="GUM isn't there: set GUM to its folder")
def test_counts_on_gum():
    sentences = read_treebank(sorted(GUM.glob("*.conllu")))
    found = {}
    for task in TASKS:
        by_split = counts(make_splits(task, sentences, 0))
        found[task] = (*(by_split[split][0] for split in ("train", "dev", "test")), by_split["train"][1])
    assert found == {
        "SentLen": (2796, 396, 798, 6),
        "WC": (1200, 200, 350, 50),
        "TreeDepth": (900, 132, 260, 4),
        "TopConst": (1370, 220, 400, 10),
        "BShift": (2800, 400, 800, 2),
        "Tense": (1918, 276, 550, 2),
        "SubjNum": (1118, 160, 320, 2),
        "ObjNum": (934, 134, 268, 2),
        "SOMO": (2800, 400, 800, 2),
        "CoordInv": (658, 96, 188, 2),
    }


def test_pooling():
    vectors = numpy.array([[1.0, 5.0], [3.0, 1.0], [7.0, 7.0]])
    assert pool(vectors, [2, 1], "max").tolist() == [[3, 5], [7, 7]]
    assert pool(vectors, [2, 1], "mean").tolist() == [[2, 3], [7, 7]]


@pytest.fixture
def nlp(untrained):
    return untrained


def test_every_layer_is_embedded_and_batches_change_nothing(nlp, monkeypatch):
    sentences = [("Anna", "works", "here"), ("He", "slept")]
    found = embed(nlp, sentences)
    assert {layer for layer, _ in found} == {"g_e", *nlp.get_pipe("hmtl").tasks}
    assert all(vectors.shape[0] == 2 for vectors in found.values())
    monkeypatch.setattr(embedding_module, "BATCH_WORDS", 1)
    for key, vectors in embed(nlp, sentences).items():
        numpy.testing.assert_allclose(vectors, found[key], atol=1e-5)
    doc = spacy.tokens.Doc(nlp.vocab, words=["He", "slept"], sent_starts=[True, False])
    shared = nlp.get_pipe("hmtl").model.get_ref("embedding").predict([doc])
    numpy.testing.assert_allclose(found["g_e", "mean"][1], shared.mean(axis=0), atol=1e-5)


def test_bags_of_word_vectors():
    vocab = spacy.blank("en").vocab
    vocab.set_vector("dog", numpy.array([1.0, 2.0], dtype="f"))
    vocab.set_vector("cat", numpy.array([3.0, 0.0], dtype="f"))
    found = embed_with_vectors(vocab, [("Dog", "cat", "unheard"), ("unheard",)])
    assert found["word vectors", "mean"].tolist() == [[2, 1], [0, 0]]
    assert found["word vectors", "max"].tolist() == [[3, 2], [0, 0]]


def test_a_probe_learns_what_is_there_and_nothing_else():
    random = numpy.random.default_rng(0)
    sizes = {"train": 400, "dev": 100, "test": 200}
    labels = {split: random.choice(["a", "b"], size=n).tolist() for split, n in sizes.items()}
    noise = {split: random.normal(size=(n, 5)) for split, n in sizes.items()}
    signal = {
        split: noise[split] + 5 * (numpy.array(labels[split]) == "a")[:, None] * numpy.eye(5)[0]
        for split in sizes
    }
    test = numpy.array(labels["test"])
    assert numpy.mean(test == probe(signal, labels)["predicted"]) > 0.95
    assert 0.35 < numpy.mean(test == probe(noise, labels)["predicted"]) < 0.65


def test_from_a_pipeline_to_the_table(nlp, treebank, tmp_path, capsys):
    """And the table once more, from what was stored."""
    nlp.to_disk(tmp_path / "pipeline")
    places = ["--results", str(tmp_path / "results"), "--metrics", str(tmp_path / "metrics")]
    command = [str(tmp_path / "pipeline"), "--name", "tiny", "--treebank", str(treebank)]
    assert main([*command, "--tasks", "Tense,BShift", *places]) == 0
    written = (tmp_path / "metrics/probing-tiny.md").read_text()
    assert (
        "| layer | pooling | Tense | BShift | average |" in written
        and "| *g_e, paper* | *max* | *88.1* |" in written
    )
    picture = (tmp_path / "metrics/probing-tiny.svg").read_text()
    for path in (tmp_path / "metrics").iterdir():
        path.unlink()
    assert again(places) == 0
    assert (tmp_path / "metrics/probing-tiny.md").read_text() == written
    assert (tmp_path / "metrics/probing-tiny.svg").read_text() == picture
    results = json.loads((tmp_path / "results/probing-tiny.json").read_text())
    scores = by_layer(results["tasks"])
    found = next(one for one in results["tasks"]["Tense"]["probes"] if one["layer"] == "g_e")
    assert scores["g_e", "max"]["Tense"].value == pytest.approx(
        found["right"].count("1") / len(found["right"])
    )
    assert scores["g_e", "max"]["Tense"].low <= scores["g_e", "max"]["Tense"].value


def test_without_its_libraries_probing_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("hmtl_experiments.probing.requirements.LIBRARIES", {"no_such_library": "no-such"})
    (tmp_path / "probing-x.json").write_text('{"experiment": "probing"}')
    assert main(["nowhere", "--name", "x", "--treebank", str(tmp_path)]) == 1
    assert again(["--results", str(tmp_path)]) == 1
    message = 'Probing needs no-such. Install what is missing: pip install "hmtl-spacy[experiments]".\n'
    assert capsys.readouterr().err == 2 * message


def test_what_is_wrong_is_said(tmp_path, capsys):
    assert main(["nowhere", "--name", "x", "--treebank", str(tmp_path)]) == 1
    assert f"There is no treebank in '{tmp_path}': name a file in CoNLL-U" in capsys.readouterr().err
    assert main(["nowhere", "--name", "x", "--treebank", str(tmp_path), "--tasks", "Tense,Mood"]) == 1
    assert "There is no task Mood: choose from SentLen, WC" in capsys.readouterr().err


@pytest.mark.parametrize(
    "path", sorted((ROOT / "experiments/results").glob("probing-*.json")), ids=lambda p: p.stem
)
def test_the_documentation_has_the_stored_results(path):
    tasks = json.loads(path.read_text())["tasks"]
    lines = [*table(tasks), *comparisons(tasks)]
    documented = (ROOT / "docs/experiments.md").read_text().splitlines()
    assert not [line for line in lines if line not in documented]


def test_layers_are_compared_and_corrected_for_all_comparisons():
    """40 sentences, each a unit: all right against half right is clear, one more isn't."""
    right = {"g_e": "1" * 40, "ner": "10" * 20, "coref": "1" + "10" * 19 + "1"}
    probes = [{"layer": layer, "pooling": "max", "right": of_layer} for layer, of_layer in right.items()]
    lines = comparisons({"Tense": {"groups": list(range(40)), "probes": probes}})
    assert lines[2:] == ["| g_e − ner | **+50.0** |", "| g_e − coref | **+47.5** |", "| coref − ner | +2.5 |"]
