"""Precision, recall and F1 of typed spans: named entities and mentions."""

from collections import Counter
from typing import Any, Collection, Dict, Iterable, Iterator, Sequence, Tuple, TypeVar

T = TypeVar("T")
U = TypeVar("U")
SpanOffsets = Tuple[int, int]
"""start, end: tokens, ends exclusive."""
LabelledSpan = Tuple[int, int, str]


def prf(p_num: float, p_den: float, r_num: float, r_den: float) -> Dict[str, float]:
    """Precision, recall and their harmonic mean; an empty denominator gives 0.0.

    p_num, p_den: what of the prediction is right, and all of the prediction.
    r_num, r_den: what of the gold annotation is in the prediction, and all of the gold annotation.
    """
    p = p_num / p_den if p_den else 0.0
    r = r_num / r_den if r_den else 0.0
    f = 2 * p * r / (p + r) if p + r else 0.0
    return {"p": float(p), "r": float(r), "f": float(f)}


def span_scores(
    gold: Sequence[Collection[LabelledSpan]], predicted: Sequence[Collection[LabelledSpan]]
) -> Dict[str, Any]:
    """Exact match of (start, end, label), micro-averaged over the corpus.

    This is the measure of CoNLL-2003 (Tjong Kim Sang and De Meulder 2003);
    spans may nest and overlap. A span given twice in a document counts once.

    gold, predicted: per document its spans (start, end, label), ends exclusive.
    RETURNS: `p`, `r`, `f`, and the same three per label under `per_type`.
    """
    return labelled_scores(gold, predicted)


def labelled_scores(
    gold: Sequence[Iterable[Tuple[Any, ...]]], predicted: Sequence[Iterable[Tuple[Any, ...]]]
) -> Dict[str, Any]:
    """Compare sets of tuples whose last element is the label, document by document.

    RETURNS: as `span_scores`.
    """
    n_gold: Counter[str] = Counter()
    n_predicted: Counter[str] = Counter()
    n_correct: Counter[str] = Counter()
    for gold_items, predicted_items in paired(gold, predicted):
        gold_set, predicted_set = set(gold_items), set(predicted_items)
        n_gold.update(item[-1] for item in gold_set)
        n_predicted.update(item[-1] for item in predicted_set)
        n_correct.update(item[-1] for item in gold_set & predicted_set)
    correct = sum(n_correct.values())
    scores: Dict[str, Any] = prf(correct, sum(n_predicted.values()), correct, sum(n_gold.values()))
    scores["per_type"] = {
        label: prf(n_correct[label], n_predicted[label], n_correct[label], n_gold[label])
        for label in sorted(n_gold.keys() | n_predicted.keys())
    }
    return scores


def paired(gold: Sequence[T], predicted: Sequence[U]) -> Iterator[Tuple[T, U]]:
    """Gold and prediction document by document; both must have the same number of documents."""
    if len(gold) != len(predicted):
        raise ValueError(
            f"Scoring needs one prediction per gold document, but got {len(gold)} gold and "
            f"{len(predicted)} predicted documents. Give an empty list for a document without annotation."
        )
    return zip(gold, predicted, strict=True)
