"""The contract of heads: what a class of somebody else's must have, and what it gets from other levels."""

import numpy
import pytest
import spacy
import torch
from tiny import TINY, TINY_TASKS, make_examples, make_pipeline, train
from torch import nn

from hmtl_spacy.annotations import get_mentions, set_mentions
from hmtl_spacy.nn.batch import CandidateSpans, Layout, TokenBatch
from hmtl_spacy.nn.head import Head, LabellingHead, apart_from, join_rows
from hmtl_spacy.nn.level import LevelSettings
from hmtl_spacy.nn.multi_head import MultiHeadSelection
from hmtl_spacy.nn.network import Network
from hmtl_spacy.nn.span_ranking import SpanRankingHead
from hmtl_spacy.nn.tagging import TaggingHead
from hmtl_spacy.registry import registry
from hmtl_spacy.tasks.mentions import Mentions

LAYOUT = Layout([5, 0, 4], [2, 3, 4])


class SpanTyper(nn.Module, Head):
    """Gives the spans of another level one label each. Rows: start, end, label."""

    takes_candidates = True

    def __init__(self, nI, n_labels, candidates_from):
        super().__init__()
        self.candidates_from = candidates_from
        self.output = nn.Linear(2 * nI, n_labels)
        self.asked = []

    def logits(self, tokens):
        self.asked = [rows.tolist() for rows in tokens.candidates.rows]
        spans = [rows[:, :2] + start for rows, start in zip(tokens.candidates.rows, tokens.layout.doc_starts)]
        starts, ends = torch.from_numpy(numpy.concatenate(spans)).unbind(dim=1)
        return self.output(torch.cat([tokens.vectors[starts], tokens.vectors[ends - 1]], dim=1))

    def loss(self, tokens, gold):
        labels = [{(s, e): label for s, e, label in rows.tolist()} for rows in gold]
        target = [
            of_doc.get((int(row[0]), int(row[1])), 0)
            for of_doc, rows in zip(labels, tokens.candidates.rows)
            for row in rows
        ]
        if not target:
            return tokens.vectors.sum() * 0.0
        return nn.functional.cross_entropy(self.logits(tokens), torch.tensor(target))

    def decode(self, tokens, threshold):
        probability, label = self.logits(tokens).softmax(dim=1).max(dim=1)
        rows = [of_doc[:, :2] for of_doc in tokens.candidates.rows]
        sizes = [len(of_doc) for of_doc in rows]
        labels = [of_doc.numpy()[:, None] for of_doc in label.split(sizes)]
        scores = [of_doc.numpy() for of_doc in probability.split(sizes)]
        return [numpy.hstack(pair) for pair in zip(rows, labels)], scores


class Structural(nn.Module):
    """Fulfils the protocol without inheriting from it."""

    reads_inputs = takes_candidates = False
    candidates_from = None

    def loss(self, tokens, gold):
        return tokens.vectors.sum()

    def decode(self, tokens, threshold):
        nothing = [numpy.zeros((0, 3), dtype=numpy.int64)] * len(tokens.layout.doc_lengths)
        return nothing, [numpy.zeros(0, dtype=numpy.float32)] * len(nothing)


def level(build_head, inputs=()):
    return LevelSettings(list(inputs), 4, 1, 0.0, 0, build_head)


def network(candidates_from="a", **more):
    torch.manual_seed(3)
    typer = {"typer": level(lambda nI, nX: SpanTyper(nI, 2, candidates_from))}
    return Network(6, {"a": level(lambda nI, nX: TaggingHead(nI, 2, 0.0)), **typer, **more})


def batch():
    torch.manual_seed(1)
    return TokenBatch(torch.randn(9, 6), LAYOUT)


THRESHOLDS = {"a": 0.0, "typer": 0.0}


def test_our_heads_fulfil_the_protocol():
    kinds = {}
    for cls in (TaggingHead, SpanRankingHead, MultiHeadSelection):
        head = cls.__new__(cls)
        nn.Module.__init__(head)
        head.n_tags = 5
        kinds[cls] = isinstance(head, Head), head.takes_candidates, head.candidates_from
    assert kinds == {
        TaggingHead: (True, False, None),
        SpanRankingHead: (True, True, None),
        MultiHeadSelection: (True, False, None),
    }
    assert isinstance(TaggingHead(4, 2, 0.0), LabellingHead)
    assert not isinstance(
        MultiHeadSelection(4, 2, hidden=3, dropout=0.0, positive_rate=0.1, inverse=[-1, -1]), LabellingHead
    )


def test_any_class_with_the_members_is_a_head():
    alone = Network(6, {"mine": level(lambda nI, nX: Structural())})
    assert isinstance(Structural(), Head)
    rows, scores = alone.decode(batch(), {"mine": 0.0})["mine"]
    assert [len(of_doc) for of_doc in rows] == [0, 0, 0] and len(scores) == 3


def test_what_is_no_head_is_refused():
    with pytest.raises(TypeError, match="'mine' has a Linear, which isn't a head. Let it inherit from"):
        Network(6, {"mine": level(lambda nI, nX: nn.Linear(nI, 2))})


def test_a_head_scores_the_rows_of_the_level_it_names():
    hierarchy = network().eval()
    decoded = hierarchy.decode(batch(), THRESHOLDS)
    assert hierarchy.level("typer").head.asked == [rows.tolist() for rows in decoded["a"][0]]
    assert sum(map(len, decoded["a"][0])) > 2
    offsets = [[rows[:, :2].tolist() for rows in decoded[name][0]] for name in ("a", "typer")]
    assert offsets[0] == offsets[1]
    few = hierarchy.decode(batch(), {"a": 1.01, "typer": 0.0})
    assert [len(rows) for rows in few["typer"][0]] == [0, 0, 0]


def test_in_training_gold_rows_are_joined_to_predicted_ones():
    hierarchy = network()
    predicted = hierarchy.decode(batch(), THRESHOLDS)["a"][0]
    spans = [[[0, 2, 1]], [], [[3, 4, 0]]]
    gold = [numpy.array(rows, dtype=numpy.int64).reshape(-1, 3) for rows in spans]
    losses = hierarchy.losses(batch(), {"a": gold, "typer": gold}, THRESHOLDS)
    assert torch.isfinite(losses["typer"]) and losses["typer"] > 0
    asked = hierarchy.level("typer").head.asked
    assert asked == [join_rows(g, p).tolist() for g, p in zip(gold, predicted)]
    assert all(set(map(tuple, rows)) <= set(map(tuple, of_doc)) for rows, of_doc in zip(spans, asked))
    # a document without gold of the level that is read: only what is predicted
    hierarchy.losses(batch(), {"a": [None, *gold[1:]], "typer": gold}, THRESHOLDS)
    assert hierarchy.level("typer").head.asked[0] == predicted[0].tolist()


def test_joined_rows_keep_gold_labels():
    gold, predicted = numpy.array([[4, 6, 1], [0, 2, 0]]), numpy.array([[0, 2, 5], [0, 1, 5], [4, 6, 5]])
    assert join_rows(gold, predicted).tolist() == [[0, 1, 5], [0, 2, 0], [4, 6, 1]]
    nothing = numpy.zeros((0, 3), dtype=numpy.int64)
    assert join_rows(nothing, predicted).tolist() == [[0, 1, 5], [0, 2, 5], [4, 6, 5]]
    assert join_rows(gold, nothing).tolist() == [[0, 2, 0], [4, 6, 1]]


def test_predicted_rows_apart_from_given_ones():
    rng = numpy.random.default_rng(0)
    for _ in range(200):
        starts, lengths = rng.integers(0, 20, (2, 8)), rng.integers(1, 6, (2, 8))
        given, predicted = numpy.stack([starts, starts + lengths], axis=2)
        overlaps = [
            any(s < end and start < e for start, end in given.tolist()) for s, e in predicted.tolist()
        ]
        assert apart_from(given, predicted).tolist() == [not overlap for overlap in overlaps]
        assert apart_from(given[:0], predicted).all() and not len(apart_from(given, predicted[:0]))


def test_a_level_passes_up_given_rows_alone_or_before_its_own():
    own = network().eval().decode(batch(), THRESHOLDS)["a"]
    spans = [own[0][0][:1].tolist(), [], [[0, 4, -1]]]
    rows = [numpy.array(of_doc, dtype=numpy.int64).reshape(-1, 3) for of_doc in spans]
    for both in (False, True):
        hierarchy = network().eval()
        decoded = hierarchy.decode(batch(), THRESHOLDS, {"a": CandidateSpans(rows, own=both)})["a"]
        kept = [apart_from(g, p) if both else numpy.zeros(len(p), dtype=bool) for g, p in zip(rows, own[0])]
        for part, of_own in zip(decoded, own):
            for found, expected, chosen in zip(part, of_own, kept, strict=True):
                numpy.testing.assert_array_equal(found, expected[chosen])
        passed = [[*g.tolist(), *d.tolist()] for g, d in zip(rows, decoded[0])]
        assert hierarchy.level("typer").head.asked == passed
    assert any(map(len, decoded[0]))  # some of its own were added


def test_candidates_from_the_caller_come_before_those_of_a_level():
    hierarchy = network().eval()
    given = CandidateSpans(
        [numpy.array([[1, 2]]), numpy.zeros((0, 2), dtype=numpy.int64), numpy.array([[0, 4]])]
    )
    rows, _ = hierarchy.decode(batch(), THRESHOLDS, {"typer": given})["typer"]
    assert [of_doc[:, :2].tolist() for of_doc in rows] == [[[1, 2]], [], [[0, 4]]]


def test_the_level_that_candidates_come_from_must_be_below():
    with pytest.raises(ValueError, match="'typer' takes its candidates from 'later', which isn't below it"):
        network("later", later=level(lambda nI, nX: TaggingHead(nI, 2, 0.0)))
    with pytest.raises(ValueError, match="'elsewhere', which isn't in the hierarchy .* Give it candidates"):
        network("elsewhere").decode(batch(), THRESHOLDS)


class Typed(Mentions):
    """Labels for spans that another component has found: those of doc.spans["raw"]."""

    def build_head(self, nI, nX):
        return SpanTyper(nI, len(self.labels), "spotting")

    def candidate_rows(self, doc):
        spans = get_mentions(doc, "raw") or []
        return numpy.array([[s.start, s.end] for s in spans], dtype=numpy.int64).reshape(-1, 2)


def test_a_head_takes_spans_that_are_on_the_doc():
    settings = {"inputs": [], "hidden": 16, "depth": 1, "dropout": 0.0, "label_embedding_width": 0}
    registry.hmtl_tasks.register("test.Typed.v1", func=lambda: Typed(**settings, mentions_key="typed"))
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    tasks = {"typed": {"@hmtl_tasks": "test.Typed.v1"}}
    nlp.add_pipe("hmtl", config={**TINY, "hierarchy": ["typed"], "tasks": tasks})
    examples = make_examples(nlp.vocab)
    for eg in examples:
        mentions = list(eg.reference.spans["mentions"])
        set_mentions(eg.reference, mentions, key="typed")
        set_mentions(eg.reference, mentions, key="raw")
        wrong = [eg.predicted[0:1], eg.predicted[0:3]]
        set_mentions(eg.predicted, wrong, key="raw")
    pipe = nlp.get_pipe("hmtl")
    _, losses = train(nlp, examples, steps=30)
    assert losses["hmtl_typed"] < 0.5
    nlp.update(examples[:1])
    asked = pipe.head("typed").asked[0]
    gold = [[span.start, span.end] for span in examples[0].reference.spans["typed"]]
    assert [0, 3] in asked and all(span in asked for span in gold)  # the tagger's mistakes, and what is right
    doc = nlp.make_doc(examples[0].reference.text)
    set_mentions(doc, [doc[0:2], doc[4:6]], key="raw")
    doc = nlp(doc)
    assert [(s.start, s.end, s.label_) for s in doc.spans["typed"]] == [(0, 2, "PER"), (4, 6, "ORG")]


# Features of tokens


def with_speakers(examples, names):
    for eg in examples:
        for doc in (eg.predicted, eg.reference):
            doc.user_data["speakers"] = [names[token.i % len(names)] for token in doc]
    return examples


def test_the_window_of_antecedents_can_be_widened_in_use(tmp_path):
    nlp = make_pipeline(tasks={**TINY_TASKS, "coref": {**TINY_TASKS["coref"], "max_antecedents": 1}})
    nlp.initialize(lambda: make_examples(nlp.vocab))
    with torch.no_grad():
        nlp.get_pipe("hmtl").head("coref").antecedents.score.bias += 100.0  # every span is linked
    nlp.to_disk(tmp_path / "narrow")
    wide = spacy.load(tmp_path / "narrow", config={"components.hmtl.tasks.coref.max_antecedents": 90})
    wide.to_disk(tmp_path / "wide")
    head = spacy.load(tmp_path / "wide").get_pipe("hmtl").head("coref")
    assert head.antecedents.max_antecedents == 90
    weights = nlp.get_pipe("hmtl").head("coref").state_dict()
    assert all(torch.equal(weight, weights[name]) for name, weight in head.state_dict().items())


def test_speakers_reach_the_coreference_head():
    tasks = {**TINY_TASKS, "coref": {**TINY_TASKS["coref"], "speakers": True, "string_match": False}}
    nlp = make_pipeline(tasks=tasks)
    train(nlp, with_speakers(make_examples(nlp.vocab), ["Ann", None, "Bob"]), steps=2)
    pipe = nlp.get_pipe("hmtl")
    assert set(pipe.tasks["coref"].token_features([nlp.make_doc("a b")])) == {"speakers"}
    assert not pipe.tasks["mentions"].token_features([nlp.make_doc("a b")])

    def probabilities(speakers):
        doc = nlp.make_doc(TEXT)
        nlp.get_pipe("sentencizer")(doc)
        if speakers:
            doc.user_data["speakers"] = speakers
        return numpy.concatenate(pipe.predict([doc])["coref"][1]).tolist()

    n = len(nlp.make_doc(TEXT))
    with torch.no_grad():
        pipe.head("coref").antecedents.speaker.weight.normal_(std=5.0)
        pipe.head("coref").antecedents.score.bias += 100.0  # every span gets a link
    alone, together, unknown = (probabilities(x) for x in (list("abcdefghijklm")[:n], ["a"] * n, None))
    assert alone != together != unknown != alone
    assert probabilities([None] * n) == unknown
    assert probabilities(["b"] * n) == together  # which speaker it is doesn't matter


TEXT = "Ann Lee works for Acme Corp . She likes it ."


def test_without_the_setting_speakers_change_nothing():
    nlp = make_pipeline()
    pipe = nlp.get_pipe("hmtl")
    assert set(pipe.tasks["coref"].token_features([nlp.make_doc("a b")])) == {"words"}
    train(nlp, make_examples(nlp.vocab), steps=2)
    assert not any("speaker" in name for name, _ in pipe.head("coref").named_parameters())


def test_speakers_must_be_as_many_as_tokens():
    nlp = make_pipeline(tasks={**TINY_TASKS, "coref": {**TINY_TASKS["coref"], "speakers": True}})
    doc = nlp.make_doc("a b c")
    doc.user_data["speakers"] = ["Ann"]
    with pytest.raises(ValueError, match="has 1 names for 3 tokens. Give one for every token"):
        nlp.get_pipe("hmtl").tasks["coref"].token_features([doc])
