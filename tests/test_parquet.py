"""Parquet and `datasets`: what is written is read again the same; named columns of other people."""

import json
import re
from collections import Counter

import pytest
import spacy
from converting import clusters, ents, mentions, relations
from spacy.tokens import DocBin
from test_writers_tools import document
from tiny import annotate

from hmtl_spacy.annotate import export
from hmtl_spacy.data.converters import ConversionError, convert, get_converter
from hmtl_spacy.data.layers import layers_to_json, read_layers

pa = pytest.importorskip("pyarrow", reason="the extra [parquet] isn't installed")

NLP = spacy.blank("en")
NAMES = ["O", "B-PER", "I-PER", "B-ORG"]
WORDS = ["Ann", "Lee", "met", "🎉", "Acme"]
SPANS = [{"start": 2, "end": 9, "label": "PER"}, {"start": 6, "end": 9, "label": "NAME"}]
TEXT = "🎉 Ann Lee met \r\nAcme."


def read(path, format="parquet", **options):
    dropped = Counter()
    docs = list(get_converter(format).read(path, dropped=dropped, **options))
    return docs, {what: count for what, count in dropped.items() if count}


def write(folder, columns, features=None, name="a.parquet"):
    table = pa.table(columns)
    if features:
        info = {"info": {"features": features}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(info)})
    pa.parquet.write_table(table, folder / name)
    return folder / name


def test_round_trip(tmp_path):
    """Scores, sentences, meta, empty documents, and layers that aren't annotated."""
    docs = [document(), document(relations=None), annotate(NLP.vocab, [], ()), document(mentions=None)]
    for i, doc in enumerate(docs):
        doc.user_data.update({"id": str(i), "meta": {"big": 2**60 + i, "list": [None, "🎉"]}})
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "gold.spacy")
    export(tmp_path / "gold.spacy", tmp_path / "out.parquet", batch_size=3)
    assert sorted(file.name for file in (tmp_path / "out.parquet").iterdir()) == [
        "00000.parquet", "00001.parquet",
    ]  # fmt: skip
    convert("parquet", tmp_path / "out.parquet", tmp_path / "back.spacy")
    back = list(DocBin().from_disk(tmp_path / "back.spacy").get_docs(NLP.vocab))
    for doc, same in zip(docs, back, strict=True):
        assert doc.text == same.text and [t.text for t in doc] == [t.text for t in same]
        assert layers_to_json(read_layers(doc)) == layers_to_json(read_layers(same))
        assert json.dumps(doc.user_data) == json.dumps(same.user_data)
    table = pa.parquet.read_table(tmp_path / "out.parquet")
    assert table["relations"][1].as_py() is None and table["relations"][2].as_py() == []


@pytest.mark.parametrize("numbers", [True, False])
def test_tags_are_names_or_numbers_with_names(numbers, tmp_path):
    tags = [[1, 2, 0, 0, 3], []]
    features = {"ner_tags": {"feature": {"names": NAMES, "_type": "ClassLabel"}, "_type": "List"}}
    if not numbers:
        tags, features = [[NAMES[tag] for tag in row] for row in tags], None
    columns = {"id": ["a", "b"], "tokens": pa.array([WORDS, []]), "ner_tags": pa.array(tags), "pos": [1, 2]}
    (doc, empty), dropped = read(write(tmp_path, columns, features))
    assert ents(doc) == [("Ann Lee", "PER"), ("Acme", "ORG")] and doc.user_data["id"] == "a"
    assert mentions(doc) is None and len(empty) == 0 and dropped == {"columns that aren't read: 'pos'": 1}


def test_numbers_without_names(tmp_path):
    path = write(tmp_path, {"tokens": [WORDS], "ner_tags": [[1, 2, 0, 0, 3]]})
    (doc,), _ = read(path, tag_names="O, B-PER,I-PER,B-ORG", mentions="*", entities="*")
    assert ents(doc) == mentions(doc) == [("Ann Lee", "PER"), ("Acme", "ORG")]
    with pytest.raises(ConversionError, match=r"a\.parquet: row 1: found the tag 1, for which .*--tag-names"):
        read(path)


def test_columns_by_name_and_sentences(tmp_path):
    columns = {"s": [[["Ann", "left"], ["Bob", "too"]]], "t": [[["U-PER", "O"], ["U-PER", "O"]]]}
    (doc,), _ = read(write(tmp_path, columns), tokens_column="s", tags_column="t")
    assert ents(doc) == [("Ann", "PER"), ("Bob", "PER")] and [s.text for s in doc.sents] == [
        "Ann left", "Bob too",
    ]  # fmt: skip
    assert doc.user_data["id"] == "1"


def test_text_with_spans_relations_and_coreference(tmp_path):
    """Emoji and CRLF before spans, nested ones, two relations on a pair, one across sentences."""
    spans = [*SPANS, {"start": 16, "end": 20, "label": "ORG"}]
    links = [(0, 2, "MET"), (0, 2, "OWN"), (2, 1, "coref")]
    rows = [{"head": head, "tail": tail, "type": label} for head, tail, label in links]
    path = write(tmp_path, {"text": [TEXT, ""], "spans": [spans, []], "relations": [rows, None]})
    (doc, empty), _ = read(path)
    assert doc.text == TEXT and mentions(doc) == [("Ann Lee", "PER"), ("Lee", "NAME"), ("Acme", "ORG")]
    assert sorted(relations(doc)) == [("Ann Lee", "MET", "Acme"), ("Ann Lee", "OWN", "Acme")]
    assert clusters(doc) == [["Lee", "Acme"]] and ents(empty) == [] and mentions(empty) == []
    assert relations(empty) is None  # null: not annotated


def test_forms_of_others(tmp_path):
    """Pieces in `offsets`, ids, objects of lists, clusters of ids, offsets of tokens, ends inclusive."""
    entities = [{"id": "T1", "type": "A", "offsets": [[2, 5], [10, 13]]},
                {"id": "T2", "type": "B", "offsets": [[16, 20]]}]  # fmt: skip
    arguments = [{"arg1_id": "T2", "arg2_id": "T1", "type": "R"}]
    columns = {"text": [TEXT], "entities": [entities], "relations": [arguments],
               "coreferences": [[{"id": "c", "entity_ids": ["T1", "T2"]}]]}  # fmt: skip
    (doc,), dropped = read(write(tmp_path, columns), mentions="*")
    assert mentions(doc) == [("Ann Lee met", "A"), ("Acme", "B")]
    assert clusters(doc) == [["Ann Lee met", "Acme"]] and len(relations(doc)) == 1
    assert any("several pieces" in what for what in dropped)
    of_lists = {"start": [0, 4], "end": [1, 4], "label": ["PER", "ORG"]}
    columns = {"tokens": [WORDS], "mentions": [of_lists], "clusters": [[[[0, 1], [4, 4]]]]}
    (doc,), _ = read(write(tmp_path, columns), offsets="token-inclusive")
    assert mentions(doc) == [("Ann Lee", "PER"), ("Acme", "ORG")] and clusters(doc) == [["Ann Lee", "Acme"]]


@pytest.mark.parametrize(
    "columns, message",
    [
        ({"x": [1]}, "found no text or tokens, only the columns x. Name the column"),
        ({"text": ["a"], "spans": [[{"start": 0, "end": 1}]]}, "row 1: .* expected a label under"),
        ({"text": ["a"], "spans": [[{"start": 0, "end": 9, "label": "X"}]]}, "row 1: found a span from 0"),
        ({"tokens": [["a"]], "spans": [[{"start": 0, "end": 9, "label": "X"}]]}, "two of the 1 tokens|row 1"),
        ({"tokens": [["a"]], "tags": [["O", "O"]]}, "row 1: found 2 tags for 1 tokens"),
        ({"tokens": [["a"]], "tags": [["X-PER"]]}, "found tag 'X-PER'"),
        ({"text": ["a"], "relations": [[{"head": 3, "tail": 4, "label": "X"}]]}, "the span 3 in 'relations'"),
        ({"text": ["a"], "relations": [[{"head": 3}]]}, "expected head, tail and label"),
        ({"text": ["a b"], "tokens": [["a", "c"]]}, "row 1: found the token 'c'"),
        ({"text": ["a"], "clusters": [["x"]]}, "found the cluster 'x'"),
    ],
)
def test_what_is_wrong_is_said_with_its_row(columns, message, tmp_path):
    with pytest.raises(ConversionError, match=message) as raised:
        read(write(tmp_path, columns))
    assert str(raised.value).startswith(str(tmp_path / "a.parquet"))


def test_columns_that_are_not_there_and_cut_files(tmp_path):
    path = write(tmp_path, {"text": ["a"]})
    with pytest.raises(ConversionError, match="found no column 'body', only text. Name another one"):
        read(path, text_column="body")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ConversionError, match="not a Parquet file that can be read, or cut off"):
        read(path)


def save(folder, columns, features):
    """As `save_to_disk` of datasets 5.2 does."""
    folder.mkdir(parents=True)
    table = pa.table(columns)
    with pa.ipc.new_stream(str(folder / "data-00000-of-00001.arrow"), table.schema) as stream:
        stream.write_table(table)
    (folder / "dataset_info.json").write_text(json.dumps({"features": features}))
    files = [{"filename": "data-00000-of-00001.arrow"}]
    (folder / "state.json").write_text(json.dumps({"_data_files": files, "_split": None}))


def test_datasets(tmp_path):
    features = {"ner_tags": {"feature": {"names": NAMES, "_type": "ClassLabel"}, "_type": "Sequence"}}
    columns = {"tokens": pa.array([WORDS, WORDS]), "ner_tags": pa.array([[1, 2, 0, 0, 3], [0] * 5])}
    for split in ("train", "test"):
        save(tmp_path / "data" / split, columns, features)
    (tmp_path / "data" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    out = tmp_path / "out.spacy"
    assert convert("datasets", tmp_path / "data", out, split="train")["entities"] == 2
    assert convert("datasets", tmp_path / "data" / "test", out)["documents"] == 2
    for options, message in [({}, "its splits are train, test"), ({"split": "dev"}, "its splits are")]:
        with pytest.raises(ConversionError, match=message):
            convert("datasets", tmp_path / "data", out, **options)
    with pytest.raises(ConversionError, match=re.escape("there is no state.json in it")):
        convert("datasets", tmp_path, out)
    arrow = tmp_path / "data" / "train" / "data-00000-of-00001.arrow"
    with pytest.raises(ConversionError, match="--tag-names"):  # its names are beside it
        read(arrow, "datasets")
    arrow.write_bytes(arrow.read_bytes()[:300])
    with pytest.raises(ConversionError, match="not a file of `datasets` that can be read, or cut off"):
        convert("datasets", tmp_path / "data", out, split="train")


def test_a_name_cannot_lead_out_of_the_folder(tmp_path):
    save(tmp_path / "other", {"text": ["secret"]}, {})
    save(tmp_path / "data", {"text": ["ours"]}, {})
    state = {"_data_files": [{"filename": "../other/data-00000-of-00001.arrow"}]}
    (tmp_path / "data" / "state.json").write_text(json.dumps(state))
    convert("datasets", tmp_path / "data", tmp_path / "out.spacy")
    (doc,) = DocBin().from_disk(tmp_path / "out.spacy").get_docs(NLP.vocab)
    assert doc.text == "ours"
