"""What a batch of documents teaches: the gold rows of its tasks, and where their annotation is missing."""

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence

import numpy
from spacy.tokens import Doc
from spacy.training import Example

from .gold import UsableGold, usable_gold
from .teaching import unknown_labels

GoldRows = Dict[str, List[Optional[numpy.ndarray]]]


class BatchGold(NamedTuple):
    """What the tasks can learn from a batch, by task.

    rows: of each document, None where one isn't annotated.
    unannotated, label_sets: of tasks of whose annotation something is open: which labels may be where, bool
        [n_tokens of the batch, n_labels], and what rows with further labels may be, see `Task.set_table`.
    """

    rows: GoldRows
    unannotated: Dict[str, numpy.ndarray]
    label_sets: Dict[str, numpy.ndarray]


def gold_of_batch(
    examples: Sequence[Example], tasks: Mapping[str, Any], sentence_of: Callable[[Doc], numpy.ndarray]
) -> BatchGold:
    """Usable gold of the tasks that at least one document teaches.

    sentence_of: gives the sentence of each token of a document. [n_tokens]
    """
    sentences = [sentence_of(eg.predicted) for eg in examples]
    batch = BatchGold({}, {}, {})
    for name, task in tasks.items():
        gold = [usable_gold(name, task, eg, of_doc) for eg, of_doc in zip(examples, sentences)]
        if any(gold):
            batch.rows[name] = [of_doc.rows if of_doc else None for of_doc in gold]
            unannotated = numpy.concatenate([_open(name, task, *of_doc) for of_doc in zip(examples, gold)])
            if unannotated.any() or any(_has_sets(task, of_doc) for of_doc in gold):
                batch.unannotated[name] = unannotated
                batch.label_sets[name] = task.set_table()
    return batch


def _open(name: str, task: Any, example: Example, gold: Optional[UsableGold]) -> numpy.ndarray:
    """Which labels may be at predicted tokens without a row: any where nothing is known, those that the
    corpus doesn't annotate everywhere. bool [n_tokens, n_labels]
    """
    labels = numpy.zeros((len(example.predicted), len(task.labels)), dtype=bool)
    if gold is not None:
        labels[:, numpy.isin(task.labels, unknown_labels(example.reference, name))] = True
        if gold.missing is not None:
            labels[gold.missing] = True
    return labels


def _has_sets(task: Any, gold: Optional[UsableGold]) -> bool:
    """Whether some row has one of a set of labels."""
    return gold is not None and task.learns_partially and bool((gold.rows[:, -1] >= len(task.labels)).any())
