"""Long documents, large corpora, several processes: speed and memory as the amount of text grows."""

import resource
from pathlib import Path
from typing import Dict, Iterator, List

import spacy

from .machine import peak_mib, resident_mib
from .measure import Case, Measurement, Work
from .pipe import CONFIGS, annotations, piped
from .pipelines import Setup
from .report import Ratio
from .texts import count_words, joined, some

DOCUMENT_WORDS = (250, 1000, 4000, 16_000, 64_000)
CORPUS_WORDS = (1000, 10_000, 100_000)
PASS_WORDS = 8000


def groups(setup: Setup) -> List[List[Case]]:
    """By length of documents, by size of the corpus, by number of processes; each config on its own."""
    cases = []
    for name in CONFIGS:
        path = setup.pipelines.path(name)
        cases.append([_document_case(name, path, words, setup) for words in DOCUMENT_WORDS])
        cases.append([_corpus_case(name, path, words, setup) for words in CORPUS_WORDS])
        texts = some(setup.texts.all, 100 if setup.tiny else PASS_WORDS)
        cases.append(
            [
                Case(f"{name}, n_process {n}", in_processes, {"texts": texts, "path": path, "n_process": n})
                for n in (1, 2)
            ]
        )
    return cases


def ratios(measured: Dict[str, Measurement]) -> Iterator[Ratio]:
    for name in CONFIGS:
        long, short = (
            measured[f"{name}, documents of 64000 words"],
            measured[f"{name}, documents of 1000 words"],
        )
        ratio = long.words_per_second / short.words_per_second
        yield Ratio(4, f"{name}, documents of 64000 words: words/s over those of 1000", ratio, ">=", 0.8)
        memory = long.numbers["kB per word"]
        yield Ratio(4, f"{name}, a document of 64000 words: memory per word", memory, "<=", 12.0, " kB")


def documents(texts: List[str], path: Path) -> Work:
    """Read documents one by one; memory counts from a pipeline that has read a sentence."""
    nlp = spacy.load(path)
    nlp("One short text, so that everything is in place.")
    before, words = resident_mib(), count_words(texts)
    longest = max(count_words([text]) for text in texts)

    def run():
        counts = annotations(map(nlp, texts))
        return {**counts, "kB per word": (peak_mib() - before) * 1024 / longest}

    return Work(run, words)


def in_processes(texts: List[str], path: Path, n_process: int) -> Work:
    work = piped(texts, path, batch_size=32, n_process=n_process)

    def run():
        counts = work.run()
        largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        return {**counts, "largest child MiB": largest}

    return Work(run, work.words)


def _document_case(name: str, path: Path, words: int, setup: Setup) -> Case:
    n_words = words // 250 if setup.tiny else words
    text = joined(setup.texts.documents, n_words)
    texts = [text] * (1 if setup.tiny else max(1, PASS_WORDS // words))
    return Case(f"{name}, documents of {words} words", documents, {"texts": texts, "path": path})


def _corpus_case(name: str, path: Path, words: int, setup: Setup) -> Case:
    texts = some(setup.texts.all, words // 250 if setup.tiny else words)
    return Case(f"{name}, corpus of {words} words", piped, {"texts": texts, "path": path, "batch_size": 64})
