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
  .room { fill: var(--plain); stroke: var(--plain-edge) }
  .torch { fill: var(--torch); stroke: var(--torch-edge) }
  .arrow { fill: none; stroke: var(--line); stroke-width: 1.4 }
  .module { stroke-dasharray: 1.5 3 }
  .late { stroke-dasharray: 6 4 }
  .tip { fill: var(--line) }
"""


class House(NamedTuple):
    """What the table says.

    edges: (room, what it may import) -> the only module of it that it may import, or "" for all of it.
    late: the edges that hold inside functions only.
    open: rooms that may import everything inside functions.
    torch: rooms that import torch, themselves or through others.
    """

    rooms: List[str]
    edges: Dict[Edge, str]
    late: Set[Edge]
    open: List[str]
    torch: Set[str]


def read_house() -> House:
    """Read the table of imports."""
    tests = runpy.run_path(str(ROOT / "tests" / "test_imports.py"))
    table, inside_functions = tests["TABLE"], tests["LATE"]
    everything = [room for room, names in inside_functions.items() if set(names) >= set(table)]
    rooms = [room for room in table if room != "__init__" and room not in everything]
    edges: Dict[Edge, str] = {}
    late = set()
    for room in rooms:
        at_once = table[room][0].split()
        for name in [*at_once, *inside_functions.get(room, ())]:
            target, _, module = name.partition(".")
            if target in rooms and (room, target) not in edges:
                edges[room, target] = module
                if name not in at_once:
                    late.add((room, target))
    torch = {room for room in rooms if "torch" in table[room][1].split()}
    while more := {room for room, target in set(edges) - late if target in torch} - torch:
        torch |= more
    return House(rooms, edges, late, everything, torch)


def drawing(house: House) -> str:
    """Draw the house as SVG."""
    edges = reduced(set(house.edges))
    layers, ways = with_ways(depths(house.rooms, edges), edges)
    links = [link for way in ways.values() for link in zip(way, way[1:])]
    layers = ordered(layers, links)
    x = columns(layers, links, MARGIN)
    top = MARGIN + len(house.open) * (HEIGHT + GAP // 2)
    y = {name: top + k * (HEIGHT + GAP) for k, layer in enumerate(reversed(layers)) for name in layer}
    right = max(LEGEND, round(max(x[name] + width(name) / 2 for name in x)) + MARGIN)
    bottom = max(y.values()) + HEIGHT + MARGIN
    body = [arrow(house, edge, ways, x, y) for edge in ways]
    for i, name in enumerate(house.open):
        text = f"{name}: functions that entry points name; they import the rest when they are called"
        body.append(box(right / 2, MARGIN + i * (HEIGHT + GAP // 2), right - 2 * MARGIN, text, "room"))
    for room in sorted(house.rooms):
        body.append(box(x[room], y[room], WIDTH, room, "room torch" if room in house.torch else "room"))
    body += legend(house, edges, bottom)
    size = f'viewBox="0 0 {right} {bottom + 58}" width="{right}"'
    title = "<title>What may import what in hmtl_spacy: arrows point from a part to what it imports</title>"
    paper = '<rect class="paper" width="100%" height="100%" rx="8"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    return "\n".join([head, title, f"<style>{STYLE}</style>", paper, *body, "</svg>", ""])


def box(x: float, y: float, wide: float, text: str, kind: str) -> str:
    """Draw a room around the middle of its upper side."""
    shape = f'<rect class="{kind}" x="{x - wide / 2:g}" y="{y}" width="{wide:g}" height="{HEIGHT}" rx="6"/>'
    return f'{shape}<text class="name" x="{x:g}" y="{y + HEIGHT / 2 + 5:g}">{text}</text>'


def arrow(house: House, edge: Edge, ways: Dict[Edge, List[str]], x: Dict[str, int], y: Dict[str, int]) -> str:
    """Draw an arrow from a room down through its places to the room that it imports."""
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
    kind = "arrow late" if edge in house.late else "arrow module" if house.edges[edge] else "arrow"
    tip = f'<path class="tip" d="M{end - 4.5:g},{y[way[-1]] - 9} h9 l-4.5,9 z"/>'
    return f'<path class="{kind}" d="{" ".join(path)}"/>{tip}'


def port(edge: Edge, side: int, x: Dict[str, int], ways: Dict[Edge, List[str]]) -> float:
    """Choose where an arrow leaves (side 0) or reaches (1) a room: beside its others, in their order."""
    beside = sorted(
        (other for other in ways if other[side] == edge[side]),
        key=lambda other: x[ways[other][1] if side == 0 else ways[other][-2]],
    )
    return x[edge[side]] + (beside.index(edge) - (len(beside) - 1) / 2) * WIDTH / (len(beside) + 1)


def legend(house: House, edges: Set[Edge], y: int) -> List[str]:
    """Explain colours and lines."""
    modules = sorted({f"{edge[1]}.{house.edges[edge]}" for edge in edges if house.edges[edge]})
    places = [
        ("room torch", 0, 0, "needs torch"),
        ("room", 0, 20, "works without torch"),
        ("arrow", 160, 0, "may import; what follows from other arrows is left out"),
        ("arrow module", 160, 20, f"may import one module only: {', '.join(modules)}"),
        ("arrow late", 500, 0, "may import inside functions only"),
    ]
    drawn = []
    for kind, right, down, text in places:
        left, top = MARGIN + right, y + down
        sample = f'<path class="{kind}" d="M{left},{top + 7} h24"/>'
        if "room" in kind:
            sample = f'<rect class="{kind}" x="{left}" y="{top}" width="24" height="14" rx="3"/>'
        drawn.append(f'{sample}<text class="note" x="{left + 32}" y="{top + 11}">{text}</text>')
    return drawn


if __name__ == "__main__":
    PICTURE.write_text(drawing(read_house()), encoding="utf8")
