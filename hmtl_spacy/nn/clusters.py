"""From links between spans to clusters."""

from typing import Dict, Tuple

import numpy


def follow_links(
    spans: numpy.ndarray, linked: numpy.ndarray, antecedent: numpy.ndarray, probability: numpy.ndarray
) -> Tuple[numpy.ndarray, numpy.ndarray]:
    """Clusters from each span's best antecedent.

    Spans 0, 1, 2, 3, of which 2 links to 0 and 3 to 2, make one cluster of 0, 2 and 3:

    >>> spans = numpy.array([[0, 1], [2, 4], [5, 6], [7, 8]])
    >>> linked = numpy.array([False, False, True, True])
    >>> follow_links(spans, linked, numpy.array([0, 0, 0, 2]), numpy.array([0.9, 0.7, 0.8, 0.6]))[0].tolist()
    [[0, 1, 0], [5, 6, 0], [7, 8, 0]]

    spans: in document order, [n, 2]; linked: whether a span has an antecedent, [n];
        antecedent: which, [n]; probability: of the link or of having none, [n].
    RETURNS: rows [m, 3] of start, end, cluster, in the order of the spans, and their
        confidences [m]. A cluster's first mention has the confidence of the best link to it.
    """
    cluster: Dict[int, int] = {}
    score: Dict[int, float] = {}
    n_clusters = 0
    # spans come after their antecedents, so an antecedent's cluster is known unless it begins one
    for span in numpy.flatnonzero(linked).tolist():
        before = int(antecedent[span])
        if before not in cluster:
            cluster[before] = n_clusters
            n_clusters += 1
            score[before] = 0.0
        if not linked[before]:  # it begins a cluster: no link of its own has a probability
            score[before] = max(score[before], float(probability[span]))
        cluster[span] = cluster[before]
        score[span] = float(probability[span])
    order = sorted(cluster)
    rows = numpy.array([[*spans[i], cluster[i]] for i in order], dtype=numpy.int64).reshape(-1, 3)
    return rows, numpy.array([score[i] for i in order], dtype=numpy.float32)
