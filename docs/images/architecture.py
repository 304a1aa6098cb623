"""Draws what may import what: `python docs/images/architecture.py` writes architecture.svg beside this file.

It reads the table that tests/test_imports.py holds the code to, so the picture can't say anything else.
"""

import runpy
from pathlib import Path
from typing import Dict, List, NamedTuple, Set

from layered import WIDTH, Edge, columns, depths, ordered, reduced, width, with_ways

ROOT = Path(__file__).resolve().parents[2]
PICTURE = Path(__file__).with_suffix(".svg")
HEIGHT, GAP, MARGIN = 38, 44, 24
LEGEND = 760  # its width
STYLE = """
  svg { --paper: #ffffff; --ink: #1f2328; --faint: #59636e; --line: #818b98;
        --plain: #eef4fb; --plain-edge: #6f9ac8; --torch: #fdf0dc; --torch-edge: #cf9440 }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #0d1117; --ink: #e6edf3; --faint: #9198a1; --line: #7d8590;
          --plain: #14253a; --plain-edge: #4d7eb3; --torch: #38280f; --torch-edge: #b5812f }
  }
  text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: var(--ink) }
  .name { text-anchor: middle }
  .note { font-size: 11px; fill: var(--faint) }
  .paper { fill: var(--paper) }
  .part { fill: var(--plain); stroke: var(--plain-edge) }
  .torch { fill: var(--torch); stroke: var(--torch-edge) }
  .arrow { fill: none; stroke: var(--line); stroke-width: 1.4 }
  .module { stroke-dasharray: 1.5 3 }
  .late { stroke-dasharray: 6 4 }
  .tip { fill: var(--line) }
"""


class Parts(NamedTuple):
    """What the table says.

    edges: (part, what it may import) -> the only module of it that it may import, or "" for all of it.
    late: the edges that hold inside functions only.
    open: parts that may import everything inside functions.
    torch: parts that import torch, themselves or through others.
    """

    names: List[str]
    edges: Dict[Edge, str]
    late: Set[Edge]
    open: List[str]
    torch: Set[str]


def read_parts() -> Parts:
    """Read the table of imports."""
    tests = runpy.run_path(str(ROOT / "tests" / "test_imports.py"))
    table, inside_functions = tests["TABLE"], tests["LATE"]
    everything = [part for part, names in inside_functions.items() if set(names) >= set(table)]
    names = [part for part in table if part != "__init__" and part not in everything]
    edges: Dict[Edge, str] = {}
    late = set()
    for part in names:
        at_once = table[part][0].split()
        for name in [*at_once, *inside_functions.get(part, ())]:
            target, _, module = name.partition(".")
            if target in names and (part, target) not in edges:
                edges[part, target] = module
                if name not in at_once:
                    late.add((part, target))
    torch = {part for part in names if "torch" in table[part][1].split()}
    while more := {part for part, target in set(edges) - late if target in torch} - torch:
        torch |= more
    return Parts(names, edges, late, everything, torch)


def drawing(parts: Parts) -> str:
    """Draw the parts as SVG."""
    edges = reduced(set(parts.edges))
    layers, ways = with_ways(depths(parts.names, edges), edges)
    links = [link for way in ways.values() for link in zip(way, way[1:])]
    layers = ordered(layers, links)
    x = columns(layers, links, MARGIN)
    top = MARGIN + len(parts.open) * (HEIGHT + GAP // 2)
    y = {name: top + k * (HEIGHT + GAP) for k, layer in enumerate(reversed(layers)) for name in layer}
    right = max(LEGEND, round(max(x[name] + width(name) / 2 for name in x)) + MARGIN)
    bottom = max(y.values()) + HEIGHT + MARGIN
    body = [arrow(parts, edge, ways, x, y) for edge in ways]
    for i, name in enumerate(parts.open):
        text = f"{name}: functions that entry points name; they import the rest when they are called"
        body.append(box(right / 2, MARGIN + i * (HEIGHT + GAP // 2), right - 2 * MARGIN, text, "part"))
    for part in sorted(parts.names):
        body.append(box(x[part], y[part], WIDTH, part, "part torch" if part in parts.torch else "part"))
    body += legend(parts, edges, bottom)
    size = f'viewBox="0 0 {right} {bottom + 58}" width="{right}"'
    title = "<title>What may import what in hmtl_spacy: arrows point from a part to what it imports</title>"
    paper = '<rect class="paper" width="100%" height="100%" rx="8"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    return "\n".join([head, title, f"<style>{STYLE}</style>", paper, *body, "</svg>", ""])


def box(x: float, y: float, wide: float, text: str, kind: str) -> str:
    """Draw a part around the middle of its upper side."""
    shape = f'<rect class="{kind}" x="{x - wide / 2:g}" y="{y}" width="{wide:g}" height="{HEIGHT}" rx="6"/>'
    return f'{shape}<text class="name" x="{x:g}" y="{y + HEIGHT / 2 + 5:g}">{text}</text>'


def arrow(parts: Parts, edge: Edge, ways: Dict[Edge, List[str]], x: Dict[str, int], y: Dict[str, int]) -> str:
    """Draw an arrow from a part down through its places to the part that it imports."""
    way = ways[edge]
    end = port(edge, 1, x, ways)
    here, above = port(edge, 0, x, ways), y[way[0]] + HEIGHT
    path = [f"M{here:g},{above}"]
    for name in way[1:]:
        there, below = (end, y[name] - 7) if name == way[-1] else (x[name], y[name])
        bend = (above + below) / 2
        path.append(f"C{here:g},{bend:g} {there:g},{bend:g} {there:g},{below}")
        here, above = there, y[name] + HEIGHT
        if name != way[-1]:
            path.append(f"V{above}")
    kind = "arrow late" if edge in parts.late else "arrow module" if parts.edges[edge] else "arrow"
    tip = f'<path class="tip" d="M{end - 4.5:g},{y[way[-1]] - 9} h9 l-4.5,9 z"/>'
    return f'<path class="{kind}" d="{" ".join(path)}"/>{tip}'


def port(edge: Edge, side: int, x: Dict[str, int], ways: Dict[Edge, List[str]]) -> float:
    """Choose where an arrow leaves (side 0) or reaches (1) a part: beside its others, in their order."""
    beside = sorted(
        (other for other in ways if other[side] == edge[side]),
        key=lambda other: x[ways[other][1] if side == 0 else ways[other][-2]],
    )
    return x[edge[side]] + (beside.index(edge) - (len(beside) - 1) / 2) * WIDTH / (len(beside) + 1)


def legend(parts: Parts, edges: Set[Edge], y: int) -> List[str]:
    """Explain colours and lines."""
    modules = sorted({f"{edge[1]}.{parts.edges[edge]}" for edge in edges if parts.edges[edge]})
    places = [
        ("part torch", 0, 0, "needs torch"),
        ("part", 0, 20, "works without torch"),
        ("arrow", 160, 0, "may import; what follows from other arrows is left out"),
        ("arrow module", 160, 20, f"may import one module only: {', '.join(modules)}"),
        ("arrow late", 500, 0, "may import inside functions only"),
    ]
    drawn = []
    for kind, right, down, text in places:
        left, top = MARGIN + right, y + down
        sample = f'<path class="{kind}" d="M{left},{top + 7} h24"/>'
        if "part" in kind:
            sample = f'<rect class="{kind}" x="{left}" y="{top}" width="24" height="14" rx="3"/>'
        drawn.append(f'{sample}<text class="note" x="{left + 32}" y="{top + 11}">{text}</text>')
    return drawn


if __name__ == "__main__":
    PICTURE.write_text(drawing(read_parts()), encoding="utf8")
