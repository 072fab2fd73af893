"""/metrics of several processes that serve one address: whichever is asked gives all, each sample with its process's number."""

import asyncio
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

_PATIENCE = 2.0
"""Seconds for another process to say its metrics; one that does not is left out."""

_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?( .*)$")


class ProcessMetrics:
    """Those of this process, for the others, and those of all."""

    def __init__(self, folder: Path, number: int, count: int, registry: CollectorRegistry) -> None:
        self._folder = folder
        self._number = number
        self._count = count
        self._registry = registry
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Answer the others; the socket of one that died before is taken over."""
        self._door(self._number).unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._say, self._door(self._number))

    async def text(self) -> bytes:
        """What all processes say, in Prometheus's text format."""
        said = await asyncio.gather(*map(self._of, range(1, self._count + 1)))
        return joined({number: text for number, text in enumerate(said, 1) if text}).encode()

    async def aclose(self) -> None:
        """Answer nobody any more."""
        if self._server is not None:
            self._server.close()

    async def _of(self, number: int) -> str:
        if number == self._number:
            return generate_latest(self._registry).decode()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                reader, writer = await asyncio.open_unix_connection(self._door(number))
                try:
                    return (await reader.read()).decode()
                finally:
                    writer.close()
        return ""

    async def _say(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            writer.write(generate_latest(self._registry))
            await writer.drain()
        writer.close()

    def _door(self, number: int) -> Path:
        return self._folder / f"{number}.metrics"


def joined(texts: dict[int, str]) -> str:
    """One text of several: each metric once with its help and type, its samples with the label `process`."""
    heads: dict[str, list[str]] = {}
    samples: dict[str, list[str]] = {}
    for number, text in texts.items():
        for name, head, lines in _metrics(text.splitlines()):
            heads.setdefault(name, head)
            samples.setdefault(name, []).extend(_labelled(line, number) for line in lines)
    return "".join(f"{line}\n" for name, head in heads.items() for line in (*head, *samples[name]))


def _metrics(lines: Iterable[str]) -> Iterable[tuple[str, list[str], list[str]]]:
    """Name, head and samples of each metric."""
    found: list[tuple[str, list[str], list[str]]] = []
    for line in lines:
        if line.startswith("# HELP "):
            found.append((line.split(" ", 3)[2], [line], []))
        elif line.startswith("#"):
            found[-1][1].append(line)
        elif line:
            found[-1][2].append(line)
    return found


def _labelled(line: str, number: int) -> str:
    sample = _SAMPLE.match(line)
    if sample is None:
        return line
    name, labels, rest = sample.groups()
    return f'{name}{{process="{number}"{"," if labels else ""}{labels or ""}}}{rest}'
