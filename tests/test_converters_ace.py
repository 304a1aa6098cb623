import re
import shutil
from collections import Counter

import pytest
from converting import FIXTURES, clusters, mentions, relations, sentences

from hmtl_spacy.annotations import get_relations
from hmtl_spacy.data.converters import ConversionError, Lines, convert
from hmtl_spacy.data.converters.ace import ace_folder_to_docs, ace_to_docs
from hmtl_spacy.data.converters.ace.source import SourceText, read_source
from hmtl_spacy.data.converters.common import read_lines

ACE = FIXTURES / "ace"
NEWS, TALK = "XYZ_ENG_20300101.0001", "XYZ_CF_20300102.0002"
NEWS_PATH = ACE / "nw" / "timex2norm" / NEWS


def convert_folder(path=ACE, **options):
    dropped = Counter()
    docs = list(ace_folder_to_docs(path, dropped=dropped, **options))
    return docs, {what: count for what, count in dropped.items() if count}


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(ACE, tmp_path / "ace")


def test_news():
    docs, dropped = convert_folder()
    assert [doc.user_data["id"] for doc in docs] == [TALK, NEWS]
    doc = docs[1]
    assert sentences(doc) == [
        "Hull ferry sails again",
        "Zoë Byron, head of Byron & Sons Shipping, sailed to Hull.",
        "Her husband stayed in AngloDanish Voss.",
        '"A ship!"',
        "a fan of the show Who Dares? Nobody!",  # the sentencizer alone would cut after "?"
        "said.",
    ]
    assert mentions(doc) == [
        ("Hull", "GPE"),
        ("Zoë Byron", "PER"),
        ("head", "PER"),
        ("Byron & Sons Shipping", "ORG"),
        ("Hull", "GPE"),
        ("Her", "PER"),
        ("husband", "PER"),
        ("AngloDanish", "GPE"),  # "Danish" in the file
        ("Voss", "GPE"),
        ("ship", "VEH"),
        ("fan", "PER"),
        ("show", "ORG"),
    ]
    assert clusters(doc) == [
        ["Hull", "Hull"],
        ["Zoë Byron, head of Byron & Sons Shipping", "head of Byron & Sons Shipping", "Her"],
        ["the show Who Dares? Nobody!", "show Who Dares? Nobody!"],
    ]
    assert relations(doc) == [
        ("head", "ORG-AFF", "Byron & Sons Shipping"),
        ("Her", "PER-SOC", "husband"),
        ("husband", "PHYS", "Voss"),
        ("Zoë Byron", "PHYS", "Hull"),
        ("Her", "ART", "ship"),
    ]
    assert [relation.head.label_ for relation in get_relations(doc)] == ["PER"] * 5
    assert not doc.has_annotation("ENT_IOB")
    assert dropped == {
        "sentence boundaries inside of mentions (sentences joined)": 1,
        "mentions with the same head as another": 1,
        "mentions expanded to whole tokens": 1,
        "clusters of one mention": 8,
        "relations across sentences (kept, but no model predicts them)": 1,
        "relations between mentions with the same head": 1,
        "relations named twice": 1,
        "relations of the type METONYMY": 1,
    }


def test_talk():
    doc = convert_folder()[0][0]
    assert doc.text == "KIM We flew to Oslo LEE with our 10 <old> planes"
    assert sentences(doc) == ["KIM", "We flew to Oslo", "LEE", "with our 10 <old> planes"]
    assert mentions(doc) == [
        ("KIM", "PER"),
        ("We", "PER"),
        ("Oslo", "GPE"),
        ("our", "PER"),
        ("planes", "VEH"),
    ]
    assert clusters(doc) == [["KIM", "We", "our"]]
    assert relations(doc) == [("our", "ART", "planes"), ("We", "PHYS", "Oslo")]


def test_extents_heads_and_singletons():
    doc = convert_folder(mentions="extent", clusters="head", singletons=True)[0][1]
    assert ("a fan of the show Who Dares? Nobody!", "PER") in mentions(doc)
    assert ("AngloDanish Voss", "GPE") in mentions(doc) and len(mentions(doc)) == 13
    assert relations(doc)[0] == ("head of Byron & Sons Shipping", "ORG-AFF", "Byron & Sons Shipping")
    assert relations(doc)[-1] == ("the show Who Dares? Nobody!", "PART-WHOLE", "show Who Dares? Nobody!")
    assert ["Zoë Byron", "head", "Her"] in clusters(doc) and ["ship"] in clusters(doc)


def test_mentions_that_are_not_whole_tokens():
    docs, dropped = convert_folder(misaligned="drop")
    assert ("AngloDanish", "GPE") not in mentions(docs[1])
    assert dropped["mentions that aren't whole tokens"] == 1
    message = (
        rf"{NEWS}.apf.xml:\d+: 'Danish' isn't made of whole tokens; the tokens there are \['AngloDanish'\]"
    )
    with pytest.raises(ConversionError, match=message):
        convert_folder(misaligned="error")


def test_stages(copy):
    assert [doc.user_data["id"] for doc in convert_folder(stage="adj")[0]] == [NEWS]
    assert [len(relations(convert_folder(stage=stage)[0][-1])) for stage in ("adj", "timex2norm")] == [1, 5]
    assert len(convert_folder(ACE / "nw")[0]) == 1  # not both stages
    shutil.rmtree(copy / "nw" / "timex2norm")
    shutil.rmtree(copy / "bc")
    assert len(relations(convert_folder(copy)[0][0])) == 1
    (copy / "nw" / "adj").rename(copy / "nw" / "fp1")
    with pytest.raises(
        ConversionError, match="no .sgm files in folders named 'timex2norm', but in fp1. Name"
    ):
        convert_folder(copy)
    (copy / "nw" / "fp1").rename(copy / "nw" / "mine")
    assert len(convert_folder(copy)[0]) == 1
    with pytest.raises(ConversionError, match="no .sgm files in folders named 'adj', but in mine"):
        convert_folder(copy, stage="adj")
    shutil.copytree(copy / "nw" / "mine", copy / "other")
    with pytest.raises(ConversionError, match=f"other.{NEWS}: '{NEWS}' is in .*mine too"):
        convert_folder(copy)


def test_lists():
    def ids(*names):
        return [doc.user_data["id"] for doc in convert_folder(files=Lines(names, "list"))[0]]

    assert ids(NEWS, "", TALK) == [NEWS, TALK]
    assert ids(f"nw/adj/{NEWS}.sgm") == ids(f"English\\nw\\{NEWS}.apf.xml") == [NEWS]
    assert ids(*read_lines(ACE / "test_list")) == [TALK]
    with pytest.raises(
        ConversionError, match=r"list:2: there is no document 'ABC_1' in .*ace. One name a line"
    ):
        ids(NEWS, "ABC_1")
    with pytest.raises(ConversionError, match=rf"list:3: '{NEWS}' is in line 1 already"):
        ids(NEWS, TALK, f"{NEWS}.sgm")


def test_a_single_file(tmp_path):
    path = ACE / "bc" / "timex2norm" / f"{TALK}.sgm"
    counts = convert("ace", path, tmp_path / "out.spacy")
    assert (counts["documents"], counts["mentions"], counts["clusters"], counts["relations"]) == (1, 5, 1, 2)


def test_offsets_survive_tags_references_and_white_space():
    text = SourceText("<A x='1'>\nab &amp;\n\tc&nbsp;d<B/>e &lt;\n\n<DATETIME>f\n</DATETIME>&x; &AMP;</A>")
    assert text.raw == "\nab &amp;\n\tc&nbsp;de &lt;\n\nf\n&x; &AMP;"
    assert text.text == "ab & c d e < &x; &"
    assert [text.text[start:] for start in text.breaks] == [text.text, "e < &x; &", "&x; &", ""]

    def span(words):
        start = text.raw.index(words)
        found = text.span(start, start + len(words))
        return found and text.text[slice(*found)]

    pairs = {"ab": "ab", "&amp;": "&", "b &amp;\n\tc": "b & c", "de": "d e", "&x; &AMP;": "&x; &", "f": None}
    assert {words: span(words) for words in pairs} == pairs
    assert span("\n\tc") == span("c&nbsp;") == "c" and span("\n") is None


@pytest.mark.parametrize(
    "tag",
    [
        """<QUOTE PREVIOUSPOST="he &lt; she, 1 < 2, 'Oslo'">""",
        """<QUOTE PREVIOUSPOST='a "b" <c@d.no> wrote:

        ' N=1 LAST/>""",
        '<QUOTE a="<" b=">" c = "</TEXT>">',
        '<QUOTE a="no end>',
        "<QUOTE it's, as it was>",
    ],
)
def test_quoted_values_of_attributes_may_have_angle_brackets(copy, tag):
    assert SourceText(f"<DOC>a {tag}b, 1 < 2 <x>c</DOC>").raw == "a b, 1 < 2 c"
    expected, _ = convert_folder(copy / "nw")
    edit(copy, ".sgm", "<BODY>", f"<BODY>{tag}")
    found, dropped = convert_folder(copy / "nw")
    assert mentions(found[0]) == mentions(expected[0]) and relations(found[0]) == relations(expected[0])
    assert "mentions whose words differ in the two files (kept where the offsets say)" not in dropped


def test_mentions_in_the_header_and_of_other_types_are_counted(copy):
    edit(copy, ".sgm", "<BODY>", "<BODY><POSTDATE>")
    edit(copy, ".sgm", "<TEXT>", "</POSTDATE><TEXT>")
    edit(copy, ".apf.xml", 'TYPE="VEH"', 'TYPE="TITLE"')
    docs, dropped = convert_folder(copy / "nw", files=Lines([NEWS]))
    assert mentions(docs[0])[0] == ("Zoë Byron", "PER") and ("ship", "VEH") not in mentions(docs[0])
    assert dropped["mentions outside of the text (in the file's header, or white space)"] == 1
    assert dropped["mentions of the type TITLE"] == 1
    assert dropped["relations of which an argument was left out"] == 1


def test_few_mentions_may_differ_in_the_two_files(copy):
    edit(copy, ".apf.xml", ">head<", ">chief<")
    docs, dropped = convert_folder(copy / "nw")
    assert ("head", "PER") in mentions(docs[0])
    assert dropped["mentions whose words differ in the two files (kept where the offsets say)"] == 1


def edit(folder, ending, old, new):
    path = folder / "nw" / "timex2norm" / f"{NEWS}{ending}"
    content = path.read_text(encoding="utf8")
    assert old in content
    path.write_text(content.replace(old, new, 1), encoding="utf8")


@pytest.mark.parametrize("type", ["PER", "ORG", "GPE", "LOC", "FAC", "VEH", "WEA"])
def test_all_types_of_mentions(copy, type):
    edit(copy, ".apf.xml", 'TYPE="VEH"', f'TYPE="{type}"')
    docs, _ = convert_folder(copy / "nw")
    assert ("ship", type) in mentions(docs[0])


@pytest.mark.parametrize("type", ["PHYS", "PART-WHOLE", "PER-SOC", "ORG-AFF", "ART", "GEN-AFF"])
def test_all_types_of_relations_go_from_arg_1_to_arg_2(copy, type):
    edit(copy, ".apf.xml", 'TYPE="ORG-AFF"', f'TYPE="{type}"')
    expected = ("head", type, "Byron & Sons Shipping")
    assert expected in relations(convert_folder(copy / "nw")[0][0])
    path = copy / "nw" / "timex2norm" / f"{NEWS}.apf.xml"
    before, mention, after = path.read_text("utf8").partition("<relation_mention ")
    both = re.findall(r" *<relation_mention_argument.*?</relation_mention_argument>\n", after, re.DOTALL)[:2]
    assert len(both) == 2
    path.write_text(before + mention + after.replace("".join(both), "".join(reversed(both)), 1), "utf8")
    assert expected in relations(convert_folder(copy / "nw")[0][0])  # in whatever order they stand


@pytest.mark.parametrize(
    "ending, old, new, message",
    [
        # truncated
        (
            ".sgm",
            "</TEXT>\n</BODY>\n</DOC>\n",
            "",
            r"sgm:15: the file ends without '</DOC>'. Is its end miss",
        ),
        (
            ".apf.xml",
            "</document>\n</source_file>\n",
            "",
            r"xml:\d\d\d: not XML: no element found. Is a part",
        ),
        (".apf.xml", "</source_file>", "</source", r"xml:\d\d\d: not XML: unclosed token"),
        (".apf.xml", "</entity>", "", r"xml:\d\d\d: not XML: mismatched tag"),
        # mixed up
        (".sgm", "<DOC>", "<PAGE>", r"sgm:1: found 0 '<DOC>' at the beginning of lines, expected one"),
        (".sgm", "</DOC>\n", "</DOC>\n<DOC>\n", r"sgm:19: found 2 '<DOC>'"),
        (
            ".sgm",
            "Hull ferry",
            "Ferry",
            r"xml:\d+: found '.*' at 87 in .*sgm, expected 'Zoë Byron.* belong",
        ),
        (
            ".sgm",
            'SOURCE="newswire"',
            'SOURCE="news<wire',
            r"xml:\d+: found '.*' at \d+ in .*sgm, expected .* Do the files belong together",
        ),
        (".sgm", "Her husband\nstayed", "", r"xml:\d+: .* ends at \d+, but .*sgm has \d+ characters without"),
        (".apf.xml", "<source_file", "<tei", r"xml:\d+: not XML: mismatched tag"),
        # not as ACE writes it
        (".apf.xml", 'DOCID="', 'NAME="', r"xml:4: <document> has no DOCID. Is it ACE's .apf.xml, unchanged"),
        (".apf.xml", 'TYPE="PER"', 'KIND="PER"', r"xml:5: <entity> has no TYPE"),
        (".apf.xml", "E1-2", "E1-1", r"xml:15: found a second mention '.*-E1-1'; ids are unique"),
        (
            ".apf.xml",
            'START="87"',
            'START="-1"',
            r"xml:8: found START='-1' END='130', expected character offs",
        ),
        (".apf.xml", 'START="87"', 'START="131"', r"xml:8: found START='131' END='130'"),
        (".apf.xml", 'END="130"', 'END="99130"', r"xml:8: .* ends at 99130, but"),
        (
            ".apf.xml",
            'E2-1" ROLE',
            'E2-7" ROLE',
            r"xml:\d+: Arg-1 is '.*E1-2' and Arg-2 '.*E2-7', expected ids",
        ),
        (".apf.xml", 'E2-1" ROLE="Arg-2', 'E2-1" ROLE="Arg-3', r"xml:\d+: Arg-1 is '.*' and Arg-2 None"),
    ],
)
def test_what_is_refused(copy, ending, old, new, message):
    edit(copy, ending, old, new)
    with pytest.raises(ConversionError, match=message):
        convert_folder(copy / "nw")


def test_mentions_without_a_head_are_refused(copy):
    edit(copy, ".apf.xml", "<head>", "<nucleus>")
    edit(copy, ".apf.xml", "</head>", "</nucleus>")
    with pytest.raises(ConversionError, match=r"xml:6: the mention '.*E1-1' has no <head> with a <charseq>"):
        convert_folder(copy / "nw")


def test_files_that_are_missing_swapped_or_of_another_encoding(copy):
    folder = copy / "nw" / "timex2norm"
    sgm, apf = folder / f"{NEWS}.sgm", folder / f"{NEWS}.apf.xml"
    text, annotation = sgm.read_bytes(), apf.read_bytes()
    sgm.write_bytes(text.decode("utf8").encode("latin-1"))
    with pytest.raises(ConversionError, match=rf"{NEWS}.sgm:10: byte 0xeb isn't UTF-8"):
        convert_folder(copy / "nw")
    sgm.write_bytes(annotation)
    with pytest.raises(ConversionError, match=rf"{NEWS}.sgm:1: found 0 '<DOC>'"):
        convert_folder(copy / "nw")
    sgm.write_bytes(text)
    apf.write_bytes(b"<DOC>\n</DOC>")
    with pytest.raises(
        ConversionError, match=r"xml:1: found <DOC> around 0 <document>, expected <source_file>"
    ):
        convert_folder(copy / "nw")
    apf.unlink()
    with pytest.raises(
        ConversionError, match=rf"{NEWS}.sgm: there is no {NEWS}.apf.xml beside it. Copy both"
    ):
        convert_folder(copy / "nw")
    apf.write_bytes(annotation)
    sgm.unlink()
    with pytest.raises(ConversionError, match=rf"{NEWS}.apf.xml: there is no {NEWS}.sgm beside it"):
        convert_folder(copy / "nw")


def test_windows_line_ends_do_not_shift_offsets(copy):
    path = copy / "nw" / "timex2norm" / f"{NEWS}.sgm"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert mentions(convert_folder(copy / "nw")[0][0])[1] == ("Zoë Byron", "PER")


@pytest.mark.parametrize("name, value", [("mentions", "all"), ("clusters", "all"), ("misaligned", "keep")])
def test_options_are_checked(name, value):
    with pytest.raises(ValueError, match=f"{name} is '{value}', expected"):
        list(ace_to_docs([], **{name: value}))
    with pytest.raises(ValueError, match="stage is 'fp1', expected one of timex2norm, adj"):
        convert_folder(stage="fp1")


def test_a_document_without_text():
    annotation = ['<source_file><document DOCID="a"/></source_file>'], "a.apf"
    [doc] = ace_to_docs(["<DOC><DOCID> a </DOCID></DOC>"], annotation=annotation)
    assert len(doc) == 0 and mentions(doc) == [] and clusters(doc) == [] and relations(doc) == []
    assert read_source(["<doc>", "x</doc>"], "a.sgm").text == "x"
