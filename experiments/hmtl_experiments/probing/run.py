"""Probe a pipeline on all tasks; what is reported is made of plain data alone."""

from typing import Any, Dict, List, Optional, Sequence

import numpy
from spacy.language import Language
from spacy.vocab import Vocab
from tqdm import tqdm

from .classifying import probe
from .embedding import Embeddings, embed, embed_with_vectors
from .splitting import SHARES, Splits, counts


def run(nlp: Language, by_task: Dict[str, Splits], vocab: Optional[Vocab] = None) -> Dict[str, Any]:
    """Embed every sentence once and train a probe for each task, layer and pooling.

    by_task: the splits of each task.
    vocab: with word vectors, for bags of them.
    RETURNS: by task: how many sentences and labels, what each test sentence is drawn with, and by layer and
        pooling what `probe` gives, with a character for each test sentence in place of its label, 1 if it is
        right.
    """
    splits = [split for of_task in by_task.values() for split in of_task.values()]
    place = {words: i for i, words in enumerate(dict.fromkeys(eg.words for split in splits for eg in split))}
    embeddings = embed(nlp, list(place))
    if vocab is not None:
        embeddings = {**embed_with_vectors(vocab, list(place)), **embeddings}
    results = {}
    for task, of_task in tqdm(by_task.items(), unit=" tasks", disable=None, leave=False):
        results[task] = {
            "counts": counts(of_task),
            "groups": _numbered([example.unit or example.group for example in of_task["test"]]),
            "probes": _probes(of_task, embeddings, place),
        }
    return results


def _probes(splits: Splits, embeddings: Embeddings, place: Dict[Any, int]) -> List[Dict[str, Any]]:
    rows = {split: [place[example.words] for example in splits[split]] for split in SHARES}
    labels = {split: [example.label for example in splits[split]] for split in SHARES}
    probes = []
    for (layer, pooling), vectors in embeddings.items():
        found = probe({split: numpy.take(vectors, rows[split], axis=0) for split in SHARES}, labels)
        predicted = found.pop("predicted")
        right = "".join("01"[one == label] for one, label in zip(predicted, labels["test"]))
        probes.append({"layer": layer, "pooling": pooling, **found, "right": right})
    return probes


def _numbered(groups: Sequence[str]) -> List[int]:
    """Numbers in place of names."""
    numbers = {group: i for i, group in enumerate(dict.fromkeys(groups))}
    return [numbers[group] for group in groups]
