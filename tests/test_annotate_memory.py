"""Twenty times the input takes no more memory."""

import json
import subprocess
import sys

import pytest
from annotating import TEXTS

MEASURE = """
import resource, sys, spacy
from hmtl_spacy.annotate import annotate

model, source, out, n_process = sys.argv[1:]
summary = annotate(spacy.load(model), source, out, batch_size=8, n_process=int(n_process))
peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(summary.written["documents"], *peaks)
"""
FEW, MANY = 15, 300
PAYLOAD = "x" * 200_000  # of each document, so that the many are 60 MB


def peaks(tmp_path, n_docs, name, n_process):
    """The most memory that a run's process and its children had. [MB]"""
    source = tmp_path / f"{n_docs}.jsonl"
    with source.open("w") as file:
        for i in range(n_docs):
            file.write(json.dumps({"text": TEXTS[i % 5], "meta": f"{i}{PAYLOAD}"}) + "\n")
    args = [tmp_path / "model", source, tmp_path / f"{n_docs}{name}", str(n_process)]
    found = subprocess.run([sys.executable, "-c", MEASURE, *args], capture_output=True, text=True)
    documents, *kilobytes = map(int, found.stdout.split() or pytest.fail(found.stderr))
    assert documents == n_docs
    return [size / (1 if sys.platform != "darwin" else 1024) / 1024 for size in kilobytes]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no resource module")
@pytest.mark.parametrize("name, n_process", [("out.jsonl", 1), ("out.spacy", 2)])
def test_memory_does_not_grow(trained, tmp_path, name, n_process):
    trained.to_disk(tmp_path / "model")
    few, many = (peaks(tmp_path, n, name, n_process) for n in (FEW, MANY))
    for before, after in zip(few, many, strict=True):
        assert after < before + 20, (few, many)
