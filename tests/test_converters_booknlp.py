import shutil
from collections import Counter

import pytest
from converting import FIXTURES, clusters, ents, mentions, sentences

from hmtl_spacy.data.converters import ConversionError, get_converter

BOOKNLP = FIXTURES / "booknlp"


def read(path, **options):
    dropped = Counter()
    converter = get_converter("booknlp")
    read = converter.read_folder if path.is_dir() else converter.read
    return list(read(path, dropped=dropped, **options)), {k: n for k, n in dropped.items() if n}


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(BOOKNLP, tmp_path / "books")


def test_mentions_and_clusters():
    for path in (BOOKNLP, BOOKNLP / "crew.entities"):
        [doc], dropped = read(path)
        assert (doc.user_data["id"], doc.text) == ("crew", '"Ida Moe 🙂\n\nShe left\n')
        assert sentences(doc) == ['"Ida Moe 🙂\n\n', "She left\n"]
        assert mentions(doc) == [("Ida Moe", "PER"), ("Moe", "PER"), ("She", "PER")]
        assert clusters(doc) == [["Ida Moe", "She"]] and dropped == {"clusters of one mention": 1}


def test_proper_names_as_entities_and_singletons():
    [doc], dropped = read(BOOKNLP, entities=["PROP"], mentions=["*"], singletons=True)
    assert ents(doc) == [("Ida Moe", "PER")] and len(mentions(doc)) == 3 and len(clusters(doc)) == 2
    assert dropped == {"entities that overlap with a longer one": 1}


def test_without_the_text(folder):
    (folder / "crew.txt").unlink()
    [doc], _ = read(folder)
    assert doc.text == '"Ida Moe 🙂  She left' and len(mentions(doc)) == 3
    (folder / "crew.txt").write_text("Another.")
    assert read(folder)[1][".txt files that aren't the text of the tokens (not read)"] == 1


def test_without_entities(folder):
    (folder / "crew.entities").unlink()
    [doc], dropped = read(folder)
    assert mentions(doc) is None and dropped == {"documents without an .entities file (left unannotated)": 1}
    (folder / "crew.entities").write_text("COREF\tstart_token\tend_token\tprop\tcat\ttext\n")
    [doc], _ = read(folder)
    assert (mentions(doc), clusters(doc)) == ([], [])


def test_line_ends_and_a_byte_order_mark(folder):
    for file in folder.iterdir():
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    [doc], _ = read(folder)
    assert doc.text == '"Ida Moe 🙂\n\nShe left\n' and len(mentions(doc)) == 3


@pytest.mark.parametrize(
    "name, old, new, message",
    [
        (
            "tokens",
            "byte_onset",
            "onset",
            r"crew.tokens:1: found the columns .*, expected 'byte_onset' among",
        ),
        ("tokens", "\t1\t4\n", "\t1\n", r"crew.tokens:3: found 5 columns, expected 6"),
        ("tokens", "1\tIda", "2\tIda", r"crew.tokens:3: found token '2' at '1' to '4', expected token 1"),
        ("tokens", "\t5\t8", "\t3\t8", r"crew.tokens:4: the token 'Moe' is at 3 to 8, but the one before"),
        ("entities", "4\t4", "4\t14", r"crew.entities:4: found the tokens 4 to 14, expected .* inclusive"),
        ("entities", "4\t4", "4\tx", r"crew.entities:4: found 'x', expected the number of a token"),
        ("entities", "\tMoe\n", "\tMo\n", r"crew.entities:3: found the text 'Mo', but the tokens 2 to 2 are"),
        ("entities", "\tShe\n", "\tShe", r"crew.entities:4: the file ends without a line feed"),
    ],
)
def test_malformed_input(folder, name, old, new, message):
    path = folder / f"crew.{name}"
    text = path.read_text("utf8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf8")
    with pytest.raises(ConversionError, match=message):
        read(folder)
