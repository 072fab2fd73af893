"""Accuracy over time as a picture: what was answered rightly of the last messages, of the old kinds and of the new ones."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

LAST = 40
"""Messages of a kind that a point is the mean of."""


@dataclass(frozen=True, slots=True)
class Served:
    """A message that was answered. new: of a kind that the first model had never seen."""

    new: bool
    right: bool


def drawn(path: Path, served: Sequence[Served], events: Sequence[tuple[int, str]]) -> None:
    """Write the SVG. events: after how many messages what happened."""
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    for new, name, colour in ((False, "known kinds", "#3366cc"), (True, "new kinds", "#cc5533")):
        axes.plot(*_line(served, new), label=name, color=colour, linewidth=1.6)
    for place, (number, name) in enumerate(events):
        axes.axvline(number, color="#999999", linewidth=0.7)
        axes.annotate(name, (number, 1.04 + 0.09 * (place % 2)), fontsize=7, ha="center", annotation_clip=False)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("messages served")
    axes.set_ylabel(f"answered rightly, of the last {LAST}")
    axes.legend(loc="center right", fontsize=8)
    with mpl.rc_context({"svg.hashsalt": "zhuli"}):
        figure.savefig(path, metadata={"Date": None})


def _line(served: Sequence[Served], new: bool) -> tuple[list[int], list[float]]:
    last: deque[bool] = deque(maxlen=LAST)
    places, shares = [], []
    for number, each in enumerate(served):
        if each.new == new:
            last.append(each.right)
            places.append(number)
            shares.append(sum(last) / len(last))
    return places, shares
