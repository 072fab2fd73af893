"""The program that draws PNG: a request of chart.png() on standard input, the picture on standard output."""

import io
import sys
from datetime import UTC, datetime
from typing import Any

import matplotlib as mpl
import orjson

from zhuli.applications.opinion.chart import stories
from zhuli.types.applications.opinion import Aggregates

mpl.use("Agg")

from matplotlib import pyplot


def main() -> None:
    """Draw what is asked."""
    request = orjson.loads(sys.stdin.buffer.read())
    counted = Aggregates.model_validate(request["counted"])
    figure, axes = pyplot.subplots(figsize=(9, 3), dpi=120)
    at: Any = [datetime.fromtimestamp(each.start, UTC) for each in counted.data]
    width = counted.hours / 24 * 0.95
    axes.bar(at, [stories(each) for each in counted.data], width=width, align="edge", color="#c8ccd0", label="stories")
    axes.bar(at, [each.negative for each in counted.data], width=width, align="edge", color="#c0392b", label="negative")
    alerts: list[Any] = [datetime.fromtimestamp(alert, UTC) for alert in request["alerts"]]
    for alert in alerts:
        axes.axvline(alert, color="#e67e22", linewidth=1)
    axes.set_title(f"{counted.series}: stories in {counted.hours} h", fontsize=9)
    axes.legend(fontsize=8)
    figure.autofmt_xdate()
    figure.tight_layout()
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    sys.stdout.buffer.write(drawn.getvalue())


if __name__ == "__main__":
    main()
