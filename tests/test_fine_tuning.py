"""A transformer in training: frozen lower layers, groups of learning rates, bounded memory, bfloat16."""

import warnings

import numpy
import pytest
import spacy
import torch
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Adam
from tiny import ANNOTATED, confidences, layers, make_examples, train
from torch import nn

pytest.importorskip("transformers", reason="needs the extra hmtl-spacy[hf]")

import transformers
from tiny_transformer import pipeline, save_transformer

from hmtl_spacy.embedding import precision, transformer
from hmtl_spacy.embedding.configuration import set_dropout
from hmtl_spacy.embedding.reading import Batch
from hmtl_spacy.embedding.split import split
from hmtl_spacy.factories import make_transformer

TEXTS = ["Ann lives in Rome .", "Bob met Lee there . She likes it .", "Ovienna", "", "It works for Acme"]
TOP, BOTTOM = "encoder.layer.1.output.dense.weight", "encoder.layer.0.output.dense.weight"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small BERT of two layers with random weights."""
    return save_transformer(tmp_path_factory.mktemp("bert"))


def build(folder, **settings):
    model = make_transformer(folder, **{"window": 30, "trainable": True, **settings})
    model.initialize()
    return model


def docs():
    vocab = spacy.blank("en").vocab
    return [Doc(vocab, words=text.split()) for text in TEXTS]


def backpropagate(model, documents=None):
    """Token vectors in training, and the gradients of the transformer's weights by name."""
    documents = docs() if documents is None else documents
    vectors, backprop = model(documents, True)
    backprop(numpy.arange(vectors.size, dtype="f").reshape(vectors.shape) / vectors.size)
    named = model.shims[0]._model.named_parameters()
    gradients = {name: p.grad.clone() for name, p in named if p.grad is not None}
    model.shims[0]._model.zero_grad()
    return vectors.copy(), gradients


def state(model):
    return {name: weights.clone() for name, weights in model.shims[0]._model.state_dict().items()}


def close(first, second, atol=1e-6):
    numpy.testing.assert_allclose(first[0], second[0], atol=atol)
    assert set(first[1]) == set(second[1])
    for name, gradient in first[1].items():
        torch.testing.assert_close(gradient, second[1][name], atol=atol, rtol=1e-4)


def count_runs(monkeypatch):
    runs = []
    original = Batch.run
    monkeypatch.setattr(Batch, "run", lambda self, network: runs.append(self) or original(self, network))
    return runs


@pytest.mark.parametrize("cache_mb", [0, 100])
def test_frozen_layers_give_the_outputs_and_gradients_of_the_whole(folder, cache_mb, monkeypatch):
    vectors, gradients = backpropagate(build(folder))
    above = {name: gradient for name, gradient in gradients.items() if name.startswith("encoder.layer.1.")}
    model = build(folder, frozen_layers=1, cache_mb=cache_mb)
    runs = count_runs(monkeypatch)
    for _ in range(3):
        close((vectors, above), backpropagate(model))
    assert len(runs) == (1 if cache_mb else 3)  # of the lower layers: once per text, if that is kept
    close((vectors[:5], {}), (backpropagate(model, docs()[:1])[0], {}))  # from other company, too
    model.predict(docs())
    assert len(runs) == (1 if cache_mb else 5)
    for _ in range(2):  # a text of the development split alone
        model.predict([Doc(Vocab(), words="Vienna likes Ann .".split())])
    assert len(runs) == (2 if cache_mb else 7)


def test_frozen_layers_and_embeddings_stay_as_they_are(folder):
    model = build(folder, frozen_layers=1)
    before = state(model)
    optimizer = Adam(0.01, L2=0.1, use_averages=True)
    for _ in range(2):
        vectors, backprop = model(docs(), True)
        backprop(numpy.ones_like(vectors) * numpy.arange(16, dtype="f"))
        model.finish_update(optimizer)
    moved = {name for name, weights in state(model).items() if not torch.equal(weights, before[name])}
    assert TOP in moved and all(name.startswith("encoder.layer.1.") for name in moved)
    averages = next(weights for key, weights in optimizer.averages.items() if TOP in (weights or {}))
    assert all(name.startswith("encoder.layer.1.") for name in averages)


SIZES = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 24}
SIZES["vocab_size"] = 40


@pytest.mark.parametrize(
    "network",
    [
        transformers.MPNetModel(transformers.MPNetConfig(**SIZES)),
        transformers.RobertaModel(transformers.RobertaConfig(**SIZES)),
        transformers.ElectraModel(transformers.ElectraConfig(**SIZES, embedding_size=8)),
        transformers.DistilBertModel(
            transformers.DistilBertConfig(vocab_size=40, n_layers=3, n_heads=2, dim=16, hidden_dim=24)
        ),
        transformers.DebertaV2Model(transformers.DebertaV2Config(**SIZES, relative_attention=True)),
    ],
    ids=lambda network: type(network).__name__,
)
def test_kinds_of_transformers_that_can_be_divided(network):
    for n_frozen in (1, 2):
        parts = split(network, n_frozen)  # which compares the parts with the whole
        ids = torch.arange(3, 13).view(1, 10)
        mask = torch.ones_like(ids)
        with torch.no_grad():
            whole = network(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
            upper = parts.run_upper(whole[n_frozen], ids, mask)
        torch.testing.assert_close(
            torch.stack(upper), torch.stack(whole[n_frozen + 1 :]), atol=1e-5, rtol=1e-4
        )


class Counting(nn.Module):
    """A transformer whose layers depend on their number, so that half of them is something else."""

    def __init__(self):
        super().__init__()
        self.config = transformers.BertConfig(vocab_size=20, hidden_size=4, num_hidden_layers=3)
        self.embeddings = nn.Embedding(20, 4)
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))

    def forward(self, input_ids, attention_mask, output_hidden_states):
        states = [self.embeddings(input_ids)]
        for number, layer in enumerate(self.layers):
            states.append(layer(states[-1]) + number)
        return transformers.modeling_outputs.BaseModelOutput(hidden_states=tuple(states))


def test_transformers_that_cannot_be_divided(folder):
    with pytest.raises(
        ValueError, match="a Counting, can't be divided after 2 layers: .* Set frozen_layers to 0"
    ):
        split(Counting(), 2)
    shared = transformers.AlbertModel(transformers.AlbertConfig(**SIZES, embedding_size=8))
    with pytest.raises(ValueError, match="layers of the transformer, a AlbertModel, can't be told apart"):
        split(shared, 1)
    with pytest.raises(
        ValueError, match="frozen_layers is 2, but the transformer has 2 layers. Set it to at most 1"
    ):
        build(folder, frozen_layers=2)


def changes(model, optimizer):
    before = state(model)
    vectors, backprop = model(docs(), True)
    backprop(numpy.ones_like(vectors) * numpy.arange(16, dtype="f"))
    mix = model.shims[1].network.weights.detach().clone()
    model.finish_update(optimizer)
    moved = {name: (weights - before[name]).abs().max().item() for name, weights in state(model).items()}
    return {**moved, "mix": (model.shims[1].network.weights - mix).abs().max().item()}


def test_each_group_learns_at_its_rate(folder):
    """Adam's first step moves a weight by the learning rate."""
    model = build(folder, learn_rate_scale=0.1, layer_decay=0.5, mix_learn_rate_scale=3.0)
    moved = changes(model, Adam(0.01, L2=0.0, grad_clip=0.0))
    expected = {TOP: 1e-3, BOTTOM: 5e-4, "embeddings.LayerNorm.weight": 2.5e-4, "mix": 0.03}
    assert {name: moved[name] for name in expected} == pytest.approx(expected, rel=0.05)


def test_the_rate_of_the_transformer_rises_in_its_warm_up(folder):
    model, optimizer = build(folder, learn_rate_scale=0.1, warmup_steps=4), Adam(0.01, L2=0.0, grad_clip=0.0)
    steps = [changes(model, optimizer) for _ in range(5)]
    assert steps[0][TOP] == pytest.approx(1e-3 / 4, rel=0.05)
    assert steps[0]["mix"] == pytest.approx(0.01, rel=0.05)
    assert steps[4][TOP] > 2 * steps[0][TOP]


@pytest.mark.parametrize("decay_all, decayed", [(True, 0.1), (False, 0.0)])
def test_weight_decay_of_norms(folder, decay_all, decayed):
    """The weights of layer norms are 1 at first, so decay is the rate times L2."""
    name = "encoder.layer.1.output.LayerNorm.weight"
    settings = {"learn_rate_scale": 1.0, "decay_all": decay_all}
    with_decay, without = (build(folder, **settings) for _ in range(2))
    for model, L2 in ((with_decay, 10.0), (without, 0.0)):
        changes(model, Adam(0.01, L2=L2, grad_clip=0.0))
    difference = (state(without)[name] - state(with_decay)[name]).numpy()
    numpy.testing.assert_allclose(difference, decayed, atol=1e-5)
    assert not torch.allclose(state(without)[TOP], state(with_decay)[TOP], atol=1e-4)


@pytest.mark.parametrize("frozen_layers", [0, 1])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_what_is_computed_again_gives_the_same_gradients(folder, frozen_layers, dropout):
    settings = {"batch_pieces": 20, "dropout": dropout, "frozen_layers": frozen_layers}
    results = []
    for kept_pieces in (None, 0, 20):
        model = build(folder, kept_pieces=kept_pieces, **settings)
        torch.manual_seed(5)
        results.append(backpropagate(model))
    close(results[0], results[1])
    close(results[0], results[2])
    if not dropout:  # nor does it matter how many pieces are run at a time
        close(results[0], backpropagate(build(folder, frozen_layers=frozen_layers)), atol=1e-5)


def test_only_as_much_is_kept_as_is_allowed(folder, monkeypatch):
    runs = count_runs(monkeypatch)
    counts = []
    for kept_pieces in (None, 16, 0):
        backpropagate(build(folder, kept_pieces=kept_pieces, batch_pieces=16))
        counts.append(len(runs))
        runs.clear()
    everything, some, nothing = counts
    assert everything > 1 and nothing == 2 * everything and some == nothing - 1


def test_dropout_is_that_of_the_setting(folder, tmp_path):
    def is_random(model):
        return not numpy.array_equal(model(docs(), True)[0], model(docs(), True)[0])

    assert not is_random(build(folder))  # the folder's is 0
    model = build(folder, dropout=0.3)
    assert is_random(model)
    numpy.testing.assert_array_equal(model.predict(docs()), model.predict(docs()))
    loaded = make_transformer(folder, trainable=True, window=30, dropout=0.0).from_bytes(model.to_bytes())
    assert not is_random(loaded)
    config = transformers.PretrainedConfig()
    with pytest.raises(
        ValueError, match="dropout is 0.1, but its configuration, a Pre[Tt]rainedConfig, has none of"
    ):
        set_dropout(config, 0.1)


@pytest.mark.parametrize("frozen_layers", [0, 1])
def test_bfloat16_trains_close_to_float32(folder, monkeypatch, frozen_layers):
    monkeypatch.setattr(precision, "computes_bfloat16", lambda device_type: True)
    exact = backpropagate(build(folder, frozen_layers=frozen_layers))
    model = build(folder, frozen_layers=frozen_layers, precision="bfloat16")
    half = backpropagate(model)
    assert not numpy.array_equal(exact[0], half[0])
    numpy.testing.assert_allclose(exact[0], half[0], atol=0.2)
    assert half[1][TOP].dtype == torch.float32
    similarity = torch.cosine_similarity(exact[1][TOP].flatten(), half[1][TOP].flatten(), dim=0)
    assert similarity > 0.98
    numpy.testing.assert_allclose(model.predict(docs()), half[0], atol=0.05)  # evaluated as it is trained


@pytest.mark.parametrize("trainable", [False, True])
def test_without_instructions_for_bfloat16_float32_is_used_and_said_once(folder, monkeypatch, trainable):
    monkeypatch.setattr(precision, "computes_bfloat16", lambda device_type: False)
    precision._warn_of_float32.cache_clear()
    exact = build(folder, trainable=trainable).predict(docs())
    with pytest.warns(
        UserWarning, match='"bfloat16", but this cpu has no instructions .* runs in float32'
    ) as said:
        model = build(folder, trainable=trainable, precision="bfloat16")
        model(docs(), True)
        numpy.testing.assert_allclose(model.predict(docs()), exact, atol=1e-2)
    assert len(said) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(docs(), True)


def test_training_drops_the_copy_for_inference(folder):
    model = build(folder)
    model.predict(docs())
    assert model.shims[0].inference.copy is not None
    model(docs(), True)
    model.predict(docs())
    assert model.shims[0].inference.copy is None


@pytest.mark.parametrize("frozen_layers", [0, 1])
def test_documents_are_evaluated_in_groups(folder, monkeypatch, frozen_layers):
    model = build(folder, trainable=bool(frozen_layers), frozen_layers=frozen_layers)
    model(docs()[:1], True)
    together = model.predict(docs())
    monkeypatch.setattr(transformer, "GROUP_TOKENS", 6)
    numpy.testing.assert_allclose(model.predict(docs()), together, atol=1e-2)
    assert model.predict([]).shape == (0, 16) and model.predict(docs()[3:4]).shape == (0, 16)


def test_a_stored_pipeline_with_frozen_layers_predicts_the_same(folder, tmp_path):
    nlp = pipeline(folder, trainable=True, frozen_layers=1, layer_decay=0.9, decay_all=False)
    train(nlp, make_examples(nlp.vocab), steps=5)
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    for text in [*(values[0] for values in ANNOTATED), "", "Vienna \n\n likes Oslo ."]:
        before, after = nlp(text), loaded(text)
        assert layers(before) == layers(after)
        assert confidences(before) == pytest.approx(confidences(after), abs=1e-4)
    losses = loaded.update(make_examples(loaded.vocab), sgd=loaded.resume_training(), losses={})
    assert losses["hmtl"] > 0


@pytest.mark.parametrize(
    "setting, value, allowed",
    [
        ("frozen_layers", -1, "0 or more"),
        ("warmup_steps", -1, "0 or more"),
        ("kept_pieces", -1, "0 or more"),
        ("layer_decay", 1.5, "0.0 to 1.0"),
        ("dropout", 2.0, "0.0 to 1.0"),
    ],
)
def test_settings_out_of_range_are_refused(folder, setting, value, allowed):
    with pytest.raises(ValueError, match=f"{setting} is {value}. Set it to {allowed}."):
        build(folder, **{setting: value})
