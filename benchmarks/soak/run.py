"""Soaks zhuli on PostgreSQL: clients that insist, machines that die, a model that misbehaves; then everything is compared.

Prints what happened and what is wrong, draws the memory of the processes that were left alone, and keeps the figures.

    python -m benchmarks.soak.run --minutes 60 --clients 64 --svg docs/soak.svg --json soak.json
    python -m benchmarks.soak.run --minutes 1 --clients 8 --every 15          # a quick look
"""

import asyncio
import random
import sys
from collections import Counter
from pathlib import Path
from statistics import mean
from typing import Annotated

import aiohttp
import orjson
import typer
import uvloop
from rich.console import Console
from rich.progress import Progress

from benchmarks.processes import cpu_seconds, resident_megabytes
from benchmarks.soak.checks import check_thread
from benchmarks.soak.drawing import draw
from benchmarks.soak.machines import House, Machine, built
from benchmarks.soak.people import FUNCTION, Client, Ledger, Refused

SAMPLE_SECONDS = 10.0
Samples = dict[str, list[tuple[float, float]]]
"""By process: minutes since the start, and megabytes."""


def main(
    minutes: Annotated[float, typer.Option(help="How long clients go on.")] = 60,
    clients: Annotated[int, typer.Option()] = 64,
    think: Annotated[float, typer.Option(help="Seconds between two questions of a client, on average.")] = 8,
    every: Annotated[float, typer.Option(help="Seconds between two kills, on average.")] = 40,
    seed: Annotated[int, typer.Option()] = 0,
    svg: Annotated[Path | None, typer.Option(help="Where the drawing of memory goes.")] = None,
    output: Annotated[Path | None, typer.Option("--json", help="Where the figures go.")] = None,
) -> None:
    """Exit 1 when something was lost, doubled or left open."""
    with built() as house:
        report, samples = uvloop.run(_soak(house, minutes * 60, clients, think, every, random.Random(seed)))
    if output:
        output.write_bytes(orjson.dumps(report | {"megabytes": samples}, option=orjson.OPT_INDENT_2))
    if svg:
        draw(samples, svg)
    Console().print_json(orjson.dumps(report).decode())
    sys.exit(1 if report["findings"] else 0)


async def _soak(
    house: House, seconds: float, count: int, think: float, every: float, chance: random.Random
) -> tuple[dict[str, object], Samples]:
    await house.start()
    ledger = Ledger()
    samples: Samples = {machine.name: [] for machine in house.kept}
    ports = [server.port for server in house.servers]
    try:
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None, sock_read=30, sock_connect=5),
        ) as http:
            people = [Client(http, ports, random.Random(chance.random()), ledger) for _ in range(count)]
            body = {"model": "soak", "tools": [FUNCTION]}
            assistant = (await people[0].post("/v1/assistants", body))["id"]
            until = asyncio.get_running_loop().time() + seconds
            with Progress() as progress:
                await asyncio.gather(
                    house.suffer(chance, every, until),
                    _watch(house.kept, samples, until, progress),
                    *(_lived(person, assistant, until, think) for person in people),
                )
                await _check(people, progress)
        return _report(house, ledger, samples, seconds), samples
    finally:
        await house.stop()


async def _lived(client: Client, assistant: str, until: float, think: float) -> None:
    """A client's life; one that is refused says so and begins anew."""
    while asyncio.get_running_loop().time() < until:
        try:
            await client.live(assistant, until, think)
        except Refused as refused:
            client.ledger.finding(str(refused))


async def _watch(kept: list[Machine], samples: Samples, until: float, progress: Progress) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    bar = progress.add_task("soaking", total=until - began)
    while loop.time() < until:
        for machine in kept:
            samples[machine.name].append(((loop.time() - began) / 60, resident_megabytes(machine.pid)))
        progress.update(bar, completed=loop.time() - began)
        await asyncio.sleep(SAMPLE_SECONDS)


async def _check(people: list[Client], progress: Progress) -> None:
    """All threads, a few at once."""
    ledger = people[0].ledger
    threads = list(ledger.threads.items())
    bar = progress.add_task("comparing", total=len(threads))

    async def some(client: Client) -> None:
        while threads:
            await check_thread(client, *threads.pop())
            progress.advance(bar)

    await asyncio.gather(*map(some, people[:8]))


def _report(house: House, ledger: Ledger, samples: Samples, seconds: float) -> dict[str, object]:
    turns = [turn for turns in ledger.threads.values() for turn in turns]
    return {
        "minutes": seconds / 60,
        "threads": len(ledger.threads),
        "acknowledged messages": len(turns),
        "acknowledged runs": len(turns),
        "events streamed": sum(len(turn.seen) for turn in turns),
        "streams resumed": ledger.resumed,
        "requests sent again": ledger.retried,
        "slowest turn, seconds": round(ledger.slowest, 1),
        "killed": dict(house.killed),
        "ends": dict(sorted(ledger.ends.items())),
        "cpu seconds": {machine.name: round(cpu_seconds(machine.pid)) for machine in house.kept},
        "log lines with a traceback": _tracebacks(house),
        "megabytes, second sixth and last": {name: _flatness(values) for name, values in samples.items()},
        "findings": ledger.findings,
    }


def _tracebacks(house: House) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for machine in (*house.servers, *house.workers):
        counted[machine.name] = (house.folder / f"{machine.name}.log").read_text(errors="replace").count("Traceback")
    return dict(counted)


def _flatness(values: list[tuple[float, float]]) -> list[float]:
    """Megabytes on average in the second sixth of the time, when all is warm, and in the last."""
    sixth = max(len(values) // 6, 1)
    return [round(mean(size for _, size in part), 1) for part in (values[sixth : 2 * sixth] or values, values[-sixth:])]


if __name__ == "__main__":
    program = typer.Typer(pretty_exceptions_enable=False)
    program.command()(main)
    program()
