"""Coreference scores: MUC, B-cubed, CEAF-e, their mean, LEA and mention detection.

All are computed from the sizes of the clusters and from how many mentions each gold
cluster k shares with each predicted cluster r, written n = |k & r| below. Totals are
those of the official scorer (Pradhan et al. 2014, reference-coreference-scorers v8.01):
numerators and denominators are summed over documents, then divided. Below, `n_gold` and
`n_predicted` are the sizes of the clusters, |k| and |r|.
"""

from collections import Counter
from typing import Collection, Dict, Hashable, Iterable, List, Optional, Sequence, Set, Tuple, TypeVar

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .spans import SpanOffsets, paired, prf

M = TypeVar("M", bound=Hashable)  # a mention
Clusters = Iterable[Collection[Hashable]]
Overlaps = Counter[Tuple[int, int]]
"""(i, j) -> n: how many mentions gold cluster i and predicted cluster j share, where they share any."""
Fractions = Tuple[float, float, float, float]
"""Numerator and denominator of precision, numerator and denominator of recall."""
Link = Tuple[SpanOffsets, SpanOffsets]
"""A mention's antecedent, and the mention."""

CONLL = ("muc", "b3", "ceafe")


def coref_scores(
    gold: Sequence[Clusters], predicted: Sequence[Clusters], keep_singletons: bool = False
) -> Dict[str, float]:
    """Coreference scores of a corpus; see `CorefScorer` for what is measured.

    gold, predicted: per document its clusters, each a collection of mentions (start, end).
    keep_singletons: whether clusters of one mention take part, in gold and prediction alike.
    RETURNS: `{metric}_{p|r|f}` for muc, b3, ceafe, conll, lea and mention.
    """
    scorer = CorefScorer(keep_singletons)
    for gold_clusters, predicted_clusters in paired(gold, predicted):
        scorer.add(gold_clusters, predicted_clusters)
    return scorer.scores()


class CorefScorer:
    """Adds up documents and gives the scores of the corpus.

    - `muc`: links (Vilain et al. 1995)
    - `b3`: per-mention overlap (Bagga and Baldwin 1998)
    - `ceafe`: the best one-to-one alignment of clusters by phi4 (Luo 2005)
    - `conll`: the means of the three above; `conll_f` is the score of CoNLL-2012
    - `lea`: links, weighted by cluster size (Moosavi and Strube 2016)
    - `mention`: exact boundaries of the mentions in clusters

    A mention belongs to the first cluster that has it; what is left empty is dropped.
    """

    def __init__(self, keep_singletons: bool = False):
        self.keep_singletons = keep_singletons
        self.totals = {name: np.zeros(4) for name in (*CONLL, "lea", "mention")}

    def add(self, gold: Clusters, predicted: Clusters) -> None:
        """Add one document."""
        gold, predicted = (partition(clusters, self.keep_singletons) for clusters in (gold, predicted))
        n_gold, n_predicted = [len(k) for k in gold], [len(r) for r in predicted]
        overlaps = count_overlaps(gold, predicted)
        self.totals["muc"] += muc(n_gold, n_predicted, overlaps)
        self.totals["b3"] += b_cubed(n_gold, n_predicted, overlaps)
        self.totals["ceafe"] += ceaf_e(n_gold, n_predicted, overlaps)
        self.totals["lea"] += lea(n_gold, n_predicted, overlaps)
        n_shared = sum(overlaps.values())
        self.totals["mention"] += (n_shared, sum(n_predicted), n_shared, sum(n_gold))

    def scores(self) -> Dict[str, float]:
        """The scores of all documents so far, 0..1."""
        by_metric = {name: prf(*total) for name, total in self.totals.items()}
        by_metric["conll"] = {
            x: sum(by_metric[name][x] for name in CONLL) / len(CONLL) for x in ("p", "r", "f")
        }
        return {f"{name}_{x}": value for name, values in by_metric.items() for x, value in values.items()}


def partition(clusters: Iterable[Collection[M]], keep_singletons: bool = True) -> List[Set[M]]:
    """Make clusters disjoint: each mention stays in the first cluster that has it.

    Without singletons, clusters of one mention, and those of which one mention is left,
    are dropped; they claim no mention of a later cluster.
    """
    smallest = 1 if keep_singletons else 2
    seen: Set[M] = set()
    disjoint: List[Set[M]] = []
    for cluster in clusters:
        unseen = set(cluster) - seen
        if len(unseen) >= smallest:
            disjoint.append(unseen)
            seen |= unseen
    return disjoint


def count_overlaps(gold: Sequence[Set[Hashable]], predicted: Sequence[Set[Hashable]]) -> Overlaps:
    """What MUC, B-cubed, CEAF-e and LEA need of two sets of disjoint clusters, beside their sizes."""
    cluster_of = {mention: j for j, cluster in enumerate(predicted) for mention in cluster}
    overlaps: Overlaps = Counter()
    for i, cluster in enumerate(gold):
        overlaps.update((i, cluster_of[mention]) for mention in cluster if mention in cluster_of)
    return overlaps


def muc(n_gold: Sequence[int], n_predicted: Sequence[int], overlaps: Overlaps) -> Fractions:
    """MUC (Vilain et al. 1995; Pradhan et al. 2014).

    Recall is sum(|k| - |p(k)|) / sum(|k| - 1), where p(k) is k cut up by the prediction,
    each missed mention a piece of its own. The pieces that aren't missed mentions are the
    overlaps, so the numerator is sum(n - 1): the same for precision.
    """
    common = sum(n - 1 for n in overlaps.values())
    return common, sum(n_predicted) - len(n_predicted), common, sum(n_gold) - len(n_gold)


def links(
    clusters: Iterable[Collection[SpanOffsets]], others: Iterable[Collection[SpanOffsets]]
) -> Tuple[List[Link], List[Link]]:
    """The links that MUC counts, as pairs (antecedent, mention): those the others have too, and the rest.

    A cluster of n mentions has n - 1 links. The others cut it into pieces: each mention is linked
    to the one before it in its piece, and the first of each piece, except for the very first, to the mention
    before it in the cluster. The latter are the rest. Clusters must be disjoint.
    """
    cluster_of = {mention: j for j, cluster in enumerate(others) for mention in cluster}
    shared: List[Link] = []
    cut: List[Link] = []
    for cluster in clusters:
        last_of: Dict[Hashable, SpanOffsets] = {}  # piece -> its last mention so far
        before: Optional[SpanOffsets] = None
        for mention in sorted(cluster):
            # a mention that the others miss is a piece of its own
            piece: Hashable = cluster_of.get(mention, (mention,))
            if piece in last_of:
                shared.append((last_of[piece], mention))
            elif before is not None:
                cut.append((before, mention))
            last_of[piece] = before = mention
    return shared, cut


def b_cubed(n_gold: Sequence[int], n_predicted: Sequence[int], overlaps: Overlaps) -> Fractions:
    """B-cubed (Bagga and Baldwin 1998; Pradhan et al. 2014).

    Recall is sum(n ** 2 / |k|) / sum(|k|); for precision, |r| takes the place of |k|.
    """
    p_num = sum(n * n / n_predicted[j] for (_, j), n in overlaps.items())
    r_num = sum(n * n / n_gold[i] for (i, _), n in overlaps.items())
    return p_num, sum(n_predicted), r_num, sum(n_gold)


def ceaf_e(n_gold: Sequence[int], n_predicted: Sequence[int], overlaps: Overlaps) -> Fractions:
    """CEAF with entity similarity phi4 = 2n / (|k| + |r|) (Luo 2005; Pradhan et al. 2014).

    The similarity of the best one-to-one alignment, over the number of clusters. Clusters
    that share no mention add nothing, so the alignment is solved apart in each connected
    component of the graph of overlaps.
    """
    similarity = 0.0
    for rows, columns, n in _components(overlaps, len(n_gold), len(n_predicted)):
        i, row = np.unique(rows, return_inverse=True)
        j, column = np.unique(columns, return_inverse=True)
        phi4 = np.zeros((len(i), len(j)))
        phi4[row, column] = 2 * n / (np.take(n_gold, rows) + np.take(n_predicted, columns))
        similarity += phi4[linear_sum_assignment(phi4, maximize=True)].sum()
    return similarity, len(n_predicted), similarity, len(n_gold)


def _components(overlaps: Overlaps, n_rows: int, n_columns: int) -> List[Tuple[np.ndarray, ...]]:
    """Rows, columns and counts of the overlaps, each [n_overlaps], split into connected components."""
    if not overlaps:
        return []
    rows, columns = np.array(list(overlaps)).T
    n = np.array(list(overlaps.values()))
    size = n_rows + n_columns
    graph = coo_array((n, (rows, n_rows + columns)), shape=(size, size))
    component = connected_components(graph, directed=False)[1][rows]
    order = np.argsort(component, kind="stable")
    breaks = np.flatnonzero(np.diff(component[order])) + 1
    return [(rows[members], columns[members], n[members]) for members in np.split(order, breaks)]


def lea(n_gold: Sequence[int], n_predicted: Sequence[int], overlaps: Overlaps) -> Fractions:
    """LEA, the link-based entity-aware metric (Moosavi and Strube 2016).

    Recall is sum(|k| * sum(link(n)) / link(|k|)) / sum(|k|) with link(n) = n(n - 1) / 2.
    A singleton has one link, to itself, which is found if the other side has that singleton.
    """
    p_num, r_num = 0.0, 0.0
    for (i, j), n in overlaps.items():
        k, r = n_gold[i], n_predicted[j]
        if k == r == 1:
            p_num, r_num = p_num + 1, r_num + 1
        elif n > 1:
            # |k| * link(n) / link(|k|)
            p_num += n * (n - 1) / (r - 1)
            r_num += n * (n - 1) / (k - 1)
    return p_num, sum(n_predicted), r_num, sum(n_gold)
