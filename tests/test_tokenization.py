"""The tokenizer follows the language, and what it can't make of gold spans is said."""

from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from spacy.util import load_config, load_model_from_config
from tiny import TINY, TINY_TASKS, annotate, example, train

from hmtl_spacy.data.tokenization import describe_tokenization, measure_tokenization, tokenize
from hmtl_spacy.evaluation.evaluate import evaluate
from hmtl_spacy.evaluation.report import report, to_json
from hmtl_spacy.factories import make_mentions, make_relations

TEXT = "安娜住在罗马。"
CONFIG = Path(__file__).parent.parent / "configs" / "hmtl.cfg"


def preset(lang):
    if not CONFIG.exists():
        pytest.skip("the tests run without the project's configs")
    return load_config(CONFIG, overrides={"nlp.lang": lang, "nlp.pipeline": ["sentencizer"]})


@pytest.mark.parametrize("lang", ["en", "zh", "de", "xx"])
def test_the_presets_have_the_tokenizer_of_the_language(lang):
    nlp = load_model_from_config(preset(lang), auto_fill=True)
    blank = spacy.blank(lang)
    assert type(nlp.tokenizer) is type(blank.tokenizer)
    for text in (TEXT, "Ann's e-mail, isn't it?"):
        assert [token.text for token in nlp(text)] == [token.text for token in blank(text)]


@pytest.mark.parametrize("lang", ["ja", "ko", "th", "vi"])
def test_a_tokenizer_that_is_not_installed_says_what_is_missing(lang):
    try:
        nlp = load_model_from_config(preset(lang), auto_fill=True)
    except ImportError as error:
        assert "install" in str(error).lower() or "requires" in str(error)
    else:
        assert type(nlp.tokenizer) is type(spacy.blank(lang).tokenizer)


def document(nlp):
    """Characters as tokens, as a Chinese corpus may have them."""
    doc = Doc(nlp.vocab, words=list(TEXT), spaces=[False] * len(TEXT), sent_starts=[1] + [0] * 6)
    doc.set_ents([Span(doc, 0, 2, "PER"), Span(doc, 4, 6, "LOC")], default="outside")
    return doc


def pipeline(lang):
    nlp = spacy.blank(lang)
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("hmtl", config={**TINY, **NER_ALONE})
    return nlp


NER_ALONE = {"hierarchy": ["ner"], "tasks": {"ner": TINY_TASKS["ner"]}}


def test_a_pipeline_of_the_datas_language_finds_in_use_what_it_learned(caplog, monkeypatch):
    monkeypatch.setattr(spacy.util.logger, "propagate", True)
    nlp = pipeline("zh")
    train(nlp, [example(document(nlp))], 60)
    assert "tokenizer" not in caplog.text
    assert [(ent.text, ent.label_) for ent in nlp(TEXT).ents] == [("安娜", "PER"), ("罗马", "LOC")]


def test_training_and_evaluation_warn_of_another_tokenizer(caplog, monkeypatch, tmp_path):
    monkeypatch.setattr(spacy.util.logger, "propagate", True)
    nlp = pipeline("en")
    with caplog.at_level("INFO", logger="spacy"):
        train(nlp, [example(document(nlp))], 1)
    assert "ner: 2 of 2 gold spans (100.0%) aren't whole tokens" in caplog.text
    assert "(language 'en') doesn't divide text as the training data of ['ner']" in caplog.text
    DocBin(docs=[document(nlp)]).to_disk(tmp_path / "zh.spacy")
    result = evaluate(nlp, tmp_path / "zh.spacy")
    assert "Warning: with its own tokenizer, in use" in report(result)
    assert to_json(result)["tasks"]["ner"]["tokenization"]["impossible"] == 2


def test_spans_are_counted_by_layer_with_examples():
    nlp = spacy.blank("en")
    words = ["Ann", "met", "New", "York", "-", "Rome", "traders", "."]
    reference = annotate(
        nlp.vocab,
        words,
        {0},
        mentions=[(0, 1, "P"), (2, 4, "L")],
        relations=[(0, 1, 2, 4, "R"), (2, 4, 0, 1, "R")],
    )
    mentions, relations = make_mentions(), make_relations()
    mentions.labels, relations.labels = ["L", "P"], ["R"]
    tasks = {"mentions": mentions, "relations": relations}

    def coarse(text):
        return Doc(nlp.vocab, words=["Ann", "met", "New", "York - Rome", "traders", "."])

    found = measure_tokenization(tokenize([reference], coarse), tasks)
    assert [(t.spans, t.impossible, t.is_bad) for t in found.values()] == [(2, 1, True), (2, 1, True)]
    assert next(describe_tokenization(found)).endswith("plain text: 'New York' in 'New York - Rome'.")
    whole = measure_tokenization(tokenize([reference], lambda _: reference.copy()), tasks)
    assert list(describe_tokenization(whole)) == []
