"""A series as a picture: stories a window, the negative ones in red, alerts as marks. SVG here; PNG by Matplotlib in a child."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.sax.saxutils import escape

import orjson

from zhuli.core.errors import ServerFault
from zhuli.types.applications.opinion import Aggregates, Alert, Counted

WIDTH, HEIGHT = 900, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 10, 30, 40

PROGRAM = (sys.executable, "-P", "-m", "zhuli.applications.opinion.drawing")
SECONDS = 60.0


def svg(counted: Aggregates, alerts: Sequence[Alert]) -> str:
    """The picture."""
    data = counted.data
    size = counted.hours * 3600
    first = data[0].start if data else 0
    last = data[-1].start + size if data else size
    most = max((stories(each) for each in data), default=0) or 1
    wide = (WIDTH - _LEFT - _RIGHT) / max(1, (last - first) / size)

    def x(second: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (second - first) / max(1, last - first)

    def bar(each: Counted, number: int, colour: str) -> str:
        tall = (HEIGHT - _TOP - _BOTTOM) * number / most
        place = f'x="{x(each.start):.1f}" y="{HEIGHT - _BOTTOM - tall:.1f}"'
        return f'<rect {place} width="{max(0.5, wide - 0.5):.1f}" height="{tall:.1f}" fill="{colour}"/>'

    bars = [bar(each, stories(each), "#c8ccd0") + bar(each, each.negative, "#c0392b") for each in data]
    marks = [
        f'<path d="M{x(alert.raised_for):.1f} {_TOP} l-5 -9 h10 z" fill="#e67e22">'
        f"<title>{escape(alert.id)}: {alert.severity}</title></path>"
        for alert in alerts
        if first <= alert.raised_for < last
    ]
    title = f"{escape(counted.series)}: stories in {counted.hours} h, negative in red"
    labels = [
        f'<text x="{_LEFT}" y="15">{title}</text>',
        f'<text x="{_LEFT - 6}" y="{_TOP + 10}" text-anchor="end">{most}</text>',
        f'<text x="{_LEFT - 6}" y="{HEIGHT - _BOTTOM}" text-anchor="end">0</text>',
        f'<text x="{_LEFT}" y="{HEIGHT - 15}">{day(first)}</text>',
        f'<text x="{WIDTH - _RIGHT}" y="{HEIGHT - 15}" text-anchor="end">{day(last)}</text>',
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">'
    return "".join([head, '<rect width="100%" height="100%" fill="#fff"/>', *bars, *marks, *labels, "</svg>"])


async def png(counted: Aggregates, alerts: Sequence[Alert]) -> bytes:
    """The same by a child with Matplotlib. ServerFault where it breaks."""
    request = {"counted": counted.model_dump(), "alerts": [alert.raised_for for alert in alerts]}
    process = await asyncio.create_subprocess_exec(*PROGRAM, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
    try:
        async with asyncio.timeout(SECONDS):
            drawn, _ = await process.communicate(orjson.dumps(request))
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode != 0:
        raise ServerFault("The picture can't be drawn: is Matplotlib installed? Ask for format=svg.")
    return drawn


def stories(each: Counted) -> int:
    """All of a window."""
    return each.positive + each.neutral + each.negative + each.unknown


def day(second: int) -> str:
    """In UTC."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%M")
