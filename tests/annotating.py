"""Helpers of the tests of `annotate`: inputs to make, outputs to compare."""

import json
import os
import time
from pathlib import Path

from spacy.language import Language

TEXTS = [
    "Ann Lee works for Acme Corp . She likes it .",
    "My mom lives in Lyon . It rains there .",
    "Bob met Ann Lee . He lives in Rome .",
    "",
    "Nothing happens today .",
]


@Language.component("hmtl_test_fails")
def fails(doc):
    """Can't bear one word."""
    if "unbearable" in doc.text:
        raise ValueError("found the word")
    return doc


class FailsByTheBatch:
    """Takes a whole batch down with one document, and asks no error handler."""

    def __call__(self, doc):
        return fails(doc)

    def pipe(self, stream, batch_size=2):
        yield from [fails(doc) for doc in stream]


@Language.factory("hmtl_test_fails_by_the_batch")
def make_fails_by_the_batch(nlp, name):
    return FailsByTheBatch()


@Language.component("hmtl_test_dies")
def dies(doc):
    """As a process does that runs out of memory."""
    if "deadly" in doc.text:
        os._exit(1)
    return doc


@Language.component("hmtl_test_waits")
def waits(doc):
    """Says in a file which process it is, and of which Ray node; waits there until another file exists."""
    if doc.text.startswith("wait "):
        import ray

        place = Path(doc.text.removeprefix("wait "))
        node = ray.get_runtime_context().get_node_id() if ray.is_initialized() else ""
        place.with_suffix(".part").write_text(f"{os.getpid()} {node}")
        place.with_suffix(".part").replace(place)
        while not place.with_suffix(".go").exists():
            time.sleep(0.02)
    return doc


@Language.component("hmtl_test_eats")
def eats(doc):
    """Takes so many bytes of memory, piece by piece, and lets them go."""
    if doc.text.startswith("eat "):
        pieces = []
        for _ in range(int(doc.text.removeprefix("eat ")) >> 24):
            pieces.append(b"x" * (1 << 24))
            time.sleep(0.002)
        time.sleep(5)
    return doc


@Language.component("hmtl_test_peak")
def peak(doc):
    """The most memory that the process had, beside what came with the document. [MB]"""
    import resource

    doc.user_data["meta"]["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return doc


def write_jsonl(path, n_docs, extra=()):
    """So many short documents, each a little different, then what else is given, a line each."""
    records = [{"text": TEXTS[i % 5], "id": f"d{i}", "meta": {"n": i}} for i in range(n_docs)]
    lines = [*map(json.dumps, records), *extra]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def read_jsonl(path):
    return [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]


def files(path):
    """The content of a file, or of all files of a folder by name."""
    return path.read_bytes() if path.is_file() else {f.name: f.read_bytes() for f in path.iterdir()}
