"""How long one message takes, and how long a domain of 77 intents with 10 examples each takes to be learned.

In this process (Understandings.understand and prepare) and over HTTP from a server process, both on one core. Processor time
is of all threads of the process that understands: on a shared machine it is what stays when others wait, wall time is what users
feel. Vectors are not kept here, each text is embedded; the model is loaded before.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.connection import Connection
from benchmarks.processes import SERVER_CORE, cpu_seconds, free_port, started
from benchmarks.understanding.bench import Bench
from benchmarks.understanding.domain_of import domain_of
from benchmarks.understanding.intent_sets import IntentSet
from benchmarks.understanding.rows import Row
from zhuli.app import build_app
from zhuli.settings import Settings
from zhuli.store.projects import DEFAULT_PROJECT
from zhuli.types.domain import Domain, DomainFields
from zhuli.types.understanding import DialogueState

CHANGES = 3
"""How often the domain is changed and learned again."""

WARM = 20
"""Messages that are asked before."""

MESSAGE, LEARNING = "15 ms", "5 s"

Times = list[tuple[float, float]]
"""Seconds by the wall clock and of the processor."""


async def speed(bench: Bench, row: Row, known: IntentSet) -> dict[str, Any]:
    texts = [message.text for message in bench.sample(known.test, row.test)]
    domains = [
        domain_of(known.drawn(bench.each(row), seed), language=known.language, type=row.understander)
        for seed in range(CHANGES + 1)
    ]
    found: dict[str, Any] = {}
    with TemporaryDirectory(prefix="zhuli-speed-") as place:
        (Path(place) / "models").symlink_to(bench.data_dir.resolve() / "models")
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {SERVER_CORE})
        found |= await _in_process(Path(place), domains, texts, bench)
        os.sched_setaffinity(0, before)
        found |= await _over_http(Path(place), domains, texts, bench)
    return {"measures": {}, "speed": found, "train": len(known.drawn(bench.each(row), 0)), "test": len(texts)}


async def _in_process(
    place: Path, domains: Sequence[DomainFields], texts: Sequence[str], bench: Bench
) -> dict[str, Any]:
    app = build_app(Settings(data_dir=place))
    await app.start(work=False)
    versions = [
        Domain(**fields.model_dump(), id="dom_speed", created_at=0, version=number)
        for number, fields in enumerate(domains, 1)
    ]
    clock = time.process_time
    try:
        learned = await _timed([*versions], lambda domain: app.understandings.prepare(DEFAULT_PROJECT, domain), clock)
        bench.advance(0.4)
        last, state = versions[-1], DialogueState()

        async def understood(text: str) -> Any:
            return await app.understandings.understand(DEFAULT_PROJECT, last, text, state)

        taken = await _timed([*texts[:WARM], *texts], understood, clock)
    finally:
        await app.stop()
    bench.advance(0.6)
    return {
        "learning 77 intents × 10 examples, in seconds": _seconds(learned[1:]),
        "understand() of one message, in ms": _milliseconds(taken[WARM:]),
    }


async def _over_http(
    place: Path, domains: Sequence[DomainFields], texts: Sequence[str], bench: Bench
) -> dict[str, Any]:
    port = free_port()
    options = ("serve", "--port", str(port), "--data-dir", str(place))
    log = place / "server.log"
    with started("zhuli.cli", *options, port=port, ready="/readyz", log=log, core=SERVER_CORE) as server:
        connection = await Connection.open(port)

        def clock() -> float:
            return cpu_seconds(server.pid)

        fields = [domain.model_dump(mode="json", exclude_none=True) for domain in domains]
        made = (await connection.send("POST", "/v1/domains", fields[0])).json

        async def change(body: Any) -> Any:
            return await connection.send("POST", f"/v1/domains/{made['id']}", body)

        async def ask(text: str) -> Any:
            return await connection.send("POST", "/v1/understandings", {"domain": made["id"], "input": text})

        await ask(texts[0])
        learned = await _timed(fields[1:], change, clock)
        await ask(texts[0])
        bench.advance(0.8)
        taken = await _timed([*texts[:WARM], *texts], ask, clock)
    return {
        "POST /v1/domains/{id} that changes it, learned again, in seconds": _seconds(learned),
        "POST /v1/understandings, in ms": _milliseconds(taken[WARM:]),
    }


async def _timed(given: Sequence[Any], call: Callable[[Any], Awaitable[Any]], clock: Callable[[], float]) -> Times:
    times: Times = []
    for one in given:
        wall, processor = time.perf_counter(), clock()
        await call(one)
        times.append((time.perf_counter() - wall, clock() - processor))
        await asyncio.sleep(0)
    return times


def _milliseconds(times: Times) -> dict[str, Any]:
    wall, processor = (sorted(1000 * one[at] for one in times) for at in (0, 1))
    return {
        "wall p50": round(median(wall), 1),
        "wall p95": round(quantiles(wall, n=20)[-1], 1),
        "processor p50": round(median(processor), 1),
        "target": f"p50 at most {MESSAGE}",
    }


def _seconds(times: Times) -> dict[str, Any]:
    wall, processor = ([one[at] for one in times] for at in (0, 1))
    return {
        "wall p50": round(median(wall), 2),
        "wall p95": round(max(wall), 2),
        "processor p50": round(median(processor), 2),
        "target": f"at most {LEARNING}",
    }
