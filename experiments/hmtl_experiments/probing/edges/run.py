"""Probe a pipeline's layers on targets and on their control tasks; what comes of it is plain data."""

from collections import Counter
from random import Random
from typing import Any, Dict, List, Sequence

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from tqdm import tqdm

from ..classifying import probe
from ..splitting import SHARES
from .controls import control, known
from .embedding import embed, features
from .targets import NONE, TASKS, Target

MOST = 4000  # targets of a task to train on
Splits = Dict[str, List[Target]]


def make_splits(task: str, docs: Dict[str, List[Doc]], seed: int) -> Splits:
    """Make the targets of a task; the same seed gives the same. Of too many for training some are drawn."""
    random = Random(f"{task} {seed}")
    splits = {split: list(TASKS[task](of_split, random)) for split, of_split in docs.items()}
    if len(splits["train"]) > MOST:
        splits["train"] = random.sample(splits["train"], MOST)
    return splits


def can_be_probed(splits: Splits) -> bool:
    """Is there anything to learn, to choose by and to score?"""
    labels = {target.label for target in splits["train"]}
    return len(labels) > 1 and all(any(t.label != NONE for t in of_split) for of_split in splits.values())


def run(nlp: Language, docs: Dict[str, List[Doc]], by_task: Dict[str, Splits], seed: int) -> Dict[str, Any]:
    """Embed every span once and train two probes for each task and layer.

    RETURNS: by task: how many targets and labels each split has, what share of the test targets has words
        that are in the training split, and by layer what is right in each test document, in the task and in
        its control task, as `counts` has it; the same for the most frequent label.
    """
    first = dict(zip(SHARES, numpy.cumsum([0, *(len(docs[split]) for split in SHARES)]).tolist()))
    moved = {
        task: {split: [t._replace(doc=t.doc + first[split]) for t in splits[split]] for split in SHARES}
        for task, splits in by_task.items()
    }
    targets = [target for splits in moved.values() for of_split in splits.values() for target in of_split]
    vectors, rows = embed(nlp, [doc for split in SHARES for doc in docs[split]], targets)
    results: Dict[str, Any] = {}
    for task, splits in moved.items():
        labels = {
            "task": {split: [target.label for target in of_split] for split, of_split in splits.items()},
            "control": control(splits, seed),
        }
        results[task] = {
            "counts": {
                split: [len(splits[split]), len({t.label for t in splits[split]})] for split in SHARES
            },
            "known": known(splits),
            "most frequent": _most_frequent(splits["test"], labels["task"]),
            "probes": [],
        }
        for layer, of_layer in tqdm(vectors.items(), desc=task, unit=" layers", disable=None, leave=False):
            found: Dict[str, Any] = {"layer": layer, "width": of_layer.shape[1]}
            read = {split: features(of_layer, rows, splits[split]) for split in SHARES}
            for kind, of_kind in labels.items():
                best = probe(read, of_kind)
                found[kind] = counts(splits["test"], of_kind["test"], best.pop("predicted"))
                found[f"{kind} probe"] = best
            results[task]["probes"].append(found)
    return results


def counts(targets: Sequence[Target], gold: Sequence[str], predicted: Sequence[str]) -> List[List[int]]:
    """Count, for each document, what is right, predicted and gold without `NONE`; then what is right with it,
    of how many.
    """
    by_doc: Dict[int, List[int]] = {target.doc: [0] * 5 for target in targets}
    for target, label, guess in zip(targets, gold, predicted):
        found = (label == guess != NONE, guess != NONE, label != NONE, label == guess, True)
        by_doc[target.doc] = [n + more for n, more in zip(by_doc[target.doc], found)]
    return list(by_doc.values())


def _most_frequent(test: Sequence[Target], labels: Dict[str, List[str]]) -> Dict[str, List[List[int]]]:
    """What is right if one label is predicted for all: the most frequent but `NONE`, or the most frequent."""
    often = [label for label, _ in Counter(labels["train"]).most_common()]
    chosen = {"F1": next(label for label in often if label != NONE), "accuracy": often[0]}
    return {score: counts(test, labels["test"], [label] * len(test)) for score, label in chosen.items()}
