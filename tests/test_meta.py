"""What a trained pipeline says of itself where its user said nothing."""

import json

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as spacy_train
from tiny import config_of, make_examples, make_pipeline

import hmtl_spacy
from hmtl_spacy.data.teaching import TEACHES


def named(corpora, **meta):
    nlp = make_pipeline(hierarchy=["ner"])
    nlp.meta.update(meta)
    examples = make_examples(nlp.vocab)
    for eg, corpus in zip(examples, corpora):
        eg.reference.user_data[TEACHES] = {"corpus": corpus}
    nlp.initialize(lambda: examples)
    return nlp.meta["name"], nlp.meta["version"]


@pytest.mark.parametrize(
    "corpora, name",
    [
        ([], "hmtl"),
        (["main", "train", "", "main"], "hmtl"),
        (["gum-10.1", "conll04", "conll04", "main"], "hmtl_conll04_gum_10_1"),
        (["a", "b", "c", "d"], "hmtl"),
    ],
)
def test_the_name_says_the_corpora(corpora, name):
    assert named(corpora) == (name, hmtl_spacy.__version__)


def test_what_the_user_said_stays():
    assert named(["news"], name="mine", version="3.2.1") == ("mine", "3.2.1")
    assert named(["news"], version="3.2.1") == ("hmtl_news", "3.2.1")


def test_a_trained_pipeline_has_a_name_and_no_losses(docs, tmp_path):
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "train.spacy")
    config = config_of(tmp_path / "train.spacy", tmp_path / "train.spacy")
    config["training"]["before_to_disk"] = {"@callbacks": "hmtl_spacy.WithoutLosses.v1"}
    (tmp_path / "out").mkdir()
    spacy_train(init_nlp(config), tmp_path / "out")
    meta = json.loads((tmp_path / "out" / "model-best" / "meta.json").read_text())
    assert (meta["lang"], meta["name"], meta["version"]) == ("en", "hmtl_news", hmtl_spacy.__version__)
    assert "ents_f" in meta["performance"]
    assert not [key for key in meta["performance"] if key.endswith("_loss")]
    assert spacy.load(tmp_path / "out" / "model-best").meta["name"] == "hmtl_news"
