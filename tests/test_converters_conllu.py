from collections import Counter

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


def test_documents_of_a_list(tmp_path):
    ids = [line.split("=")[1].strip() for line in GUM.splitlines() if line.startswith("# newdoc id")]
    listed = tmp_path / "free.tsv"
    listed.write_text(f"# free\n\n{ids[0]}\tCC BY\nelsewhere\tCC0\n")
    dropped = Counter()
    docs = convert_text("conllu", GUM, documents=listed, dropped=dropped)
    assert [doc.user_data["id"] for doc in docs] == ids[:1]
    assert dropped[f"documents that {listed} doesn't list"] == len(ids) - 1 > 0
    listed.write_text("# none\n")
    with pytest.raises(ConversionError, match="lists no documents"):
        convert_text("conllu", GUM, documents=listed)
    with pytest.raises(ConversionError, match="no such file"):
        convert_text("conllu", GUM, documents=tmp_path / "missing.tsv")


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


COREFUD = "eid-etype-head-other"
GRP = "GRP-etype-infstat-salience-centering-minspan-link-identity"


def document(*rows, fields=GRP):
    """A sentence of rows "id form entity"."""
    lines = [f"# global.Entity = {fields}"]
    for row in rows:
        id, form, entity = row.split(" ")
        lines.append("\t".join([id, form, *"______", "_", f"Entity={entity}" if entity != "-" else "_"]))
    return "\n".join([*lines, "", ""])


def read(text, **options):
    dropped = Counter()
    [doc] = convert_text("conllu", text, singletons=True, dropped=dropped, **options)
    return mentions(doc), clusters(doc), dict(+dropped)


PIECES = "discontinuous mentions (as a whole read from their first to their last word)"
EDGE = "mentions that begin or end on an empty node (read without it)"
DISCONTINUOUS = document(
    "1 Ann (1[1/2]-person-n-n-c-1-c-)",
    "2 says (3-event-n-n-c-1-c(2-x-n-n-c-1-c)",
    "3 and (1[2/2]-person-n-n-c-1-c-",
    "4 Eve 1[2/2])3)",
    "5 they (1-person-n-n-c-1-c)",
)


def test_mentions_in_several_pieces_are_read_by_their_heads():
    assert read(DISCONTINUOUS, clusters="head") == (
        [("Ann", "person"), ("says", "event"), ("they", "person")],
        [["Ann", "they"], ["says"]],
        {
            PIECES: 1,
            "mentions with the same head as another": 1,
            "mentions that another cluster holds already": 1,
            "clusters left with fewer than two mentions": 1,
        },
    )
    found, groups, dropped = read(DISCONTINUOUS, mentions="extent")
    whole = "Ann says and Eve"
    assert found == [(whole, "person"), ("says", "x"), ("says and Eve", "event"), ("they", "person")]
    assert groups == [[whole, "they"], ["says"], ["says and Eve"]] and dropped == {PIECES: 1}


@pytest.mark.parametrize("minspan, head", [("1", "Ann"), ("2", "and"), ("2,3", "and Eve"), ("3", "Eve")])
def test_heads_of_pieces_count_all_words_of_the_mention(minspan, head):
    text = DISCONTINUOUS.replace("(1[1/2]-person-n-n-c-1-", f"(1[1/2]-person-n-n-c-{minspan}-")
    assert (head, "person") in read(text)[0]


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("1[1/2]", "1[2/2]", r"file:2: the mention '1\[2/2\]' has no piece 1"),
        ("(1[2/2]-person-n-n-c-1-c-", "(1[3/3]-person-n-n-c-1-c-", r"'1\[3/3\]' has no piece 1"),
        ("(1[1/2]-person-n-n-c-1-c-)", "(1[1/3]-person-n-n-c-1-c-)", "has no piece 1"),
        ("(1-person-n-n-c-1-c)", "(1[1/2]-person-n-n-c-1-c)", r"file:6: .* has no piece 2"),
        ("c-1-c-)", "c-4-c-)", "found minspan 4 of '1', a mention of 3 tokens"),
    ],
)
def test_pieces_that_are_missing(old, new, message):
    text = DISCONTINUOUS.replace(old, new).replace(
        "Entity=1[2/2])", "Entity=1[3/3])" if "3/3" in new else "Entity=1[2/2])"
    )
    with pytest.raises(ConversionError, match=message):
        read(text)


@pytest.mark.parametrize(
    "rows, expected",
    [
        (
            ["1 Ann (1-p-n-n-c-1-c)", "1.1 _ (1-p-n-n-c-1-c)", "2 ran -"],
            ("Ann", {"mentions on empty nodes alone": 1}),
        ),
        (["1 ran -", "1.1 _ (1-p-n-n-c-2-c", "2 Ann 1)"], ("Ann", {EDGE: 1})),
        (["0.1 _ (1-p-n-n-c-1-c", "1 Ann 1)", "2 ran -"], ("Ann", {EDGE: 1})),
        (["1 Ann (1-p-n-n-c-1-c", "1.1 _ 1)", "2 ran -"], ("Ann", {EDGE: 1})),
        (["1 dear (1-p-n-n-c-2-c", "1.1 _ -", "2 Ann 1)"], ("Ann", {})),  # words are counted
    ],
)
def test_mentions_on_empty_nodes(rows, expected):
    head, lost = expected
    assert read(document(*rows)) == ([(head, "p")], [["dear Ann" if rows[0][2] == "d" else "Ann"]], lost)


def test_a_head_that_is_an_empty_node():
    text = document("1 dear (1-p-2-", "1.1 _ -", "2 Ann 1)", fields="eid-etype-head-other")
    lost = {"mentions whose head is an empty node (read without it, and without a head)": 1}
    assert read(text, mentions="head") == ([], [["dear Ann"]], lost)
    assert read(text) == ([("dear Ann", "p")], [["dear Ann"]], lost)


def test_the_fields_of_corefud():
    rows = ["1 Ann (e1-person-2-", "2 Lee e1)(e2--1-x)", "3 met (e3)", "4 her (e1-person--a-b-c)"]
    text, fields = document(*rows, fields=COREFUD), "eid-etype-head-minspan-infstat-other"
    groups, untyped = (
        [["Ann Lee", "her"], ["Lee"], ["met"]],
        {"mentions without a type (in clusters only)": 2},
    )
    assert read(text) == ([("Ann Lee", "person"), ("her", "person")], groups, untyped)
    assert read(text, mentions="head")[0] == [("Lee", "person"), ("her", "person")]
    rows = ["1 dear (e1-person-3-2,3-new", "2 Ann -", "3 Lee e1)"]
    for width, expected in (("head", "Ann Lee"), ("extent", "dear Ann Lee"), (None, "dear Ann Lee")):
        assert read(document(*rows, fields=fields), mentions=width)[0] == [(expected, "person")]


def test_a_piece_within_another_mention_of_its_entity():
    rows = ["1 They (e4[1/2]-p-1)", "2 left -", "3 both (e4[2/2]-p-1", "4 of -", "5 them (e4-p)e4[2/2])"]
    whole = "They left both of them"
    assert read(document(*rows, fields=COREFUD)) == (
        [(whole, "p"), ("them", "p")],
        [[whole, "them"]],
        {PIECES: 1},
    )


def test_the_id_may_be_in_any_place():
    """As in older versions of GUM, whose brackets close with the fields up to the id."""
    rows = ["1 Ann (person-1-new-2-coref", "2 Lee person-1)", "3 her (person-1-giv-1-coref)"]
    text = document(*rows, fields="entity-GRP-infstat-MIN-coref_type")
    assert read(text) == ([("Lee", "person"), ("her", "person")], [["Ann Lee", "her"]], {})
    assert read(text.replace("person-1)", "1)"))[1] == [["Ann Lee", "her"]]
    with pytest.raises(ConversionError, match="file:2: found the entity 'person', expected etype-GRP"):
        read(text.replace("(person-1-new-2-coref", "(person"))


def test_types_may_be_escaped_or_missing():
    rows = ["1 Ann (e1-work%2Dof%2Dart)", "2 saw -", "3 her (e1-x)"]
    assert read(document(*rows, fields=COREFUD))[0] == [("Ann", "work-of-art"), ("her", "x")]
    rows = ["1 Ann (e1)", "2 saw -", "3 her (e1)"]
    lost = {
        "mentions without a type (in clusters only)": 2,
        "documents of mentions without types (left without mentions)": 1,
    }
    assert read(document(*rows, fields=COREFUD)) == (None, [["Ann", "her"]], lost)
    assert read(document("1 Ann -", fields=COREFUD)) == ([], [], {})


def test_bridging_and_split_antecedents_are_counted():
    text = document("1 Ann (e1-p)|Bridge=e2<e1:part|SplitAnte=e3<e1,e4<e1", fields=COREFUD)
    assert read(text)[2] == {"bridging links": 1, "split antecedents": 2}


def test_documents_without_sentences_are_counted():
    dropped = Counter()
    docs = convert_text("conllu", f"# newdoc\n# newdoc\n{document('1 Ann -')}# newdoc\n", dropped=dropped)
    assert len(docs) == 1 and dropped["documents without sentences"] == 2


@pytest.mark.parametrize(
    "text, message",
    [
        (
            document("1 Ann (1)", fields="id-etype"),
            "file:1: found the fields 'id-etype', expected GRP or eid among them",
        ),
        (
            document("1 Ann (e1-p-x-)", fields="eid-etype-head-other"),
            "file:2: found the entity 'e1-p-x-', expec",
        ),
        (
            document("1 Ann (e1-p-2-)", fields="eid-etype-head-other"),
            "file:2: found head 2 of 'e1', a mention",
        ),
        (document("1-2 du (1-p-n-n-c-1-c)", "1 de -", "2 le -"), r"file:2: found Entity=\(1-p.* token 1-2"),
    ],
)
def test_annotation_that_cannot_be_meant(text, message):
    with pytest.raises(ConversionError, match=message):
        read(text)


def test_options_are_checked():
    with pytest.raises(ValueError, match="mentions is 'minspan', expected 'head' or 'extent'"):
        convert_text("conllu", GUM, mentions="minspan")
