"""A probe: logistic regression on frozen vectors, its regularisation chosen on the development split."""

import warnings
from typing import Any, Dict, List, Sequence

import numpy
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)  # the inverse of the L2 penalty
STEPS = 200


def probe(vectors: Dict[str, numpy.ndarray], labels: Dict[str, Sequence[str]]) -> Dict[str, Any]:
    """Train on a split for each strength of the penalty, choose one, predict the test split with it.

    vectors: by split, [n_examples, width]. labels: by split.
    RETURNS: the strength, the accuracy on the development split, and the labels of the test split.
    """
    mean, spread = vectors["train"].mean(axis=0), vectors["train"].std(axis=0)
    spread[spread == 0] = 1
    scaled = {split: (of_split - mean) / spread for split, of_split in vectors.items()}
    tried = []
    classifier = LogisticRegression(max_iter=STEPS, tol=1e-3, warm_start=True)
    for strength in STRENGTHS:
        classifier.set_params(C=strength)
        with warnings.catch_warnings():
            # a fixed number of steps is part of the protocol
            warnings.simplefilter("ignore", ConvergenceWarning)
            classifier.fit(scaled["train"], labels["train"])
        on_dev = float((classifier.predict(scaled["dev"]) == numpy.asarray(labels["dev"])).mean())
        predicted: List[str] = classifier.predict(scaled["test"]).tolist()
        tried.append({"strength": strength, "dev": on_dev, "predicted": predicted})
    return max(tried, key=lambda trial: trial["dev"])
