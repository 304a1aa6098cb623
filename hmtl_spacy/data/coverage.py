"""How much of a training corpus can be used: what is counted and reported before training starts."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterable, List, Literal, Tuple

import numpy
from spacy.tokens import Doc
from spacy.training import Example
from wasabi.tables import table

from .gold import usable_gold
from .lifting import count_lifted
from .teaching import corpus_name


@dataclass
class Coverage:
    """Counts of one task in one corpus.

    lost: unusable annotations by reason. out_of_reach: what the settings hardly let be found, by reason.
    missing: tokens of which nothing is known. lifted: relations that lifting added, see `lift_relations`.
    """

    docs: int = 0
    sentences: int = 0
    annotations: int = 0
    usable: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    lifted: int = 0
    out_of_reach: Counter[str] = field(default_factory=Counter)


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
            gold = usable_gold(name, task, example, sentences)
            if gold is None:
                continue
            coverage = coverages.setdefault((corpus_name(example.reference), name), Coverage())
            coverage.docs += 1
            coverage.sentences += int(sentences[-1]) + 1 if len(sentences) else 0
            usable = gold.rows[gold.rows[:, -1] >= 0]  # below are mentions whose coreference is left open
            coverage.annotations += len(usable) + sum(gold.lost.values())
            coverage.usable += len(usable)
            coverage.lost.update(gold.lost)
            missing = task.missing(example.reference)
            coverage.missing += 0 if missing is None else int(missing.sum())
            coverage.lifted += _count_lifted(task, example.reference)
            coverage.out_of_reach.update(task.out_of_reach(gold.rows))
    return coverages


def _count_lifted(task: Any, reference: Doc) -> int:
    return count_lifted(reference, task.keys["relations"]) if task.layer == "relations" else 0


def coverage_table(coverages: Dict[Tuple[str, str], Coverage]) -> str:
    """The counts as text, one line per corpus and task."""
    rows: List[Tuple[str, ...]] = []
    titles = {"missing": "missing tokens", "lifted": "lifted"}
    shown = [name for name in titles if any(getattr(row, name) for row in coverages.values())]
    for (corpus, name), coverage in coverages.items():
        share = coverage.usable / coverage.annotations if coverage.annotations else 1.0
        counted = [*coverage.lost.most_common(), *coverage.out_of_reach.most_common()]
        lost = ", ".join(f"{count} {reason}" for reason, count in counted)
        counts = (coverage.docs, coverage.sentences, coverage.annotations)
        extra = [str(getattr(coverage, name)) for name in shown]
        rows.append((corpus or "-", name, *map(str, counts), f"{share:.1%}", *extra, lost))
    columns = ("docs", "sentences", "annotations", "usable", *(titles[name] for name in shown))
    numbers: List[Literal["l", "r"]] = ["r"] * len(columns)
    aligns: List[Literal["l", "r"]] = ["l", "l", *numbers, "l"]
    return table(rows, header=("corpus", "task", *columns, "lost"), divider=True, aligns=aligns)
