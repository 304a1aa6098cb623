"""Transformers as this package stored them with several versions of transformers: a tiny one of
each kind, with the vectors that it gave, in data/stored_transformers. `python
tests/stored_transformers.py` adds this version's.
"""

from pathlib import Path

import numpy
import spacy
import torch
import transformers
from spacy.tokens import Doc
from tiny_transformer import PIECES, save_transformer

from hmtl_spacy.factories import make_transformer

FOLDER = Path(__file__).parent / "data" / "stored_transformers"
SIZES = {
    "vocab_size": len(PIECES),
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 40,
    "initializer_range": 0.5,
    "pad_token_id": 0,
}
WORDS = "Ann Lee works for Acme in Ovienna . She likes it !"


def kinds():
    """A small network of each kind, with random weights."""
    yield transformers.BertModel(transformers.BertConfig(**SIZES))
    yield transformers.MPNetModel(transformers.MPNetConfig(**SIZES))
    yield transformers.RobertaModel(transformers.RobertaConfig(**SIZES))
    yield transformers.ElectraModel(transformers.ElectraConfig(**SIZES, embedding_size=4))
    yield transformers.DebertaV2Model(
        transformers.DebertaV2Config(**SIZES, relative_attention=True, position_buckets=8, pos_att_type="p2c")
    )
    ends = {"bos_token_id": 2, "cls_token_id": 2, "eos_token_id": 3, "sep_token_id": 3}
    yield transformers.ModernBertModel(transformers.ModernBertConfig(**SIZES, **ends, local_attention=4))


def vectors(layer):
    """The token vectors of a text. [n_tokens, 8]"""
    return layer.predict([Doc(spacy.blank("en").vocab, words=WORDS.split())])


def store(temporary):
    """Write a layer of each kind and its vectors, named by kind and version."""
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(0)
    for network in kinds():
        kind = network.config.model_type
        folder = temporary / kind
        folder.mkdir()
        save_transformer(folder)
        (folder / "model.safetensors").unlink()
        network.save_pretrained(folder)
        layer = make_transformer(str(folder), window=30)
        layer.initialize()
        path = FOLDER / f"{kind}-{transformers.__version__}"
        path.with_name(f"{path.name}.bin").write_bytes(layer.to_bytes())
        numpy.save(path.with_name(f"{path.name}.npy"), vectors(layer))


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as created:
        store(Path(created))
