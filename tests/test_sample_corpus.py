"""The corpora in `assets/sample` and `assets/sample/web`: complete, varied, without copies, and prose as
others write it.

The bounds on words and sentences come from the training part of GUM 12 (177 documents with text, 177,410
tokens, 15 genres), lower-cased, sentences as annotated there:

- Types per token of a document's first 100 tokens: 0.45 to 0.79 (lowest and highest document); by genre
  0.565 (conversation) to 0.755 (letters) on average, 0.657 over all.
- Sentence lengths: by genre 9.3 (conversation) to 27.4 (academic) tokens on average, with standard deviations
  of 9.2 (conversation) to 17.2 (academic). In 755 pieces of 200 tokens or a little more they deviate by 3.7
  at the first percentile and 27.3 at the 99th. One sentence in a hundred has more than 61 tokens.
- Short and long: by genre 6 to 44 % of the sentences have five tokens or fewer, 4 to 39 % thirty or more.
"""

from collections import Counter, defaultdict
from pathlib import Path
from statistics import mean, pstdev

import pytest

from hmtl_spacy.annotations import get_clusters, get_mentions, get_relations
from hmtl_spacy.data.converters.inline import inline_folder_to_docs
from hmtl_spacy.data.converters.inline.ace import ARGUMENTS, ENTITY_LABELS, MENTION_TYPES

FOLDER = Path(__file__).parent.parent / "assets" / "sample"
GENRES = {
    "sample": "news biography email dialogue business travel legal science sports fiction".split(),
    "web": "finance press review discovery court government league mail chat wire".split(),
}
# documents by split, tokens, in each genre: what there is at least
SPLITS = {"sample": {"train": 80, "dev": 15, "test": 25}, "web": {"train": 100, "dev": 10, "test": 20}}
TOKENS = {"sample": 40_000, "web": 40_000}
UNRELATED = {"sample": 6, "web": 0}  # documents without relations
RARE = {("entity", "EVENT"), ("mention", "WEA")}  # in the genres of web
LABELS = [
    *(("entity", label) for label in ENTITY_LABELS),
    *(("mention", label) for label in MENTION_TYPES),
    *(("relation", label) for label in ARGUMENTS),
]
PRONOUNS = set("i you he she it we they his her its their him them himself herself themselves".split())


@pytest.fixture(scope="module", params=list(GENRES))
def name(request):
    return request.param


@pytest.fixture(scope="module")
def corpora():
    """Every document, with full mentions and all entities."""
    folders = {"sample": FOLDER, "web": FOLDER / "web"}
    return {
        name: list(inline_folder_to_docs(folder, mentions="extent", singletons=True))
        for name, folder in folders.items()
    }


@pytest.fixture
def corpus(corpora, name):
    return corpora[name]


def sentence_lengths(docs):
    return [len(sent) for doc in docs for sent in doc.sents]


def first_hundred(doc):
    words = [token.lower_ for token in doc[:100]]
    return len(set(words)) / len(words)


def test_size(corpus, name):
    assert sum(len(doc) for doc in corpus) >= TOKENS[name]
    assert {doc.user_data["genre"] for doc in corpus} == set(GENRES[name])


def test_splits(corpus, name):
    splits = Counter(doc.user_data["split"] for doc in corpus)
    assert splits["train"] >= SPLITS[name]["train"]
    assert (splits["dev"], splits["test"]) == (SPLITS[name]["dev"], SPLITS[name]["test"])
    by_genre = Counter((doc.user_data["genre"], doc.user_data["split"]) for doc in corpus)
    for genre in GENRES[name]:
        assert by_genre[genre, "train"] >= 7
        assert 1 <= by_genre[genre, "dev"] <= 2
        assert 2 <= by_genre[genre, "test"] <= 3


def test_every_label(corpus, name):
    found, documents = Counter(), defaultdict(set)
    for doc in corpus:
        layers = {"entity": doc.ents, "mention": get_mentions(doc)}
        rows = [(layer, span.label_) for layer, spans in layers.items() for span in spans]
        rows += [("relation", relation.label) for relation in get_relations(doc)]
        for row in rows:
            found[row] += 1
            documents[row].add(doc.user_data["id"])
    counts = {row: (found[row], len(documents[row])) for row in LABELS}
    expected = set(LABELS) - (RARE if name == "web" else set())
    assert {row: n for row, n in counts.items() if row in expected and (n[0] < 25 or n[1] < 10)} == {}


def test_layers_in_every_split(corpus):
    for split in ("train", "dev", "test"):
        docs = [doc for doc in corpus if doc.user_data["split"] == split]
        assert {relation.label for doc in docs for relation in get_relations(doc)} == set(ARGUMENTS)
        assert {span.label_ for doc in docs for span in get_mentions(doc)} == set(MENTION_TYPES)


def test_variety(corpus, name):
    assert sum(not get_relations(doc) for doc in corpus) >= UNRELATED[name]
    heads = [relation.head for doc in corpus for relation in get_relations(doc)]
    assert sum(span.text.lower() in PRONOUNS for span in heads) >= 100
    nested = [one for doc in corpus for one, two in by_pairs(get_mentions(doc)) if two.end <= one.end]
    assert len(nested) >= 600


def by_pairs(mentions):
    """Each mention with the next, which it holds if that ends no later."""
    ordered = sorted(mentions, key=lambda span: (span.start, -span.end))
    return zip(ordered, ordered[1:], strict=False)


def test_files_and_headers(corpus, name):
    for doc in corpus:
        header = doc.user_data
        assert header["genre"] in GENRES[name] and header["id"].startswith(header["genre"] + "_")
    titles = Counter(doc.user_data["title"] for doc in corpus)
    assert [title for title, count in titles.items() if count > 1] == []


def test_no_eight_words_twice(corpora):
    seen, shared = {}, []
    for doc in (doc for docs in corpora.values() for doc in docs):
        words = [token.lower_ for token in doc]
        for i in range(len(words) - 7):
            gram = tuple(words[i : i + 8])
            if seen.setdefault(gram, doc.user_data["id"]) != doc.user_data["id"]:
                shared.append((seen[gram], doc.user_data["id"], " ".join(gram)))
    assert shared == []


def test_documents_are_like_prose(corpus):
    for doc in corpus:
        lengths = sentence_lengths([doc])
        assert len(doc) >= 100, doc.user_data["id"]
        assert 0.45 <= first_hundred(doc) <= 0.79, doc.user_data["id"]
        assert 3.7 <= pstdev(lengths) <= 27.3, doc.user_data["id"]
        assert max(lengths) <= 61, doc.user_data["id"]


def test_corpus_is_like_prose(corpus):
    lengths = sentence_lengths(corpus)
    assert 0.565 <= mean(map(first_hundred, corpus)) <= 0.755
    assert 9.3 <= mean(lengths) <= 27.4
    assert 9.2 <= pstdev(lengths) <= 17.2
    assert 0.06 <= sum(length <= 5 for length in lengths) / len(lengths) <= 0.44
    assert 0.04 <= sum(length >= 30 for length in lengths) / len(lengths) <= 0.39


def test_layers_of_every_document(corpus):
    for doc in corpus:
        mentions = get_mentions(doc)
        singletons = [cluster for cluster in get_clusters(doc) if len(cluster) == 1]
        assert doc.ents and mentions, doc.user_data["id"]
        assert singletons and len(singletons) < len(get_clusters(doc)), doc.user_data["id"]
        assert any(span.text.lower() in PRONOUNS for span in mentions), doc.user_data["id"]
