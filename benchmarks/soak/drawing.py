"""Memory over time as an SVG."""

from pathlib import Path

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure


def draw(megabytes: dict[str, list[tuple[float, float]]], path: Path) -> None:
    """A line for each process: minutes across, megabytes up, from zero."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.subplots()
    for name, values in megabytes.items():
        axes.plot([minute for minute, _ in values], [size for _, size in values], label=name, linewidth=1.2)
    axes.set(xlabel="minutes", ylabel="resident megabytes", ylim=(0, None))
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})
