from collections import Counter

import pytest
from converting import convert_file, convert_text, ents, mentions, sentences

from hmtl_spacy.data.converters import ConversionError, convert
from hmtl_spacy.data.converters.common import spaces_in_text


def test_uner_documents_texts_and_entities():
    docs, dropped = convert_file("iob", "uner.iob2", drop=["OTH"])
    assert [doc.user_data["id"] for doc in docs] == ["doc-a", "doc-b"]
    assert docs[0].text == "Ada Byron's mill-town is Hull. It rains."
    assert sentences(docs[0]) == ["Ada Byron's mill-town is Hull.", "It rains."]
    assert ents(docs[0]) == [("Ada Byron", "PER"), ("Hull", "LOC")]
    assert ents(docs[1]) == [] and docs[1].has_annotation("ENT_IOB")
    assert mentions(docs[0]) is None
    assert dropped == {"entities labelled O": 1, "entities labelled OTH": 1}


def test_labels_are_kept_unless_dropped():
    docs, _ = convert_file("iob", "uner.iob2")
    assert ents(docs[1]) == [("Danish", "OTH")]


def test_conll2003_is_iob1_with_docstart():
    docs, dropped = convert_file("iob", "conll2003.txt")
    assert [len(doc) for doc in docs] == [6, 1]
    assert [token.text for token in docs[0]][4] == "#"
    assert ents(docs[0]) == [("Oslo", "LOC"), ("Bergen", "LOC"), ("Voss", "LOC")]
    assert [token.is_sent_start for token in docs[0]] == [True, False, False, False, False, True]
    assert docs[0].has_unknown_spaces and not dropped


def test_conll2003_as_iob2():
    docs, dropped = convert_file("iob", "conll2003_iob2.txt")
    assert [doc.user_data["id"] for doc in docs] == ["1", "2"]
    assert [sentences(doc) for doc in docs] == [["1 .", "Oslo and Bergen Voss United Shipping"], ["# Kim"]]
    assert ents(docs[0]) == [
        ("Oslo", "LOC"),
        ("Bergen", "LOC"),
        ("Voss", "LOC"),
        ("United Shipping", "ORG"),
    ]
    assert ents(docs[1]) == [("Kim", "PER")] and not dropped


def test_a_single_document_is_kept_together():
    lines = "-DOCSTART- -X- O O\n\n" + "\n\n".join("It PRP B-NP O" for _ in range(12))
    [doc] = convert_text("iob", lines)
    assert len(list(doc.sents)) == 12


def test_rows_of_another_width_are_errors():
    text = "-DOCSTART- -X- O O\n\nOslo NNP B-NP B-LOC\nand CC O"
    found = r"file:4: found 3 columns, \['and', 'CC', 'O'\], expected 4 as in the first row. Is a part"
    with pytest.raises(ConversionError, match=found):
        convert_text("iob", text)


def test_a_document_of_its_own_is_no_sentence_boundary_inside():
    docs, _ = convert_file("iob", "conll2003.txt", sentences_per_doc=1)
    assert [doc.user_data["id"] for doc in docs] == ["1.1", "1.2", "2.1"]


def test_without_boundaries_ten_sentences_make_a_document():
    lines = "\n".join(f"w{i} O\n" for i in range(23))
    assert [len(doc) for doc in convert_text("iob", lines)] == [10, 10, 3]
    assert [len(doc) for doc in convert_text("iob", lines, sentences_per_doc=20)] == [20, 3]


def test_text_before_the_first_boundary_is_a_document():
    docs = convert_text("iob", "a O\n\n-DOCSTART- O\n\nb O")
    assert [doc.text.strip() for doc in docs] == ["a", "b"]


@pytest.mark.parametrize(
    "tags, expected",
    [
        ("B-X I-X B-X O I-X", None),
        ("I-X I-X B-X O I-X", [(0, 2), (2, 3), (4, 5)]),  # IOB1
        ("B-X I-X B-X O B-X", [(0, 2), (2, 3), (4, 5)]),  # IOB2
        ("B-X L-X U-X O U-X", [(0, 2), (2, 3), (4, 5)]),  # BILOU
        ("B-X E-X S-X O S-X", [(0, 2), (2, 3), (4, 5)]),  # BIOES
        ("B-X I-X E-X O O", [(0, 3)]),
        ("I-X I-Y I-Y O O", [(0, 1), (1, 3)]),
        ("O O O O O", []),
    ],
)
def test_scheme_is_told_from_the_tags(tags, expected):
    text = "\n".join(f"w{i} {tag}" for i, tag in enumerate(tags.split()))
    if expected is None:
        with pytest.raises(ConversionError, match=r"file:5: 'I-X' .* begins an entity, 'B-X' in line 1"):
            convert_text("iob", text)
    else:
        [doc] = convert_text("iob", text)
        assert [(ent.start, ent.end) for ent in doc.ents] == expected


@pytest.mark.parametrize(
    "tags, message",
    [
        ("B-X O I-X O B-X", "file:3: 'I-X' .* The file is mostly IOB2: correct this tag."),
        ("B-X O I-X O I-X", "file:1: 'B-X' .* The file is mostly IOB1: correct this tag."),
        ("B-X O I-X O B-X O I-X", "file:3: 'I-X' .* as many tags of IOB1 as of IOB2 \\(2\\): correct those"),
    ],
)
def test_a_mix_of_schemes_says_which_is_more(tags, message):
    with pytest.raises(ConversionError, match=message):
        convert_text("iob", "\n".join(f"w {tag}" for tag in tags.split()))


@pytest.mark.parametrize(
    "scheme, tags, message",
    [
        (
            "iob2",
            "O I-X",
            r"file:2: 'I-X' \('w1'\) after O or the start of the sentence isn't IOB2.*name the scheme",
        ),
        ("iob2", "B-X I-Y", r"file:2: 'I-Y' \('w1'\) after 'B-X' isn't IOB2"),
        ("iob1", "O B-X", r"file:2: 'B-X' .* isn't IOB1"),
        ("bilou", "B-X O", r"file:2: 'O' .* after 'B-X' isn't BILOU"),
        ("bilou", "O I-X", r"file:2: 'I-X' .* isn't BILOU"),
        ("bilou", "O B-X", r"file:2: the sentence ends inside 'B-X'"),
        (None, "O X", r"file:2: found tag 'X', expected O or B-, I-, L-, U- and a label"),
        (None, "O B-", r"file:2: found tag 'B-'"),
    ],
)
def test_inconsistent_tags_are_errors(scheme, tags, message):
    text = "\n".join(f"w{i} {tag}" for i, tag in enumerate(tags.split()))
    with pytest.raises(ConversionError, match=message):
        convert_text("iob", text, scheme=scheme)


def test_columns_can_be_named():
    text = "B-X\tAda\tnoun\nO\truns\tverb"
    [doc] = convert_text("iob", text, token_column=2, tag_column=1)
    assert ents(doc) == [("Ada", "X")]
    [doc] = convert_text("iob", text, token_column=-2, tag_column=-3)
    assert ents(doc) == [("Ada", "X")]


@pytest.mark.parametrize("text", ["Ada", "1\tAda\tO\n2\truns", "Ada O\nruns"])
def test_missing_columns_are_errors(text):
    with pytest.raises(
        ConversionError, match=r"file:\d: found \d columns, \[.*\], expected token and tag in"
    ):
        convert_text("iob", text)


def test_a_no_break_space_can_be_a_token():
    [doc] = convert_text("iob", "# text = a\u00a0b\n1\ta\tO\n2\t\u00a0\tO\n3\tb\tO")
    assert doc.text == "a\u00a0b" and len(doc) == 3


def test_unknown_scheme():
    with pytest.raises(ValueError, match="scheme is 'bio', expected one of iob1, iob2, bilou"):
        convert_text("iob", "a O", scheme="bio")


def test_text_that_does_not_match_is_counted():
    dropped = Counter()
    [doc] = convert_text("iob", "# text = something else\n1\tAda\tO\n2\t.\tO", dropped=dropped)
    assert doc.text == "Ada ."
    assert dropped == {"texts that don't match their tokens (single spaces instead)": 1}


@pytest.mark.parametrize(
    "words, text, expected",
    [
        (["a", "b"], "ab", [False, True]),
        (["a", "b"], " a   b ", [True, True]),
        (["a", "\u00a0", "b"], "a\u00a0b", [False, False, True]),
        (["a b", "c"], "a bc", [False, True]),
        (["a"], "a b", None),
        (["a", "b"], "ac", None),
        ([], "", []),
    ],
)
def test_spaces_in_text(words, text, expected):
    assert spaces_in_text(words, text) == expected


def repaired(text, **options):
    dropped = Counter()
    [doc] = convert_text("iob", text, repair=True, dropped=dropped, **options)
    return [(ent.start, ent.end, ent.label_) for ent in doc.ents], dict(+dropped), doc


@pytest.mark.parametrize(
    "tags, expected, count",
    [
        ("B-X O I-X I-X B-X", [(0, 1), (2, 4), (4, 5)], 1),
        ("B-X I-Y O O", [(0, 1), (1, 2)], 1),
        ("I-X O B-X O I-X", [(0, 1), (2, 3), (4, 5)], 1),  # mostly IOB1
        ("B-X O U-X I-X L-X", [(0, 1), (2, 3), (3, 5)], 2),
        ("B-X I-X L-X L-X B-X", [(0, 3), (3, 4), (4, 5)], 2),
    ],
)
def test_tags_out_of_place_can_be_repaired(tags, expected, count):
    text = "\n".join(f"w{i} {tag}" for i, tag in enumerate(tags.split()))
    with pytest.raises(ConversionError, match="file:[0-9]: .* Or use --repair .*: tags that the"):
        convert_text("iob", text)
    spans, dropped, _ = repaired(text)
    assert [span[:2] for span in spans] == expected
    assert dropped == {"tags that the scheme doesn't allow there, read as if it did": count}


@pytest.mark.parametrize("tag", ["_", ""])
@pytest.mark.parametrize("row", ["{}\t_\t\t{}", "{}\t{}"])
def test_missing_tags_can_be_left_without_annotation(row, tag):
    text = "\n".join([row.format("Ann", "B-X"), row.format("or", tag), row.format("Bob", "O")])
    with pytest.raises(ConversionError, match="file:2: found tag '_?', expected O or B-.* Or use --repair"):
        convert_text("iob", text)
    spans, dropped, doc = repaired(text)
    assert spans == [(0, 1, "X")] and [token.ent_iob_ for token in doc] == ["B", "", "O"]
    assert dropped == {"tokens whose tag is _ or empty, left without annotation": 1}


def test_other_tags_stay_errors():
    for text in ("a B-\n", "a X\n", "a O\nb\n", "1\tAda\tO\n2\truns"):
        with pytest.raises(ConversionError, match="file:[12]: found"):
            convert_text("iob", text, repair=True)


@pytest.mark.parametrize(
    "text, words",
    [
        ("# sent 1\nAnn B-PER\n# B-TAG\nran O", "Ann # ran"),
        ("# sent 1\n\n# of 2\nAnn B-PER\n\n# sent 2\n# O\nran O", "Ann # ran"),
        ("# id 5239\tdomain=en\nAnn _ _ B-CW", "Ann"),
        ("# newdoc\n1\tAnn\tO\n2\t#\tO", "Ann #"),
        ("#\tnewdoc\tO\nAnn\tx\tO", "# Ann"),
        ("#1 O\n#newpar O\n#\tO", "#1 #newpar #"),
    ],
)
def test_comments_have_no_tag(text, words):
    docs = convert_text("iob", text)
    assert " ".join(token.text for doc in docs for token in doc) == words


@pytest.mark.parametrize(
    "text", ["Ann O\n# sent 2\nran O", "Ann O\n\n# sent 2", "Ann O\n\n# #", "#sent 1\nAnn O"]
)
def test_what_may_be_a_row_that_is_cut_is_no_comment(text):
    with pytest.raises(ConversionError, match="file:[1-3]: found"):
        convert_text("iob", text)


def test_folders_of_any_names(tmp_path):
    (tmp_path / "a").mkdir()
    for name, text in {"a/x": "Ann B-P\n", "b.iob2": "Bob O\n", ".hidden": "x\n"}.items():
        (tmp_path / name).write_text(text)
    assert convert("iob", tmp_path, tmp_path.parent / "out.spacy")["documents"] == 2
    assert convert("iob", tmp_path, tmp_path.parent / "out.spacy", pattern="*.iob2")["entities"] == 0
    with pytest.raises(ConversionError, match="found no files with names like '\\*.conll'"):
        convert("iob", tmp_path, tmp_path.parent / "out.spacy", pattern="*.conll")
    (tmp_path / "c").write_text("Ann O")
    with pytest.raises(ConversionError, match="c:1: the file ends without a line feed"):
        convert("iob", tmp_path, tmp_path.parent / "out.spacy")
    assert convert("iob", tmp_path, tmp_path.parent / "out.spacy", repair=True)["documents"] == 3
