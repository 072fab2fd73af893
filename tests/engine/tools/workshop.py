"""A tool that does what the model asks for: answers, raises, hangs, says too much. A plugin like anybody's.

Settings: journal, a file to which each call is written when it begins; idempotent, false unless it says otherwise.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zhuli.core.errors import ConfigurationError, InvalidRequest, Unavailable
from zhuli.ports import ToolServices
from zhuli.types.assistants.step import ServerToolCall
from zhuli.types.assistants.tool_task import ToolTask
from zhuli.types.models.generation import ToolDefinition

PLUGIN = "tests.engine.tools.workshop:Plugin"


class Plugin:
    """Functions: NAME_make, and NAME_mend where the assistant's settings say `mends`. `broken`: it can't say its functions;
    `slow`: it never does.
    """

    def __init__(self, name: str, settings: dict[str, Any], services: ToolServices) -> None:
        if unknown := settings.keys() - {"journal", "idempotent"}:
            raise ConfigurationError(f"[tools.{name}] does not take {', '.join(unknown)}.")
        self.idempotent: bool = settings.get("idempotent", False)
        self.closed = self.on_fire = False
        self.tasks: list[ToolTask] = []
        self._name = name
        self._services = services
        self._journal = Path(settings.get("journal") or services.folder / "journal")

    async def functions(self, project: str, settings: Mapping[str, Any]) -> Sequence[ToolDefinition]:
        if unknown := settings.keys() - {"mends", "broken", "slow"}:
            raise InvalidRequest(f"A workshop does not know {', '.join(unknown)}.")
        if self.on_fire or settings.get("broken"):
            raise Unavailable("The workshop is on fire.")
        if settings.get("slow"):
            await asyncio.Event().wait()
        kinds = ["make", "mend"] if settings.get("mends") else ["make"]
        return [
            {"type": "function", "function": {"name": f"{self._name}_{kind}", "description": f"To {kind} things."}}
            for kind in kinds
        ]

    def called(self, call_id: str, function: str, arguments: str) -> ServerToolCall:
        return ServerToolCall.asked(self._name, call_id, function, arguments)

    async def run(self, call: ServerToolCall, task: ToolTask) -> ServerToolCall:
        self.tasks.append(task)
        began = self.journal().count(call.id) + 1
        self._journal.parent.mkdir(parents=True, exist_ok=True)
        with self._journal.open("a") as journal:
            journal.write(f"{call.id}\n")
        return await self._do(call, task, began)

    async def _do(self, call: ServerToolCall, task: ToolTask, began: int) -> ServerToolCall:
        what = call.given
        match what.get("do", "answer"):
            case "raise":
                raise RuntimeError("password=secret")
            case "refuse":
                raise InvalidRequest("A workshop takes no Mondays.")
            case "exit":
                sys.exit(3)
            case "hang":
                await asyncio.Event().wait()
            case "hang once" if began == 1:
                await asyncio.Event().wait()
            case "give up":
                raise asyncio.CancelledError
            case "not listen":
                while not self.closed:
                    try:
                        await asyncio.sleep(0.05)
                    except asyncio.CancelledError:
                        continue
            case "say much":
                return call.answered("工" * 100_000)
            case "keep much":
                return call.answered("Made.", drawing="x" * 10_000_000)
            case "show":
                await task.show({"progress": "half"})
                await task.show({"progress": " done"})
                return call.answered("Made.", progress="half done")
            case "show much":
                for number in range(20):
                    await task.show({"progress": f"{number:05}" * 1_000})
                return call.answered("Made.")
            case "file":
                return call.answered(await self._services.add_file(task.project, "made.txt", b"Made."))
        return call.answered(str(what.get("text", "Made.")))

    async def aclose(self) -> None:
        self.closed = True

    def journal(self) -> list[str]:
        """The ids of the calls that were begun, in order."""
        return self._journal.read_text().splitlines() if self._journal.exists() else []
