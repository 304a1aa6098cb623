"""Draws how long a corpus takes by the number of cores: `python docs/images/scale.py` writes scale.svg.

The constants are those of the table in docs/scale.md, in the file scale.json beside this script.
"""

import json
from math import log10
from pathlib import Path
from typing import Any, Dict, List

import svg

PICTURE = Path(__file__).with_suffix(".svg")
DATA = Path(__file__).with_suffix(".json")
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 820, 360, 64, 28, 250, 48
CORES = (0, 5)  # powers of ten
DAYS = (-4, 5)
SIZES = {"a billion words": 1e9, "a trillion words": 1e12}


def days(words: float, cores: float, per_core: float, known: Dict[str, Any], parts: int = 1) -> float:
    """How long a run takes, each part with a driver of its own and its share of the cores."""
    speed = min(cores * per_core / known["ray over nlp.pipe"], parts * known["driver words per second"])
    return (known["seconds to start"] + words / speed) / 86_400


def drawing(known: Dict[str, Any]) -> str:
    """An SVG: a colour for each pipeline; solid with one driver, dashed with a hundred parts."""

    def x(cores: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (log10(cores) - CORES[0]) / (CORES[1] - CORES[0]), 1)

    def y(time: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (DAYS[1] - log10(time)) / (DAYS[1] - DAYS[0]), 1)

    lines: List[str] = []
    for power in range(DAYS[0], DAYS[1] + 1):
        level = y(10**power)
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{x(10 ** CORES[1])}" y1="{level}" y2="{level}"/>')
        lines.append(svg.text(LEFT - 8, level + 4, f"{10**power:,g}", "end", "axis"))
    for power in range(CORES[0], CORES[1] + 1):
        lines.append(svg.text(x(10**power), HEIGHT - BOTTOM + 20, f"{10**power:,}", "middle", "axis"))
    lines.append(svg.text(x(10 ** (sum(CORES) / 2)), HEIGHT - 8, "cores", "middle", "axis"))
    lines.append(svg.text(LEFT, TOP - 10, "days", "start", "axis"))
    row = TOP + 14
    for number, (pipeline, per_core) in enumerate(known["words per second and core"].items()):
        for parts, how in ((1, "one driver"), (100, "100 parts")):
            style = f"{'parts ' if parts > 1 else ''}of{number}"
            for words in SIZES.values():
                powers = (i / 20 for i in range(20 * CORES[0], 20 * CORES[1] + 1))
                steps = [10**power for power in powers if 10**power >= parts]
                times = [days(words, cores, per_core, known, parts) for cores in steps]
                line = " ".join(f"{x(cores)},{y(time)}" for cores, time in zip(steps, times, strict=True))
                lines.append(f'<polyline class="{style}" points="{line}"/>')
            left = x(10 ** CORES[1]) + 12
            lines.append(f'<polyline class="{style}" points="{left},{row - 4} {left + 26},{row - 4}"/>')
            lines.append(svg.text(left + 32, row, f"{pipeline}, {how}", "start", "name"))
            row += 24
    for what, words in SIZES.items():
        highest = min(known["words per second and core"].values())
        lines.append(svg.text(LEFT + 6, y(days(words, 1, highest, known)) - 8, what, "start", "name"))
    title = "Days that a corpus takes by the number of cores"
    return svg.picture(WIDTH, HEIGHT, title, "parts", lines)


if __name__ == "__main__":
    PICTURE.write_text(drawing(json.loads(DATA.read_text("utf8"))), "utf8")
