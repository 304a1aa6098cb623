"""What was stored with one version of transformers gives the same with the installed one."""

import json

import numpy
import pytest
import torch
from torch import nn

pytest.importorskip("transformers", reason="needs the extra hmtl-spacy[hf]")

import transformers
from stored_transformers import FOLDER, SIZES, vectors

from hmtl_spacy.embedding.configuration import config_from, settings_of, settle
from hmtl_spacy.embedding.transformer_shim import build_model
from hmtl_spacy.factories import make_transformer
from hmtl_spacy.nn.undrawn import build_undrawn
from hmtl_spacy.storage import DamagedPipeline

STORED = sorted(path.stem for path in FOLDER.glob("*.bin"))
BEFORE_5 = int(transformers.__version__.partition(".")[0]) < 5


def load(name):
    data = (FOLDER / f"{name}.bin").read_bytes()
    return make_transformer("nowhere", window=30).from_bytes(data)


@pytest.mark.parametrize("name", STORED)
def test_what_another_version_stored_gives_the_same_vectors(name):
    if BEFORE_5 and name.startswith("modernbert-5"):
        with pytest.raises(DamagedPipeline, match=r"\['rope_parameters'\], which transformers 4.* version 5"):
            load(name)
        return
    numpy.testing.assert_allclose(vectors(load(name)), numpy.load(FOLDER / f"{name}.npy"), atol=1e-5)


def test_both_major_versions_have_stored_each_kind():
    kinds = {name.rpartition("-")[0] for name in STORED}
    assert len(kinds) == 6
    for kind in kinds:
        assert {name.rpartition("-")[2][0] for name in STORED if name.startswith(kind)} == {"4", "5"}


def test_weights_are_read_in_float32_whichever_type_they_are_stored_in(tmp_path):
    from tiny_transformer import save_transformer

    folder = save_transformer(tmp_path)
    transformers.AutoModel.from_pretrained(folder).half().save_pretrained(folder)
    stored_type = json.loads((tmp_path / "config.json").read_text())
    assert "float16" in (stored_type.get("torch_dtype"), stored_type.get("dtype"))
    layer = make_transformer(folder, window=30)
    layer.initialize()
    loaded = make_transformer(folder, window=30).from_bytes(layer.to_bytes())
    for shim in (layer.shims[0], loaded.shims[0]):
        assert {weights.dtype for weights in shim._model.parameters()} == {torch.float32}


def test_a_configuration_is_stored_without_the_type_of_weights():
    config = transformers.BertConfig(**SIZES)
    settle(config)
    stored = settings_of(config)
    assert not {"dtype", "torch_dtype"} & set(stored) and stored["hidden_size"] == 8
    for name in ("dtype", "torch_dtype"):
        network = build_model(config_from({**stored, name: "float16"}, []))
        assert {weights.dtype for weights in network.parameters()} == {torch.float32}


def test_empty_settings_of_another_version_say_nothing():
    stored = settings_of(transformers.BertConfig(**SIZES))
    assert config_from({**stored, "pruned_heads": {}, "of_another": []}, []).hidden_size == 8
    with pytest.raises(DamagedPipeline, match="of_another.*, which transformers .* doesn't take"):
        config_from({**stored, "of_another": {"a": "b"}}, [])


class Tied(nn.Module):
    """Two layers that share their weights, a buffer that isn't stored, and weights that don't learn."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3)
        self.second.weight = self.first.weight
        self.second.bias.requires_grad_(False)
        self.register_buffer("places", torch.arange(3), persistent=False)
        nn.init.trunc_normal_(self.first.weight, std=0.02)


def test_a_network_is_built_without_drawing():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    network = build_undrawn(Tied)
    assert torch.equal(torch.get_rng_state(), before)
    assert network.second.weight is network.first.weight and not network.first.weight.is_meta
    assert network.first.bias.requires_grad and not network.second.bias.requires_grad
    assert network.places.tolist() == [0, 1, 2]
    assert not nn.Linear(2, 2).weight.is_meta, "only networks that are built inside"
