"""A fifth task, defined here alone: one class, one registered function and config."""

from typing import Iterable, List

import catalogue
import numpy
import pytest
import spacy
import torch
from tiny import TINY, TINY_TASKS, layers, make_examples, train
from torch import nn

from hmtl_spacy.nn.head import Head
from hmtl_spacy.registry import registry
from hmtl_spacy.tasks.base import Task, annotated_pairs


class PolarityHead(nn.Module, Head):
    """Labels each document from the mean of its vectors. Rows: label."""

    def __init__(self, nI, n_labels):
        super().__init__()
        self.output = nn.Linear(nI, n_labels)

    def logits(self, tokens):
        doc_of = torch.from_numpy(tokens.layout.doc_of)
        sums = tokens.vectors.new_zeros((len(tokens.layout.doc_lengths), tokens.vectors.shape[1]))
        sums = sums.index_add(0, doc_of, tokens.vectors)
        lengths = torch.from_numpy(tokens.layout.doc_lengths).clamp(min=1)
        return self.output(sums / lengths[:, None])

    def loss(self, tokens, gold):
        target = torch.tensor([int(rows[0, 0]) for rows in gold])
        return nn.functional.cross_entropy(self.logits(tokens), target)

    @torch.no_grad()
    def decode(self, tokens, threshold=0.0):
        best, label = self.logits(tokens).softmax(dim=1).max(dim=1)
        chosen = zip(best.tolist(), label.tolist())
        found = [(p, i) if p >= threshold else None for p, i in chosen]
        rows = [numpy.array([[one[1]]] if one else [], dtype=numpy.int64).reshape(-1, 1) for one in found]
        return rows, [numpy.array([one[0]] if one else [], dtype=numpy.float32) for one in found]


class Polarity(Task):
    offset_columns = 0

    def build_head(self, nI, nX):
        return PolarityHead(nI, len(self.labels))

    def has_gold(self, doc):
        return bool(doc.cats)

    def find_labels(self, docs: Iterable) -> List[str]:
        return sorted({label for doc in docs for label in doc.cats})

    def encode(self, doc):
        best = max(doc.cats, key=doc.cats.get)
        return numpy.array([[self.label_index(best)]], dtype=numpy.int64)

    def unusable(self, rows, sentence_of):
        return {}

    def annotate(self, doc, rows, scores):
        doc.cats = {self.labels[label]: score for (label,), score in zip(rows.tolist(), scores.tolist())}

    def score(self, examples):
        pairs = annotated_pairs(self, examples)
        right = sum(bool(x.cats) and numpy.array_equal(self.encode(x), self.encode(y)) for x, y in pairs)
        return {"polarity_acc": right / len(pairs) if pairs else 0.0}

    def score_weights(self):
        return {"polarity_acc": 1.0}


@pytest.fixture
def registered():
    registry.hmtl_tasks.register(
        "test.Polarity.v1",
        func=lambda inputs=(): Polarity(
            inputs=inputs, hidden=8, depth=1, dropout=0.0, label_embedding_width=0
        ),
    )
    yield
    catalogue.REGISTRY.pop(("spacy", "hmtl_tasks", "test.Polarity.v1"))


CONFIG = """
[nlp]
lang = "en"
pipeline = ["sentencizer", "hmtl"]

[components]

[components.sentencizer]
factory = "sentencizer"

[components.hmtl]
factory = "hmtl"
hierarchy = ["mentions", "polarity"]

[components.hmtl.tasks]

[components.hmtl.tasks.mentions]
@hmtl_tasks = "hmtl_spacy.Mentions.v1"
inputs = []
hidden = 8
depth = 1
dropout = 0.0

[components.hmtl.tasks.polarity]
@hmtl_tasks = "test.Polarity.v1"
inputs = ["mentions"]

[components.hmtl.embedding]
@architectures = "hmtl_spacy.Embedding.v1"

[components.hmtl.embedding.parts]

[components.hmtl.embedding.parts.characters]
@architectures = "hmtl_spacy.Characters.v1"
filters = 16

[components.hmtl.embedding.parts.words]
@architectures = "hmtl_spacy.Words.v1"
width = 16
dropout = 0.0
word_dropout = 0.0

[components.hmtl.embedding.parts.case]
@architectures = "hmtl_spacy.Case.v1"
"""


def with_polarity(vocab):
    examples = make_examples(vocab)
    for eg in examples[:-1]:  # the last one isn't annotated
        eg.reference.cats = {"GOOD": 1.0} if "likes" in eg.reference.text else {"BAD": 1.0}
    return examples


def test_a_fifth_task_is_config(registered, tmp_path):
    spacy.util.fix_random_seed(0)
    nlp = spacy.util.load_model_from_config(spacy.util.load_config_from_str(CONFIG), auto_fill=True)
    examples = with_polarity(nlp.vocab)
    _, losses = train(nlp, examples, steps=40)
    assert set(losses) >= {"hmtl", "hmtl_mentions", "hmtl_polarity"}
    pipe = nlp.get_pipe("hmtl")
    assert pipe.label_data["polarity"] == ["BAD", "GOOD"]
    assert pipe.coverage["", "polarity"].docs == 3 and pipe.coverage["", "mentions"].docs == 4
    scores = nlp.evaluate(with_polarity(nlp.vocab))
    assert scores["polarity_acc"] == 1.0 and scores["spans_mentions_f"] == 1.0
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    for eg in examples:
        doc, again = nlp(eg.reference.text), loaded(eg.reference.text)
        assert doc.cats == pytest.approx(again.cats, abs=1e-5)
        assert len(doc.cats) == 1


def test_a_fifth_task_stands_beside_the_four(registered):
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    tasks = {**TINY_TASKS, "polarity": {"@hmtl_tasks": "test.Polarity.v1", "inputs": ["ner", "coref"]}}
    hierarchy = ["ner", "mentions", "coref", "relations", "polarity"]
    nlp.add_pipe("hmtl", config={**TINY, "tasks": tasks, "hierarchy": hierarchy})
    train(nlp, with_polarity(nlp.vocab), steps=2)
    nlp.get_pipe("hmtl").cfg["thresholds"]["polarity"] = 1.01
    doc = nlp("Ann likes it .")
    assert doc.cats == {} and set(layers(doc)) == {"ents", "mentions", "clusters", "relations"}
