"""An understander that never comes to an end, so that a test can act while a message is being understood."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from zhuli.testing import scripted_understander
from zhuli.types.understanding.understanding import DialogueState, Reading


class Plugin(scripted_understander.Plugin):
    """asked: what it was given to read."""

    asked: ClassVar[list[str]] = []

    async def read(self, texts: Sequence[str], state: DialogueState) -> list[Reading]:
        self.asked.extend(texts)
        await asyncio.Event().wait()
        return []


async def reads(text: str) -> None:
    """Return when it has been given this text."""
    async with asyncio.timeout(10):
        while text not in Plugin.asked:
            await asyncio.sleep(0.01)
