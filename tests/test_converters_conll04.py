import pytest
from converting import FIXTURES, convert_file, convert_text, ents, mentions, relations

from hmtl_spacy.data.converters import ConversionError, Lines

CONLL04 = (FIXTURES / "conll04.txt").read_text()


def test_mentions_and_directed_relations():
    docs, dropped = convert_file("conll04", "conll04.txt")
    assert [doc.user_data["id"] for doc in docs] == ["7", "8"]
    assert [len(list(doc.sents)) for doc in docs] == [1, 1]
    assert mentions(docs[0]) == [("Ada Byron", "Peop"), ("Hull", "Loc"), ("Acme", "Org")]
    assert relations(docs[0]) == [
        ("Ada Byron", "Live_In", "Hull"),
        ("Ada Byron", "Work_For", "Acme"),
        ("Acme", "OrgBased_In", "Hull"),
    ]
    assert mentions(docs[1]) == [] and relations(docs[1]) == []
    assert not docs[0].has_annotation("ENT_IOB")
    assert dropped == {
        "relations of which an argument ends no entity": 1,
        "I- tags that continue no entity": 1,
    }


def test_entities_on_request():
    docs, _ = convert_file("conll04", "conll04.txt", ents=True)
    assert ents(docs[0]) == mentions(docs[0])
    assert docs[1].has_annotation("ENT_IOB")


def test_the_group_of_the_entities_on_request():
    docs, _ = convert_file("conll04", "conll04.txt", mentions_key="arguments")
    assert "mentions" not in docs[0].spans
    assert [span.text for span in docs[0].spans["arguments"]] == ["Ada Byron", "Hull", "Acme"]


def test_exclude_ignores_case_and_whitespace():
    other = "#doc 1\n0\tIN\tO\t['N']\t[0]\n1\tos lo.\tO\t['N']\t[1]"
    docs, dropped = convert_file("conll04", "conll04.txt", exclude=Lines(other.split("\n")))
    assert [doc.user_data["id"] for doc in docs] == ["7"]
    assert dropped["sentences that occur in the excluded file"] == 1


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("#doc 7\n", "", r"file:1: found .* before the first '#doc' line"),
        (
            "['Live_In', 'Work_For']",
            "['Live_In']",
            r"file:3: found .*, expected 1, token, tag, \['relation', ...\]",
        ),
        ("['Live_In', 'Work_For']", "Live_In", r"file:3: found"),
        ("[3, 5]", "[3, 99]", r"file:3: a Work_For relation points at token 99 of a sentence of 6 tokens"),
        ("2\tof", "4\tof", r"file:4: found .*, expected 2, token"),
        ("2\tof\tO", "2\tof", r"file:4: found"),
        ("2\tof\tO", "2\t\tO", r"file:4: found"),
        ("B-Loc", "Loc", r"file:5: found tag 'Loc'"),
    ],
)
def test_malformed_input(old, new, message):
    assert old in CONLL04
    with pytest.raises(ConversionError, match=message):
        convert_text("conll04", CONLL04.replace(old, new, 1))


def test_malformed_excluded_file_is_named():
    with pytest.raises(ConversionError, match="train.txt:1: found"):
        convert_text("conll04", CONLL04, exclude=Lines(["no columns"], "train.txt"))
