import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from tiny import ANNOTATED, annotate, layers, make_examples, make_pipeline

from hmtl_spacy.data.batching import batch_by_task
from hmtl_spacy.data.corpus import read_corpora, read_task_corpus
from hmtl_spacy.data.teaching import batch_words, corpus_name, teaches


@pytest.fixture
def path(tmp_path, nlp):
    docs = [annotate(nlp.vocab, *values) for values in ANNOTATED]
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "news.spacy")
    return tmp_path / "news.spacy"


def read(path, nlp, tasks=None, batch_words=0, gold_sentences=True, limit=0):
    return list(read_task_corpus(path, tasks, batch_words, gold_sentences, limit)(nlp))


def read_docs(path, nlp):
    return DocBin().from_disk(path).get_docs(nlp.vocab)


def test_the_reference_has_the_annotation_and_the_predicted_document_only_tokens(path):
    nlp = make_pipeline()
    examples = read(path, nlp)
    assert len(examples) == len(ANNOTATED)
    for eg, values in zip(examples, ANNOTATED):
        assert layers(eg.reference) == layers(annotate(nlp.vocab, *values))
        assert [t.text for t in eg.predicted] == [t.text for t in eg.reference]
        assert eg.predicted.text == eg.reference.text
        assert not eg.predicted.spans and not eg.predicted.ents
        assert eg.predicted is not eg.reference


def test_gold_sentences_are_shown_if_wanted(path, nlp):
    for gold_sentences in (True, False):
        for eg, (_, starts, *_) in zip(read(path, nlp, gold_sentences=gold_sentences), ANNOTATED):
            assert eg.predicted.has_annotation("SENT_START") == gold_sentences
            if gold_sentences:
                assert {t.i for t in eg.predicted if t.is_sent_start} == starts
            assert eg.reference.has_annotation("SENT_START")


def test_a_corpus_teaches_the_tasks_it_is_listed_with(path, nlp):
    (first, *_) = read(path, nlp, tasks=["mentions", "coref"], batch_words=77)
    assert [teaches(first.reference, name) for name in ("ner", "mentions", "coref", "relations")] == [
        False,
        True,
        True,
        False,
    ]
    assert corpus_name(first.reference) == "news" and batch_words(first.reference) == 77


def test_without_a_list_a_corpus_teaches_everything(path, nlp):
    (first, *_) = read(path, nlp)
    assert teaches(first.reference, "ner") and teaches(first.reference, "anything")
    plain = Doc(nlp.vocab, words=["a"])
    assert teaches(plain, "ner") and corpus_name(plain) == "" and batch_words(plain) == 0


def test_no_task_is_not_every_task(path, nlp):
    assert not teaches(read(path, nlp, tasks=[])[0].reference, "ner")


def test_limit(path, nlp):
    assert [len(read(path, nlp, limit=n)) for n in (0, 1, 3, 99)] == [4, 1, 3, 4]


def test_a_folder_is_read_file_by_file(path, nlp):
    DocBin(docs=[Doc(nlp.vocab, words=["last"])]).to_disk(path.parent / "z.spacy")
    (path.parent / "a").mkdir()
    DocBin(docs=[Doc(nlp.vocab, words=["first"])]).to_disk(path.parent / "a" / "a.spacy")
    found = [eg.reference[0].text for eg in read(path.parent, nlp)]
    assert found == ["first", *(values[0].split()[0] for values in ANNOTATED), "last"]


def test_a_missing_file_says_what_to_do(tmp_path, nlp):
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "no.spacy", tmp_path / "empty"):
        with pytest.raises(
            ValueError, match="No .spacy file at .* Convert the corpus first: python -m spacy hmtl"
        ):
            read(path, nlp)


def test_no_path_is_an_empty_corpus(nlp):
    assert read(None, nlp) == []


def test_several_corpora_are_read_under_their_names(path, nlp):
    news = read_task_corpus(path, ["ner"], 0, True, 2)
    stories = read_task_corpus(path, ["coref"], 0, True, 1)
    examples = list(read_corpora({"a": news, "b": stories})(nlp))
    assert [corpus_name(eg.reference) for eg in examples] == ["a", "a", "b"]
    assert [teaches(eg.reference, "coref") for eg in examples] == [False, False, True]


def test_any_reader_can_be_one_of_several_corpora(nlp):
    examples = list(read_corpora({"mine": lambda nlp: iter(make_examples(nlp.vocab))})(nlp))
    assert {corpus_name(eg.reference) for eg in examples} == {"mine"}
    assert all(teaches(eg.reference, "ner") for eg in examples)


def test_documents_that_teach_no_task_of_the_pipeline_are_left_out_and_told_once(path, caplog):
    nlp = make_pipeline(hierarchy=["ner"])
    plain = [Doc(nlp.vocab, words=["no", "annotation"])]
    corpora = {
        "a": read_task_corpus(path, ["ner"], 0, True, 2),
        "b": read_task_corpus(path, ["mentions", "coref"], 0, True, 0),
        "c": lambda nlp: (Example(doc.copy(), doc) for doc in [*plain, *read_docs(path, nlp)]),
    }
    reader = read_corpora(corpora)
    for _ in range(2):
        assert [corpus_name(eg.reference) for eg in reader(nlp)] == ["a"] * 2 + ["c"] * 4
    assert [record.getMessage() for record in caplog.records] == [
        "The corpus 'b': 4 of 4 documents teach none of ['ner'] and are left out.",
        "The corpus 'c': 1 of 5 documents teach none of ['ner'] and are left out.",
    ]


def test_a_component_without_tasks_may_learn_from_any_document(path):
    nlp = make_pipeline(hierarchy=["ner"])
    nlp.add_pipe("tagger")
    for pipeline in (nlp, spacy.blank("en")):
        reader = read_corpora({"b": read_task_corpus(path, ["coref"], 0, True, 0)})
        assert len(list(reader(pipeline))) == 4


def test_a_corpus_of_an_absent_level_takes_no_batches(path):
    """Else its share of the updates would be lost."""
    nlp = make_pipeline(hierarchy=["ner"])
    corpora = {
        "news": read_task_corpus(path, ["ner"], 0, True, 0),
        "stories": read_task_corpus(path, ["coref"], 0, True, 0),
    }
    batches = batch_by_task("uniform", 10, 0.0, False)(read_corpora(corpora)(nlp))
    assert {corpus_name(eg.reference) for batch in batches for eg in batch} == {"news"}


def test_no_corpora_is_an_error():
    with pytest.raises(
        ValueError, match=r"MultiCorpus.v1 got no corpora. Add a section such as \[corpora.train"
    ):
        read_corpora({})


def test_the_config_of_several_corpora(path):
    config = f"""
[train]
@readers = "hmtl_spacy.MultiCorpus.v1"

[train.corpora]

[train.corpora.one]
@readers = "hmtl_spacy.TaskCorpus.v1"
path = "{path}"
tasks = ["ner"]

[train.corpora.two]
@readers = "hmtl_spacy.TaskCorpus.v1"
path = "{path}"
limit = 1
batch_words = 50
"""
    reader = spacy.util.registry.resolve(spacy.util.load_config_from_str(config))["train"]
    examples = list(reader(spacy.blank("en")))
    assert [corpus_name(eg.reference) for eg in examples] == ["one"] * 4 + ["two"]
    assert [batch_words(eg.reference) for eg in examples] == [0] * 4 + [50]
    assert [teaches(eg.reference, "coref") for eg in examples] == [False] * 4 + [True]
