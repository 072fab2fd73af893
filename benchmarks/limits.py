"""Rate limits under load, on two server processes over one PostgreSQL: how much is let through in any minute.

    python -m benchmarks.limits [--requests 600] [--tokens 0] [--seconds 130] [--connections 4]

Of four connections three ask the first process and one the second for chat completions, as fast as they are answered; after a
429 they ask again in 30 ms. Answers with 200 are counted by when they were asked for. The result is the largest and
the smallest number in sixty seconds, over all that begin on a tenth of a second, beside the limit. Tokens are those that answers
say. Wants PostgreSQL's programs. It says processor time per request of the servers too, refused ones included.
"""

import asyncio
import json
import os
import tempfile
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from benchmarks import postgres
from benchmarks.connection import Connection
from benchmarks.processes import Process, cpu_seconds, free_port, started

MINUTE = 60.0
STEP = 0.1
_PAUSE = 0.03
_MODELS = '[models.script]\nbackend = "scripted"\nscript = "script.json"\n'
_SCRIPT = {"default": [{"text": "one two three four"}]}
_BODY = {"model": "script", "messages": [{"role": "user", "content": "Hello."}], "max_tokens": 8}

Let = list[tuple[float, int]]
"""What was let through: when it was asked for, and its tokens."""


def main(
    requests: Annotated[int, typer.Option(help="Requests a minute; 0: no such limit.")] = 600,
    tokens: Annotated[int, typer.Option(help="Tokens a minute; 0: no such limit.")] = 0,
    seconds: Annotated[int, typer.Option(min=65, help="How long.")] = 130,
    connections: Annotated[int, typer.Option(min=2, help="How many ask; every fourth the second process.")] = 4,
) -> None:
    """Ask for more than the limits let through, and print what they did."""
    limits = {name: value for name, value in (("requests", requests), ("tokens", tokens)) if value}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        url = stack.enter_context(postgres.started(Path(folder, "postgres")))
        os.environ["ZHULI_PROJECT_LIMITS"] = json.dumps({f"{unit}_per_minute": value for unit, value in limits.items()})
        os.environ["ZHULI_DATABASE_URL"] = url
        servers = [stack.enter_context(_server(Path(folder, name))) for name in ("one", "two")]
        before = sum(cpu_seconds(server.pid) for server in servers)
        let, asked = asyncio.run(_load([server.port for server in servers], connections, seconds))
        spent = sum(cpu_seconds(server.pid) for server in servers) - before
    print(
        f"{asked} requests in {seconds} s, {len(let)} let through; {1000 * spent / asked:.2f} ms of processor time each"
    )
    for unit, limit in limits.items():
        sums = _sums([(at, 1 if unit == "requests" else used) for at, used in let], seconds)
        print(
            f"{unit} a minute: limit {limit}, in any 60 s at most {max(sums)} ({max(sums) / limit - 1:+.2%}), "
            f"at least {min(sums)} ({min(sums) / limit - 1:+.2%})"
        )


def _server(folder: Path) -> AbstractContextManager[Process]:
    folder.mkdir()
    (folder / "models.toml").write_text(_MODELS)
    (folder / "script.json").write_text(json.dumps(_SCRIPT))
    port = free_port()
    arguments = ("serve", "--port", str(port), "--data-dir", str(folder))
    return started("zhuli.cli", *arguments, port=port, ready="/readyz", log=folder / "log")


async def _load(ports: list[int], connections: int, seconds: int) -> tuple[Let, int]:
    let: Let = []
    began = perf_counter()
    asked = await asyncio.gather(*(_ask(ports[number % 4 == 3], began, seconds, let) for number in range(connections)))
    return let, sum(asked)


async def _ask(port: int, began: float, seconds: int, let: Let) -> int:
    connection = await Connection.open(port)
    count = 0
    while (at := perf_counter() - began) < seconds:
        answer = await connection.send("POST", "/v1/chat/completions", _BODY, may_fail=True)
        count += 1
        if answer.status == 200:
            let.append((at, answer.json["usage"]["total_tokens"]))
        else:
            await asyncio.sleep(_PAUSE)
    connection.close()
    return count


def _sums(let: Let, seconds: int) -> list[int]:
    """Of each minute that lies within the load; the first begins with it."""
    starts = [step * STEP for step in range(int((seconds - MINUTE) / STEP))]
    return [sum(amount for at, amount in let if start <= at < start + MINUTE) for start in starts]


if __name__ == "__main__":
    typer.run(main)
