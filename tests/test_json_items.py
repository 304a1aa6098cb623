"""JSON files are read object by object: in bounded memory, whatever their layout."""

import json
import tracemalloc

import pytest

from hmtl_spacy.data.converters import ConversionError, json_items
from hmtl_spacy.data.converters.json_items import read_items

OBJECTS = [{"text": "a\u2028🎉é", "n": [1, {"x": None}]}, {}, {"text": "y" * 50, "t": True}]


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    "text",
    [
        json.dumps(OBJECTS),
        json.dumps(OBJECTS, indent=2, ensure_ascii=False).replace("\n", "\r\n"),
        "\ufeff" + "\n\n".join(json.dumps(one, ensure_ascii=False) for one in OBJECTS),
    ],
)
def test_objects_in_any_layout_and_chunk(tmp_path, monkeypatch, text, chunk):
    monkeypatch.setattr(json_items, "CHUNK", chunk)
    (tmp_path / "a.json").write_bytes(text.encode())
    items = list(read_items(tmp_path / "a.json"))
    assert [item.data for item in items] == OBJECTS and [item.number for item in items] == [1, 2, 3]
    starts = [text[: text.rindex('"text"')].count("\n") + 1, text.count("\n") + 1]
    assert items[2].line <= starts[0] <= starts[1] and (text.count("\n") > 0) == (items[2].line > 1)


@pytest.mark.parametrize("text, count", [("", 0), ("[]", 0), (" \n", 0), ("{}", 1)])
def test_small_files(tmp_path, text, count):
    (tmp_path / "a.json").write_text(text)
    assert len(list(read_items(tmp_path / "a.json"))) == count


def test_a_list_takes_no_more_memory_than_its_largest_object(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("[" + ",".join([json.dumps({"text": "x" * 1000})] * 20_000) + "]")
    assert path.stat().st_size > 20_000_000
    tracemalloc.start()
    assert sum(1 for _ in read_items(path)) == 20_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000


@pytest.mark.parametrize(
    "text, message",
    [
        ("[{}", "the list ends after record 1 without a ]: the file is cut off"),
        ('[{"id": 1,\n "data": {"te', "json:2: record 1 isn't JSON: Unterminated .* it is cut off"),
        ('[{"id": 1}\n {"id": 2}]', "json:2: found '{' after record 1, expected a comma or a bracket"),
        ('[{"id": 1}]\n[', "json:2: found '\\[' after the list"),
        ('{"a": 1}\n{"a": 1, "a": 2}', "json:2: record 2 isn't JSON: the key 'a' is there twice"),
        ('{"a": "\\ud83d"}', "json:1: record 1 isn't JSON: .*surrogates not allowed"),
        ('{"a": [1, 2\n{"a": 1}', "json:2: record 1 isn't JSON: Expecting ',' delimiter"),
        ("[1]", "json:1: record 1 is 1, expected an object for each document"),
        (b"[\n\xff", "json:2: byte 0xff isn't UTF-8"),
        (b"PK\x03\x04\x00", "it is a zip archive. Unpack it first"),
    ],
)
def test_errors_name_file_and_line(tmp_path, text, message):
    (tmp_path / "a.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConversionError, match=message):
        list(read_items(tmp_path / "a.json"))
