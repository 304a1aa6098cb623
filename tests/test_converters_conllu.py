import pytest
from converting import FIXTURES, clusters, convert_file, convert_text, mentions, sentences

from hmtl_spacy.data.converters import ConversionError

GUM = (FIXTURES / "gum.conllu").read_text()


def test_typed_heads_and_full_clusters():
    [doc], dropped = convert_file("conllu", "gum.conllu")
    assert doc.user_data["id"] == "tiny_letter"
    assert sentences(doc) == ["My aunt's old dog (Rex) sleeps.", "Kim and Lee gonna wake it"]
    assert mentions(doc) == [
        ("My", "person"),
        ("aunt", "person"),
        ("dog", "animal"),
        ("Rex", "animal"),
        ("Kim", "person"),
        ("Lee", "person"),
        ("it", "animal"),
    ]
    assert clusters(doc) == [["My aunt's old dog (Rex)", "Rex", "it"]]
    assert not doc.has_annotation("ENT_IOB")
    assert dropped == {
        "documents without text ('_' for every token)": 1,
        "mentions with the same head as another": 1,
        "clusters of one mention": 5,
    }


def test_extents_as_mentions_and_heads_in_clusters():
    [doc], _ = convert_file("conllu", "gum.conllu", mentions="extent", clusters="head", singletons=True)
    assert ("My aunt's", "person") in mentions(doc)
    assert ("My aunt's old dog (Rex)", "animal") in mentions(doc)
    assert clusters(doc) == [["My"], ["aunt"], ["dog", "Rex", "it"], ["Kim"], ["Lee"]]


def test_two_mentions_with_one_head():
    text = GUM.replace("(3-person-acc-n-cf3-1-ana)", "(3-object-acc-n-cf3-1-ana)(4-place-acc-n-cf3-1-ana)")
    docs = convert_text("conllu", text)
    assert mentions(docs[0])[0] == ("My", "object")
    assert len(mentions(docs[0])) == 7


def test_a_span_stays_in_its_first_cluster():
    text = GUM.replace("(3-person-acc-n-cf3-1-ana)", "(3-person-acc-n-cf3-1-ana)(4-place-acc-n-cf3-1-ana)")
    text = text.replace("(5-person-", "(3-person-")
    docs = convert_text("conllu", text)
    assert clusters(docs[0]) == [["My", "Kim"], ["My aunt's old dog (Rex)", "Rex", "it"]]  # 4 kept one span


def test_the_head_is_the_first_run_of_head_tokens():
    rows = [
        "1\tAda\tAda\tX\t_\t_\t0\troot\t_\tEntity=(1-person-1,2,4(2-person-1,2",
        "2\tLee\tLee\tX\t_\t_\t0\troot\t_\tEntity=2)",
        "3\tand\tand\tX\t_\t_\t0\troot\t_\t_",
        "4\tBob\tBob\tX\t_\t_\t0\troot\t_\tEntity=(3-person-1)1)",
    ]
    text = "# global.Entity = GRP-etype-minspan\n" + "\n".join(rows) + "\n\n"
    [doc] = convert_text("conllu", text)
    assert mentions(doc) == [("Ada Lee", "person"), ("Bob", "person")]


def test_without_entities_nothing_is_annotated():
    row = "1\tHi\thi\tINTJ\t_\t_\t0\troot\t_\t_\n\n"
    [doc] = convert_text("conllu", row)
    assert mentions(doc) is None and clusters(doc) is None
    [doc] = convert_text("conllu", "# global.Entity = GRP-etype-minspan\n" + row)
    assert mentions(doc) == [] and clusters(doc) == []


def test_the_header_names_the_fields():
    text = "# global.Entity = GRP-minspan-etype\n1\tHi\thi\tINTJ\t_\t_\t0\troot\t_\tEntity=(1-1-person-x-y)"
    [doc] = convert_text("conllu", text)
    assert mentions(doc) == [("Hi", "person-x-y")]


def test_words_of_a_token_that_do_not_spell_it():
    rows = [["1-2", "du"], ["1", "de"], ["2", "le"], ["3", "vin"]]
    text = "\n".join(
        "\t".join([*row, *"______", "_", "SpaceAfter=No" if row[0] == "1-2" else "_"]) for row in rows
    )
    [doc] = convert_text("conllu", text)
    assert doc.text == "de levin"


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("Entity=2)", "Entity=9)", r"file:8: Entity=9\) closes '9', which isn't open. Correct the brackets"),
        ("Entity=2)", "_", r"file:5: the mention '2' opens and never closes in its document"),
        ("Entity=2)", "Entity=2", r"file:8: found Entity=2, expected brackets such as"),
        ("cf1-5-coref", "cf1-9-coref", r"file:5: found minspan 9 of '1', a mention of 8 tokens"),
        ("cf1-5-coref", "cf1-x-coref", r"file:5: found the entity '1-animal.*', expected GRP-etype.*minspan"),
        ("(3-person-acc-n-cf3-1-ana)", "(3)", r"file:5: found the entity '3', expected GRP-etype"),
        ("8.1\twho", "x\twho", r"file:14: found the id 'x', expected 9"),
        ("4\told\told", "4\told", r"file:9: found 9 columns, expected CoNLL-U's 10"),
    ],
)
def test_malformed_input(old, new, message):
    assert old in GUM
    with pytest.raises(ConversionError, match=message):
        convert_text("conllu", GUM.replace(old, new, 1))


def test_options_are_checked():
    with pytest.raises(ValueError, match="mentions is 'minspan', expected 'head' or 'extent'"):
        convert_text("conllu", GUM, mentions="minspan")
