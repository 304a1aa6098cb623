"""Draws how scores rise in training: `python docs/images/curves.py` writes curves.svg from curves.json."""

import json
from html import escape
from pathlib import Path
from typing import Any, Dict, List, Sequence

PICTURE = Path(__file__).with_suffix(".svg")
DATA = Path(__file__).with_suffix(".json")
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 820, 330, 44, 24, 290, 44
LOW, HIGH = 50, 95  # F1, percent
STYLE = """
  svg { --paper: #ffffff; --ink: #1f2328; --faint: #59636e; --grid: #d8dee4;
        --first: #1f6fb4; --second: #b35a00 }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #0d1117; --ink: #e6edf3; --faint: #9198a1; --grid: #30363d;
          --first: #6cb0f0; --second: #f0a050 }
  }
  text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: var(--ink) }
  .axis { fill: var(--faint) } .paper { fill: var(--paper) } .grid { stroke: var(--grid) }
  polyline { fill: none; stroke-width: 2 } .relations { stroke-dasharray: 6 4 }
  .of0 { stroke: var(--first) } .of1 { stroke: var(--second) }
"""


def drawing(trainings: Sequence[Dict[str, Any]]) -> str:
    """An SVG: solid lines for mentions, dashed ones for relations, one colour for each training."""
    last = max(training["updates"][-1] for training in trainings)

    def x(updates: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * updates / last, 1)

    def y(score: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (HIGH - score) / (HIGH - LOW), 1)

    parts: List[str] = [f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>']
    for score in range(LOW, HIGH + 1, 10):
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{x(last)}" y1="{y(score)}" y2="{y(score)}"/>')
        parts.append(_text(LEFT - 8, y(score) + 4, str(score), "end", "axis"))
    for updates in range(0, last + 1, 400):
        parts.append(_text(x(updates), HEIGHT - BOTTOM + 20, f"{updates:,}", "middle", "axis"))
    parts.append(_text(x(last / 2), HEIGHT - 6, "updates", "middle", "axis"))
    parts.append(_text(LEFT, TOP - 6, "F1 on the development split", "start", "axis"))
    for number, training in enumerate(trainings):
        for layer in ("mentions", "relations"):
            points = list(zip(training["updates"], training[layer], strict=True))
            line = " ".join(f"{x(updates)},{y(score)}" for updates, score in points)
            parts.append(f'<polyline class="{layer} of{number}" points="{line}"/>')
            label = f"{layer}, {training['name']}"
            row = TOP + 14 + 24 * (2 * number + (layer == "relations"))
            left = x(last) + 12
            parts.append(
                f'<polyline class="{layer} of{number}" points="{left},{row - 4} {left + 26},{row - 4}"/>'
            )
            parts.append(_text(left + 32, row, label, "start", "name"))
    title = "Mentions and relations of CoNLL04 by the number of updates"
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{title}">\n<style>{STYLE}</style>\n{body}\n</svg>\n'
    )


def _text(x: float, y: float, text: str, anchor: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'


if __name__ == "__main__":
    PICTURE.write_text(drawing(json.loads(DATA.read_text("utf8"))), "utf8")
