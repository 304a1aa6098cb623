import pytest
import spacy
from spacy.tokens import DocBin
from tiny import ANNOTATED, annotate

from hmtl_spacy.data import stored_docs
from hmtl_spacy.data.stored_docs import StoredDocs


@pytest.fixture
def folder(tmp_path, nlp):
    for number, values in enumerate(ANNOTATED):
        DocBin(docs=[annotate(nlp.vocab, *values)]).to_disk(tmp_path / f"{number}.spacy")
    return tmp_path


@pytest.fixture
def reads(monkeypatch):
    """The files that are read, in turn."""
    files = []
    read = stored_docs.read_stored
    monkeypatch.setattr(
        stored_docs, "read_stored", lambda file, vocab: files.append(file) or read(file, vocab)
    )
    return files


def test_small_files_are_read_once(folder, nlp, reads):
    docs = StoredDocs(folder)
    first, second = list(docs.read(nlp.vocab)), list(docs.read(nlp.vocab))
    assert all(a is b for a, b in zip(first, second)) and len(first) == len(second) == len(ANNOTATED)
    assert [file.name for file in reads] == [f"{number}.spacy" for number in range(len(ANNOTATED))]


def test_another_vocabulary_gets_documents_of_its_own(folder, nlp, reads):
    docs = StoredDocs(folder)
    list(docs.read(nlp.vocab))
    other = spacy.blank("en")
    assert all(doc.vocab is other.vocab for doc in docs.read(other.vocab))
    assert len(reads) == 2 * len(ANNOTATED)


def test_large_files_are_read_anew_and_one_after_the_other(folder, nlp, reads, monkeypatch):
    monkeypatch.setattr(stored_docs, "KEPT_BYTES", 10)
    docs = StoredDocs(folder)
    next(docs.read(nlp.vocab))
    assert len(reads) == 1
    texts = [doc.text for doc in docs.read(nlp.vocab)]
    assert len(texts) == len(ANNOTATED) and len(reads) == 1 + len(ANNOTATED)
