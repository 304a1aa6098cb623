"""Precision, recall and F1 of relations, by three definitions of a correct argument."""

from typing import Any, Collection, Dict, Hashable, List, Mapping, Optional, Sequence, Set, Tuple

from .spans import SpanOffsets, labelled_scores

RelationTuple = Tuple[SpanOffsets, SpanOffsets, str]
ArgumentTypes = Mapping[SpanOffsets, str]

RELATION_MODES = ("last_token", "boundaries", "strict")


def relation_scores(
    gold: Sequence[Collection[RelationTuple]],
    predicted: Sequence[Collection[RelationTuple]],
    *,
    mode: str = "boundaries",
    gold_types: Optional[Sequence[ArgumentTypes]] = None,
    predicted_types: Optional[Sequence[ArgumentTypes]] = None,
    symmetric: Collection[str] = (),
) -> Dict[str, Any]:
    """Micro and macro scores of directed, typed relations.

    Every gold relation is in the denominator of recall, including those whose arguments were
    never proposed. The label must be right in every mode, and of the arguments:

    - `last_token`: their last tokens (Sanh et al. 2019, after multi-head selection, which
      predicts these positions: Bekoulis et al. 2018). Relations that share both last tokens
      and the label count as one.
    - `boundaries`: start and end of both.
    - `strict`: start, end and type of both (Bekoulis et al. 2018, Taillé et al. 2020). An
      argument without a type is never right.

    gold, predicted: per document its relations ((head start, head end), (tail start,
        tail end), label), ends exclusive. A relation given twice counts once.
    gold_types, predicted_types: per document the type of each argument span; only `strict`
        needs them.
    symmetric: labels whose direction doesn't count.
    RETURNS: `p`, `r`, `f` (micro), `macro_p`, `macro_r`, `macro_f` (unweighted means over
        the labels that occur in gold or prediction), and `per_type` with `p`, `r`, `f`.
    """
    if mode not in RELATION_MODES:
        raise ValueError(
            f"Unknown mode '{mode}' for relation scores. Use one of {', '.join(RELATION_MODES)}."
        )
    if mode == "strict" and (gold_types is None or predicted_types is None):
        raise ValueError(
            "Strict relation scores compare argument types: pass gold_types and predicted_types too."
        )
    scores = labelled_scores(
        _comparable(gold, mode, gold_types, "gold", symmetric),
        _comparable(predicted, mode, predicted_types, "predicted", symmetric),
    )
    per_type = scores["per_type"].values()
    for key in ("p", "r", "f"):
        scores[f"macro_{key}"] = (
            sum(of_label[key] for of_label in per_type) / len(per_type) if per_type else 0.0
        )
    return scores


def _comparable(
    relations: Sequence[Collection[RelationTuple]],
    mode: str,
    types: Optional[Sequence[ArgumentTypes]],
    side: str,
    symmetric: Collection[str],
) -> List[Set[Tuple[Hashable, Hashable, str]]]:
    """Per document a set of (head, tail, label), each argument cut down to what `mode` compares."""
    if mode != "strict" or types is None:
        types = [{}] * len(relations)
    if len(types) != len(relations):
        raise ValueError(
            f"Strict scores need the argument types of every {side} document, "
            f"but got types for {len(types)} and relations for {len(relations)} documents."
        )
    return [
        {relation_key(relation, mode, doc_types, side, symmetric) for relation in doc_relations}
        for doc_relations, doc_types in zip(relations, types, strict=True)
    ]


def relation_key(
    relation: RelationTuple, mode: str, types: ArgumentTypes, side: str, symmetric: Collection[str] = ()
) -> Tuple[Hashable, Hashable, str]:
    """What two relations must have in common to count as the same; see `relation_scores`.

    side: "gold" or "predicted": arguments without a type match none of the other side in strict mode.
    """
    head, tail, label = relation
    if label in symmetric and (tail[1], tail[0]) < (head[1], head[0]):
        head, tail = tail, head
    return _argument_key(head, mode, types, side), _argument_key(tail, mode, types, side), label


def _argument_key(span: SpanOffsets, mode: str, types: ArgumentTypes, side: str) -> Hashable:
    start, end = span
    if mode == "last_token":
        return end - 1
    if mode == "boundaries":
        return start, end
    # the name of the side as a stand-in keeps two arguments without a type from matching
    return start, end, types.get((start, end), (side,))
