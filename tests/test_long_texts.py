"""Texts of more than a million characters, which spaCy refuses for the sake of its parser."""

import pytest
import spacy
from tiny import make_pipeline

from hmtl_spacy.data.long_texts import DEFAULT, LONGEST

TEXT = "Bob met Ann Lee . He lives in Rome . "


def test_a_text_of_more_than_a_million_characters(trained, tmp_path):
    trained.to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    gap = "\n" * DEFAULT  # one token: the text is long, but quickly annotated
    doc = nlp(TEXT + gap + TEXT)
    assert len(doc.text) > DEFAULT
    assert [ent.text for ent in doc.ents] == ["Bob", "Ann Lee", "Rome"] * 2
    assert len(doc._.relations) == 2


@pytest.mark.parametrize("component", ["parser", "ner"])
def test_components_that_the_limit_protects_keep_it(component):
    nlp = spacy.blank("en")
    nlp.add_pipe(component)
    nlp.add_pipe("hmtl")
    assert nlp.max_length == DEFAULT
    with pytest.raises(ValueError, match="E088"):
        nlp("a" * (DEFAULT + 1))


def test_a_limit_that_was_set_is_kept():
    nlp = spacy.blank("en")
    nlp.max_length = 2000
    nlp.add_pipe("hmtl")
    assert nlp.max_length == 2000
    assert make_pipeline().max_length == LONGEST
