"""From links between spans to clusters."""

from typing import Dict, Literal, NamedTuple, Optional, Tuple

import numpy
from torch import Tensor

Linking = Literal["best", "total"]


class Links(NamedTuple):
    """Which antecedent each span has, if any.

    linked: whether a span has one. [n]
    antecedent: which. [n]
    probability: of the link, or of having none. [n]
    """

    linked: numpy.ndarray
    antecedent: numpy.ndarray
    probability: numpy.ndarray


def no_links(n: int) -> Links:
    """Of n spans none has an antecedent."""
    return Links(numpy.zeros(n, dtype=bool), numpy.zeros(n, dtype=numpy.int64), numpy.zeros(n))


def best_links(antecedent: Tensor, probability: Tensor, threshold: float, linking: Linking = "best") -> Links:
    """Each span's most probable antecedent; see `Pairs` for the numbering.

    antecedent: [n_kept, n]; probability: the dummy's in column 0. [n_kept, 1 + n]
    threshold: the link is made if its probability is at least that.
    linking: and if it is likelier than none, "best" (Lee et al. 2017, section 3), or if all antecedents
        together are, "total": training wants any of the right ones, so that they share the probability.
    """
    none = probability[:, 0]
    highest, best = probability[:, 1:].max(dim=1)
    likely = highest > none if linking == "best" else none < 0.5
    linked = likely & (highest >= threshold)
    chosen = antecedent.gather(1, best[:, None])[:, 0]
    of_link = highest.where(linked | (highest > none), none)
    return Links(linked.cpu().numpy(), chosen.cpu().numpy(), of_link.cpu().numpy())


def follow_links(
    spans: numpy.ndarray, links: Links, mention: Optional[numpy.ndarray] = None
) -> Tuple[numpy.ndarray, numpy.ndarray]:
    """Clusters from each span's antecedent.

    Spans 0, 1, 2, 3, of which 2 links to 0 and 3 to 2, make one cluster of 0, 2 and 3:

    >>> spans = numpy.array([[0, 1], [2, 4], [5, 6], [7, 8]])
    >>> linked = numpy.array([False, False, True, True])
    >>> links = Links(linked, numpy.array([0, 0, 0, 2]), numpy.array([0.9, 0.7, 0.8, 0.6]))
    >>> follow_links(spans, links)[0].tolist()
    [[0, 1, 0], [5, 6, 0], [7, 8, 0]]

    Span 1 is a cluster of its own if it is a mention:

    >>> follow_links(spans, links, mention=numpy.array([0.2, 0.6, 0.9, 0.9]))[0].tolist()
    [[0, 1, 0], [2, 4, 1], [5, 6, 0], [7, 8, 0]]

    spans: in document order. [n, 2]
    mention: probability that a span is a mention; from 0.5 on, those in no cluster make one each. [n]
    RETURNS: rows [m, 3] of start, end, cluster, in the order of the spans, and their
        confidences [m]: that of the link, or of being a mention. A cluster's first mention has the
        confidence of the best link to it.
    """
    cluster: Dict[int, int] = {}
    score: Dict[int, float] = {}
    n_clusters = 0
    # spans come after their antecedents, so an antecedent's cluster is known unless it begins one
    for span in numpy.flatnonzero(links.linked).tolist():
        before, probability = int(links.antecedent[span]), float(links.probability[span])
        if before not in cluster:
            cluster[before] = n_clusters
            n_clusters += 1
            score[before] = 0.0
        if not links.linked[before]:  # it begins a cluster: no link of its own has a probability
            score[before] = max(score[before], probability)
        cluster[span], score[span] = cluster[before], probability
    if mention is not None:
        alone = [span for span in numpy.flatnonzero(mention >= 0.5).tolist() if span not in cluster]
        cluster.update(zip(alone, range(n_clusters, n_clusters + len(alone))))
        score.update((span, float(mention[span])) for span in alone)
    order = sorted(cluster)
    rows = numpy.array([[*spans[i], cluster[i]] for i in order], dtype=numpy.int64).reshape(-1, 3)
    return rows, numpy.array([score[i] for i in order], dtype=numpy.float32)
