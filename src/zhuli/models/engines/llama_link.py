"""The near end of llama_child: starts the process, sends it requests, hands each answer's chunks to who waits.

Knows the lines that go back and forth and nothing of what the chunks mean. A link is not started twice: when its
process has ended, `alive` is False, every answer under way has failed, and a new link is needed.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Self

import orjson

from zhuli.core.child_log import ChildLog
from zhuli.core.errors import BackendError, ConfigurationError

PROGRAM = Path(__file__).with_name("llama_child.py")
LINE_LIMIT = 2**24
PATIENCE = 5.0
"""Seconds that a process gets to end by itself."""
ENVIRONMENT = {"OMP_WAIT_POLICY": "passive"}
"""Threads that wait for each other sleep. By default they spin, and where other programs want the cores too, an answer
takes five times as long (docs/embedded.md)."""

_Answer = asyncio.Queue[Any]


class LlamaLink:
    """A running engine. `props` is what it says about its model."""

    def __init__(self, process: Process, props: dict[str, Any], log: ChildLog) -> None:
        assert process.stdin and process.stdout
        self.props = props
        self._process = process
        self._input = process.stdin
        self._output = process.stdout
        self._log = log
        self._numbers = count(1)
        self._answers: dict[int, _Answer] = {}
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, settings: dict[str, Any]) -> Self:
        """Load the model; ConfigurationError with the engine's own words when it can't be."""
        # A session of its own: an interrupt in the terminal is for the server, which ends this process in its own time.
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", str(PROGRAM)),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            limit=LINE_LIMIT,
            start_new_session=True,
            env=ENVIRONMENT | os.environ,
        )
        assert process.stdin and process.stdout and process.stderr
        log = ChildLog(process.stderr, name="llama.cpp")
        try:
            process.stdin.write(orjson.dumps(settings) + b"\n")
            first = await process.stdout.readline()
        except BaseException:
            await _end(process)
            raise
        greeting = orjson.loads(first or "{}")
        if "ready" not in greeting:
            await _end(process)
            why = greeting.get("failed", "its process ended.")
            raise ConfigurationError(
                f"llama.cpp can't load {settings['path']}: {why} {await log.last_words()}".rstrip()
            )
        return cls(process, greeting["ready"], log)

    @property
    def alive(self) -> bool:
        """Whether the child can still be asked."""
        return not self._reading.done()

    @property
    def pid(self) -> int:
        """Of the child's process."""
        return self._process.pid

    async def chat(self, body: dict[str, Any]) -> AsyncGenerator[list[Any], None]:
        """The chunks of an answer, as many at a time as have come meanwhile. Closing early cancels it over there."""
        number, answer = self._open()
        try:
            await self._send({"id": number, "chat": body})
            while chunks := await _arrived(answer):
                yield chunks
            del self._answers[number]
        finally:
            if self._answers.pop(number, None) and self.alive:
                self._input.write(orjson.dumps({"id": number, "cancel": True}) + b"\n")

    async def count(self, texts: list[str]) -> list[int]:
        """Tokens of each text."""
        number, answer = self._open()
        try:
            await self._send({"id": number, "count": texts})
            chunks = await _arrived(answer)
        finally:
            self._answers.pop(number, None)
        if not chunks:
            raise BackendError("llama.cpp could not count tokens.")
        counts: list[int] = chunks[0]
        return counts

    async def aclose(self) -> None:
        """End the child; answers that are going on end with BackendError."""
        await _end(self._process)
        await self._reading

    def _open(self) -> tuple[int, _Answer]:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.Queue()
        return number, answer

    async def _send(self, request: dict[str, Any]) -> None:
        if not self.alive:
            raise self._ended()
        self._input.write(orjson.dumps(request) + b"\n")
        # A process that has just ended breaks the pipe; the answer's queue then says so.
        with suppress(ConnectionError):
            await self._input.drain()

    async def _read(self) -> None:
        try:
            while line := await self._output.readline():
                number, _, chunk = line.rstrip().partition(b" ")
                if answer := self._answers.get(int(number)):
                    answer.put_nowait(orjson.loads(chunk) if chunk else None)
        finally:
            await self._process.wait()
            said = await self._log.last_words()
            for answer in self._answers.values():
                answer.put_nowait(self._ended(said))

    def _ended(self, said: str = "") -> BackendError:
        code = self._process.returncode
        how = f"by signal {-code}" if code and code < 0 else f"with code {code}"
        return BackendError(f"The process of llama.cpp ended {how}; the next call starts it again. {said}".rstrip())


async def _arrived(answer: _Answer) -> list[Any]:
    """What has come, at least one chunk; none at the end."""
    chunks = []
    chunk = await answer.get()
    while chunk is not None:
        if isinstance(chunk, BackendError):
            raise chunk
        chunks.append(chunk)
        if answer.empty():
            break
        chunk = answer.get_nowait()
    else:
        if chunks:
            answer.put_nowait(None)
    return chunks


async def _end(process: Process) -> None:
    if process.stdin:
        process.stdin.close()
    try:
        async with asyncio.timeout(PATIENCE):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
