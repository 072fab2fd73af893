"""The load client: what an app does (a thread, a message, a streamed run) in a closed loop over n connections.

Runs against any zhuli server on 127.0.0.1; `run_all` starts one, this file alone is for profiling:

    python -m benchmarks.load run --port 8000 --pid 4711 --connections 16 --count 500

Every run is checked: one that did not end as completed, with the model's whole text, stops the benchmark. It doesn't
judge the figures; `scenarios` says which loads make which figure.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter
from typing import Annotated, Any, Protocol

import typer
import uvloop

from benchmarks.connection import Answer, Connection
from benchmarks.processes import cpu_seconds

QUESTION = "Which of the two trains to the coast leaves earlier, and is there a seat left on it?"
INSTANT, PACED = "mock-instant-16", "mock-5ms-32"
LAST_WORD = {INSTANT: b" word15", PACED: b" word31"}

Work = Callable[[Connection], Awaitable[Answer]]
"""What is repeated; the answer is that of its last request."""


class Target(Protocol):
    """Something that answers a question with a stream: zhuli, or the model server behind it."""

    port: int
    model: str

    async def ask(self, connection: Connection) -> Answer: ...


class Zhuli:
    """A zhuli server with one assistant. Each ask() is a new thread, a user's message and a streamed run."""

    def __init__(self, port: int, model: str) -> None:
        self.port = port
        self.model = model
        self._assistant = ""

    async def prepare(self) -> None:
        """Makes the assistant."""
        connection = await Connection.open(self.port)
        body = {"model": self.model, "instructions": "You help travellers.", "name": "Benchmark"}
        self._assistant = (await connection.send("POST", "/v1/assistants", body)).json["id"]
        connection.close()

    async def ask(self, connection: Connection) -> Answer:
        return await self.turn(connection, await self.create_thread(connection))

    async def create_thread(self, connection: Connection) -> str:
        return str((await connection.send("POST", "/v1/threads", {})).json["id"])

    async def create_message(self, connection: Connection, thread: str) -> Answer:
        return await connection.send("POST", f"/v1/threads/{thread}/messages", {"role": "user", "content": QUESTION})

    async def turn(self, connection: Connection, thread: str) -> Answer:
        """A user's message and the run that answers it; began is the moment of the run's request."""
        await self.create_message(connection, thread)
        body = {"assistant_id": self._assistant, "stream": True}
        answer = await connection.send("POST", f"/v1/threads/{thread}/runs", body, mark=b"event: thread.message.delta")
        _check(answer, b"event: thread.run.completed", self.model)
        return answer


class ModelServer:
    """The mock asked directly, as zhuli asks it: what there is to compare with."""

    def __init__(self, port: int, model: str) -> None:
        self.port = port
        self.model = model

    async def ask(self, connection: Connection) -> Answer:
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": "user", "content": QUESTION}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        answer = await connection.send("POST", "/v1/chat/completions", body, mark=b'"content":" word')
        _check(answer, b"data: [DONE]", self.model)
        return answer


@dataclass(frozen=True)
class Load:
    """What a load gave: the work's duration (all its requests) and its last request's first token, each in seconds."""

    durations: list[float]
    first_tokens: list[float]
    seconds: float
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        return len(self.durations) / self.seconds

    @property
    def cpu_ms(self) -> float:
        """The server's CPU time for each piece of work."""
        return 1000 * self.cpu_seconds / len(self.durations)


async def closed_loop(port: int, work: Work, *, connections: int, count: int, pid: int, warm_up: int = 0) -> Load:
    """`work` done `count` times by `connections` clients, each of which starts anew as soon as it has its answer.

    pid: the process whose CPU time is counted. The warm-up comes before, on the same connections, and isn't counted.
    """
    clients = [await Connection.open(port) for _ in range(connections)]
    durations: list[float] = []
    first_tokens: list[float] = []
    left = warm_up

    async def client(connection: Connection) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            began = perf_counter()
            answer = await work(connection)
            durations.append(answer.ended - began)
            if answer.marked is not None:
                first_tokens.append(answer.marked - answer.began)

    await asyncio.gather(*map(client, clients))
    durations.clear()
    first_tokens.clear()
    left = count
    cpu, began = cpu_seconds(pid), perf_counter()
    await asyncio.gather(*map(client, clients))
    load = Load(durations, first_tokens, perf_counter() - began, cpu_seconds(pid) - cpu)
    for connection in clients:
        connection.close()
    return load


def percentile_95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1] if len(values) > 1 else values[0]


def _check(answer: Answer, ending: bytes, model: str) -> None:
    if ending not in answer.body or LAST_WORD[model] not in answer.body:
        raise RuntimeError(f"The stream did not end as it should:\n{answer.body[-1500:].decode(errors='replace')}")


def main(
    kind: Annotated[str, typer.Argument(help="run, message, or direct (the mock itself, without zhuli)")],
    port: Annotated[int, typer.Option(help="Of the server, on 127.0.0.1.")],
    pid: Annotated[int, typer.Option(help="The process whose CPU time is counted.")],
    connections: Annotated[int, typer.Option()] = 1,
    count: Annotated[int, typer.Option()] = 200,
    warm_up: Annotated[int, typer.Option()] = 20,
    model: Annotated[str, typer.Option()] = INSTANT,
) -> None:
    """Put one load on a running server."""
    uvloop.run(_load(kind, port=port, pid=pid, connections=connections, count=count, warm_up=warm_up, model=model))


async def _load(kind: str, *, port: int, pid: int, connections: int, count: int, warm_up: int, model: str) -> None:
    work = await _work(kind, port, model)
    load = await closed_loop(port, work, connections=connections, count=count, pid=pid, warm_up=warm_up)
    print(f"{len(load.durations)} in {load.seconds:.2f} s: {load.per_second:.1f}/s, {load.cpu_ms:.2f} ms CPU each")
    print(_line("duration", load.durations))
    if load.first_tokens:
        print(_line("first token", load.first_tokens))


async def _work(kind: str, port: int, model: str) -> Work:
    if kind == "direct":
        return ModelServer(port, model).ask
    zhuli = Zhuli(port, model)
    await zhuli.prepare()
    if kind == "run":
        return zhuli.ask
    connection = await Connection.open(port)
    thread = await zhuli.create_thread(connection)
    connection.close()
    return lambda connection: zhuli.create_message(connection, thread)


def _line(name: str, seconds: list[float]) -> str:
    return f"{name:12} median {1000 * median(seconds):8.2f} ms   p95 {1000 * percentile_95(seconds):8.2f} ms"


if __name__ == "__main__":
    program = typer.Typer(pretty_exceptions_enable=False)
    program.command()(main)
    program()
