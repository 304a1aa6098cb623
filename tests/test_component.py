import pickle
import subprocess
import sys
import warnings

import numpy
import pytest
import spacy
import srsly
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.cli.find_threshold import find_threshold
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from thinc.api import Adam, Model
from tiny import (
    ANNOTATED,
    TINY,
    TINY_TASKS,
    annotate,
    confidences,
    example,
    layers,
    make_examples,
    make_pipeline,
    train,
)

from hmtl_spacy.embedding.case import Case
from hmtl_spacy.embedding.concatenation import Embedding
from hmtl_spacy.model import decode, sentence_lengths
from hmtl_spacy.nn.batch import CandidateSpans

TEXTS = [words[0] for words in ANNOTATED]
ODD_TEXTS = ["", " ", "\n\n", "Ann", "  Ann  lives in\n\nLyon . ", ". . .", "It", "\t", "Bob " * 30]
LEVELS = ("ner", "mentions", "coref", "relations")


def same(one, other):
    """Whether two documents have the same annotation and, but for rounding, confidences."""
    assert layers(one) == layers(other)
    assert confidences(one) == pytest.approx(confidences(other), abs=1e-4)


# Making one


def test_add_pipe_without_config_and_without_an_import_of_ours():
    code = (
        "import sys, spacy; nlp = spacy.blank('en'); pipe = nlp.add_pipe('hmtl'); "
        "print(list(pipe.tasks), nlp.pipe_names)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240)
    assert found.stdout.strip() == "['ner', 'mentions', 'coref', 'relations'] ['hmtl']", found.stderr


def test_untrained_use_says_what_to_do():
    nlp = make_pipeline()
    expected = "The component 'hmtl' isn't trained yet: train it with `python -m spacy train`"
    for use in (lambda: nlp("Hello there."), lambda: list(nlp.pipe(["Hello there."]))):
        with pytest.raises(ValueError, match=expected):
            use()
    with pytest.raises(ValueError, match=expected):
        nlp.get_pipe("hmtl").update(make_examples(nlp.vocab))


def test_assigns_and_scores_are_known_to_spacy():
    nlp = make_pipeline()
    meta = nlp.get_pipe_meta("hmtl")
    assert {"doc.ents", "doc.spans", "doc._.coref_clusters", "doc._.relations"} <= set(meta.assigns)
    summary = nlp.analyze_pipes()["summary"]["hmtl"]
    assert "doc._.relations" in summary["assigns"]
    assert {"ents_f", "spans_mentions_f", "coref_f", "rel_strict_f"} <= set(summary["scores"])
    weights = nlp.config["training"]["score_weights"]
    assert {weights[key] for key in ("ents_f", "spans_mentions_f", "coref_f", "rel_strict_f")} == {0.12}


def hierarchy_error(**config):
    with pytest.raises(ValueError) as error:
        make_pipeline(**config)
    return str(error.value)


def test_errors_of_the_hierarchy_say_what_to_change():
    found = hierarchy_error(hierarchy=["mentions", "ner"])
    assert (
        "The task 'mentions' reads 'ner', which isn't below it in the hierarchy ['mentions', 'ner']" in found
    )
    found = hierarchy_error(hierarchy=["mentions"])
    assert "[components.hmtl.tasks.mentions] inputs" in found
    found = hierarchy_error(hierarchy=["ner", "events"])
    assert "names the task 'events'" in found and "Add a section [components.hmtl.tasks.events]" in found
    for hierarchy in ([], ["ner", "ner"]):
        assert f"hierarchy is {hierarchy}. List at least one task, each once" in hierarchy_error(
            hierarchy=hierarchy
        )
    found = hierarchy_error(hierarchy=["events"], tasks={"events": {"hidden": 3}})
    assert "[components.hmtl.tasks.events] is of type dict, not a task" in found


def test_an_embedding_needs_a_part():
    parts = dict.fromkeys(("contextual", "characters", "words", "case"))
    message = hierarchy_error(embedding=embedding_of(parts))
    assert "of ['case', 'characters', 'contextual', 'words'] none is left" in message


def test_a_part_of_the_embedding_must_be_a_layer():
    message = hierarchy_error(embedding=embedding_of({"length": {"width": 3}}))
    assert "[components.hmtl.embedding.parts.length] is of type dict, not a layer" in message


def embedding_of(parts):
    return {"@architectures": "hmtl_spacy.Embedding.v1", "parts": parts}


@pytest.mark.parametrize("order", [-1, 1])
def test_the_order_of_the_parts_is_that_of_their_names_not_of_the_config(order):
    names = ["contextual", "characters", "words", "case", "length", "zeros"]
    layers = {name: Model(name, lambda model, docs, is_train: None) for name in names}
    embedding = Embedding(dict(list(layers.items())[::order]))
    assert [layer.name for layer in embedding.layers] == names
    assert all(embedding.get_ref(name) is layers[name] for name in names)


@pytest.mark.parametrize("part", ["characters", "words", "case"])
def test_every_part_of_the_embedding_can_stand_alone(part, examples):
    tiny = TINY["embedding"]["parts"]
    parts = {name: settings if name == part else None for name, settings in tiny.items()}
    nlp = make_pipeline(hierarchy=["ner"], embedding=embedding_of(parts))
    optimizer, losses = train(nlp, examples, steps=1)
    again = nlp.update(examples, sgd=optimizer, losses={})
    assert again["hmtl"] < losses["hmtl"]
    assert nlp("Ann lives in Quito .").has_annotation("ENT_IOB")


# Learning


def test_overfit_and_all_four_layers_come_out(trained):
    for expected in ANNOTATED:
        assert layers(trained(expected[0])) == layers(annotate(trained.vocab, *expected))


def test_confidences_are_probabilities(trained):
    doc = trained(TEXTS[0])
    found = confidences(doc)
    assert len(found) == 2 + 4 + 4 + 1
    assert all(0.5 < score <= 1.0 for score in found)
    for relation in doc._.relations:
        assert 0.5 < relation.score <= 1.0


@pytest.mark.parametrize(
    "hierarchy, inputs",
    [
        (["relations"], {"relations": []}),
        (["mentions", "ner"], {"mentions": [], "ner": ["mentions"]}),
        (["coref", "relations", "ner"], {"coref": [], "relations": ["coref"], "ner": ["coref", "relations"]}),
    ],
)
def test_any_subset_order_and_wiring(hierarchy, inputs, examples):
    tasks = {name: {**TINY_TASKS[name], "inputs": below} for name, below in inputs.items()}
    nlp = make_pipeline(hierarchy=hierarchy, tasks=tasks)
    _, losses = train(nlp, examples, steps=2)
    assert {name for name in LEVELS if f"hmtl_{name}" in losses} == set(hierarchy)
    assert list(nlp.get_pipe("hmtl").label_data) == hierarchy
    doc = nlp(TEXTS[0])
    assert ("relations" in doc.spans) == ("relations" in hierarchy)
    assert ("mentions" in doc.spans) == ("mentions" in hierarchy)


def test_the_soft_label_embedding_learns_and_is_saved(examples, tmp_path):
    tasks = {**TINY_TASKS, "mentions": {**TINY_TASKS["mentions"], "label_embedding_width": 5}}
    nlp = make_pipeline(tasks=tasks)
    train(nlp, examples, steps=3)
    nlp.to_disk(tmp_path)
    for text in TEXTS:
        same(spacy.load(tmp_path)(text), nlp(text))


def test_losses_are_set_on_every_update(trained, examples):
    optimizer = trained.resume_training()
    tasks = {f"hmtl_{name}" for name in LEVELS}
    for batch in ([], [Example(Doc(trained.vocab), Doc(trained.vocab))], examples):
        losses = trained.get_pipe("hmtl").update(batch, sgd=optimizer, losses={})
        assert {"hmtl", *tasks} <= set(losses)
        assert all(isinstance(losses[key], float) for key in tasks)
    assert losses["hmtl"] == pytest.approx(sum(losses[key] for key in tasks))
    more = trained.update(examples, losses=dict(losses))
    assert more["hmtl"] > losses["hmtl"]  # they add up


def test_documents_without_any_gold_change_nothing(trained):
    before = trained.get_pipe("hmtl").model.to_bytes()
    bare = Doc(trained.vocab, words=["Ann", "sings"])
    bare.spans.clear()
    losses = trained.update([Example(bare.copy(), bare)], sgd=trained.resume_training(), losses={})
    assert losses["hmtl"] == 0.0
    assert trained.get_pipe("hmtl").model.to_bytes() == before


def test_update_leaves_the_predicted_document_alone(trained, examples):
    trained.update(examples, sgd=trained.resume_training())
    assert all(not eg.predicted.spans and not eg.predicted.ents for eg in examples)


def test_gradients_gather_until_an_optimizer_is_given(trained, examples):
    pipe = trained.get_pipe("hmtl")
    before = pipe.model.to_bytes()
    pipe.update(examples)
    assert pipe.model.to_bytes() == before
    pipe.finish_update(trained.resume_training())
    assert pipe.model.to_bytes() != before


def test_resumed_training_goes_on_from_the_trained_weights(trained, examples):
    fresh = make_pipeline()
    _, untrained = train(fresh, examples, steps=1)
    optimizer = trained.resume_training()
    losses = trained.update(examples, sgd=optimizer, losses={})
    assert losses["hmtl"] < 0.1 * untrained["hmtl"]
    for _ in range(3):
        trained.update(examples, sgd=optimizer)
    assert layers(trained(TEXTS[0])) == layers(annotate(trained.vocab, *ANNOTATED[0]))


def test_averages_are_used_in_evaluation_and_restored(trained, examples):
    optimizer = Adam(0.05, use_averages=True)
    for _ in range(5):
        trained.update(examples, sgd=optimizer)
    pipe = trained.get_pipe("hmtl")
    before = pipe.model.to_bytes()
    with trained.use_params(optimizer.averages):
        averaged = pipe.model.to_bytes()
    assert averaged != before and pipe.model.to_bytes() == before


# Labels and initialization


def test_labels(trained):
    pipe = trained.get_pipe("hmtl")
    assert pipe.label_data == {
        "ner": ["LOC", "ORG", "PER"],
        "mentions": ["LOC", "ORG", "PER"],
        "coref": [],
        "relations": ["LIVE", "WORK"],
    }
    assert "relations:WORK" in pipe.labels and len(pipe.labels) == 8


def test_initialize_with_labels(examples):
    nlp = make_pipeline()
    labels = {"ner": ["PER", "ORG", "LOC", "MISC"], "relations": ["WORK", "LIVE", "KILL"]}
    nlp.get_pipe("hmtl").initialize(lambda: examples, nlp=nlp, labels=labels)
    found = nlp.get_pipe("hmtl").label_data
    assert found == {**labels, "mentions": ["LOC", "ORG", "PER"], "coref": []}
    assert nlp("Ann .").has_annotation("ENT_IOB")


def test_labels_stored_by_spacy_init_labels_are_read(trained, examples, tmp_path):
    srsly.write_json(tmp_path / "hmtl.json", trained.get_pipe("hmtl").label_data)
    nlp = make_pipeline()
    reader = {"labels": {"@readers": "spacy.read_labels.v1", "path": str(tmp_path / "hmtl.json")}}
    nlp.config["initialize"]["components"]["hmtl"] = reader
    nlp.initialize(lambda: examples[:1])  # the first document alone has fewer labels
    assert nlp.get_pipe("hmtl").label_data == trained.get_pipe("hmtl").label_data


def test_add_label(examples):
    nlp = make_pipeline()
    pipe = nlp.get_pipe("hmtl")
    assert pipe.add_label("ner:MISC") == 1
    assert pipe.add_label("ner:MISC") == 0
    nlp.initialize(lambda: examples)
    assert set(pipe.label_data["ner"]) == {"MISC", "LOC", "ORG", "PER"}
    assert pipe.add_label("ner:PER") == 0
    with pytest.raises(ValueError, match="Can't add the label 'ner:NEW' to 'hmtl': its network is built"):
        pipe.add_label("ner:NEW")
    for label in ("MISC", "ner:", "events:X"):
        with pytest.raises(ValueError, match=f"Can't add the label '{label}': give it as task:label"):
            pipe.add_label(label)


def test_a_task_that_nothing_teaches_is_an_error(nlp, examples):
    for eg in examples:
        del eg.reference.spans["relations"]
    with pytest.raises(ValueError, match="No training document teaches the task 'relations'"):
        make_pipeline().initialize(lambda: examples)


def test_a_label_that_came_after_initialization_is_an_error(trained):
    doc = annotate(trained.vocab, "Ann .", {0}, [(0, 1, "NEW")])
    with pytest.raises(ValueError, match="the label 'NEW', which isn't among the task's labels"):
        trained.update([example(doc)])


def test_initialize_again_starts_anew(trained, examples):
    before = trained.get_pipe("hmtl").model.to_bytes()
    trained.initialize(lambda: examples)
    assert trained.get_pipe("hmtl").model.to_bytes() != before


# Saving and loading


def test_saved_and_loaded_from_disk_predicts_the_same(trained, tmp_path):
    trained.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    for text in [*TEXTS, *ODD_TEXTS, "Eve Adams works for Initech in Oslo . He likes Ann ."]:
        same(loaded(text), trained(text))


def test_to_bytes_and_pickle_predict_the_same(trained):
    other = make_pipeline()
    other.from_bytes(trained.to_bytes())
    pickled = pickle.loads(pickle.dumps(trained.get_pipe("hmtl")))
    for text in TEXTS:
        same(other(text), trained(text))
        sentences = trained.make_doc(text)
        trained.get_pipe("sentencizer")(sentences)
        same(pickled(sentences), trained(text))


def test_loading_with_another_hierarchy_is_an_error(trained, tmp_path):
    trained.to_disk(tmp_path)
    with pytest.raises(ValueError, match="Load it with the hierarchy it was trained with"):
        spacy.load(tmp_path, config={"components.hmtl.hierarchy": ["ner", "mentions"]})


def test_a_loaded_pipeline_can_be_trained_on(trained, examples, tmp_path):
    trained.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    before = loaded.get_pipe("hmtl").model.to_bytes()
    losses = loaded.update(make_examples(loaded.vocab), sgd=loaded.resume_training(), losses={})
    assert losses["hmtl"] < 1.0
    assert loaded.get_pipe("hmtl").model.to_bytes() != before


def test_static_vectors_are_used_and_loaded(tmp_path, examples):
    nlp = make_pipeline(hierarchy=["ner"])
    nlp.vocab.reset_vectors(width=6)
    generator = numpy.random.RandomState(0)
    for word in ("ann", "works", "quito", "oslo"):
        nlp.vocab.set_vector(word, generator.normal(size=6).astype("f"))
    train(nlp, make_examples(nlp.vocab), steps=5)
    words = nlp.get_pipe("hmtl").model.get_ref("embedding").get_ref("words")
    assert words.get_dim("nO") == 6
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    doc = nlp.make_doc("Ann Quito QUITO neverseen works")
    found = words.predict([doc])
    # training never showed "Quito": its static vector is there, whatever its case
    assert numpy.allclose(found[1], nlp.vocab["quito"].vector) and numpy.allclose(found[2], found[1])
    assert not numpy.allclose(found[3], 0.0)
    loaded_words = loaded.get_pipe("hmtl").model.get_ref("embedding").get_ref("words")
    assert numpy.allclose(loaded_words.predict([loaded.make_doc(doc.text)]), found)
    loaded.vocab.reset_vectors(width=9)
    loaded.vocab.set_vector("ann", numpy.ones(9, dtype="f"))
    with pytest.raises(
        ValueError, match="trained with static vectors of width 6, but the pipeline has vectors of width 9"
    ):
        loaded("Ann .")
    loaded.vocab.reset_vectors(width=0)
    with pytest.raises(ValueError, match="trained with static vectors of width 6, but the pipeline has none"):
        loaded("Ann .")


def test_empty_documents_among_the_arrays_of_a_listener(nlp):
    def forward(model, docs, is_train):
        width = [3 if len(doc) else 0 for doc in docs]  # as spacy-transformers' listener does
        return [model.ops.alloc2f(len(doc), n) + 1 for doc, n in zip(docs, width)], lambda d_arrays: []

    listener = Model("listener", forward, dims={"nO": 3})
    embedding = Embedding({"contextual": listener, "case": Case(width=2)})
    docs = [nlp("Ann sings"), nlp(""), nlp("Bob")]
    embedding.initialize(X=docs)
    assert embedding.predict(docs).shape == (3, 5)
    assert embedding.predict([nlp(""), nlp("")]).shape == (0, 5)


def test_sourced_into_another_pipeline(trained):
    other = spacy.blank("en")
    other.add_pipe("sentencizer")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about vectors, which neither has
        other.add_pipe("hmtl", source=trained)
    for text in TEXTS:
        same(other(text), trained(text))
    copied = make_pipeline().from_bytes(other.to_bytes())
    same(copied(TEXTS[0]), trained(TEXTS[0]))


# Using one


@pytest.mark.parametrize("batch_size", [1, 2, 7])
def test_batches_of_any_size_are_as_one_text_alone(trained, batch_size):
    texts = [*ODD_TEXTS, *TEXTS, *ODD_TEXTS]
    for doc, text in zip(trained.pipe(texts, batch_size=batch_size), texts, strict=True):
        same(doc, trained(text))


WORDS = ["Ann", "Lee", "works", "for", "Acme", "Corp", ".", "She", "likes", "it", "\n", " ", "Quito", "çé"]


@given(
    texts=st.lists(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), min_size=1, max_size=6),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
def test_neighbours_and_order_do_not_matter(trained, texts, order):
    shuffled = order.sample(texts, len(texts))
    together = list(trained.pipe(shuffled))
    for text, doc in zip(shuffled, together):
        same(doc, trained(text))


def test_repeated_use_gives_the_same(trained):
    first = trained(TEXTS[0])
    trained(TEXTS[2])
    again = trained(TEXTS[0])
    assert layers(first) == layers(again) and confidences(first) == confidences(again)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "Ann"])
def test_empty_and_tiny_documents_are_annotated(trained, text):
    doc = trained(text)
    assert {"ents", "mentions", "coref_clusters", "relations"} <= set(doc.spans)
    assert doc._.relations == [] and doc._.coref_clusters == []


def test_large_inputs_are_read_in_parts(trained, monkeypatch):
    sizes = []

    def counted(model, docs, *options):
        sizes.append(len(docs))
        return decode(model, docs, *options)

    monkeypatch.setattr("hmtl_spacy.prediction.decode", counted)
    expected = [trained(text) for text in TEXTS * 3]
    monkeypatch.setattr("hmtl_spacy.prediction.BATCH_WORDS", 20)
    sizes.clear()
    for doc, other in zip(expected, trained.pipe(TEXTS * 3), strict=True):
        same(doc, other)
    assert sum(sizes) == 12 and 1 < len(sizes) < 12


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_two_processes(trained, tmp_path, start):
    trained.to_disk(tmp_path / "pipeline")
    code = f"""
import multiprocessing, spacy, torch
if __name__ == "__main__":
    multiprocessing.set_start_method("{start}")
    torch.set_num_threads(2)
    nlp = spacy.load({str(tmp_path / "pipeline")!r})
    texts = {TEXTS!r} * 3
    alone = [nlp(text) for text in texts]
    for one, doc in zip(alone, nlp.pipe(texts, n_process=2, batch_size=2), strict=True):
        assert [str(e) for e in one.ents] == [str(e) for e in doc.ents]
        assert str(one._.relations) == str(doc._.relations)
        assert str(one._.coref_clusters) == str(doc._.coref_clusters)
    print("same", len(alone), sum(len(doc._.relations) for doc in alone))
"""
    script = tmp_path / "two.py"
    script.write_text(code)
    found = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=240)
    assert found.stdout.strip() == "same 12 9", found.stderr


def test_select_pipes(trained):
    with trained.select_pipes(disable=["hmtl"]):
        assert "mentions" not in trained(TEXTS[0]).spans
    assert len(trained(TEXTS[0]).spans["mentions"]) == 4
    with trained.select_pipes(enable=["sentencizer", "hmtl"]):
        assert len(trained(TEXTS[0]).spans["mentions"]) == 4


def test_one_bad_document_goes_to_the_error_handler_and_the_others_survive(trained, monkeypatch):
    task = trained.get_pipe("hmtl").tasks["mentions"]
    write = type(task).annotate

    def annotate_or_fail(self, doc, rows, scores):
        if doc[0].text == "Bob":
            raise RuntimeError("no")
        write(self, doc, rows, scores)

    monkeypatch.setattr(type(task), "annotate", annotate_or_fail)
    failed = []
    with pytest.raises(RuntimeError, match="no"):
        list(trained.pipe(TEXTS))
    trained.set_error_handler(lambda name, pipe, docs, error: failed.extend((name, doc.text) for doc in docs))
    found = list(trained.pipe(TEXTS))
    assert [doc.text for doc in found] == [text for text in TEXTS if not text.startswith("Bob")]
    assert [(name, text[:3]) for name, text in failed] == [("hmtl", "Bob")]
    monkeypatch.undo()
    for doc in found:
        same(doc, trained(doc.text))


def test_without_sentence_starts_there_is_a_warning_and_windows(trained):
    pipe = trained.get_pipe("hmtl")
    doc = Doc(trained.vocab, words=["Ann"] * 450)
    assert sentence_lengths(doc) == [200, 200, 50]
    with pytest.warns(UserWarning, match=r'nlp.add_pipe\("sentencizer", before="hmtl"\)'):
        pipe(doc)
    assert "relations" in doc.spans
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained("Ann sings . Bob sings .")
        pipe(Doc(trained.vocab, words=["Ann"]))  # one token needs no boundary


def test_long_sentences_are_cut():
    nlp = spacy.blank("en")
    starts = [i in (0, 3, 403) for i in range(405)]
    doc = Doc(nlp.vocab, words=["w"] * 405, sent_starts=starts)
    assert sentence_lengths(doc) == [3, 200, 200, 2]
    assert sentence_lengths(Doc(nlp.vocab)) == []


def test_given_mentions_are_linked(trained):
    doc = trained.make_doc(TEXTS[0])
    trained.get_pipe("sentencizer")(doc)
    gold = numpy.array([[0, 2], [7, 8]])
    found = trained.get_pipe("hmtl").predict([doc], {"coref": CandidateSpans([gold])})
    assert {tuple(row[:2]) for row in found["coref"][0][0].tolist()} <= {(0, 2), (7, 8)}
    assert len(found["coref"][0][0]) == 2


# Thresholds and scores


@pytest.mark.parametrize("task", LEVELS)
def test_thresholds_are_followed_and_saved(trained, task, tmp_path):
    pipe = trained.get_pipe("hmtl")
    group = {"ner": "ents", "coref": "coref_clusters"}.get(task, task)
    assert len(trained(TEXTS[0]).spans[group])
    pipe.cfg["thresholds"][task] = 1.01
    doc = trained(TEXTS[0])
    assert len(doc.spans[group]) == 0
    assert sum(map(len, layers(doc).values())) > 0
    trained.to_disk(tmp_path)
    assert len(spacy.load(tmp_path)(TEXTS[0]).spans[group]) == 0


def test_find_threshold(trained, tmp_path):
    trained.to_disk(tmp_path / "pipeline")
    docs = [annotate(trained.vocab, *values) for values in ANNOTATED]
    DocBin(docs=docs).to_disk(tmp_path / "dev.spacy")
    best, score, scores = find_threshold(
        tmp_path / "pipeline",
        tmp_path / "dev.spacy",
        pipe_name="hmtl",
        threshold_key="thresholds.relations",
        scores_key="rel_strict_f",
        n_trials=3,
        use_gpu=-1,
        gold_preproc=False,
        silent=True,
    )
    assert scores[1.0] == 0.0 and scores[0.5] == 1.0 and score == 1.0
    assert best == 0.5


def test_scores_are_floats_before_anything_is_learned(examples):
    nlp = make_pipeline()
    nlp.initialize(lambda: examples)
    scores = nlp.evaluate(examples)
    weighted = nlp.config["training"]["score_weights"]
    for key, weight in weighted.items():
        if weight is not None and key in scores:
            assert isinstance(scores[key], float), key
    assert {"ents_f", "spans_mentions_f", "coref_f", "coref_lea_f", "rel_strict_f"} <= set(scores)


def test_evaluation_of_the_learned_documents_is_perfect(trained, examples):
    scores = trained.evaluate(make_examples(trained.vocab))
    for key in ("ents_f", "spans_mentions_f", "coref_f", "coref_muc_f", "rel_strict_f", "rel_last_token_f"):
        assert scores[key] == 1.0, key
    assert scores["ents_per_type"]["PER"]["f"] == 1.0


def test_a_corpus_is_scored_only_for_the_tasks_that_it_teaches(trained):
    examples = make_examples(trained.vocab)
    for eg in examples[1:]:
        eg.reference.spans["mentions"] = []
        eg.reference.user_data["hmtl_teaches"] = {"tasks": ["ner"]}
    scores = trained.evaluate(examples)
    assert scores["spans_mentions_f"] == 1.0 and scores["ents_f"] == 1.0


def test_no_scorer_no_scores(examples):
    nlp = make_pipeline(scorer=None)
    nlp.initialize(lambda: examples)
    assert nlp.get_pipe("hmtl").score(examples) == {}


# Beside other components


def test_a_shared_tok2vec_component_trains_through_the_listener_and_can_be_copied_in(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    tok2vec = {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "pretrained_vectors": None,
        "width": 12,
        "depth": 1,
        "embed_size": 100,
        "window_size": 1,
        "maxout_pieces": 2,
        "subword_features": True,
    }
    nlp.add_pipe("tok2vec", config={"model": tok2vec})
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 12, "upstream": "tok2vec"}
    parts = {"contextual": listener, "characters": None, "words": None, "case": None}
    nlp.add_pipe("hmtl", config={**TINY, "embedding": embedding_of(parts)})
    examples = make_examples(nlp.vocab)
    empty = annotate(nlp.vocab, [], set())
    examples.append(example(empty))
    optimizer = nlp.initialize(lambda: examples)
    assert nlp.get_pipe("tok2vec").listening_components == ["hmtl"]
    before = nlp.get_pipe("tok2vec").model.to_bytes()
    first = nlp.update(examples, sgd=optimizer, losses={})
    for _ in range(15):
        losses = nlp.update(examples, sgd=optimizer, losses={})
    assert losses["hmtl"] < first["hmtl"]
    assert nlp.get_pipe("tok2vec").model.to_bytes() != before
    expected = [nlp(text) for text in [*TEXTS, ""]]
    for doc, text in zip(expected, [*TEXTS, ""]):
        same(nlp(text), doc)
    nlp.replace_listeners("tok2vec", "hmtl", ["embedding.parts.contextual"])
    assert nlp.get_pipe("tok2vec").listening_components == []
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path, exclude=["tok2vec"])
    for doc in expected:
        same(loaded(doc.text), doc)


def test_the_number_of_updates_of_each_task_is_in_the_losses(trained, examples):
    pipe = trained.get_pipe("hmtl")
    for eg in examples:
        eg.reference.user_data["hmtl_teaches"] = {"tasks": ["ner"]}
    losses = {}
    for _ in range(2):
        pipe.update(examples, losses=losses)
    assert [losses[f"hmtl_{name}_updates"] for name in LEVELS] == [2, 0, 0, 0]
