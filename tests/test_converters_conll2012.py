from collections import Counter

import pytest
from converting import FIXTURES, clusters, convert_file, convert_text, ents, mentions, relations, sentences

from hmtl_spacy.data.converters import ConversionError, convert
from hmtl_spacy.data.converters.conll2012 import conll2012_folder_to_docs

FIXTURE = "conll2012.v4_gold_conll"
TEXT = (FIXTURES / FIXTURE).read_text(encoding="utf8")


def part(*rows, name="a", number=0):
    """A document of one sentence; rows are words with their entity and coreference columns."""
    lines = [
        f"{name} {number} {i} {word} NN * - - - - {entity} {coref}"
        for i, (word, entity, coref) in enumerate(row.split() for row in rows)
    ]
    return "\n".join([f"#begin document ({name}); part {number:03}", *lines, "", "#end document"])


def test_a_document_is_a_part():
    docs, dropped = convert_file("conll2012", FIXTURE)
    assert [doc.user_data["id"] for doc in docs] == [
        "nw/xyz/00/xyz_0001_0",
        "nw/xyz/00/xyz_0001_1",
        "pt/nt/40/nt_4001_0",
    ]
    assert sentences(docs[0]) == ["Ada Byron 's ships of Hull ( UK .", 'She and " they ?']
    assert docs[0].has_unknown_spaces
    assert ents(docs[0]) == [("Ada Byron", "PERSON"), ("Hull", "GPE"), ("UK", "GPE")]
    assert [layer(docs[0]) for layer in (mentions, relations)] == [None, None]
    assert clusters(docs[0]) == [
        ["Ada", "UK"],
        ["Ada Byron 's", "She", "She and"],
        ["ships of Hull", 'and "'],
        ["of Hull (", '" they ?', "they ?"],
        ["Hull ( UK", "they"],
    ]
    assert ents(docs[1]) == [] and docs[1].has_annotation("ENT_IOB") and clusters(docs[1]) == []
    assert dropped == {
        "clusters of one mention": 1,
        "documents of the New Testament (without named entities)": 1,
    }


def test_the_new_testament_has_coreference_only():
    docs, _ = convert_file("conll2012", FIXTURE)
    assert not docs[2].has_annotation("ENT_IOB")
    assert clusters(docs[2]) == [["Mary", "her"]]


def test_slashes_always_go_and_escapes_may_stay():
    docs, _ = convert_file("conll2012", FIXTURE, unescape=False, singletons=True)
    assert sentences(docs[0]) == ["Ada Byron 's ships of Hull -LRB- UK .", "She and `` they ?"]
    assert len(clusters(docs[0])) == 5  # that of one mention is "She", which a larger one has


@pytest.mark.parametrize("parse", ["", "*", "-"])
def test_without_parse(parse):
    rows = [
        "Ada NNP {} - - - kim (PERSON) (V*) (0)",
        "left VBD {} - - - kim * * -",
        "(x . {} - - - kim * * (0)",
    ]
    lines = [f"a 0 {i} {row.format(parse)}" for i, row in enumerate(rows)]
    [doc] = convert_text("conll2012", "\n".join(["#begin document (a); part 000", *lines, "#end document"]))
    assert ents(doc) == [("Ada", "PERSON")] and clusters(doc) == [["Ada", "(x"]]


@pytest.mark.parametrize(
    "columns, expected",
    [
        (["(1|(2)", "1)|2)"], None),
        (["(1|(2", "-", "1)|2)"], [["w0 w1 w2"], ["w0 w1 w2"]]),  # one span: the first cluster keeps it
        (["(1|(2", "1)", "2)", "(1)", "(2)"], [["w0 w1", "w3"], ["w0 w1 w2", "w4"]]),  # crossing
        (["(1", "(1", "1)", "1)"], [["w0 w1 w2 w3", "w1 w2"]]),  # nested
        (["(1|(1)", "1)"], [["w0", "w0 w1"]]),  # same start
        (["(1", "(1)|1)"], [["w0 w1", "w1"]]),  # same end
        (["(1)|(1)"], [["w0"]]),
        (["(1", "1)|(1", "1)"], [["w0 w1", "w1 w2"]]),
    ],
)
def test_coreference_brackets(columns, expected):
    text = part(*(f"w{i} * {column}" for i, column in enumerate(columns)))
    if expected is None:
        with pytest.raises(
            ConversionError, match=r"file:3: '1\)\|2\)' closes a mention of 2, and none is open"
        ):
            convert_text("conll2012", text)
    else:
        found = clusters(*convert_text("conll2012", text, singletons=True))
        taken = [one for i, one in enumerate(expected) if one not in expected[:i]]
        assert sorted(sorted(cluster) for cluster in found) == sorted(sorted(cluster) for cluster in taken)


@pytest.mark.parametrize(
    "old, new, message",
    [
        # truncated
        ("#end document\n#begin", "#begin", r"file:18: found a document inside that of line 1"),
        (TEXT[-20:], "", r"file:23: the document 'pt/nt/40/nt_4001' has no '#end document'. Is the end"),
        ("        1)\n", "\n", r"file:4: found 12 columns, expected 13, as in the sentence's first row"),
        (
            "   NNP   *   -   -   -   -   *   (0)\npt",
            "\npt",
            r"file:24: found 4 columns, expected 12 or more",
        ),
        ("#begin document (nw/xyz/00/xyz_0001); part 000\n", "", r"file:1: found 'nw/xyz/00/.* around rows"),
        ("\n\nnw", "\nnw", r"file:11: found 12 columns, expected 13"),
        ("0   2        's", "0   3        's", r"file:4: found 'nw/.*_0001 0 3', expected 'nw/.*_0001 0 2'"),
        # mixed up
        (
            "nw/xyz/00/xyz_0001   0   1      Byron",
            "nw/other   0   1   Byron",
            r"file:3: found 'nw/other 0 1'",
        ),
        (
            "0001   0   1      Byron",
            "0001   1   1   Byron",
            r"file:3: found 'nw/xyz/00/xyz_0001 1 1', expected",
        ),
        ("_0001); part 001", "_0001); part 000", r"file:20: found .* 1 0', expected .* 0 0'"),
        (TEXT, TEXT + TEXT, r"file:29: part 0 of 'nw/xyz/00/xyz_0001' is at file:1 already"),
        (TEXT, "-DOCSTART- -X- -X- O\n", r"file:1: found '-DOCSTART- -X- -X- O', expected '#begin document"),
        (TEXT, "# newdoc id = a\n1\tA", r"file:1: found '# newdoc id = a', expected '#begin"),
        ("#end document\n#b", "# x\n#end document\n#b", r"file:18: found '# x', expected '#begin"),
        (TEXT, "#begin document (a); part 0\n#end document", r"file:2: found a document without tokens"),
        # brackets
        ("(PERSON*", "PERSON", r"file:2: found the entity 'PERSON', expected one of \*, \(LABEL\*"),
        ("(PERSON*", "*", r"file:3: found the entity '\*\)'"),
        ("       (GPE) ", "   (GPE* ", r"file:9: found the entity '\(GPE\)'.* never one in another"),
        ("(PERSON*", "(PERSON)", r"file:3: found the entity '\*\)'"),
        ("       *)        *)        -", " * *) -", r"file:7: found the entity '\(GPE\)'"),
        (
            "*   (1|(1)|(6)",
            "(GPE*   -",
            r"file:12: the entity '\(GPE\*' \('She'\) never closes in its sentence",
        ),
        ("(1|(2)", "(1|2", r"file:2: found the coreference '\(1\|2', expected - or brackets"),
        ("(1|(2)", "_", r"file:2: found the coreference '_'"),
        ("(1|(2)", "(2)", r"file:4: '1\)' closes a mention of 1, and none is open"),
        ("*    1)|(3", "*    1)|(9", r"file:14: '\(4\|3\)' closes a mention of 3"),
        ("4)|4)", "4)", r"file:14: the mention '\(4\|3\)' \('``'\) of 4 never closes in its document"),
    ],
)
def test_what_is_refused(old, new, message):
    assert old in TEXT
    with pytest.raises(ConversionError, match=message):
        convert_text("conll2012", TEXT.replace(old, new, 1))


def test_folders(tmp_path):
    folder = tmp_path / "data" / "english" / "annotations"
    folder.mkdir(parents=True)
    (folder / "b.gold_conll").write_text(part("Ada (PERSON) (0)", "she * (0)", name="b"))
    (folder / "a.v4_gold_conll").write_text(part("It * -", name="a") + "\n" + part("It * -", number=1))
    (folder / "a.v4_auto_conll").write_text("not read")
    docs = list(conll2012_folder_to_docs(tmp_path))
    assert [doc.user_data["id"] for doc in docs] == ["a_0", "a_1", "b_0"]
    assert len({id(doc.vocab) for doc in docs}) == 1
    dropped = Counter()
    assert convert("conll2012", tmp_path, tmp_path / "out.spacy", dropped=dropped) == {
        "documents": 3,
        "tokens": 4,
        "sentences": 3,
        "entities": 1,
        "mentions": 0,
        "clusters": 1,
        "relations": 0,
    }
    (folder / "a.gold_conll").write_text(part("It * -", name="a"))
    with pytest.raises(
        ConversionError, match=r"a.v4_gold_conll:1: part 0 of 'a' is at .*a.gold_conll:1 already"
    ):
        list(conll2012_folder_to_docs(tmp_path))
    (folder / "a.gold_conll").write_bytes(b"#begin document (a); part 000\na 0 0 caf\xe9")
    with pytest.raises(ConversionError, match=r"a.gold_conll:2: byte 0xe9 isn't UTF-8"):
        list(conll2012_folder_to_docs(tmp_path))
    (tmp_path / "data" / "chinese").mkdir()
    (tmp_path / "data" / "chinese" / "c.gold_conll").write_text("")
    with pytest.raises(ConversionError, match="several languages: chinese, english. Name the folder of one"):
        list(conll2012_folder_to_docs(tmp_path))


def novel(entity="_", coref="_"):
    """A file as LitBank has them, with columns that say nothing."""
    rows = [
        f"novel\t0\t{i}\t{word}" + "\t" + f"{entity}\t" * 8 for i, word in enumerate(["Ann", "saw", "her"])
    ]
    links = ["(1)", coref, "(1)"]
    rows = [row + link for row, link in zip(rows, links, strict=True)]
    return "\n".join(["#begin document (novel); part 0", *rows, "", "#end document"])


@pytest.mark.parametrize("entity", ["_", "-", ""])
@pytest.mark.parametrize("coref", ["_", "-", ""])
def test_columns_that_are_empty(entity, coref):
    from collections import Counter

    dropped = Counter()
    [doc] = convert_text("conll2012", novel(entity, coref), dropped=dropped)
    assert clusters(doc) == [["Ann", "her"]] and not doc.has_annotation("ENT_IOB")
    assert +dropped == {"documents without named entities in their column (left unannotated)": 1}


def test_a_column_without_coreference_is_not_annotated():
    [doc] = convert_text("conll2012", novel().replace("(1)", "_"))
    assert clusters(doc) is None
    [doc] = convert_text("conll2012", novel(coref="-").replace("(1)", "-"))
    assert clusters(doc) == []


def test_folders_of_other_names(tmp_path):
    from hmtl_spacy.data.converters import convert

    (tmp_path / "x_brat.conll").write_text(novel() + "\n")
    assert convert("conll2012", tmp_path, tmp_path / "out.spacy", pattern="*.conll")["clusters"] == 1
