"""INCEpTION's formats: WebAnno TSV, and UIMA CAS as JSON, XMI and zip."""

import json
import shutil
import tracemalloc
import zipfile
from collections import Counter

import pytest
from converting import FIXTURES, clusters, convert_file, convert_text, ents, mentions, relations, sentences

from hmtl_spacy.data.converters import ConversionError, cas_files, get_converter

TSV = (FIXTURES / "webanno.tsv").read_text("utf8")
CAS = FIXTURES / "cas"


def test_webanno_has_all_layers():
    [doc], dropped = convert_file("webanno", "webanno.tsv")
    assert (doc.user_data["id"], doc.text) == ("webanno", "🙂 Ida_1 [has] ships.\nShe sails\nthem.\n")
    assert sentences(doc) == ["🙂 Ida_1 [has] ships.\n", "She sails\nthem.\n"]
    assert [token.text for token in doc][5:8] == ["ship", "s", "."]
    assert ents(doc) == [("Ida_1", "PER")]
    assert mentions(doc) == [
        ("Ida_1", "person"),
        ("ship", "ship"),
        ("ships.", "Span"),
        ("them", "boat"),
        ("them.", "boat"),
    ]
    assert clusters(doc) == [["Ida_1", "She"]]
    assert relations(doc) == [
        ("Ida_1", "has|owns", "ships."),
        ("Ida_1", "a->b", "ships."),
        ("Ida_1", "sees", "them."),
    ]
    assert {k: dropped[k] for k in dropped if "across" not in k} == {
        "annotations of the layer POS": 1,
        "spans without a value, labelled as their layer": 1,
    }


def test_webanno_without_layers_or_sentences():
    head, _, rest = TSV.partition("#T_SP=custom.Span|label\n")
    lines = [line for line in (head + rest).split("\n") if line.startswith(("#FORMAT", "#T_SP", "#Text"))]
    [doc] = convert_text("webanno", "\n".join(lines[:2]))
    assert doc.text == "" and mentions(doc) is None and clusters(doc) is None and relations(doc) is None


def test_webanno_offsets_in_code_points_and_sentences_without_a_line_end():
    text = "#FORMAT=WebAnno TSV 3.2\n#T_SP=custom.A|\n\n\n#Text=🙂 a\n1-1\t0-1\t🙂\t_\t\n1-2\t2-3\ta\t*\t\n"
    [doc] = convert_text("webanno", text)
    assert doc.text == "🙂 a\n" and mentions(doc) == [("a", "A")]
    text = text.replace("2-3", "3-4").replace("0-1", "0-2") + "\n#Text=b\n2-1\t{}\tb\t_\t\n"
    assert convert_text("webanno", text.format("4-5"))[0].text == "🙂 ab\n"
    assert convert_text("webanno", text.format("7-8"))[0].text == "🙂 a\n  b\n"


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("#FORMAT", "#Format", r"file:1: found .* expected #FORMAT=WebAnno TSV 3"),
        (
            "\tIda\\_1\t",
            "\tAda\t",
            r"file:11: the token 'Ada' is at 3-8, which is 'Ida_1'.* missing or changed",
        ),
        ("\t_\thas\\|owns", "\thas\\|owns", r"file:15: found the 10 columns .*, expected 11"),
        ("#Text=🙂 Ida_1 [has] ships.\n", "", r"file:9: the token 1-1 has no sentence"),
        ("1-2[0_4]", "1-2[0_7]", r"file:23: a relation names the span '7' of custom.Span, which isn't there"),
        ("1-2[0_4]", "1.2", r"file:23: found the source '1.2' of a relation"),
        ("22-25", "12-15", r"file:21: the sentence 'She sails.*' begins at 12, but the one before it ends"),
    ],
)
def test_webanno_that_is_malformed(old, new, message):
    assert old in TSV
    with pytest.raises(ConversionError, match=message):
        convert_text("webanno", TSV.replace(old, new, 1))


def read(path, **options):
    dropped = Counter()
    converter = get_converter("cas")
    read = converter.read_folder if path.is_dir() else converter.read
    return list(read(path, dropped=dropped, **options)), {k: n for k, n in dropped.items() if n}


def everything(doc):
    return doc.text, sentences(doc), ents(doc), mentions(doc), clusters(doc), relations(doc)


def test_cas_has_all_layers():
    [doc], dropped = read(CAS / "crew.json")
    assert doc.user_data["id"] == "crew" and doc.text == "🙂 Ida owns the Skua.\r\nShe & Per sail it."
    assert sentences(doc) == ["🙂 Ida owns the Skua.\r\n", "She & Per sail it."]
    assert ents(doc) == [("Ida", "PER"), ("the Skua", "SHIP")]
    assert mentions(doc) == [
        ("Ida", "person"),
        ("the Skua", "ship"),
        ("Skua", "name"),
        ("She", "person"),
        ("it", "Span"),
    ]
    assert sorted(clusters(doc)) == [["Ida", "She"], ["the Skua", "it"]]
    assert sorted(relations(doc)) == [
        ("Ida", "owns", "the Skua"),
        ("Ida", "sails", "the Skua"),
        ("She", "sails", "the Skua"),
    ]
    assert dropped["entities that overlap with a longer one"] == 1


@pytest.fixture
def archive(tmp_path):
    """A zip with these members, by name."""

    def make(**members):
        with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in members.items():
                file.writestr(name.replace("__", "/").replace("_", "."), content)
        return tmp_path / "a.zip"

    return make


def test_xmi_zip_and_folder_are_the_same(tmp_path, archive):
    expected = everything(read(CAS / "crew.json")[0][0])
    xmi, types = ((CAS / name).read_bytes() for name in ("crew.xmi", "TypeSystem.xml"))
    assert everything(read(CAS / "crew.xmi")[0][0]) == expected
    [doc], _ = read(archive(crew_xmi=xmi, TypeSystem_xml=types))
    assert everything(doc) == expected and doc.user_data["id"] == "crew"
    docs, _ = read(CAS)
    assert [everything(doc) for doc in docs] == [expected] * 2
    shutil.copy(CAS / "crew.xmi", tmp_path / "b.xmi")
    with pytest.raises(ConversionError, match=r"b.xmi: there is no type system TypeSystem.xml beside it"):
        read(tmp_path / "b.xmi")
    assert read(tmp_path / "b.xmi", typesystem=CAS / "TypeSystem.xml")[0]


def test_cas_layers_that_nobody_uses(tmp_path):
    """Those of a type system of few are annotated, none found; those of INCEpTION's whole one aren't."""
    data = json.loads((CAS / "crew.json").read_text("utf8"))
    data["%FEATURE_STRUCTURES"] = [
        row for row in data["%FEATURE_STRUCTURES"] if row["%TYPE"].startswith("uima")
    ]
    data["%VIEWS"]["_InitialView"]["%MEMBERS"] = []
    path = tmp_path / "a.json"
    path.write_text(json.dumps(data))
    [doc], _ = read(path)
    assert (ents(doc), mentions(doc), clusters(doc), relations(doc)) == ([], [], [], [])
    assert doc.has_annotation("ENT_IOB")
    name = "de.tudarmstadt.ukp.dkpro.core.api.lexmorph.type.pos.POS"
    data["%TYPES"][name] = {"%NAME": name, "%SUPER_TYPE": "uima.tcas.Annotation"}
    path.write_text(json.dumps(data))
    [doc], _ = read(path)
    assert not doc.has_annotation("ENT_IOB") and clusters(doc) is None and mentions(doc) == []


def test_hostile_cas(tmp_path, archive, monkeypatch):
    """No entity is expanded, nothing is unpacked, nothing large is read."""
    xmi, types = ((CAS / name).read_text("utf8") for name in ("crew.xmi", "TypeSystem.xml"))
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    rest = xmi.partition("?>")[2]
    for encoding in ("utf-8", "utf-16"):
        raw = f'<?xml version="1.0" encoding="{encoding}"?>{bomb}{rest}'.encode(encoding)
        (tmp_path / "a.xmi").write_bytes(raw)
        with pytest.raises(ConversionError, match=r"a.xmi:1: found a declaration of the entity 'a'"):
            read(tmp_path / "a.xmi", typesystem=CAS / "TypeSystem.xml")
    [doc], _ = read(archive(**{"..__..__crew_xmi": xmi, "TypeSystem_xml": types}))
    assert doc.user_data["id"] == "crew" and {path.name for path in tmp_path.iterdir()} == {"a.xmi", "a.zip"}
    monkeypatch.setattr(cas_files, "LARGEST", 100)
    with pytest.raises(ConversionError, match=r"a.zip: TypeSystem.xml has more than 100 bytes when unpacked"):
        read(archive(crew_xmi=xmi, TypeSystem_xml=types))


def test_a_zip_whose_header_lies_is_not_read_further(tmp_path):
    """A bomb that says it is small: what follows the size in its header stays packed."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a.json", b" " * 50_000_000)
    raw = path.read_bytes()
    path.write_bytes(raw.replace((50_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    tracemalloc.start()
    with pytest.raises(ConversionError, match="a.zip: not a zip that can be read: Bad CRC-32"):
        read(path)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("name, step", [("crew.json", 331), ("crew.xmi", 151)])
def test_cas_files_that_are_cut(tmp_path, name, step):
    raw = (CAS / name).read_bytes().rstrip()
    for end in range(5, len(raw), step):
        (tmp_path / name).write_bytes(raw[:end])
        with pytest.raises(ConversionError, match=rf"{name}(:\d+)?: not (XML|a CAS that can be read): "):
            read(tmp_path / name, typesystem=CAS / "TypeSystem.xml")


def test_cas_offsets_that_do_not_fit(tmp_path):
    text = (CAS / "crew.json").read_text("utf8")
    (tmp_path / "a.json").write_text(text.replace('"begin": 3,', '"begin": 300,'), encoding="utf8")
    with pytest.raises(ConversionError, match=r"a.json: not a CAS that can be read: .*offset \[300\]"):
        read(tmp_path / "a.json")


def test_zips_that_cannot_be_read(tmp_path, archive):
    with pytest.raises(ConversionError, match=r"a.zip: found 0 .xmi and .json files in it, expected one"):
        read(archive(a_txt=""))
    with pytest.raises(ConversionError, match=r"a.zip/a.xmi: there is no TypeSystem.xml in the zip"):
        read(archive(a_xmi=""))
    (tmp_path / "b.zip").write_bytes(archive(a_xmi="x" * 99).read_bytes()[:40])
    with pytest.raises(ConversionError, match="b.zip: not a zip that can be read"):
        read(tmp_path / "b.zip")
    with pytest.raises(ConversionError, match=r"found no files that end in .json, .xmi, .zip"):
        read(FIXTURES / "brat")
