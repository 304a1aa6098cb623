import copy

import numpy
import pytest
import torch
from thinc.api import Adam
from tiny import example, make_pipeline, train

from hmtl_spacy.nn import batch as batching
from hmtl_spacy.nn.batch import Layout, TokenBatch
from hmtl_spacy.nn.level import LevelSettings
from hmtl_spacy.nn.network import Ascent, Network
from hmtl_spacy.nn.tagging import TaggingHead

LAYOUT = Layout([5, 0, 4], [2, 3, 4])
THRESHOLDS = dict.fromkeys("abcd", 0.0)
NO_SPANS = numpy.zeros((0, 3), dtype=numpy.int64)


def level(inputs=(), label_embedding_width=0):
    return LevelSettings(
        list(inputs), 4, 1, 0.0, label_embedding_width, lambda nI, nX: TaggingHead(nI, 2, 0.0)
    )


def build(**inputs):
    """inputs: per level those that it reads, lowest first."""
    torch.manual_seed(0)
    return Network(6, {name: level(below) for name, below in inputs.items()})


def batch(requires_grad=False):
    torch.manual_seed(1)
    return TokenBatch(torch.randn(9, 6, requires_grad=requires_grad), LAYOUT)


def gold():
    return [numpy.array([[0, 2, 0]]), NO_SPANS, numpy.array([[1, 3, 1]])]


def count_runs(network):
    runs = []
    for name, module in network.levels.items():
        module.encoder.register_forward_hook(lambda *args, name=name: runs.append(name))
    return runs


@pytest.mark.parametrize(
    "inputs",
    [
        {"a": []},
        {"a": [], "b": []},
        {"a": [], "b": ["a"], "c": ["b"], "d": ["b"]},
        {"c": [], "b": ["c"], "a": ["b", "c"]},
    ],
)
def test_any_wiring(inputs):
    network = build(**inputs)
    losses = network.losses(batch(), {name: gold() for name in inputs}, THRESHOLDS)
    assert list(losses) == list(inputs) and all(torch.isfinite(loss) for loss in losses.values())
    found = network.decode(batch(), dict.fromkeys(inputs, 0.0))
    assert list(found) == list(inputs)
    for name, below in inputs.items():
        assert network.levels[name].encoder.lstm.input_size == 6 + 8 * len(below)


def test_an_encoder_reads_the_embedding_and_the_levels_below():
    network = build(a=[], b=["a"]).eval()
    tokens = batch()
    read = []
    network.levels["b"].encoder.register_forward_hook(lambda m, args, out: read.append(args[0]))
    network.decode(tokens, {"a": 0.0, "b": 0.0})
    lower = network.levels["a"].encoder(tokens.vectors, LAYOUT)
    assert torch.equal(read[0], torch.cat([tokens.vectors, lower], dim=1))


def test_long_documents_are_encoded_in_chunks_with_the_same_result(monkeypatch):
    hierarchy = build(a=[], b=["a"], c=["a", "b"]).eval()
    whole = Ascent(hierarchy, batch(), THRESHOLDS, {})
    whole.encode("c")
    runs = count_runs(hierarchy)
    monkeypatch.setattr(batching, "TOKENS_AT_A_TIME", 4)
    chunks = Ascent(hierarchy, batch(), THRESHOLDS, {})
    chunks.encode("c")
    assert runs == ["a"] * 3 + ["b"] * 3 + ["c"] * 3  # sentences of 2, 3 and 4 tokens
    for name in "abc":
        torch.testing.assert_close(chunks.encoded[name].vectors, whole.encoded[name].vectors)
        assert chunks.encoded[name].inputs is None


def test_what_an_encoder_read_is_kept_for_heads_that_ask_for_it():
    hierarchy = build(a=[], b=["a"]).eval()
    hierarchy.levels["b"].head.reads_inputs = True
    tokens = batch()
    ascent = Ascent(hierarchy, tokens, THRESHOLDS, {})
    inputs = ascent.encode("b").inputs
    assert [id(part) for part in inputs] == [id(tokens.vectors), id(ascent.encoded["a"].vectors)]


def test_only_the_levels_that_are_needed_run_and_each_once():
    network = build(a=[], b=["a"], c=["b"], d=["b", "a"])
    runs = count_runs(network)
    network.losses(batch(), {"b": gold()}, THRESHOLDS)
    assert sorted(runs) == ["a", "b"]
    runs.clear()
    network.losses(batch(), {"c": gold(), "d": gold()}, THRESHOLDS)
    assert sorted(runs) == ["a", "b", "c", "d"]
    runs.clear()
    network.decode(batch(), dict.fromkeys("abcd", 0.0))
    assert sorted(runs) == ["a", "b", "c", "d"]


def test_documents_without_gold_take_no_part():
    network = build(a=[]).eval()
    tokens = batch()
    alone = network.losses(tokens.select_docs([2]), {"a": gold()[2:]}, THRESHOLDS)["a"]
    found = network.losses(tokens, {"a": [None, None, gold()[2]]}, THRESHOLDS)["a"]
    torch.testing.assert_close(found, alone)
    # annotated with nothing is something else
    empty = network.losses(tokens, {"a": [NO_SPANS, NO_SPANS, gold()[2]]}, THRESHOLDS)["a"]
    assert abs(empty.item() - alone.item()) > 1e-3


def test_a_task_taught_only_by_an_empty_document_has_loss_zero():
    network = build(a=[], b=["a"])
    losses = network.losses(batch(requires_grad=True), {"b": [None, NO_SPANS, None]}, THRESHOLDS)
    assert losses["b"].item() == 0.0
    losses["b"].backward()


def test_gradients_reach_what_is_below_and_nothing_above():
    network = build(a=[], b=["a"], c=["b"])
    tokens = batch(requires_grad=True)
    network.losses(tokens, {"b": gold()}, THRESHOLDS)["b"].backward()
    trained = {name.split(".")[1] for name, p in network.named_parameters() if p.grad is not None}
    assert trained == {"a", "b"}
    assert all(p.grad is None for p in network.levels["a"].head.parameters())
    assert tokens.vectors.grad.any()


def test_soft_label_embedding_reads_the_lower_head_and_does_not_train_it():
    torch.manual_seed(0)
    network = Network(6, {"a": level(), "b": level(["a"], label_embedding_width=3)})
    upper = network.levels["b"]
    assert upper.encoder.lstm.input_size == 6 + 8 + 3
    network.losses(batch(), {"b": gold()}, THRESHOLDS)["b"].backward()
    assert all(p.grad is None for p in network.levels["a"].head.parameters())
    assert upper.label_embeddings["a"].project.weight.grad.any()
    network.eval()
    before = network.decode(batch(), {"a": 0.0, "b": 0.0})["b"][1]
    network.levels["a"].head.emit.bias.data += torch.arange(9.0)
    after = network.decode(batch(), {"a": 0.0, "b": 0.0})["b"][1]
    assert [x.tolist() for x in before] != [x.tolist() for x in after]


def without(doc, *groups):
    """The document without some of its layers."""
    copied = doc.copy()
    for key in list(copied.spans):
        if key.startswith(groups):
            del copied.spans[key]
    return copied


def weights(pipe):
    return copy.deepcopy(pipe.model.shims[0].network.state_dict())


@pytest.mark.parametrize("use_averages", [False, True])
def test_weights_of_inactive_tasks_stay_bit_identical_over_many_steps(nlp, examples, use_averages):
    pipeline = make_pipeline()
    optimizer = Adam(0.01, L2=0.01, use_averages=use_averages)
    train(pipeline, examples, steps=3)
    for _ in range(3):  # momentum for every task
        pipeline.update(examples, sgd=optimizer)
    pipe = pipeline.get_pipe("hmtl")
    before = weights(pipe)
    mentions_only = [example(without(eg.reference, "coref_clusters", "relations")) for eg in examples]
    for eg in mentions_only:
        eg.reference.user_data["hmtl_teaches"] = {"tasks": ["mentions"]}
    for _ in range(10):
        losses = pipeline.update(mentions_only, sgd=optimizer, losses={})
    after = weights(pipe)
    assert losses["hmtl_mentions"] > 0 and losses["hmtl_coref"] == losses["hmtl_ner"] == 0.0
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert {name.split(".")[1] for name in moved} == {"ner", "mentions"}
    assert any(name.startswith("levels.ner.encoder") for name in moved)
    assert not any(name.startswith("levels.ner.head") for name in moved)
