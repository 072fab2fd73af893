"""Children that predict nothing: a test sees what each is asked and says what it answers, or that it dies.

children = ControlledChildren()
predictor = Predictor(seconds=5, models=4, start=children.start)
"""

import asyncio
from typing import Any

from zhuli.learning.predicting.link import Died


class ControlledLink:
    """A child: `asked` is every question; each waits until answer() or die()."""

    def __init__(self) -> None:
        self.alive = True
        self.asked: list[dict[str, Any]] = []
        self._waiting = asyncio.Event()
        self._reply: asyncio.Future[dict[str, Any]] | None = None

    async def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(question)
        self._reply = asyncio.get_running_loop().create_future()
        self._waiting.set()
        return await self._reply

    async def question(self) -> dict[str, Any]:
        """The question that waits for an answer, when there is one."""
        await self._waiting.wait()
        return self.asked[-1]

    async def answer(self, reply: dict[str, Any] | None = None) -> list[Any]:
        """Answer what waits, by default every input with itself in capitals, and give its inputs."""
        inputs = (await self.question())["inputs"]
        answers = [{"output": str(given).upper(), "tokens": len(str(given))} for given in inputs]
        self._release().set_result(reply or {"answers": answers})
        return list(inputs)

    async def die(self) -> None:
        """End, as the process does that the system kills."""
        await self.question()
        self.alive = False
        self._release().set_exception(Died("The process that predicts ended by signal 9."))

    async def aclose(self) -> None:
        self.alive = False

    def _release(self) -> "asyncio.Future[dict[str, Any]]":
        assert self._reply is not None
        self._waiting.clear()
        return self._reply


class ControlledChildren:
    """What a Predictor is given as `start`; `links` are those that it has started."""

    def __init__(self) -> None:
        self.links: list[ControlledLink] = []
        self._started = asyncio.Condition()

    async def start(self, *, models: int) -> ControlledLink:
        async with self._started:
            self.links.append(ControlledLink())
            self._started.notify_all()
        return self.links[-1]

    async def child(self, number: int = 1) -> ControlledLink:
        """The first child, the second …, when it has been started."""
        async with self._started:
            await self._started.wait_for(lambda: len(self.links) >= number)
        return self.links[number - 1]
