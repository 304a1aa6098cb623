"""Edge probing: targets made of annotated documents, control tasks, span vectors, tables made again."""

import json
import sys
from collections import Counter
from pathlib import Path
from random import Random

import numpy
import pytest
import spacy
from spacy.tokens import Doc, DocBin
from tiny import ANNOTATED, annotate, make_examples

from hmtl_spacy.data.converters.inline import inline_to_docs

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "experiments").is_dir():
    pytest.skip("the tests run without the project's experiments", allow_module_level=True)
pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
sys.path.append(str(ROOT / "experiments"))

from hmtl_experiments.again import main as again  # noqa: E402
from hmtl_experiments.probing.edges import embedding as embedding_module  # noqa: E402
from hmtl_experiments.probing.edges.__main__ import main  # noqa: E402
from hmtl_experiments.probing.edges.controls import control, known  # noqa: E402
from hmtl_experiments.probing.edges.embedding import WORD_PIECES, WORDS, embed, features  # noqa: E402
from hmtl_experiments.probing.edges.report import by_layer, comparisons, sizes, table  # noqa: E402
from hmtl_experiments.probing.edges.run import counts, make_splits  # noqa: E402
from hmtl_experiments.probing.edges.targets import NONE, TASKS, Target  # noqa: E402


@pytest.fixture
def vocab():
    return spacy.blank("en").vocab


def targets(task, *docs, seed=0):
    return list(TASKS[task](docs, Random(seed)))


def sample(split):
    """The documents of a split of the sample corpus, without its web texts."""
    texts = [path.read_text("utf8") for path in sorted((ROOT / "assets/sample").glob("*.txt"))]
    chosen = [text for text in texts if f"# split = {split}\n" in text]
    return [
        doc
        for text in chosen
        for doc in inline_to_docs(text.splitlines(), mentions="head", clusters="extent")
    ]


def test_entities_have_their_type_and_control_by_text(vocab):
    docs = [annotate(vocab, *layers) for layers in ANNOTATED]
    assert [(t.doc, t.spans, t.label, t.words) for t in targets("entities", *docs)][:3] == [
        (0, ((0, 2),), "PER", ("ann lee",)),
        (0, ((4, 6),), "ORG", ("acme corp",)),
        (1, ((4, 5),), "LOC", ("lyon",)),
    ]


def test_mentions_are_paired_with_their_antecedent_and_with_another_as_near(vocab):
    """Bob is as far from "her" as Ann Lee is, in powers of two; no one else is as far from "He" as Bob is."""
    words = "Bob met Ann Lee . He saw her ."
    clusters = [[(0, 1), (5, 6)], [(2, 4), (7, 8)]]
    found = targets("coreference", annotate(vocab, words, {0, 5}, clusters=clusters))
    assert [(t.spans, t.label, t.words) for t in found] == [
        (((2, 4), (7, 8)), "coreferent", ("lee", "her")),
        (((0, 1), (7, 8)), NONE, ("bob", "her")),
    ]
    assert targets("coreference", annotate(vocab, words, {0, 5}, clusters=clusters[:1])) == []


def test_a_mention_is_in_no_pair_with_one_that_it_overlaps(vocab):
    doc = annotate(
        vocab, "Her brother 's dog bit her", {0}, clusters=[[(0, 1), (5, 6)], [(0, 2), (3, 4)], [(0, 4)]]
    )
    pairs = [t.spans for t in targets("coreference", doc)]
    assert pairs and all(one[1] <= other[0] for one, other in pairs)
    assert not [span for pair in pairs for span in pair if span == (0, 4)], "it is in no cluster with another"


def test_unrelated_pairs_are_as_far_apart_and_of_one_sentence(vocab):
    people = [(i, i + 1, "PER") for i in (0, 2, 4, 6)]
    knows = [(0, 1, 2, 3, "PER-SOC")]
    words = "Ann knows Bob and Cid . Dan sleeps ."
    doc = annotate(vocab, words, {0, 6}, mentions=people, relations=knows)
    found = {seed: targets("relations", doc, seed=seed) for seed in range(20)}
    assert all(
        of_seed[0].spans == ((0, 1), (2, 3)) and of_seed[0].label == "PER-SOC" for of_seed in found.values()
    )
    others = {of_seed[1].spans for of_seed in found.values() if of_seed[1].label == NONE}
    assert others == {((2, 3), (0, 1)), ((2, 3), (4, 5)), ((4, 5), (2, 3))}


def test_several_relations_of_a_pair_are_one_label(vocab):
    relations = [(0, 1, 2, 3, "LIKES"), (0, 1, 2, 3, "KNOWS")]
    found = targets("relations", annotate(vocab, "Ann knows Bob", {0}, relations=relations))
    assert [t.label for t in found] == ["KNOWS + LIKES", NONE]


def test_what_is_not_annotated_is_asked_of_nobody(vocab):
    doc = Doc(vocab, words=["Ann", "sleeps"])
    assert {task: targets(task, doc) for task in TASKS} == {task: [] for task in TASKS}


def test_counts_on_the_sample_corpus():
    docs = {"train": sample("train"), "dev": sample("dev"), "test": sample("test")}
    found = {}
    for task in TASKS:
        splits = make_splits(task, docs, 0)
        assert splits == make_splits(task, docs, 0)
        found[task] = [(len(of), sum(t.label != NONE for t in of)) for of in splits.values()]
        drawn = {split: [t.spans for t in of] for split, of in make_splits(task, docs, 1).items()}
        assert (task == "entities") == (
            drawn == {split: [t.spans for t in of] for split, of in splits.items()}
        )
    assert found == {
        "entities": [(2740, 2740), (521, 521), (815, 815)],
        "coreference": [(3186, 1593), (554, 277), (1110, 555)],
        "relations": [(2096, 1048), (374, 187), (670, 335)],
    }


def test_of_too_many_targets_some_are_drawn_for_training(vocab, monkeypatch):
    monkeypatch.setattr("hmtl_experiments.probing.edges.run.MOST", 2)
    docs = [annotate(vocab, *layers) for layers in ANNOTATED]
    splits = make_splits("entities", dict.fromkeys(("train", "dev", "test"), docs), 0)
    assert [len(of_split) for of_split in splits.values()] == [2, 6, 6]
    assert set(splits["train"]) < set(splits["test"])


def test_control_labels_hang_on_words_alone_and_are_as_frequent():
    train = [Target(0, ((i, i + 1),), "ab"[i % 10 == 0], (f"word {i // 2}",)) for i in range(4000)]
    splits = {"train": train, "dev": train[:10], "test": [*train[:6], Target(0, ((0, 1),), "a", ("new",))]}
    labels = control(splits, 0)
    assert labels["test"][:6] == labels["dev"][:6] == labels["train"][:6]
    assert all(labels["train"][i] == labels["train"][i + 1] for i in range(0, 4000, 2))
    assert 0.08 < Counter(labels["train"])["b"] / 4000 < 0.12
    assert control(splits, 1)["train"] != labels["train"] == control(splits, 0)["train"]
    assert known(splits) == pytest.approx(6 / 7)


def test_counts_without_and_with_pairs_without_a_label():
    at = [Target(doc, ((0, 1), (1, 2)), "", ()) for doc in (3, 3, 3, 7)]
    assert counts(at, ["A", "A", NONE, "B"], ["A", NONE, "B", "B"]) == [[1, 2, 2, 1, 3], [1, 1, 1, 1, 1]]


@pytest.fixture
def nlp(untrained):
    return untrained


def test_spans_are_means_of_token_vectors_whatever_the_batches(nlp, monkeypatch):
    docs = [annotate(nlp.vocab, *layers) for layers in ANNOTATED]
    asked = [t for task in TASKS for t in targets(task, *docs)]
    vectors, rows = embed(nlp, docs, asked)
    assert list(vectors) == [WORDS, "g_e", *nlp.get_pipe("hmtl").tasks]
    shared = nlp.get_pipe("hmtl").model.get_ref("embedding").predict([docs[2]])
    numpy.testing.assert_allclose(vectors["g_e"][rows[2, (2, 4)]], shared[2:4].mean(axis=0), atol=1e-5)
    monkeypatch.setattr(embedding_module, "BATCH_WORDS", 1)
    again_vectors, again_rows = embed(nlp, docs, asked)
    assert again_rows == rows
    for layer in vectors:
        numpy.testing.assert_allclose(vectors[layer], again_vectors[layer], atol=1e-5)


def test_a_transformer_runs_once_and_its_layers_are_told_apart(tmp_path, monkeypatch):
    """As the pipeline itself embeds; afterwards nothing is kept."""
    pytest.importorskip("transformers")
    from tiny_transformer import pipeline, save_transformer

    from hmtl_spacy.embedding import transformer as transformer_module

    nlp = pipeline(save_transformer(tmp_path))
    nlp.initialize(lambda: make_examples(nlp.vocab))
    docs = [annotate(nlp.vocab, *layers) for layers in ANNOTATED]
    run, runs = transformer_module.run_transformer, []
    monkeypatch.setattr(transformer_module, "run_transformer", lambda *args: runs.append(1) or run(*args))
    vectors, rows = embed(nlp, docs, targets("entities", *docs))
    assert list(vectors) == [WORDS, WORD_PIECES, "transformer", "g_e", *nlp.get_pipe("hmtl").tasks]
    assert len(runs) == 1
    assert not numpy.allclose(vectors[WORD_PIECES], vectors["transformer"])
    shared = nlp.get_pipe("hmtl").model.get_ref("embedding").predict([docs[2]])
    numpy.testing.assert_allclose(vectors["g_e"][rows[2, (2, 4)]], shared[2:4].mean(axis=0), atol=1e-2)
    assert len(runs) == 2, "nothing is kept once all is embedded"


def test_word_vectors_are_those_of_words_and_nothing_else(nlp):
    docs = [Doc(nlp.vocab, words=["Ann", "saw", "ann"]), Doc(nlp.vocab, words=["ANN"])]
    asked = [Target(0, ((i, i + 1),), "", ()) for i in range(3)] + [Target(1, ((0, 1),), "", ())]
    vectors, _ = embed(nlp, docs, asked)
    ann, saw, *others = vectors[WORDS]
    assert all((ann == other).all() for other in others) and not (ann == saw).any()


def test_a_pair_is_both_vectors_and_their_product():
    vectors, rows = numpy.array([[1.0, 2.0], [3.0, 5.0]]), {(0, (0, 1)): 0, (0, (4, 5)): 1}
    pair = Target(0, ((4, 5), (0, 1)), "", ())
    assert features(vectors, rows, [pair]).tolist() == [[3, 5, 1, 2, 3, 10]]
    assert features(vectors, rows, [pair._replace(spans=((0, 1),))]).tolist() == [[1, 2]]


@pytest.fixture
def corpus(tmp_path):
    """Every eighth document of the sample corpus."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for split in ("train", "dev", "test"):
        DocBin(docs=sample(split)[::8], store_user_data=True).to_disk(folder / f"{split}.spacy")
    return folder


def test_from_a_pipeline_to_the_table(nlp, corpus, tmp_path):
    """And the table once more, from what was stored."""
    nlp.to_disk(tmp_path / "pipeline")
    places = ["--results", str(tmp_path / "results"), "--metrics", str(tmp_path / "metrics")]
    assert main([str(tmp_path / "pipeline"), "--name", "tiny", "--corpus", str(corpus), *places]) == 0
    page, picture = tmp_path / "metrics/edges-tiny.md", tmp_path / "metrics/edges-tiny.svg"
    written = page.read_text(), picture.read_text()
    assert "| layer | width | entities: F1 | accuracy | selectivity | coreference: F1 |" in written[0]
    assert "on corpus (11 train, 2 dev, 4 test)" in written[0] and "| g_e − words |" in written[0]
    page.unlink(), picture.unlink()
    assert again(places) == 0
    assert (page.read_text(), picture.read_text()) == written
    results = json.loads((tmp_path / "results/edges-tiny.json").read_text())
    assert results["left out"] == [] and list(results["tasks"]) == list(TASKS)
    scores = by_layer(results["tasks"])
    often = sum(of_doc[0] for of_doc in results["tasks"]["entities"]["most frequent"]["F1"])
    found = results["tasks"]["entities"]["probes"][0]
    right = {kind: sum(of_doc[0] for of_doc in found[kind]) for kind in ("task", "control")}
    n = results["tasks"]["entities"]["counts"]["test"][0]
    f1, accuracy, selectivity = scores[WORDS][1]["entities"].values()
    assert f1.value == pytest.approx(right["task"] / n) and f1.value == pytest.approx(accuracy.value)
    assert right["task"] > 1.2 * often, "words tell types"
    assert selectivity.value == pytest.approx((right["task"] - right["control"]) / n)
    assert selectivity.low <= selectivity.value <= selectivity.high


def test_annotation_that_is_missing_is_said(nlp, corpus, tmp_path, capsys):
    nlp.to_disk(tmp_path / "pipeline")
    places = ["--results", str(tmp_path / "results"), "--metrics", str(tmp_path / "metrics")]
    command = [str(tmp_path / "pipeline"), "--name", "x", "--corpus", str(corpus), *places]
    docs = list(DocBin().from_disk(corpus / "dev.spacy").get_docs(nlp.vocab))
    for doc in docs:
        for key in [key for key in doc.spans if key.startswith(("coref", "relations"))]:
            del doc.spans[key]
    DocBin(docs=docs, store_user_data=True).to_disk(corpus / "dev.spacy")
    assert main(command) == 0
    said = "Left out: coreference, relations. corpus lacks this annotation in train, dev or test."
    assert said in capsys.readouterr().out
    DocBin(docs=[], store_user_data=True).to_disk(corpus / "dev.spacy")
    assert main(command) == 1
    assert "There is nothing to probe for in corpus: each of train, dev and test" in capsys.readouterr().err
    (corpus / "dev.spacy").unlink()
    assert main(command) == 1
    assert f"There is no corpus at '{corpus / 'dev.spacy'}'" in capsys.readouterr().err
    assert main(["nowhere", *command[1:]]) == 1
    assert "There is no pipeline in 'nowhere': name the folder of a trained one." in capsys.readouterr().err


def test_layers_are_compared_and_corrected_for_all_comparisons():
    """40 documents with one target each: all right against half right is clear, one more isn't."""
    right = {WORDS: [1, 0] * 20, "g_e": [1] * 40, "ner": [1] * 39 + [0]}
    probes = [
        {"layer": layer, "width": 1, "task": [[one, 1, 1, one, 1] for one in of_layer]}
        for layer, of_layer in right.items()
    ]
    for probe in probes:
        probe["control"] = probe["task"]
    lines = comparisons({"entities": {"probes": probes}})
    assert lines[2:] == ["| g_e − words | **+50.0** |", "| ner − g_e | -2.5 |"]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "experiments/results").glob("edges-*.json")), ids=lambda p: p.stem
)
def test_the_documentation_has_the_stored_results(path, tmp_path):
    """The plot isn't compared, as it depends on matplotlib's version."""
    tasks = json.loads(path.read_text())["tasks"]
    lines = [*table(tasks), *comparisons(tasks), *sizes(tasks)]
    page = (ROOT / "docs/experiments.md").read_text()
    assert not [line for line in lines if line not in page.splitlines()]
    assert f"(images/{path.stem}.svg)" in page and (ROOT / f"docs/images/{path.stem}.svg").is_file()
