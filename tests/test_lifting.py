"""Relations between entities, learned wherever a sentence holds a mention of each."""

import spacy
from spacy.tokens import DocBin
from tiny import annotate

from hmtl_spacy.annotations import get_relations
from hmtl_spacy.data.coverage import Coverage, coverage_table
from hmtl_spacy.data.lifting import count_lifted, lift_relations
from hmtl_spacy.factories import make_task_corpus

VOCAB = spacy.blank("en").vocab
# Ann left . She saw Hull and it saw her . Hull slept . Bob slept . Rome
TEXT = "Ann left . She saw Hull and it saw her . Hull slept . Bob slept ."
STARTS = {0, 3, 11, 14}
MENTIONS = [
    (0, 1, "PER"),
    (3, 4, "PER"),
    (9, 10, "PER"),
    (5, 6, "GPE"),
    (7, 8, "GPE"),
    (11, 12, "GPE"),
    (14, 15, "PER"),
]
CLUSTERS = [[(0, 1), (3, 4), (9, 10)], [(5, 6), (7, 8), (11, 12)]]


def made(*relations, clusters=CLUSTERS):
    return annotate(VOCAB, TEXT, STARTS, mentions=MENTIONS, clusters=clusters, relations=list(relations))


def pairs(doc):
    return [
        (row.head.text, row.head.start, row.label, row.tail.text, row.tail.start)
        for row in get_relations(doc)
    ]


def test_a_relation_across_sentences_is_learned_where_both_entities_are():
    doc = made((0, 1, 11, 12, "SAW"))
    lift_relations(doc)
    assert pairs(doc) == [
        ("She", 3, "SAW", "Hull", 5),
        ("She", 3, "SAW", "it", 7),
        ("her", 9, "SAW", "Hull", 5),
        ("her", 9, "SAW", "it", 7),
    ]
    assert count_lifted(doc, "relations") == 4
    assert {row.head.label_ for row in get_relations(doc)} == {"PER"}
    lift_relations(doc)
    assert len(pairs(doc)) == 4, "once"


def test_a_relation_in_a_sentence_is_kept_and_its_entities_other_mentions_are_added():
    doc = made((3, 4, 5, 6, "SAW"), (9, 10, 5, 6, "SAW"))
    lift_relations(doc)
    assert len(pairs(doc)) == 4 and count_lifted(doc, "relations") == 2


def test_a_typed_head_belongs_to_the_cluster_of_its_phrase():
    text = "Her cousin Hamish Sellar left . He saw Hull ."
    doc = annotate(
        VOCAB,
        text,
        {0, 6},
        mentions=[(2, 4, "PER"), (6, 7, "PER"), (8, 9, "GPE")],
        clusters=[[(0, 4), (6, 7)]],
        relations=[(2, 4, 8, 9, "SAW")],
    )
    lift_relations(doc)
    assert pairs(doc) == [("He", 6, "SAW", "Hull", 8)]
    doc = annotate(
        VOCAB,
        text,
        {0, 6},
        mentions=[(0, 1, "PER"), (2, 4, "PER"), (6, 7, "PER"), (8, 9, "GPE")],
        clusters=[[(0, 4), (6, 7)]],
        relations=[(6, 7, 2, 4, "SELF"), (6, 7, 8, 9, "SAW")],
    )
    lift_relations(doc)
    assert ("He", 6, "SELF", "Hamish Sellar", 2) in pairs(doc) and all(row[0] != "Her" for row in pairs(doc))


def test_entities_that_share_no_sentence_keep_their_relation():
    doc = made((0, 1, 14, 15, "KNOWS"))
    lift_relations(doc)
    assert pairs(doc) == [("Ann", 0, "KNOWS", "Bob", 14)] and count_lifted(doc, "relations") == 0


def test_without_clusters_and_without_relations_nothing_changes():
    doc = made((0, 1, 11, 12, "SAW"), clusters=[])
    lift_relations(doc)
    assert pairs(doc) == [("Ann", 0, "SAW", "Hull", 11)]
    del doc.spans["relations"]
    lift_relations(doc)
    assert "relations" not in doc.spans


def test_the_setting_of_a_corpus(tmp_path):
    path = tmp_path / "train.spacy"
    DocBin(docs=[made((0, 1, 11, 12, "SAW"))], store_user_data=True).to_disk(path)
    for lift, expected in ((False, 1), (True, 4)):
        read = make_task_corpus(path, lift_relations=lift)
        for _ in range(2):
            [example] = read(spacy.blank("en"))
            assert len(get_relations(example.reference)) == expected


def test_the_table_counts_what_was_added():
    rows = {("news", "relations"): Coverage(1, 4, 4, 4, lifted=3), ("news", "ner"): Coverage(1, 4, 2, 2)}
    header, _, relations, ner = coverage_table(rows).strip().splitlines()
    assert (
        header.split()[-2:] == ["lifted", "lost"] and relations.split()[-1] == "3" and ner.split()[-1] == "0"
    )
    assert "lifted" not in coverage_table({("news", "ner"): Coverage(1, 4, 2, 2)})
