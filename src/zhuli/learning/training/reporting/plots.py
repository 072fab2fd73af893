"""Pictures of a tuning as PNG files: curves, confusion matrix, reliability diagram. They show what report.json says.

Figures are made without pyplot, so there is no display, no global state and nothing to close.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

MOST_CLASSES = 30
"""Of a confusion matrix that can still be read."""

_FONT = "DejaVu Sans"
_CHINESE_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "SimHei",
)


def curves(history: Sequence[Mapping[str, Any]], path: Path, *, metric: str) -> None:
    """Loss, accuracy with the task's metric, and learning rate over steps; a panel without numbers is left out.

    history: "step" and any of train_loss, valid_loss, train_accuracy, valid_mean_token_accuracy, learning_rate and `metric`.
    """
    wanted = {
        "loss": {"train_loss": "training", "valid_loss": "validation"},
        "metrics": {
            "train_accuracy": "accuracy in training",
            "valid_mean_token_accuracy": "accuracy in validation",
            metric: f"{metric} in validation",
        },
        "learning rate": {"learning_rate": ""},
    }
    panels = {
        title: {name: label for name, label in lines.items() if _points(history, name)}
        for title, lines in wanted.items()
    }
    shown = {title: lines for title, lines in panels.items() if lines}
    figure = Figure(figsize=(7, 2.6 * max(1, len(shown))), layout="constrained")
    for place, (title, lines) in enumerate(shown.items(), start=1):
        _curve_panel(figure.add_subplot(len(shown), 1, place), history, lines, title)
    _save(figure, path)


def confusion(labels: Sequence[str], matrix: Sequence[Sequence[int]], path: Path) -> None:
    """Targets in rows, predictions in columns; of many classes those that are confused most."""
    counts = np.array(matrix, dtype=np.int64)
    chosen = _most_confused(counts)
    part = counts[np.ix_(chosen, chosen)]
    names, font = _printable([labels[at] for at in chosen], chosen)
    size = 2.5 + 0.32 * len(chosen)
    figure = Figure(figsize=(size + 1, size), layout="constrained")
    axes = figure.add_subplot()
    shares = part / np.maximum(counts[chosen].sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(chosen))
    axes.set_xticks(ticks, names, rotation=90, fontsize=7, fontfamily=font)
    axes.set_yticks(ticks, names, fontsize=7, fontfamily=font)
    axes.set_xlabel("predicted")
    axes.set_ylabel("target")
    if len(chosen) < len(labels):
        axes.set_title(f"the {len(chosen)} of {len(labels)} classes that are confused most", fontsize=9)
    _write_counts(axes, part, shares)
    _save(figure, path)


def reliability(bins: Sequence[Mapping[str, float]], path: Path) -> None:
    """How often decisions were right against how sure they were; on the diagonal both are the same."""
    figure = Figure(figsize=(4.5, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], linestyle="--", color="grey", linewidth=1)
    for each in bins:
        axes.bar(
            each["low"],
            each["accuracy"],
            width=each["high"] - each["low"],
            align="edge",
            color="#6b9bd1",
            edgecolor="white",
        )
    axes.plot(
        [each["confidence"] for each in bins], [each["accuracy"] for each in bins], "o", color="#b3412c", markersize=4
    )
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability given", ylabel="share that was right")
    _save(figure, path)


def _curve_panel(axes: Axes, history: Sequence[Mapping[str, Any]], lines: Mapping[str, str], title: str) -> None:
    for name, label in lines.items():
        steps, values = zip(*_points(history, name), strict=True)
        axes.plot(steps, values, label=label, marker="." if len(steps) < 60 else None, linewidth=1)
    axes.set_ylabel(title)
    axes.set_xlabel("step")
    axes.grid(alpha=0.3)
    if any(lines.values()):
        axes.legend(fontsize=8)


def _points(history: Iterable[Mapping[str, Any]], name: str) -> list[tuple[int, float]]:
    """(step, value) wherever the value is a finite number."""
    found = [(step["step"], step.get(name)) for step in history]
    return [(at, float(value)) for at, value in found if isinstance(value, int | float) and np.isfinite(value)]


def _most_confused(counts: Any) -> list[int]:
    """Places of the classes with most mistakes in row and column, in their old order."""
    mistakes = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
    return sorted(np.argsort(-mistakes, kind="stable")[:MOST_CLASSES].tolist())


def _write_counts(axes: Axes, counts: Any, shares: Any) -> None:
    for row, column in zip(*np.nonzero(counts), strict=True):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=6, color=colour)


def _printable(labels: Sequence[str], numbers: Sequence[int]) -> tuple[list[str], str]:
    """Labels and a font that has them; where none is installed, labels are called by their place, counted from 1."""
    short = [label if len(label) <= 28 else label[:27] + "…" for label in labels]
    if all(map(_is_western, short)):
        return short, _FONT
    installed = set(font_manager.get_font_names())
    for name in _CHINESE_FONTS:
        if name in installed:
            return short, name
    return [label if _is_western(label) else f"#{at + 1}" for label, at in zip(short, numbers, strict=True)], _FONT


def _is_western(label: str) -> bool:
    """Whether the font that comes with matplotlib has its characters: below are the alphabets, above Chinese and its like."""
    return max(label, default="") < "\u2e80"


def _save(figure: Figure, path: Path) -> None:
    FigureCanvasAgg(figure).print_figure(path, dpi=110)
