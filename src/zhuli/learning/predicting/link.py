"""The near end of child: starts the process, hands it one batch after the other, ends it.

Knows the lines that go back and forth and nothing of what they mean. A link is not started twice: after Died a new one is
needed.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from typing import Any, Self

import orjson

from zhuli.core.child_log import ChildLog
from zhuli.core.errors import ConfigurationError

LINE_LIMIT = 2**26
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # Threads that wait for each other sleep: where other programs want the cores too, spinning ones slow all down.
    "OMP_WAIT_POLICY": "passive",
}


class Died(Exception):
    """The process ended while it was asked; the text says how."""


class PredictionLink:
    """A running child. One question at a time."""

    def __init__(self, process: Process) -> None:
        assert process.stdin and process.stdout and process.stderr
        self._process = process
        self._input = process.stdin
        self._output = process.stdout
        # Stack traces too: for our log and for nobody else.
        self._log = ChildLog(process.stderr, name="predicting")

    @classmethod
    async def start(cls, *, models: int) -> Self:
        """A child that keeps so many models; ConfigurationError says what is not installed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "zhuli.learning.predicting.child", str(models)),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            limit=LINE_LIMIT,
            start_new_session=True,  # an interrupt in the terminal is for the server
            env=ENVIRONMENT | os.environ,
        )
        link = cls(process)
        try:
            greeting = await link._line()
        except BaseException:
            await link.aclose()
            raise
        if "missing" in greeting:
            await link.aclose()
            raise ConfigurationError(
                f"Tuned models need libraries that are not installed here ({greeting['missing']}): "
                "pip install 'zhuli[train]'."
            )
        return link

    @property
    def alive(self) -> bool:
        """Whether the child's process has not ended."""
        return self._process.returncode is None

    async def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """The child's answer, or Died."""
        with suppress(ConnectionError):  # a process that has just ended: reading from it says so
            self._input.write(orjson.dumps(question) + b"\n")
            await self._input.drain()
        return await self._line()

    async def aclose(self) -> None:
        """End it, whatever it is doing: there is nothing that it could lose."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._output.read()  # wait() would never return while the pipe is held up by what nobody has read
        await self._process.wait()
        await self._log.last_words()
        self._input.close()

    async def _line(self) -> dict[str, Any]:
        line = await self._output.readline()
        if not line.endswith(b"\n"):
            code = await self._process.wait()
            await self._log.last_words()
            how = f"by signal {-code}" if code < 0 else f"with code {code}"
            raise Died(f"The process that predicts ended {how}.")
        answer: dict[str, Any] = orjson.loads(line)
        return answer
