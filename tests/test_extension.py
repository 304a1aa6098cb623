"""A fifth task, defined here alone: one class, one registered function and config."""

from typing import Iterable, List

import catalogue
import httpx
import numpy
import pytest
import spacy
import torch
from annotating import read_jsonl
from serving import serving
from spacy.cli._util import app
from spacy.tokens import DocBin
from tiny import TINY, TINY_TASKS, layers, make_examples, train
from torch import nn
from typer.testing import CliRunner

from hmtl_spacy.annotate import annotate
from hmtl_spacy.data.layers import read_layers
from hmtl_spacy.data.writers.jsonl import to_jsonl
from hmtl_spacy.evaluation.error_analysis import find_errors, page, to_json
from hmtl_spacy.evaluation.evaluate import evaluate
from hmtl_spacy.nn.head import Head
from hmtl_spacy.registry import registry
from hmtl_spacy.tasks.base import Task, annotated_pairs
from hmtl_spacy.tasks.differences import Item, differences
from hmtl_spacy.visualize import render


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
    layer = "polarity"
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

    def differences(self, predicted, reference):
        gold, found = (
            {best: Item(((0, len(doc.text)),), best) for best in sorted(doc.cats, key=doc.cats.get)[-1:]}
            for doc in (reference, predicted)
        )
        return {"polarity": differences(gold, found)}

    def to_json(self, doc):
        if not doc.cats:
            return None
        best = max(doc.cats, key=doc.cats.get)
        return {"label": best, "score": round(doc.cats[best], 4)}

    def score_weights(self):
        return {"polarity_acc": 1.0}


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def polar(registered):
    """A trained pipeline with mentions and polarity, and its losses."""
    spacy.util.fix_random_seed(0)
    nlp = spacy.util.load_model_from_config(spacy.util.load_config_from_str(CONFIG), auto_fill=True)
    _, losses = train(nlp, with_polarity(nlp.vocab), steps=40)
    return nlp, losses


@pytest.fixture
def data(polar, tmp_path):
    """A file of gold documents."""
    nlp, _ = polar
    DocBin(docs=[eg.reference for eg in with_polarity(nlp.vocab)]).to_disk(tmp_path / "data.spacy")
    return tmp_path / "data.spacy"


def test_a_fifth_task_is_config(polar, tmp_path):
    nlp, losses = polar
    examples = with_polarity(nlp.vocab)
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


TEXT = "Ann Lee works for Acme Corp . She likes it ."


def test_a_fifth_task_is_written(polar, tmp_path):
    nlp, _ = polar
    doc = nlp(TEXT)
    described = nlp.get_pipe("hmtl").tasks["polarity"].to_json(doc)
    assert described["label"] == "GOOD" and 0.5 < described["score"] <= 1
    layers = read_layers(doc, tasks=nlp.get_pipe("hmtl").tasks)
    assert to_jsonl(doc, layers)["polarity"] == described and "polarity" not in to_jsonl(doc)
    (tmp_path / "in.txt").write_text(f"{TEXT}\n")
    summary = annotate(nlp, tmp_path / "in.txt", tmp_path / "out.jsonl", lines=True)
    [record] = read_jsonl(tmp_path / "out.jsonl")
    assert record["polarity"] == described and record["mentions"]
    assert summary.written["polarity"] == 1 and not summary.lost
    for name in ("out.conll", "out.json"):
        summary = annotate(nlp, tmp_path / "in.txt", tmp_path / name, lines=True)
        assert summary.lost["polarity"] == 1


def test_a_fifth_task_is_shown(polar, data, tmp_path):
    nlp, _ = polar
    tasks = nlp.get_pipe("hmtl").tasks
    doc = nlp(TEXT)
    note = '<p class="note" data-layer="polarity"><b>polarity</b> <bdi>{&#34;label&#34;: &#34;GOOD&#34;'
    assert note in render(doc, tasks=tasks)
    assert "polarity" not in render(doc) + render(doc, tasks=tasks, layers=["mentions"])
    other = doc.copy()
    other.cats = {"BAD": 1.0}
    assert '<p class="note differs" data-layer="polarity"><b>polarity ≠</b>' in render(
        doc, gold=other, tasks=tasks
    )
    nlp.to_disk(tmp_path / "model")
    arguments = map(str, (data, tmp_path / "page.html", "--model", tmp_path / "model"))
    spacy.registry.cli.get_all()  # as `python -m spacy` does
    done = CliRunner().invoke(app, ["hmtl", "visualize", *arguments])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "page.html").read_text("utf8").count("<b>polarity") == 7  # 4 predicted, 3 gold


def test_a_fifth_task_is_served(polar):
    nlp, _ = polar
    with serving(nlp) as url:
        answer = httpx.post(f"{url}/api/annotate", json={"text": TEXT, "html": True}, timeout=30).json()
        assert answer["polarity"]["label"] == "GOOD" and "<b>polarity</b>" in answer["html"]
        schemas = httpx.get(f"{url}/openapi.json").json()["components"]["schemas"]
        assert {"polarity", "mentions"} < set(schemas["Document"]["properties"])
        assert schemas["Document"]["additionalProperties"] is False
        assert "Further layers: polarity." in httpx.get(url).text


def test_a_fifth_task_is_evaluated_and_its_errors_are_shown(polar, data):
    nlp, _ = polar
    result = evaluate(nlp, data).tasks["polarity"]
    assert (result.docs, result.scores) == (3, {"polarity_acc": 1.0})
    assert result.per_label == {"BAD": 2, "GOOD": 1}
    assert to_json(find_errors(nlp, data))["polarity"]["correct"] == 3
    errors = find_errors(nlp, data, thresholds={"polarity": 1.0})
    counts = to_json(errors)["polarity"]
    assert (counts["correct"], counts["missed"], errors.unsupported) == (0, 3, [])
    assert '<section id="polarity">' in page(errors) and "missed: GOOD" in page(errors)


def test_two_tasks_cannot_fill_one_layer(registered):
    again = {"@hmtl_tasks": "test.Polarity.v1"}
    config = {**TINY, "tasks": {"one": again, "two": again}, "hierarchy": ["one", "two"]}
    with pytest.raises(ValueError, match="The tasks 'one' and 'two' both fill the layer 'polarity': give"):
        spacy.blank("en").add_pipe("hmtl", config=config)


@pytest.mark.parametrize("name", ["text", "a b", '"'])
def test_a_layer_needs_a_name_of_its_own(registered, monkeypatch, name):
    monkeypatch.setattr(Polarity, "layer", name)
    config = {**TINY, "tasks": {"one": {"@hmtl_tasks": "test.Polarity.v1"}}, "hierarchy": ["one"]}
    with pytest.raises(ValueError, match=f"The task 'one' fills a layer named '{name}': give its `layer`"):
        spacy.blank("en").add_pipe("hmtl", config=config)
