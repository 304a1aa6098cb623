"""Confidences as probabilities: a score is moved so that of those at 0.8, eight of ten are right.

Platt (1999), "Probabilistic outputs for support vector machines": sigmoid(scale * logit(score) + shift), the
two numbers fitted on documents that training didn't see. With shift 0 it is the temperature scaling of Guo et
al. (2017), section 4.2, with the temperature 1 / scale.
"""

from dataclasses import dataclass
from typing import Any, List, Optional, Sequence, Tuple

import numpy

Judgement = Tuple[float, bool]  # a confidence, and whether what was predicted with it is right
EDGE = 1e-6  # confidences are taken as at least so far from 0 and 1, where the logit has no value
WEIGHT = 1e-3  # of the distance from no change, per judgement: if all are right, the best curve has no end


@dataclass(frozen=True)
class Calibration:
    """How confident predictions are, and how many are right.

    n: how many predictions there are; confidence: their mean; right: the share of them that is.
    error: expected calibration error (Guo et al. 2017, equation 3), from 0 to 1.
    """

    n: int
    confidence: float
    right: float
    error: float


def calibrated(scores: numpy.ndarray, curve: Optional[Sequence[float]]) -> numpy.ndarray:
    """Scores, moved by a scale and a shift if there are any. [n]"""
    if curve is None:
        return scores
    scale, shift = curve
    moved: numpy.ndarray = 1.0 / (1.0 + numpy.exp(-(scale * _logits(scores) + shift)))
    return moved.astype(scores.dtype)


def fit_curve(judgements: Sequence[Judgement]) -> List[float]:
    """The scale and the shift that make what came true likeliest; scales below 0 aren't tried."""
    from scipy.optimize import minimize

    scores, right = _columns(judgements)
    logits, sides = _logits(scores), 2.0 * right - 1.0

    def loss(curve: numpy.ndarray) -> float:
        scale, shift = curve
        misses = numpy.logaddexp(0.0, -sides * (scale * logits + shift)).sum()
        return float(misses + WEIGHT * len(sides) * ((scale - 1.0) ** 2 + shift**2))

    found: Any = minimize(loss, [1.0, 0.0], method="L-BFGS-B", bounds=[(0.0, None), (None, None)])
    return [round(float(value), 4) for value in found.x]


def measure(judgements: Sequence[Judgement], bins: int = 10) -> Calibration:
    """Mean confidence, share that is right, and the mean distance of the two in bins of equal width."""
    scores, right = _columns(judgements)
    if not len(scores):
        return Calibration(0, 0.0, 0.0, 0.0)
    of_bin = numpy.minimum((scores * bins).astype(int), bins - 1)
    gaps = numpy.bincount(of_bin, weights=scores - right, minlength=bins)  # [bins] sums of differences
    error = float(numpy.abs(gaps).sum() / len(scores))
    return Calibration(len(scores), float(scores.mean()), float(right.mean()), error)


def _columns(judgements: Sequence[Judgement]) -> Tuple[numpy.ndarray, numpy.ndarray]:
    """Confidences and whether they are right, as numbers. float64 [n] each"""
    columns = numpy.array(judgements, dtype=numpy.float64).reshape(-1, 2)
    return columns[:, 0], columns[:, 1]


def _logits(scores: numpy.ndarray) -> numpy.ndarray:
    """Log-odds of scores. [n] -> [n], float64"""
    inside = numpy.clip(scores.astype(numpy.float64), EDGE, 1.0 - EDGE)
    logits: numpy.ndarray = numpy.log(inside) - numpy.log1p(-inside)
    return logits
