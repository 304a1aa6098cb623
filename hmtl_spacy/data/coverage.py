"""How much of a training corpus can be used: what is counted and reported before training starts."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterable, List, Tuple

import numpy
from spacy.tokens import Doc
from spacy.training import Example
from wasabi.tables import table

from .corpus import corpus_name
from .gold import usable_rows


@dataclass
class Coverage:
    """Counts of one task in one corpus. lost: unusable annotations by reason."""

    docs: int = 0
    sentences: int = 0
    annotations: int = 0
    usable: int = 0
    lost: Counter[str] = field(default_factory=Counter)


def measure(
    examples: Iterable[Example], tasks: Dict[str, Any], sentence_of: Callable[[Doc], numpy.ndarray]
) -> Dict[Tuple[str, str], Coverage]:
    """Coverage by corpus and task.

    sentence_of: gives the sentence of each token of a document. [n_tokens]
    """
    coverages: Dict[Tuple[str, str], Coverage] = {}
    for example in examples:
        sentences = sentence_of(example.predicted)
        for name, task in tasks.items():
            rows, lost = usable_rows(name, task, example, sentences)
            if rows is None:
                continue
            coverage = coverages.setdefault((corpus_name(example.reference), name), Coverage())
            coverage.docs += 1
            coverage.sentences += int(sentences[-1]) + 1 if len(sentences) else 0
            coverage.annotations += len(rows) + sum(lost.values())
            coverage.usable += len(rows)
            coverage.lost.update(lost)
    return coverages


def coverage_table(coverages: Dict[Tuple[str, str], Coverage]) -> str:
    """The counts as text, one line per corpus and task."""
    rows: List[Tuple[str, ...]] = []
    for (corpus, name), coverage in coverages.items():
        share = coverage.usable / coverage.annotations if coverage.annotations else 1.0
        lost = ", ".join(f"{count} {reason}" for reason, count in coverage.lost.most_common())
        counts = (coverage.docs, coverage.sentences, coverage.annotations)
        rows.append((corpus or "-", name, *map(str, counts), f"{share:.1%}", lost))
    header = ("corpus", "task", "docs", "sentences", "annotations", "usable", "lost")
    return table(rows, header=header, divider=True, aligns=("l", "l", "r", "r", "r", "r", "l"))
