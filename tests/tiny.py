"""Small documents of our own with all four layers, and small pipelines to learn them by heart."""

import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import fix_random_seed

from hmtl_spacy.annotations import Relation, set_clusters, set_mentions, set_relations

# words; first tokens of sentences; entities; mentions; clusters; relations
ANNOTATED = [
    (
        "Ann Lee works for Acme Corp . She likes it .",
        {0, 7},
        [(0, 2, "PER"), (4, 6, "ORG")],
        [(0, 2, "PER"), (4, 6, "ORG"), (7, 8, "PER"), (9, 10, "ORG")],
        [[(0, 2), (7, 8)], [(4, 6), (9, 10)]],
        [(0, 2, 4, 6, "WORK")],
    ),
    (
        "My mom lives in Lyon . It rains there .",
        {0, 6},
        [(4, 5, "LOC")],
        [(0, 2, "PER"), (4, 5, "LOC"), (8, 9, "LOC")],
        [[(4, 5), (8, 9)]],
        [(0, 2, 4, 5, "LIVE")],
    ),
    (
        "Bob met Ann Lee . He lives in Rome .",
        {0, 5},
        [(0, 1, "PER"), (2, 4, "PER"), (8, 9, "LOC")],
        [(0, 1, "PER"), (2, 4, "PER"), (5, 6, "PER"), (8, 9, "LOC")],
        [[(0, 1), (5, 6)]],
        [(5, 6, 8, 9, "LIVE")],
    ),
    ("Nothing happens today .", {0}, [], [], [], []),
]

TINY_TASKS = {
    "ner": {"@hmtl_tasks": "hmtl_spacy.NER.v1", "hidden": 16, "depth": 1, "dropout": 0.0},
    "mentions": {
        "@hmtl_tasks": "hmtl_spacy.Mentions.v1",
        "inputs": ["ner"],
        "hidden": 16,
        "depth": 1,
        "dropout": 0.0,
    },
    "coref": {
        "@hmtl_tasks": "hmtl_spacy.Coref.v1",
        "inputs": ["mentions"],
        "hidden": 16,
        "dropout": 0.0,
        "scorer_dropout": 0.0,
        "scorer_hidden": 24,
        "max_width": 4,
        "spans_per_token": 0.6,
    },
    "relations": {
        "@hmtl_tasks": "hmtl_spacy.Relations.v1",
        "inputs": ["mentions"],
        "hidden": 16,
        "depth": 1,
        "dropout": 0.0,
        "scorer_hidden": 24,
        "positive_rate": 0.02,
    },
}
TINY = {
    "embedding": {
        "@architectures": "hmtl_spacy.Embedding.v1",
        "parts": {
            "contextual": None,
            "characters": {"@architectures": "hmtl_spacy.Characters.v1", "filters": 16, "dropout": 0.0},
            "words": {
                "@architectures": "hmtl_spacy.Words.v1",
                "width": 16,
                "dropout": 0.0,
                "word_dropout": 0.0,
            },
            "case": {"@architectures": "hmtl_spacy.Case.v1", "width": 4},
        },
    },
    "tasks": TINY_TASKS,
}


def annotate(vocab, words, sentence_starts, entities=(), mentions=(), clusters=(), relations=()):
    """A document with all four layers from token offsets."""
    words = words.split(" ") if isinstance(words, str) else words
    doc = Doc(vocab, words=words, sent_starts=[i in sentence_starts for i in range(len(words))])
    doc.set_ents([Span(doc, s, e, label=label) for s, e, label in entities], default="outside")
    set_mentions(doc, [Span(doc, s, e, label=label) for s, e, label in mentions])
    set_clusters(doc, clusters)
    set_relations(doc, [Relation(doc[a:b], doc[c:d], label) for a, b, c, d, label in relations])
    return doc


def example(reference, sentences=True):
    """An example whose predicted document has the tokens and, by default, the sentence starts."""
    starts = [token.is_sent_start for token in reference] if sentences else None
    words = [token.text for token in reference]
    spaces = [bool(token.whitespace_) for token in reference]
    return Example(Doc(reference.vocab, words=words, spaces=spaces, sent_starts=starts), reference)


def make_examples(vocab):
    return [example(annotate(vocab, *layers)) for layers in ANNOTATED]


def make_pipeline(**config):
    """A blank pipeline with a small, untrained component; config: overrides of the tiny one."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("hmtl", config={**TINY, **config})
    return nlp


def config_of(train_path, dev_path, component=None):
    """The config of a short training; component: what replaces the component's block."""
    nlp = make_pipeline(hierarchy=["ner", "mentions"])
    config = nlp.config.copy()
    for split, path in (("train", train_path), ("dev", dev_path)):
        corpus = {"@readers": "hmtl_spacy.TaskCorpus.v1", "path": None if path is None else str(path)}
        config["corpora"][split] = {"@readers": "hmtl_spacy.MultiCorpus.v1", "corpora": {"news": corpus}}
    config["training"].update(max_steps=1, eval_frequency=1, max_epochs=0)
    config["training"]["batcher"] = {"@batchers": "hmtl_spacy.batch_by_task.v1"}
    config["training"]["logger"] = {"@loggers": "hmtl_spacy.TaskLogger.v1"}
    if component:
        config["components"]["hmtl"] = component
    return config


def train(nlp, examples, steps=60, learn_rate=0.01):
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = learn_rate
    losses = {}
    for _ in range(steps):
        losses = nlp.update(examples, sgd=optimizer, losses={})
    return optimizer, losses


def layers(doc):
    """All annotation of a document, as plain data to compare."""
    return {
        "ents": [(ent.start, ent.end, ent.label_) for ent in doc.ents],
        "mentions": [(span.start, span.end, span.label_) for span in doc.spans["mentions"]],
        "clusters": [[(span.start, span.end) for span in cluster] for cluster in doc._.coref_clusters],
        "relations": [(r.head.start, r.head.end, r.tail.start, r.tail.end, r.label) for r in doc._.relations],
    }


def confidences(doc):
    """The scores of all annotation of a document, in one list."""
    groups = (doc.spans[key] for key in ("ents", "mentions", "coref_clusters", "relations"))
    return [score for group in groups for score in group.attrs["scores"]]
