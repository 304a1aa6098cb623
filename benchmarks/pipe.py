"""`nlp.pipe` over raw texts: all levels and each alone, at several batch sizes, and where the time goes."""

import time
from pathlib import Path
from typing import Dict, Iterator, List, Optional

import spacy

from .measure import Case, Measurement, Work
from .pipelines import LEVELS, Setup
from .report import Ratio
from .texts import count_words

BATCH_SIZES = (1, 32, 256)
CONFIGS = ("hmtl", "static")


def groups(setup: Setup) -> List[List[Case]]:
    """By batch size, by level, by what takes the time, and one short text at a time."""
    texts = {"texts": setup.texts.all}
    short = {"texts": setup.texts.sentences}
    paths = {name: setup.pipelines.path(name) for name in CONFIGS}
    alone = {
        f"{name}-{level}": setup.pipelines.path(f"{name}-{level}") for name in CONFIGS for level in LEVELS
    }
    all_levels = [
        Case(f"{name}, batch {n}", piped, {**texts, "path": path, "batch_size": n})
        for name, path in paths.items()
        for n in BATCH_SIZES
    ]
    levels = [
        Case(f"{name} alone", piped, {**texts, "path": path, "batch_size": 256})
        for name, path in alone.items()
    ]
    one_by_one = [
        case
        for name, path in paths.items()
        for case in (
            Case(f"{name}, short texts, one at a time", one_at_a_time, {**short, "path": path}),
            Case(f"{name}, short texts, batch 256", piped, {**short, "path": path, "batch_size": 256}),
        )
    ]
    splits = [
        Case(f"{name}, split", split, {**texts, "path": path, "batch_size": 256})
        for name, path in paths.items()
    ]
    return [all_levels, levels[: len(LEVELS)], levels[len(LEVELS) :], one_by_one, splits]


def ratios(measured: Dict[str, Measurement]) -> Iterator[Ratio]:
    speed = {name: m.words_per_second for name, m in measured.items()}
    for n in (32, 256):
        ratio = speed[f"static, batch {n}"] / speed[f"hmtl, batch {n}"]
        yield Ratio(2, f"static, batch {n}: words/s over those of hmtl", ratio, ">=", 8.0)
    for name in CONFIGS:
        ratio = speed[f"{name}, short texts, batch 256"] / speed[f"{name}, short texts, one at a time"]
        yield Ratio(3, f"{name}, short texts, batch 256: words/s over one at a time", ratio, ">=", 2.5)


def piped(
    texts: List[str],
    path: Path,
    batch_size: int,
    n_process: int = 1,
    precision: str = "",
    threads: Optional[int] = None,
) -> Work:
    """precision: of the transformer, if the pipeline has one; the pipeline's own if not given."""
    parts = {"contextual": {"precision": precision}} if precision else {}
    component = {"embedding": {"parts": parts}, "threads": threads}
    nlp = spacy.load(path, config={"components": {"hmtl": component}})

    def run():
        return annotations(nlp.pipe(texts, batch_size=batch_size, n_process=n_process))

    return Work(run, count_words(texts))


def one_at_a_time(texts: List[str], path: Path) -> Work:
    nlp = spacy.load(path)
    return Work(lambda: annotations(map(nlp, texts)), count_words(texts))


def split(texts: List[str], path: Path, batch_size: int) -> Work:
    from .clock import watch

    nlp = spacy.load(path)
    clock = watch(nlp)

    def run():
        start = time.perf_counter()
        counts = annotations(nlp.pipe(texts, batch_size=batch_size))
        return {**counts, **clock.shares(time.perf_counter() - start)}

    return Work(run, count_words(texts))


def annotations(docs) -> Dict[str, float]:
    """How much was found in documents, which are read and let go."""
    counts = {"entities": 0, "mentions": 0, "coref_clusters": 0, "relations": 0}
    for doc in docs:
        counts["entities"] += len(doc.ents)
        for key in ("mentions", "coref_clusters", "relations"):
            counts[key] += len(doc.spans[key]) if key in doc.spans else 0
    return {key: float(value) for key, value in counts.items()}
