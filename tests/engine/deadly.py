"""An understander and a model whose process dies, by SIGKILL, at the moment that the file `arm_file` names.

Plugins like anybody's, so the server needs no switch for them. "understood": the message is understood, and nothing of it is
recorded; "asked": the model is about to answer. The file goes first, so that the next process lives.
"""

import os
import signal
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

from zhuli.plugins.backends import scripted
from zhuli.ports import Services
from zhuli.testing import scripted_understander
from zhuli.types.models.generation import Delta, GenerationRequest
from zhuli.types.understanding.domain import DomainFields
from zhuli.types.understanding.understanding import DialogueState, Reading


class Understander(scripted_understander.Plugin):
    """Settings: those of the scripted understander, and `arm_file`."""

    def __init__(self, domain: DomainFields, services: Services) -> None:
        super().__init__(domain, services)
        self._arm_file = Path((domain.understander.model_extra or {})["arm_file"])

    async def read(self, texts: Sequence[str], state: DialogueState) -> list[Reading]:
        readings = await super().read(texts, state)
        _die(self._arm_file, "understood")
        return readings


class Model(scripted.Plugin):
    """Settings: those of the scripted backend, and `arm_file`."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, {key: value for key, value in settings.items() if key != "arm_file"})
        self._arm_file = Path(settings["arm_file"])

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Delta, None]:
        _die(self._arm_file, "asked")
        async for delta in super().generate(request):
            yield delta


def _die(arm_file: Path, moment: str) -> None:
    if arm_file.exists() and arm_file.read_text() == moment:
        arm_file.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
