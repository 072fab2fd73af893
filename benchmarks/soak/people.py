"""Clients that insist: each has conversations, follows its runs, and writes down what it was told was done.

A request whose answer was lost is sent again with its Idempotency-Key, to either server, until somebody answers. What was
acknowledged stands in the Ledger, and everything that contradicts it later becomes one of its findings.
"""

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from benchmarks.soak.model import MODES
from benchmarks.soak.sse import Event, events

TERMINAL = {"completed", "incomplete", "failed", "cancelled", "expired"}
FUNCTION = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
PATIENCE = 90.0
"""Seconds after which a request that nobody answers, or a run that has not ended, is a finding: lifetime, lease, outage."""


@dataclass
class Turn:
    """A question that was acknowledged, and what became of its run."""

    marker: str
    mode: str
    message: str
    run: str
    cancelled: bool = False
    status: str = ""
    seen: list[Event] = field(default_factory=list)


@dataclass
class Ledger:
    """What clients know. `threads` has the acknowledged turns of each thread, in order."""

    threads: dict[str, list[Turn]] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    retried: int = 0
    resumed: int = 0
    slowest: float = 0.0

    def finding(self, text: str) -> None:
        self.findings.append(text)


class Refused(Exception):
    """A request was answered with a 4xx that no retry changes."""


class Client:
    """One of many. Calls either server, as it comes."""

    def __init__(self, http: aiohttp.ClientSession, ports: list[int], chance: random.Random, ledger: Ledger) -> None:
        self._http = http
        self._ports = ports
        self._chance = chance
        self.ledger = ledger

    async def live(self, assistant: str, until: float, think: float) -> None:
        """Conversation after conversation, until this moment of the loop's clock."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._chance.uniform(0, think))
        while loop.time() < until:
            thread = (await self.post("/v1/threads", {}))["id"]
            turns = self.ledger.threads.setdefault(thread, [])
            for _ in range(self._chance.randint(2, 8)):
                await asyncio.sleep(self._chance.expovariate(1 / think))
                if loop.time() > until:
                    return
                await self._turn(assistant, thread, turns)

    async def _turn(self, assistant: str, thread: str, turns: list[Turn]) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        mode = self._chance.choices(list(MODES), [mode.weight for mode in MODES.values()])[0]
        marker = uuid.uuid4().hex
        question = {"role": "user", "content": f"soak {marker} {mode}"}
        message = await self.post(f"/v1/threads/{thread}/messages", question)
        run = await self.post(f"/v1/threads/{thread}/runs", {"assistant_id": assistant})
        turn = Turn(marker, mode, message["id"], run["id"])
        turns.append(turn)
        try:
            async with asyncio.timeout(PATIENCE + 60):
                await self._follow(thread, turn)
        except TimeoutError:
            self.ledger.finding(f"{thread} {turn.run} ({mode}) did not end")
        self.ledger.slowest = max(self.ledger.slowest, loop.time() - began)

    async def _follow(self, thread: str, turn: Turn) -> None:
        """To the end of the run: as a follower of its stream, or by asking now and then; some change their mind."""
        at = f"/v1/threads/{thread}/runs/{turn.run}"
        cancels = self._chance.random() < 0.03
        streams = self._chance.random() < 0.7
        while True:
            if cancels:
                cancels = False
                turn.cancelled = await self._cancel(at)
            if streams:
                await self.stream(at, turn)
            else:
                await asyncio.sleep(self._chance.uniform(0.2, 1))
            run = await self.get(at)
            if run["status"] in TERMINAL:
                turn.status = run["status"]
                self.ledger.ends[f"{turn.mode}: {turn.status}"] += 1
                return
            if run["status"] == "requires_action":
                await self._submit(at, run)

    async def _cancel(self, at: str) -> bool:
        await asyncio.sleep(self._chance.uniform(0, 2))
        try:
            await self.post(f"{at}/cancel", {})
        except Refused:
            return False  # it had ended
        return True

    async def _submit(self, at: str, run: dict[str, Any]) -> None:
        calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        outputs = [{"tool_call_id": call["id"], "output": "2"} for call in calls]
        try:
            await self.post(f"{at}/submit_tool_outputs", {"tool_outputs": outputs})
        except Refused:
            if (await self.get(at))["status"] == "requires_action":
                raise

    async def stream(self, at: str, turn: Turn) -> None:
        """Read events from behind the last one seen until the stream ends or breaks."""
        headers = {"Last-Event-ID": turn.seen[-1].id} if turn.seen else {}
        self.ledger.resumed += bool(headers)
        try:
            async with self._http.get(self._url(f"{at}/events"), headers=headers) as response:
                if response.status != 200:
                    return
                async for event in events(response.content):
                    if event.id:
                        turn.seen.append(event)
        except (aiohttp.ClientError, TimeoutError, OSError):
            await asyncio.sleep(0.2)

    async def get(self, path: str) -> Any:
        return await self._insist("GET", path, None)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        return await self._insist("POST", path, body)

    async def pages(self, path: str) -> AsyncIterator[dict[str, Any]]:
        """Every item of a list, oldest first."""
        after = ""
        while True:
            page = await self.get(f"{path}?order=asc&limit=100{after}")
            for item in page["data"]:
                yield item
            if not page["has_more"]:
                return
            after = f"&after={page['last_id']}"

    async def _insist(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        """The answer, however often it takes. Raises Refused for a 4xx that a retry does not change."""
        loop = asyncio.get_running_loop()
        key, last = str(uuid.uuid4()), loop.time() + PATIENCE
        problem = ""
        while loop.time() < last:
            try:
                headers = {"Idempotency-Key": key} if method == "POST" else {}
                async with self._http.request(method, self._url(path), json=body, headers=headers) as response:
                    answer = orjson.loads(await response.read())
                if response.status == 200:
                    return answer
                problem = f"{response.status} {answer}"
                if response.status < 500 and response.status not in (409, 429):
                    raise Refused(f"{method} {path}: {problem}")
            except (aiohttp.ClientError, TimeoutError, OSError, orjson.JSONDecodeError) as error:
                problem = repr(error)
            self.ledger.retried += 1
            await asyncio.sleep(self._chance.uniform(0.1, 1))
        raise Refused(f"{method} {path} was not answered in {PATIENCE:.0f} s: {problem}")

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._chance.choice(self._ports)}{path}"


def may_end(turn: Turn) -> set[str]:
    """The statuses in which the run of a turn may rightly have ended."""
    ends = set(MODES[turn.mode].ends)
    return ends | {"cancelled"} if turn.cancelled else ends
