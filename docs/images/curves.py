"""Draws how scores rise in training: `python docs/images/curves.py` writes curves.svg from curves.json."""

import json
from pathlib import Path
from typing import Any, Dict, List, Sequence

import svg

PICTURE = Path(__file__).with_suffix(".svg")
DATA = Path(__file__).with_suffix(".json")
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 820, 330, 44, 24, 290, 44
LOW, HIGH = 50, 95  # F1, percent


def drawing(trainings: Sequence[Dict[str, Any]]) -> str:
    """An SVG: solid lines for mentions, dashed ones for relations, one colour for each training."""
    last = max(training["updates"][-1] for training in trainings)

    def x(updates: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * updates / last, 1)

    def y(score: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (HIGH - score) / (HIGH - LOW), 1)

    parts: List[str] = []
    for score in range(LOW, HIGH + 1, 10):
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{x(last)}" y1="{y(score)}" y2="{y(score)}"/>')
        parts.append(svg.text(LEFT - 8, y(score) + 4, str(score), "end", "axis"))
    for updates in range(0, last + 1, 400):
        parts.append(svg.text(x(updates), HEIGHT - BOTTOM + 20, f"{updates:,}", "middle", "axis"))
    parts.append(svg.text(x(last / 2), HEIGHT - 6, "updates", "middle", "axis"))
    parts.append(svg.text(LEFT, TOP - 6, "F1 on the development split", "start", "axis"))
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
            parts.append(svg.text(left + 32, row, label, "start", "name"))
    title = "Mentions and relations of CoNLL04 by the number of updates"
    return svg.picture(WIDTH, HEIGHT, title, "relations", parts)


if __name__ == "__main__":
    PICTURE.write_text(drawing(json.loads(DATA.read_text("utf8"))), "utf8")
