"""Make coreference clusters of links, make them disjoint, and leave out those of one mention unless asked."""

from collections import Counter
from typing import Dict, Iterable, List, Literal, Sequence, Tuple, get_args

Offsets = Tuple[int, int]
Width = Literal["head", "extent"]


def check_width(**options: Width) -> None:
    """Raise an error where an option, given by its name, is neither "head" nor "extent"."""
    for name, value in options.items():
        if value not in get_args(Width):
            raise ValueError(f"{name} is {value!r}, expected 'head' or 'extent'.")


def resolve_clusters(
    clusters: Iterable[Sequence[Offsets]], singletons: bool, dropped: Counter[str]
) -> List[List[Offsets]]:
    """Give every span to the first cluster that names it.

    A cluster of one is dropped before it can take a span away from a larger one.

    clusters: per cluster its spans, ends exclusive.
    singletons: keep clusters of one mention.
    dropped: spans and clusters that aren't kept are counted here.
    RETURNS: disjoint clusters, those of one mention last.
    """
    distinct = []
    for cluster in clusters:
        spans = list(dict.fromkeys(cluster))
        if len(spans) < len(cluster):
            dropped["mentions named twice in a cluster"] += len(cluster) - len(spans)
        distinct.append(spans)
    larger_first = sorted(distinct, key=lambda spans: len(spans) == 1)  # stable
    kept, taken = [], set()
    for spans in larger_first:
        if len(spans) == 1 and not singletons:
            dropped["clusters of one mention"] += 1
            continue
        free = [span for span in spans if span not in taken]
        dropped["mentions that another cluster holds already"] += len(spans) - len(free)
        if len(free) > 1 or (free and singletons):
            taken.update(free)
            kept.append(free)
        elif spans:
            dropped["clusters left with fewer than two mentions"] += 1
    return kept


def join_links(links: Iterable[Sequence[Offsets]]) -> List[List[Offsets]]:
    """Clusters as the connected components of links.

    links: spans of one entity, two or more each; fewer link nothing.
    RETURNS: the clusters, in the order of the links.
    """
    cluster_of: Dict[Offsets, List[Offsets]] = {}
    for link in links:
        for place in link:
            joined = cluster_of.setdefault(link[0], [link[0]])
            other = cluster_of.setdefault(place, [place])
            if other is joined:
                continue
            if len(other) > len(joined):  # the smaller moves, or long chains would take quadratic time
                joined, other = other, joined
            joined.extend(other)
            cluster_of.update((member, joined) for member in other)
    distinct = {id(cluster): cluster for cluster in cluster_of.values()}
    return [cluster for cluster in distinct.values() if len(cluster) > 1]
