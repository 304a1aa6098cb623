"""What a batch of documents teaches: the gold rows of its tasks, and where their annotation is missing."""

from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy
from spacy.tokens import Doc
from spacy.training import Example

from .gold import UsableGold, usable_gold

GoldRows = Dict[str, List[Optional[numpy.ndarray]]]


def gold_of_batch(
    examples: Sequence[Example], tasks: Mapping[str, Any], sentence_of: Callable[[Doc], numpy.ndarray]
) -> Tuple[GoldRows, Dict[str, numpy.ndarray]]:
    """Usable gold of the tasks that at least one document teaches.

    sentence_of: gives the sentence of each token of a document. [n_tokens]
    RETURNS: the rows of each task per document, None where one isn't annotated; and which labels may be
        where, for tasks of whose annotation some is missing. bool [n_tokens of the batch, n_labels]
    """
    sentences = [sentence_of(eg.predicted) for eg in examples]
    rows: GoldRows = {}
    unannotated: Dict[str, numpy.ndarray] = {}
    for name, task in tasks.items():
        gold = [usable_gold(name, task, eg, of_doc) for eg, of_doc in zip(examples, sentences)]
        if any(gold):
            rows[name] = [of_doc.rows if of_doc else None for of_doc in gold]
            missing = numpy.concatenate([_missing(eg, of_doc) for eg, of_doc in zip(examples, gold)])
            if missing.any():
                unannotated[name] = numpy.repeat(missing[:, None], len(task.labels), axis=1)
    return rows, unannotated


def _missing(example: Example, gold: Optional[UsableGold]) -> numpy.ndarray:
    """Predicted tokens of which nothing is known, if the task can learn from the others. [n_tokens]"""
    if gold is None or gold.missing is None:
        return numpy.zeros(len(example.predicted), dtype=bool)
    return gold.missing
