"""A model whose process dies of some questions, and answers others when it is let: for tests of who is to blame.

A plugin like anybody's, so the server needs no switch for it. What a question begins with says what becomes of it, once the file
of the setting `go` exists: "poison" kills the process, by SIGKILL, a moment later; "slow" is answered after that, "wait" at once.
Everything else is answered without waiting. Each question is written to the file `asked` when it comes, with its process.
"""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

from zhuli.types.models.generation import Delta, GenerationRequest, Usage

_LOOK_SECONDS = 0.05
_MOMENT, _LONGER = 0.3, 1.0


class Model:
    """Settings: `asked` and `go`, paths of files."""

    context_window = 8192

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        self._asked = Path(settings["asked"])
        self._go = Path(settings["go"])

    async def start(self) -> None:
        """Nothing is loaded."""

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Delta, None]:
        said = str(request.messages[-1]["content"])
        with self._asked.open("a") as asked:
            asked.write(f"{os.getpid()} {said}\n")
        while said.startswith(("poison", "slow", "wait")) and not self._go.exists():
            await asyncio.sleep(_LOOK_SECONDS)
        if said.startswith("poison"):
            await asyncio.sleep(_MOMENT)
            os.kill(os.getpid(), signal.SIGKILL)
        if said.startswith("slow"):
            await asyncio.sleep(_LONGER)
        yield Delta(text=f"You said: {said}")
        yield Delta(finish="stop", usage=Usage(1, 1))

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) for text in texts]

    async def aclose(self) -> None:
        """Nothing is open."""
