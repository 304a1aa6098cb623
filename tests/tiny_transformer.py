"""A small BERT with random weights, and a pipeline around it. It needs transformers."""

import spacy
import torch
from tiny import TINY
from transformers import BertConfig, BertModel, BertTokenizerFast

WORDS = "ann bob lee works for acme corp she he likes it my mom lives in lyon rome met there".split()
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES = [*SPECIAL, ".", "oslo", "##slo", "o", "##vi", "##en", "##na", *WORDS]


def save_transformer(path):
    """Write it to a folder; returns the folder's name."""
    (path / "vocab.txt").write_text("\n".join(PIECES))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(PIECES),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=40,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.5,
    )
    BertModel(config).save_pretrained(path)
    BertTokenizerFast(vocab_file=str(path / "vocab.txt"), do_lower_case=True).save_pretrained(path)
    return str(path)


def pipeline(folder, **settings):
    contextual = {"@architectures": "hmtl_spacy.Transformer.v1", "name": folder, "window": 30, **settings}
    parts = {**TINY["embedding"]["parts"], "contextual": contextual, "words": None}
    embedding = {**TINY["embedding"], "parts": parts}
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("hmtl", config={**TINY, "embedding": embedding})
    return nlp
