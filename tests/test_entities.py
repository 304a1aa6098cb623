"""Heads of spans, membership in clusters, main mentions."""

from itertools import combinations

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from marked import marked, without_entities
from spacy.tokens import Doc, Span
from tiny import annotate

from hmtl_spacy.annotations import KEYS, Keys, set_clusters, set_mentions
from hmtl_spacy.entities import cluster_of, entity_graph, main_mention, resolve, set_extensions
from hmtl_spacy.entities.heads import Heads
from hmtl_spacy.entities.membership import Membership
from hmtl_spacy.entities.mention_forms import MentionForm, form_of, name_in, starts_sentence

VOCAB = spacy.blank("en").vocab
FAMILY = (
    "[Hamish Sellar](hamish:PER PERSON) is here.",
    "[[Her](ann:PER) cousin [Hamish Sellar](PERSON)](hamish) knows [Ann](ann PERSON).",
)


def words(text, **layers):
    return Doc(VOCAB, words=text.split(), **layers)


def head_of(text, mentions=(), clustered=(), **layers):
    doc = words(text, **layers)
    heads = Heads(doc, [doc[a:b] for a, b in mentions], [doc[a:b] for a, b in clustered])
    index = heads(doc[:])
    return None if index is None else doc[index].text


def find(doc, text):
    """The first span with this text."""
    start = doc.text.index(text)
    return doc.char_span(start, start + len(text))


# Heads


@pytest.mark.parametrize(
    "text, head",
    [
        ("Ann", "Ann"),
        ("the Chilean company Andacalma", "Andacalma"),
        ("a soft-spoken engineer from Antofagasta", "engineer"),
        ("the mine 's new owner", "owner"),
        ("Ann 's", "Ann"),
        ("the man who shot Kennedy", "man"),
        ("the firm , a bakery", "firm"),
        ("a machine he was afraid of", "machine"),
    ],
)
def test_the_head_is_what_stands_before_its_modifiers(text, head):
    assert head_of(text) == head


def test_a_hyphen_inside_a_word_ends_nothing():
    doc = Doc(VOCAB, words=["the", "scrum", "-", "half"], spaces=[True, False, False, False])
    assert doc[Heads(doc, [], [])(doc[:])].text == "half"


def test_a_name_is_not_interrupted():
    assert head_of("the old University of Hull in Yorkshire") == "University"
    ents = ["O", "O", "B-ORG", "I-ORG", "I-ORG", "O", "B-GPE"]
    assert head_of("the old University of Hull in Yorkshire", ents=ents) == "Hull"


def test_the_parse_decides_where_there_is_one():
    layers = {"heads": [1, 1, 3, 1], "deps": ["det", "ROOT", "nsubj", "relcl"]}
    assert head_of("the house Ann bought", **layers) == "house"


def test_without_a_parse_the_first_free_mention_is_the_head_if_none_is_at_the_end():
    assert head_of("the house Ann bought") == "bought"
    assert head_of("the house Ann bought", [(1, 2), (2, 3)]) == "house"
    assert head_of("Ann 's wish to leave", [(0, 1), (2, 3)]) == "wish"
    assert head_of("Ann 's house burned down", [(0, 1), (2, 3)]) == "house"
    assert head_of("her house burned down", [(0, 1), (1, 2)]) == "house"
    assert head_of("the town house burned down", [(1, 2), (2, 3)], [(1, 2)]) == "house"


def test_tags_tell_where_a_noun_phrase_ends_in_any_language():
    pos = ["DET", "VERB", "NOUN", "ADP", "PROPN"]
    assert head_of("die lachende Frau aus Rom", pos=pos) == "Frau"
    doc = Doc(spacy.blank("de").vocab, words="die lachende Frau aus Rom".split(), pos=pos)
    assert Heads(doc, [], [])(doc[:]) == 2


def test_a_coordination_of_mentions_has_no_head():
    assert head_of("Ann and Bob", [(0, 1), (2, 3)]) is None
    assert head_of("Ann , Bob and Cy", [(0, 1), (2, 3), (4, 5)]) is None
    assert head_of("the oil and gas company", [(4, 5)]) == "company"
    assert head_of("the owner of Ann and Bob", [(1, 2), (3, 4), (5, 6)]) == "owner"


@pytest.mark.parametrize(
    "text, head",
    [
        ("Ann and Bob", None),
        ("Ann , Bob and Cy", None),
        ("Tom Reed and his wife Ann", None),
        ("the workers and their boss", None),
        ("the workers and Ann", None),
        ("Tom and friends", None),
        ("my wife and I", None),
        ("he and his wife", None),
        ("Tom , the dog and Ann", None),
        ("Ann  and Bob", None),
        ("the oil and gas company Acme", "Acme"),
        ("the black and white cat", "cat"),
        ("his and her mother", "mother"),
        ("two or three Danes", "Danes"),
        ("the owner of Ann and Bob", "owner"),
        ("Ann Lee , a lawyer and a mother", "Lee"),
        ("Ann Lee , the owner and CEO", "Lee"),
    ],
)
def test_what_looks_like_a_coordination_has_no_head_either(text, head):
    doc = Doc(VOCAB, words=[word or " " for word in text.split(" ")])
    index = Heads(doc, None, [])(doc[:])
    assert (index if index is None else doc[index].text) == head


def test_a_part_that_is_no_mention_is_one_of_the_things_all_the_same():
    assert head_of("Tom and the dog", [(0, 1)]) is None
    assert head_of("Johnson and Johnson Inc", [(0, 4)]) == "Inc", "a mention by itself"


def test_named_entities_and_parses_tell_coordinations():
    ents = ["B-PER", "O", "O", "O", "B-PER", "I-PER"]
    doc = words("Ann and old farmer Bob Lee", ents=ents)
    assert Heads(doc, None, [])(doc[:]) is None
    assert Heads(doc, [], [])(doc[:]) is None
    doc = words("Johnson and Johnson Inc", ents=["B-ORG", "I-ORG", "I-ORG", "I-ORG"])
    assert doc[Heads(doc, None, [])(doc[:])].text == "Inc"
    parse = {"heads": [0, 0, 3, 0], "deps": ["ROOT", "cc", "amod", "conj"]}
    assert head_of("cats and old dogs", **parse) is None
    assert head_of("Johnson and Johnson Inc", **parse, ents=["B-ORG", "I-ORG", "I-ORG", "I-ORG"]) == "Johnson"
    parse = {"heads": [4, 4, 1, 1, 4], "deps": ["det", "amod", "cc", "conj", "ROOT"]}
    assert head_of("the Danish and Swedish firm", **parse) == "firm"


@pytest.mark.parametrize("entities", [[(0, 1, "PER"), (2, 3, "PER")], [(2, 3, "PER")], []])
def test_a_cluster_of_several_people_keeps_them_all_without_mentions(entities):
    text, clusters = "Tom and Ann left . Their dog stayed with them .", [[(0, 3), (5, 6), (9, 10)]]
    doc = annotate(VOCAB, text, {0, 5}, entities, clusters=clusters)
    for mentions in ("empty", "none"):
        expected = "Tom and Ann left . Tom and Ann's dog stayed with Tom and Ann . "
        assert resolve(doc) == expected, mentions
        assert entity_graph(doc).entities[0].name == "Tom and Ann"
        doc.spans.pop("mentions", None)


def test_a_cluster_of_several_people_keeps_them_all_with_nothing_else_annotated():
    doc = words("Tom Reed and his wife Ann left . They sang .")
    set_clusters(doc, [[(0, 6), (8, 9)]])
    assert resolve(doc) == "Tom Reed and his wife Ann left . Tom Reed and his wife Ann sang . "
    [entity] = entity_graph(doc).entities
    assert entity.name == "Tom Reed and his wife Ann"


# Membership


def test_a_head_belongs_to_the_cluster_of_its_phrase_and_what_is_nested_does_not():
    doc = marked(*FAMILY)
    inner = doc[7:9]
    assert inner.text == "Hamish Sellar" and (7, 9) in [(m.start, m.end) for m in doc.spans["mentions"]]
    assert [span.text for span in cluster_of(inner)] == ["Hamish Sellar", "Her cousin Hamish Sellar"]
    assert [span.text for span in cluster_of(find(doc, "Her"))] == ["Her", "Ann"]
    assert cluster_of(find(doc, "cousin")) is None
    assert cluster_of(find(doc, "knows")) is None


def test_a_phrase_belongs_to_the_cluster_of_its_head():
    doc = annotate(VOCAB, "the man from Hull left . He slept .", {0, 6}, clusters=[[(1, 2), (6, 7)]])
    assert [span.text for span in cluster_of(doc[0:4])] == ["man", "He"]
    assert cluster_of(doc[3:4]) is None
    assert cluster_of(doc[2:4]) is None


def test_the_extension_gives_the_cluster_or_none():
    set_extensions()
    doc = marked(*FAMILY)
    assert find(doc, "Ann")._.coref_cluster == cluster_of(find(doc, "Ann"))
    assert find(doc, "knows")._.coref_cluster is None
    assert Doc(VOCAB, words=["a"])[0:1]._.coref_cluster is None


def test_extensions_of_others_stay():
    set_extensions()
    try:
        Span.set_extension("coref_cluster", default="mine", force=True)
        Doc.set_extension("coref_resolved", default="mine", force=True)
        with pytest.warns(UserWarning, match="was set by something else and stays as it is"):
            set_extensions()
        assert words("a")[0:1]._.coref_cluster == words("a")._.coref_resolved == "mine"
    finally:
        Span.remove_extension("coref_cluster")
        Doc.remove_extension("coref_resolved")
        set_extensions()


def test_other_keys():
    doc = words("Ann left . She slept .")
    set_clusters(doc, [[(0, 1), (3, 4)]], key="other")
    assert cluster_of(doc[3:4], keys=KEYS) is None
    assert resolve(doc, keys=KEYS) == doc.text
    for keys in (None, Keys(clusters="other")):
        assert len(cluster_of(doc[3:4], keys=keys)) == 2
        assert main_mention(doc.spans["other"], keys=keys).text == "Ann"
        assert resolve(doc, keys=keys) == "Ann left . Ann slept . "


# Levels and main mentions


@pytest.mark.parametrize(
    "text, level",
    [
        ("She", MentionForm.PRONOUN),
        ("nobody", MentionForm.PRONOUN),
        ("US", MentionForm.NAME),
        ("the mine", MentionForm.NOMINAL),
        ("the Red Cross", MentionForm.NAME),
        ("her cousin Ann", MentionForm.NAME),
        ("the mayor of Lyon", MentionForm.NOMINAL),
        ("Ann 's mother", MentionForm.NOMINAL),
        ("Ann", MentionForm.NAME),
    ],
)
def test_levels_without_tags(text, level):
    doc = words(text)
    assert form_of(doc[:], Heads(doc, [], [])) == level


def test_named_entities_make_names_and_numbers_make_none():
    doc = marked("[[two](CARDINAL) of [them](men:PER)](pair:PER) saw [the mayor [Ann Lee](PERSON)](ann:PER).")
    heads = Membership(doc).heads
    assert form_of(doc[0:3], heads) == MentionForm.NOMINAL
    assert name_in(find(doc, "the mayor Ann Lee"), heads).text == "Ann Lee"


def test_a_capital_makes_no_name_where_entities_are_annotated():
    doc = annotate(VOCAB, "Workers left . Ann saw Workers .", {0, 3}, entities=[(3, 4, "PER")])
    heads = Heads(doc, [], [])
    levels = [form_of(doc[i : i + 1], heads) for i in (0, 3, 5)]
    assert levels == [MentionForm.NOMINAL, MentionForm.NAME, MentionForm.NOMINAL]
    bare = without_entities(doc)
    assert form_of(bare[0:1], Heads(bare, [], [])) == MentionForm.NAME


@pytest.mark.parametrize("entities", [None, [], [(0, 1, "ORG")]])
@pytest.mark.parametrize("start", ["The company 's CEO", "Acme 's new CEO", "Acme 's President"])
def test_a_capitalised_common_noun_keeps_what_stands_before_it(start, entities):
    text, n = f"{start} praised it . They thanked her .", len(start.split())
    doc = annotate(VOCAB, text, {0, n + 3}, entities or (), clusters=[[(0, n), (n + 5, n + 6)]])
    doc = without_entities(doc) if entities is None else doc
    phrase = start.replace("The", "the")
    assert resolve(doc).strip() == text.replace("thanked her", f"thanked {phrase}")
    assert entity_graph(doc).entities[0].name == start


def test_a_name_in_capitals_needs_nothing_before_it():
    for text, name in [("NASA", "NASA"), ("her cousin Ann", "Ann"), ("the UN Council", "UN Council")]:
        doc = words(text)
        assert name_in(doc[:], Heads(doc, [], [])).text == name
    for text in ("the FBI", "their own CEO", "THE COMPANY", "her President"):
        doc = words(text)
        assert name_in(doc[:], Heads(doc, [], [])) is None


def test_a_name_that_is_one_mention_keeps_its_conjunction():
    for text in ("Johnson and Johnson Inc", "Dale & Moor"):
        for layers in ({}, {"pos": ["CCONJ" if word in "and &" else "PROPN" for word in text.split()]}):
            doc = words(text, **layers)
            assert name_in(doc[:], Heads(doc, [doc[:]], [])).text == text


def test_tags_decide_about_names_and_pronouns():
    doc = Doc(spacy.blank("de").vocab, words="Haus Anna sie".split(), pos=["NOUN", "PROPN", "PRON"])
    heads = Heads(doc, [], [])
    levels = [form_of(doc[i : i + 1], heads) for i in range(3)]
    assert levels == [MentionForm.NOMINAL, MentionForm.NAME, MentionForm.PRONOUN]


def test_the_main_mention_is_a_name_then_a_nominal_then_a_pronoun_the_longest_then_the_first():
    doc = marked(
        "[I](ann:PER) am [the *mayor* of [Lyon](lyon:GPE GPE)](ann), said [Lee](ann PERSON).",
        "[[His](bob:PER) cousin [Ann Lee](PERSON)](ann) is [Ann Lee](ann PERSON), "
        "[a *woman* of [Lyon](lyon GPE)](ann).",
    )
    cluster = cluster_of(doc[0:1])
    main = main_mention(cluster)
    assert (main.text, main.start_char) == ("Ann Lee", doc.text.rindex("Ann Lee"))
    nominals = [span for span in cluster if "Lee" not in span.text]
    assert main_mention(nominals).text == "the mayor of Lyon"
    assert main_mention([span for span in nominals if len(span) == 1]).text == "I"
    assert main_mention(cluster[::-1]) == main
    with pytest.raises(ValueError, match="empty cluster: give it at least one span"):
        main_mention([])


def test_sentence_starts_behind_quotes_and_without_boundaries():
    doc = words('" She left . ( He slept', sent_starts=[True, False, False, False, True, False, False])
    assert [starts_sentence(token) for token in doc] == [True, True, False, False, True, True, False]
    doc = words("She left . He slept")
    assert [starts_sentence(token) for token in doc] == [True, False, False, True, False]


# Any layers at all


@st.composite
def layered(draw):
    """A document with random spans as mentions, clusters and entities: nested, crossing, in any order."""
    vocabulary = "Ann she her the its , of mother and who I They 's man".split()
    text = draw(st.lists(st.sampled_from(vocabulary), min_size=1, max_size=12))
    n = len(text)
    span = st.tuples(st.integers(0, n - 1), st.integers(1, 5)).map(
        lambda one: (one[0], min(n, one[0] + one[1]))
    )
    starts = draw(st.none() | st.lists(st.booleans(), min_size=n, max_size=n))
    doc = Doc(VOCAB, words=text, sent_starts=starts)
    if draw(st.booleans()):
        set_mentions(doc, [Span(doc, a, b, "X") for a, b in draw(st.lists(span, max_size=8))])
    free = draw(st.lists(span, max_size=10, unique=True))
    clusters = {}
    for one in free:
        clusters.setdefault(draw(st.integers(0, 3)), []).append(one)
    set_clusters(doc, clusters.values())
    return doc


@given(layered())
def test_every_span_of_a_cluster_belongs_to_it_and_heads_are_inside(doc):
    members = Membership(doc)
    for number, cluster in enumerate(members.clusters):
        assert main_mention(cluster) in cluster
        for span in cluster:
            assert members.number(span) == number
            head = members.heads(span)
            assert head is None or span.start <= head < span.end


@given(layered())
def test_membership_is_by_head_and_nesting(doc):
    members = Membership(doc)
    clustered = [(span.start, span.end) for cluster in members.clusters for span in cluster]
    for a, b in combinations(range(len(doc) + 1), 2):
        head = members.heads(doc[a:b])
        same = [
            members.number(doc[c:d])
            for c, d in clustered
            if ((a <= c and d <= b) or (c <= a and b <= d)) and members.heads(doc[c:d]) == head is not None
        ]
        if (a, b) not in clustered:
            number = members.number(doc[a:b])
            assert number in same if same else number is None
