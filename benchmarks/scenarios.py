"""What is measured: each scenario puts its loads on a server and gives figures by name.

Scenarios are repeated and medians count, so they give plain numbers and judge nothing; `figures` says what each name
means and how far it must reach.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from itertools import chain, cycle
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.connection import Connection
from benchmarks.load import INSTANT, PACED, Load, ModelServer, Target, Zhuli, closed_loop, percentile_95
from benchmarks.processes import Process, cpu_seconds, resident_megabytes, yardstick_ms

MANY = 16
YOUNG, OLD, AROUND = 10, 100, 5
"""The turns that are compared, and how many before and after each are counted with them."""


@dataclass(frozen=True)
class Bench:
    """What a scenario works with. `scale` multiplies every count: 1 for figures to publish, less for a quick look.

    core: where the server is pinned to.
    """

    server: Process
    model: Process
    scale: float
    core: int | None

    def count(self, full: int) -> int:
        return max(int(full * self.scale), MANY)

    async def zhuli(self, model: str) -> Zhuli:
        zhuli = Zhuli(self.server.port, model)
        await zhuli.prepare()
        return zhuli


Figures = dict[str, float]
Scenario = Callable[[Bench], Coroutine[Any, Any, Figures]]


async def start(bench: Bench) -> Figures:
    """A fresh data directory: from the process's start to ready, and its memory before the first request."""
    return {
        "yardstick_ms": yardstick_ms(bench.core),
        "start_seconds": bench.server.seconds_to_ready,
        "start_cpu_seconds": cpu_seconds(bench.server.pid),
        "idle_megabytes": resident_megabytes(bench.server.pid),
    }


async def runs(bench: Bench) -> Figures:
    """New thread, user message, streamed run to its end: one client, then 16."""
    zhuli = await bench.zhuli(INSTANT)
    alone = await _load(bench, zhuli, connections=1, count=300, warm_up=50)
    many = await _load(bench, zhuli, connections=MANY, count=1000, warm_up=100)
    return {
        "run_cpu_ms": alone.cpu_ms,
        "run_ms": 1000 * median(alone.durations),
        "run_p95_ms": 1000 * percentile_95(alone.durations),
        "runs_per_second": many.per_second,
        "run_cpu_ms_at_16": many.cpu_ms,
        "run_ms_at_16": 1000 * median(many.durations),
        "run_p95_ms_at_16": 1000 * percentile_95(many.durations),
    }


async def first_token(bench: Bench) -> Figures:
    """From a run's request to its first text, beside the mock's own first token: one client, then 16."""
    direct = ModelServer(bench.model.port, PACED)
    zhuli = await bench.zhuli(PACED)
    alone = await _beside(bench, direct, zhuli, connections=1, count=16)
    many = await _beside(bench, direct, zhuli, connections=MANY, count=160)
    return {
        "first_token_added_ms": alone[1] - alone[0],
        "first_token_direct_ms": alone[0],
        "first_token_added_ms_at_16": many[1] - many[0],
        "first_token_direct_ms_at_16": many[0],
    }


async def messages(bench: Bench) -> Figures:
    """User messages created by 16 clients, each into one of 16 threads."""
    zhuli = await bench.zhuli(INSTANT)
    threads = cycle(await _threads(zhuli, MANY))
    load = await closed_loop(
        zhuli.port,
        lambda connection: zhuli.create_message(connection, next(threads)),
        connections=MANY,
        count=bench.count(4000),
        pid=bench.server.pid,
        warm_up=200,
    )
    return {"messages_per_second": load.per_second, "message_cpu_ms": load.cpu_ms}


async def turns(bench: Bench) -> Figures:
    """A message and its run in threads at their 10th turn and in others at their 100th, in alternation."""
    zhuli = await bench.zhuli(INSTANT)
    threads = max(int(10 * bench.scale), 3)
    young = await _grown(zhuli, threads, turns=YOUNG - AROUND - 1)
    old = await _grown(zhuli, threads, turns=OLD - AROUND - 1)
    connection = await Connection.open(zhuli.port)
    ages: dict[int, list[Load]] = {YOUNG: [], OLD: []}
    for _ in range(2 * AROUND + 1):
        ages[YOUNG].append(await _one_turn_each(bench, zhuli, connection, young))
        ages[OLD].append(await _one_turn_each(bench, zhuli, connection, old))
    connection.close()
    cpu = {age: median(load.cpu_ms for load in loads) for age, loads in ages.items()}
    time = {age: 1000 * median(chain(*(load.durations for load in loads))) for age, loads in ages.items()}
    return {
        "turn_cpu_ratio": cpu[OLD] / cpu[YOUNG],
        "turn_time_ratio": time[OLD] / time[YOUNG],
        "turn_10_cpu_ms": cpu[YOUNG],
        "turn_100_cpu_ms": cpu[OLD],
        "turn_10_ms": time[YOUNG],
        "turn_100_ms": time[OLD],
    }


async def memory(bench: Bench) -> Figures:
    """After everything before it."""
    return {"megabytes_after_load": resident_megabytes(bench.server.pid)}


SCENARIOS: list[Scenario] = [start, runs, first_token, messages, turns, memory]


async def _load(bench: Bench, target: Target, *, connections: int, count: int, warm_up: int) -> Load:
    return await closed_loop(
        target.port,
        target.ask,
        connections=connections,
        count=bench.count(count),
        pid=bench.server.pid,
        warm_up=warm_up,
    )


async def _beside(bench: Bench, direct: Target, zhuli: Target, *, connections: int, count: int) -> tuple[float, float]:
    """Median first tokens in ms of both, asked in alternation so that a noisy moment meets both."""
    seen: tuple[list[float], list[float]] = ([], [])
    for _ in range(4):
        for target, tokens in zip((direct, zhuli), seen, strict=True):
            load = await _load(bench, target, connections=connections, count=count, warm_up=connections)
            tokens.extend(load.first_tokens)
    return 1000 * median(seen[0]), 1000 * median(seen[1])


async def _threads(zhuli: Zhuli, count: int) -> list[str]:
    connection = await Connection.open(zhuli.port)
    threads = [await zhuli.create_thread(connection) for _ in range(count)]
    connection.close()
    return threads


async def _grown(zhuli: Zhuli, count: int, *, turns: int) -> list[str]:
    """Threads that have had so many turns, grown side by side."""
    threads = await _threads(zhuli, count)

    async def grow(thread: str) -> None:
        connection = await Connection.open(zhuli.port)
        for _ in range(turns):
            await zhuli.turn(connection, thread)
        connection.close()

    await asyncio.gather(*map(grow, threads))
    return threads


async def _one_turn_each(bench: Bench, zhuli: Zhuli, connection: Connection, threads: list[str]) -> Load:
    durations = []
    cpu, start = cpu_seconds(bench.server.pid), perf_counter()
    for thread in threads:
        began = perf_counter()
        answer = await zhuli.turn(connection, thread)
        durations.append(answer.ended - began)
    return Load(durations, [], perf_counter() - start, cpu_seconds(bench.server.pid) - cpu)
