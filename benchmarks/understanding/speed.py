"""How long one message takes, and how long a domain of 77 intents with 10 examples each takes to be learned, and learned again
after a change: the vectors of texts that it had before are still there.

In this process (Understandings.understand and prepare) and over HTTP from a server process, both on one core. Processor time
is of all threads of the process that understands: on a shared machine it is what stays when others wait, wall time is what users
feel. Messages are embedded each time; the model is loaded before.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

from threadpoolctl import threadpool_limits

from benchmarks.connection import Connection
from benchmarks.processes import SERVER_CORE, cpu_seconds, free_port, started
from benchmarks.understanding.bench import Bench
from benchmarks.understanding.domain_of import domain_of
from benchmarks.understanding.intent_sets import IntentSet
from benchmarks.understanding.rows import Row
from zhuli.app import build_app
from zhuli.settings import Settings
from zhuli.store.projects import DEFAULT_PROJECT
from zhuli.types.understanding.domain import Domain, DomainFields
from zhuli.types.understanding.understanding import DialogueState

DRAWS = 3
"""Domains that are learned, each with other examples."""

CHANGED = 10
"""Examples that a change of a domain replaces, of as many intents."""

WARM = 20
"""Messages that are asked before."""

MESSAGE, LEARNING = "15 ms", "5 s"

Times = list[tuple[float, float]]
"""Seconds by the wall clock and of the processor."""


async def speed(bench: Bench, row: Row, known: IntentSet) -> dict[str, Any]:
    texts = [message.text for message in bench.sample(known.test, row.test)]
    count = 1 if bench.quick else DRAWS
    draws = [known.drawn(bench.each(row), seed) for seed in range(count + 1)]
    domains = [domain_of(draw, language=known.language, type=row.understander) for draw in draws]
    found: dict[str, Any] = {}
    with TemporaryDirectory(prefix="zhuli-speed-") as place:
        (Path(place) / "models").symlink_to(bench.data_dir.resolve() / "models")
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {SERVER_CORE})
        with threadpool_limits(1):  # as many as a process sees that is started on one core
            found |= await _in_process(Path(place), domains, texts)
        os.sched_setaffinity(0, before)
        bench.advance(0.6)
        found |= await _over_http(Path(place), domains, texts)
    return {"measures": {}, "speed": found, "train": len(draws[0]), "test": len(texts)}


async def _in_process(place: Path, domains: Sequence[DomainFields], texts: Sequence[str]) -> dict[str, Any]:
    app = build_app(Settings(data_dir=place))
    await app.start(work=False)
    new = [_version(fields, number, 1) for number, fields in enumerate(domains)]
    changed = [_version(_changed(fields, domains[0]), number, 2) for number, fields in enumerate(domains)]
    clock = time.process_time

    async def learned(domain: Domain) -> Any:
        return await app.understanding.understandings.prepare(DEFAULT_PROJECT, domain)

    async def understood(text: str) -> Any:
        return await app.understanding.understandings.understand(DEFAULT_PROJECT, changed[-1], text, DialogueState())

    try:
        first, again = await _timed(new, learned, clock), await _timed(changed, learned, clock)
        taken = await _timed([*texts[:WARM], *texts], understood, clock)
    finally:
        await app.stop()
    return {
        "prepare() of a new domain, in s": _seconds(first[1:], ""),
        f"prepare() after {CHANGED} examples have changed, in s": _seconds(again[1:], LEARNING),
        "understand() of a message, in ms": _milliseconds(taken[WARM:]),
    }


async def _over_http(place: Path, domains: Sequence[DomainFields], texts: Sequence[str]) -> dict[str, Any]:
    port = free_port()
    options = ("serve", "--port", str(port), "--data-dir", str(place))
    log = place / "server.log"
    with started("zhuli.cli", *options, port=port, ready="/readyz", log=log, core=SERVER_CORE) as server:
        connection = await Connection.open(port)

        def clock() -> float:
            return cpu_seconds(server.pid)

        made = (await connection.send("POST", "/v1/domains", _body(domains[-1]))).json
        path = f"/v1/domains/{made['id']}"

        async def ask(text: str) -> Any:
            return await connection.send("POST", "/v1/understandings", {"domain": made["id"], "input": text})

        async def change(other: DomainFields) -> None:
            """Until it is learned, which the answer waits for at most five seconds."""
            answer = await connection.send("POST", path, _body(_changed(domains[-1], other)))
            if not answer.json["report"]["learned"]:
                await ask(texts[0])

        await ask(texts[0])
        again = await _timed(domains[:-1], change, clock)
        taken = await _timed([*texts[:WARM], *texts], ask, clock)
    return {
        f"POST /v1/domains/{{id}} that changes {CHANGED} examples, until it is learned, in s": _seconds(
            again, LEARNING
        ),
        "POST /v1/understandings, in ms": _milliseconds(taken[WARM:]),
    }


def _version(fields: DomainFields, number: int, version: int) -> Domain:
    return Domain(**fields.model_dump(), id=f"dom_speed{number}", created_at=0, version=version)


def _changed(domain: DomainFields, other: DomainFields) -> DomainFields:
    """With the other's last example in place of its own, in the first intents."""
    intents = [
        mine.model_copy(update={"examples": [*mine.examples[:-1], f"{theirs.examples[-1]} Please."]})
        for mine, theirs in zip(domain.intents[:CHANGED], other.intents, strict=False)
    ]
    return domain.model_copy(update={"intents": [*intents, *domain.intents[CHANGED:]]})


def _body(domain: DomainFields) -> Any:
    return domain.model_dump(mode="json", exclude_none=True)


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


def _seconds(times: Times, target: str) -> dict[str, Any]:
    wall, processor = ([one[at] for one in times] for at in (0, 1))
    return {
        "wall p50": round(median(wall), 2),
        "wall p95": round(max(wall), 2),
        "processor p50": round(median(processor), 2),
        "target": f"at most {target}" if target else "–",
    }
