"""`doc._.coref_resolved`: main mentions in place of anaphors."""

import pytest
import spacy
from hypothesis import given
from marked import marked, without_entities
from spacy.tokens import Doc
from test_entities import layered
from tiny import annotate

from hmtl_spacy.annotations import set_clusters
from hmtl_spacy.entities import cluster_of, resolve, set_extensions

ANN = "[Ann](ann:PER PERSON) came."


@pytest.mark.parametrize(
    "lines, expected",
    [
        ([ANN, "[She](ann) slept."], "Ann came. Ann slept."),
        ([ANN, "Bob saw [her](ann)."], "Ann came. Bob saw Ann."),
        ([ANN, "Bob gave [her](ann) a book."], "Ann came. Bob gave Ann a book."),
        ([ANN, "[[Her](ann) mother](mum:PER) slept."], "Ann came. Ann's mother slept."),
        ([ANN, "Bob saw [[her](ann) mother](mum:PER)."], "Ann came. Bob saw Ann's mother."),
        ([ANN, "It was [hers](ann), not [his](bob:PER)."], "Ann came. It was Ann's, not his."),
        ([ANN, "[She](ann)'d gone."], "Ann came. Ann'd gone."),
        (
            [ANN, "[[Her](ann) mother](mum:PER) slept.", "[She](mum) snored."],
            "Ann came. Ann's mother slept. Ann's mother snored.",
        ),
        (["Before [she](ann) left, [Ann](ann:PER PERSON) ate."], "Before Ann left, Ann ate."),
    ],
)
def test_names_go_in_for_pronouns(lines, expected):
    assert resolve(marked(*lines)) == expected


@pytest.mark.parametrize(
    "lines, expected",
    [
        (["[The firm](f:ORG) grew.", "We know [it](f)."], "The firm grew. We know the firm."),
        (["We know [the firm](f:ORG).", "[It](f) grew."], "We know the firm. The firm grew."),
        (
            ["[The firm](f:ORG) grew.", "[[Its](f) owner](o:PER) slept."],
            "The firm grew. The firm's owner slept.",
        ),
        (
            ["[The workers](w:PER) left.", "Bob saw [their](w) bags."],
            "The workers left. Bob saw the workers' bags.",
        ),
        (["[The boss](b:PER) left.", "Bob saw [his](b) bags."], "The boss left. Bob saw the boss's bags."),
        (["[James](j:PER PERSON) left [his](j) bags."], "James left James's bags."),
        (["[The Alps](a:LOC LOC) lose [their](a) snow."], "The Alps lose the Alps' snow."),
        (
            ["[The Hull Times](t:ORG ORG) sold [its](t) office."],
            "The Hull Times sold the Hull Times' office.",
        ),
    ],
)
def test_capitals_and_possessives_fit_the_place(lines, expected):
    assert resolve(marked(*lines)) == expected


def test_only_the_name_of_a_longer_phrase_goes_in():
    doc = marked(ANN, "[[Her](ann) cousin [Hamish Sellar](PERSON)](hamish:PER) left.", "[He](hamish) slept.")
    assert resolve(doc) == "Ann came. Ann's cousin Hamish Sellar left. Hamish Sellar slept."


def test_the_inserted_phrase_is_resolved_too_and_begins_as_its_place_wants():
    doc = marked(
        "[The boss](boss:PER) came.",
        "[[Her](boss) mother](mum:PER) slept.",
        "Bob saw [her](mum).",
        "[[Her](mum) dog](dog:VEH) barked.",
        "Bob fed [it](dog).",
    )
    assert resolve(doc) == (
        "The boss came. The boss's mother slept. Bob saw the boss's mother. "
        "The boss's mother's dog barked. Bob fed the boss's mother's dog."
    )


@pytest.mark.parametrize(
    "lines",
    [
        ["[The *man* who lost [his](m) dog](m:PER) left."],  # inside a mention of its own cluster
        ["[Ann](a:PER PERSON), [the *owner* of [Acme](ORG)](a), hurt [herself](a)."],  # apposition, reflexive
        ["[She](a:PER) is [a doctor](a)."],  # the main mention is what is said of it
        ["[She](a:PER) saw [her](a) dog."],  # nothing but pronouns
        ["[I](a:PER) am [Ann](a PERSON)", "and [my](a) dog barks."],  # speakers
        ["[Ann](a:PER PERSON) knows that [Keller](b:PER PERSON) left."],  # names
        ["Nobody [came](FAC)."],
    ],
)
def test_what_stays(lines):
    doc = marked(*lines)
    assert resolve(doc) == doc.text


def test_clusters_inside_each_other_end_somewhere():
    doc = annotate(
        spacy.blank("en").vocab,
        "his wife and her husband",
        {0},
        mentions=[(0, 1, "PER"), (1, 2, "PER"), (3, 4, "PER"), (4, 5, "PER")],
        clusters=[[(0, 2), (3, 4)], [(3, 5), (0, 1)]],
    )
    assert resolve(doc) == "her husband's wife and his wife's husband "


def test_long_chains_of_phrases_are_cut():
    lines = ["[The boss](p0:PER) came."]
    lines += [f"[[Her](p{i}) aunt](p{i + 1}:PER) left." for i in range(30)]
    assert len(resolve(marked(*lines))) < 3000


def test_whitespace_is_kept():
    nlp = spacy.blank("en")
    doc = nlp("Ann  Lee\n came.\n\n  She\tslept ,  she did.  ")
    starts = {token.text: token.i for token in doc}
    set_clusters(
        doc,
        [[(0, starts["Lee"] + 1), (starts["She"], starts["She"] + 1), (starts["she"], starts["she"] + 1)]],
    )
    assert resolve(doc) == "Ann  Lee\n came.\n\n  Ann Lee\tslept ,  Ann Lee did.  "


def test_a_possessive_mark_in_a_span_is_not_doubled():
    doc = annotate(
        spacy.blank("en").vocab, "Ann 's dog saw her cat and her .", {0}, clusters=[[(0, 2), (4, 5), (7, 8)]]
    )
    assert resolve(doc) == "Ann 's dog saw Ann's cat and Ann . "


def test_the_mark_is_that_of_the_text():
    assert resolve(marked("[Ann](a:PER PERSON)’s dog saw [her](a) cat.")) == "Ann’s dog saw Ann’s cat."


def test_nominals_on_request():
    doc = marked(
        "[The *mayor* of [Lyon](lyon:GPE GPE)](a:PER) left [the town](lyon).",
        "[Ann Lee](a PERSON), [the mayor](a), was [a *woman* of [means](FAC)](a).",
        "[The woman](a) slept, said [a critic](a).",
        "[[The town](lyon)'s mayor](a) is [the boss](a).",
    )
    assert resolve(doc) == doc.text
    assert resolve(doc, nominals=True) == (
        "Ann Lee left Lyon. Ann Lee, the mayor, was a woman of means. "
        "Ann Lee slept, said a critic. Lyon's mayor is the boss."
    )


def test_speakers_on_request():
    doc = marked("[I](a:PER) am [Ann](a PERSON).", '"[My](a) dog saw [me](a)," [I](a) said.')
    assert resolve(doc) == doc.text
    assert resolve(doc, speakers=True) == 'I am Ann. "Ann\'s dog saw Ann," Ann said.'


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Bob saw her yesterday", "Bob saw Ann yesterday"),
        ("Bob told her that", "Bob told Ann that"),
        ("Bob read her new book", "Bob read Ann's new book"),
        ("Bob met her .", "Bob met Ann ."),
        ("Bob met her", "Bob met Ann"),
        ("Bob sent her 3 letters to her 2 houses", "Bob sent Ann's 3 letters to Ann's 2 houses"),
    ],
)
def test_her_by_what_follows(text, expected):
    words = f"Ann came . {text}".split()
    clusters = [[(0, 1), *((i, i + 1) for i, word in enumerate(words) if word == "her")]]
    doc = annotate(spacy.blank("en").vocab, words, {0, 3}, clusters=clusters)
    assert resolve(doc) == f"Ann came . {expected} "


def test_tags_decide_about_her():
    for tag, expected in (("PRP", "Ann"), ("PRP$", "Ann's")):
        doc = Doc(spacy.blank("en").vocab, words="Ann saw her ducks".split(), tags=["NNP", "VBD", tag, "NNS"])
        set_clusters(doc, [[(0, 1), (2, 3)]])
        assert resolve(doc) == f"Ann saw {expected} ducks "


def test_other_languages_rely_on_tags():
    vocab, words = spacy.blank("de").vocab, "Anna schläft . Sie liebt sich und ihr Haus".split()
    doc = Doc(vocab, words=words)
    clusters = [[(0, 1), (3, 4), (5, 6), (7, 8)]]
    set_clusters(doc, clusters)
    assert resolve(doc) == doc.text
    pos = ["PROPN", "VERB", "PUNCT", "PRON", "VERB", "PRON", "CCONJ", "DET", "NOUN"]
    morphs = [
        "",
        "",
        "",
        "Person=3|PronType=Prs",
        "",
        "PronType=Prs|Reflex=Yes",
        "",
        "Poss=Yes|PronType=Prs",
        "",
    ]
    doc = Doc(vocab, words=words, pos=pos, morphs=morphs)
    set_clusters(doc, clusters)
    assert resolve(doc) == "Anna schläft . Anna liebt sich und ihr Haus "


def test_the_extension_and_documents_without_coreference():
    set_extensions()
    assert marked(ANN, "[She](ann) slept.")._.coref_resolved == "Ann came. Ann slept."
    for text in ("", "She slept.  "):
        assert spacy.blank("en")(text)._.coref_resolved == text


def test_names_at_the_start_of_a_sentence_keep_their_capital_without_entities():
    doc = without_entities(marked(ANN, "Bob saw [her](ann)."))
    assert resolve(doc) == "Ann came. Bob saw Ann."


def test_the_example_of_the_readme():
    doc = marked(
        "[Marie Keller](marie:PER PERSON), [a *lawyer* from [Geneva](GPE)](marie), "
        "joined the [Red Cross](ORG) "
        "in [1998](DATE).",
        "[She](marie) said the organization had given [her](marie) a home.",
    )
    assert [span.text for span in cluster_of(doc[15:16])] == [
        "Marie Keller",
        "a lawyer from Geneva",
        "She",
        "her",
    ]
    assert doc.text.replace("She", "Marie Keller").replace("her", "Marie Keller") == resolve(doc)


@given(layered())
def test_any_layers_can_be_resolved(doc):
    once = resolve(doc)
    assert resolve(doc) == once
    assert isinstance(resolve(doc, nominals=True, speakers=True), str)
    inside = {token.i for span in doc.spans["coref_clusters"] for token in span}
    kept = [token.text_with_ws for token in doc if token.i not in inside]
    position = 0
    for text in kept:  # what is in no cluster stays, in order
        position = once.index(text, position) + len(text)
