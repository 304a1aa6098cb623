"""E-mails, lists, tables and tweets: a blank line ends a sentence for the levels, in training and in use."""

import numpy
import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example
from tiny import make_examples, make_pipeline, train

from hmtl_spacy.annotations import set_mentions
from hmtl_spacy.data.coverage import measure
from hmtl_spacy.model import blank_lines, sentence_lengths, sentence_of

TEXTS = {
    "contact": "Contact:\n\nJohn Smith\n\nLondon\n",
    "e-mail": "Dear Ann Lee,\n\nBob works for Acme Corp\n\n\n  He is in Rome\n\nRegards,\nMiguel\n\n--\nAcme",
    "windows": "Dear Bob\r\n\r\nAnn Lee is here\r\n \r\nMy mom",
    "list": "Guests\n\n- Ann Lee\n- Bob\n\nPlaces\n\n* Lyon\n* Rome\n",
    "table": "Name\tCity\n\nAnn Lee\tLyon\n\nBob\tRome\n",
    "tweet": "@ann so happy 😀\n\n#Rome with Bob\n\nvia @acme",
    "spaces": "\n\n  She works at  Acme Corp  in Hull.\n \n\t\nBob met Ann Lee\n\n",
}


def make_eager(**config):
    """A pipeline that learned nearly nothing, and whose entities and mentions are as long as they may be."""
    nlp = make_pipeline(thresholds={"relations": 0.0}, **config)
    train(nlp, make_examples(nlp.vocab), steps=3)
    for task in ("ner", "mentions"):
        nlp.get_pipe("hmtl").head(task).emit.bias.data[2] = 20.0  # of the tag "inside"
    return nlp


@pytest.fixture(scope="module")
def eager():
    return make_eager()


def spans_of(doc):
    relations = [side for relation in doc._.relations for side in (relation.head, relation.tail)]
    clustered = [span for cluster in doc._.coref_clusters for span in cluster]
    return [*doc.ents, *doc.spans["mentions"], *clustered, *relations]


def is_across(span):
    return span.text.count("\n") > 1 and "" in [line.strip() for line in span.text.split("\n")]


@pytest.mark.parametrize("kind", TEXTS)
def test_no_span_crosses_a_blank_line_or_ends_with_white_space(eager, kind):
    doc = eager(TEXTS[kind])
    spans = spans_of(doc)
    assert spans, "nothing to look at"
    for span in spans:
        assert not is_across(span), repr(span.text)
        assert span.text == span.text.strip() != "", repr(span.text)


def test_without_the_setting_spans_cross_blank_lines():
    """So the test above can fail."""
    nlp = make_eager(blank_line_ends_sentence=False)
    found = [is_across(span) for text in TEXTS.values() for span in spans_of(nlp(text))]
    assert any(found)


@pytest.mark.parametrize("kind", TEXTS)
def test_what_is_between_blank_lines_is_a_sentence_and_doc_sents_stay(eager, kind):
    doc = eager(TEXTS[kind])
    plain = spacy.blank("en")
    plain.add_pipe("sentencizer")
    assert [sent.text for sent in doc.sents] == [sent.text for sent in plain(TEXTS[kind]).sents]
    of_token = sentence_of(doc, True)
    for _, behind in blank_lines(doc):
        assert of_token[behind] == of_token[behind - 1] + 1
    for sentence in set(of_token.tolist()):  # none of white space alone
        assert not all(token.is_space for token in doc if of_token[token.i] == sentence)


def made(words, starts=(0,)):
    words = [word.replace("_", " ") for word in words]
    vocab = spacy.blank("en").vocab
    return Doc(
        vocab, words=words, spaces=[False] * len(words), sent_starts=[i in starts for i in range(len(words))]
    )


@pytest.mark.parametrize(
    "words, starts, expected",
    [
        (["a", "\n\n", "b"], [0], [2, 1]),
        (["a", "\n", "b"], [0], [3]),
        (["a", "\n", "_", "\n", "b"], [0], [4, 1]),
        (["a", "\r\n\r\n", "b"], [0], [2, 1]),
        (["a", "\n\n", "b"], [0, 1], [2, 1]),  # the sentencizer begins a sentence with the white space
        (["\n\n", "a", "\n\n"], [0], [3]),
        (["a", "b"], [0, 1], [1, 1]),
        ([], [], []),
    ],
)
def test_sentences_of_the_levels(words, starts, expected):
    doc = made(words, starts)
    assert sentence_lengths(doc, True) == expected
    unchanged = [len(sent) for sent in doc.sents] if words else []
    assert sentence_lengths(doc, False) == unchanged


def test_gold_across_a_blank_line_is_counted():
    nlp = make_pipeline()
    train(nlp, make_examples(nlp.vocab), steps=1)
    doc = made(["Ann", "\n\n", "Lee"])
    set_mentions(doc, [Span(doc, 0, 3, "PER"), Span(doc, 2, 3, "PER")])
    hmtl = nlp.get_pipe("hmtl")
    example = Example(made(["Ann", "\n\n", "Lee"]), doc)
    (found,) = measure([example], {"mentions": hmtl.tasks["mentions"]}, hmtl.sentence_of).values()
    assert (found.sentences, found.usable, dict(found.lost)) == (2, 1, {"crosses a sentence": 1})


def test_training_reads_the_same_sentences(monkeypatch):
    nlp = make_pipeline()
    train(nlp, make_examples(nlp.vocab), steps=1)
    doc = made(["Ann", "\n\n", "Lee"])
    set_mentions(doc, [Span(doc, 0, 1, "PER")])
    seen = []
    network = type(nlp.get_pipe("hmtl").head("mentions"))
    loss = network.loss
    monkeypatch.setattr(
        network, "loss", lambda self, tokens, gold: seen.append(tokens) or loss(self, tokens, gold)
    )
    nlp.get_pipe("hmtl").update([Example(made(["Ann", "\n\n", "Lee"]), doc)])
    assert [tokens.layout.sentence_lengths.tolist() for tokens in seen] == [[2, 1]]
    assert numpy.isfinite(seen[0].vectors.detach().numpy()).all()
