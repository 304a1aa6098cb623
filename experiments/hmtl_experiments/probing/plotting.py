"""Plots by layer, with intervals."""

from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, List, Sequence, Tuple

import numpy

from ..statistics import Interval


@contextmanager
def panels(path: Path, salt: str, label: str, **settings: Any) -> Iterator[numpy.ndarray]:
    """Write a plot once it is drawn.

    salt: of the names in the SVG, so that the same plot is the same file. label: of all vertical axes.
    settings: of `pyplot.subplots`.
    YIELDS: its axes. [n_rows, n_columns]
    """
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    with pyplot.rc_context({"svg.hashsalt": salt, "font.size": 8}):
        figure, axes = pyplot.subplots(squeeze=False, **settings)
        yield axes
        axes[0][0].legend()
        figure.supylabel(label)
        figure.tight_layout()
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)


def draw(axis: Any, title: str, layers: List[str], lines: Sequence[Tuple[str, str, List[Interval]]]) -> None:
    """Draw a panel. lines: the name, the marker and an interval for each layer."""
    for name, marker, intervals in lines:
        values, low, high = (numpy.array(side) for side in zip(*intervals))
        errors = numpy.clip([values - low, high - values], 0, None)
        axis.errorbar(layers, 100 * values, 100 * errors, marker=marker, markersize=3, label=name)
    axis.set_title(title)
    axis.tick_params(axis="x", rotation=60)
