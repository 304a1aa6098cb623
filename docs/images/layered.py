"""Places parts and arrows in layers: every arrow points down, and few of them cross."""

from itertools import combinations
from typing import Dict, List, Set, Tuple

WIDTH = 118  # of a part
WAY = 10  # of an arrow where it passes a layer
GAP = 22
SWEEPS = 24

Edge = Tuple[str, str]
Layers = List[List[str]]


def reduced(edges: Set[Edge]) -> Set[Edge]:
    """Leave out the edges that follow from others."""
    below = {part: reachable(part, edges) for part, _ in edges}
    return {
        (part, target)
        for part, target in edges
        if not any(target in below.get(other, ()) for start, other in edges if start == part)
    }


def reachable(part: str, edges: Set[Edge]) -> Set[str]:
    """Find all parts below a part."""
    seen: Set[str] = set()
    waiting = [part]
    while waiting:
        targets = {target for start, target in edges if start == waiting[-1]} - seen
        waiting.pop()
        seen |= targets
        waiting.extend(targets)
    return seen


def depths(names: List[str], edges: Set[Edge]) -> Dict[str, int]:
    """Place each part as far down as its imports allow, then as near below its users as they allow."""
    depth: Dict[str, int] = {}
    while len(depth) < len(names):
        for part in names:
            targets = [target for start, target in edges if start == part]
            if part not in depth and all(target in depth for target in targets):
                depth[part] = 1 + max((depth[target] for target in targets), default=-1)
    top = max(depth.values())
    for part in sorted(names, key=lambda part: -depth[part]):
        alone = not any(part in edge for edge in edges)
        users = [depth[user] for user, target in edges if target == part]
        depth[part] = top if alone else min(users, default=depth[part] + 1) - 1
    return depth


def with_ways(depth: Dict[str, int], edges: Set[Edge]) -> Tuple[Layers, Dict[Edge, List[str]]]:
    """Put the parts into layers, the lowest first, with a place in each layer that an edge passes.

    RETURNS: the layers, and the places of each edge, from its part down to its target.
    """
    layers: Layers = [[] for _ in range(1 + max(depth.values()))]
    for part, layer in depth.items():
        layers[layer].append(part)
    ways = {}
    for part, target in sorted(edges):
        passed = range(depth[part] - 1, depth[target], -1)
        places = [f"{part}>{target}@{layer}" for layer in passed]
        for layer, place in zip(passed, places):
            layers[layer].append(place)
        ways[part, target] = [part, *places, target]
    return layers, ways


def ordered(layers: Layers, links: List[Edge]) -> Layers:
    """Sort each layer by where its neighbours are, up and down by turns; keep the best order."""
    linked = {name for link in links for name in link}
    best = layers = [sorted(layer) for layer in layers]
    for sweep in range(SWEEPS):
        layers = [list(layer) for layer in layers]
        order = range(len(layers)) if sweep % 2 == 0 else range(len(layers) - 1, -1, -1)
        for i, fixed in zip(list(order)[1:], order):
            place = {name: k / len(layers[fixed]) for k, name in enumerate(layers[fixed])}
            near = {name: [n for n in neighbours(name, links) if n in place] for name in layers[i]}
            own = {name: k / len(layers[i]) if name in linked else 1.0 for k, name in enumerate(layers[i])}
            key = {name: mean([place[n] for n in near[name]], own[name]) for name in layers[i]}
            layers[i].sort(key=key.__getitem__)
        best = min(best, layers, key=lambda order: crossings(order, links))
    return best


def neighbours(name: str, links: List[Edge]) -> List[str]:
    """List what a place is linked with, above and below."""
    return [b if name == a else a for a, b in links if name in (a, b)]


def mean(values: List[float], default: float) -> float:
    """Compute the mean, if there are values."""
    return sum(values) / len(values) if values else default


def crossings(layers: Layers, links: List[Edge]) -> int:
    """Count the pairs of links between neighbouring layers that cross."""
    place = {name: k for layer in layers for k, name in enumerate(layer)}
    level = {name: k for k, layer in enumerate(layers) for name in layer}
    return sum(
        level[a] == level[c] and (place[a] - place[c]) * (place[b] - place[d]) < 0
        for (a, b), (c, d) in combinations(links, 2)
    )


def columns(layers: Layers, links: List[Edge], margin: int) -> Dict[str, int]:
    """Choose the middle of each place: near its neighbours', in the order of its layer."""
    straight = [*links, *(link for link in links if all(">" in name for name in link) for _ in range(8))]
    near = {name: neighbours(name, straight) for layer in layers for name in layer}
    x = {name: float(k * (WIDTH + GAP)) for layer in layers for k, name in enumerate(layer)}
    for _ in range(SWEEPS):
        for layer in [*layers, *reversed(layers)]:
            targets = [mean([x[other] for other in near[name]], x[name]) for name in layer]
            x.update(zip(layer, spaced(targets, [width(name) for name in layer])))
    left = min(x[name] - width(name) / 2 for name in x)
    return {name: round(value - left + margin) for name, value in x.items()}


def spaced(targets: List[float], widths: List[float]) -> List[float]:
    """Move places as little as they need to be side by side: neighbours that collide share their shift."""
    offsets = [0.0]
    for left, right in zip(widths, widths[1:]):
        offsets.append(offsets[-1] + (left + right) / 2 + GAP)
    blocks: List[List[float]] = []
    for target, offset in zip(targets, offsets):
        blocks.append([target - offset])
        while len(blocks) > 1 and mean(blocks[-2], 0) > mean(blocks[-1], 0):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    shifts = [mean(block, 0) for block in blocks for _ in block]
    return [shift + offset for shift, offset in zip(shifts, offsets)]


def width(name: str) -> int:
    """A part's width, or that of the way of an arrow."""
    return WAY if ">" in name else WIDTH
