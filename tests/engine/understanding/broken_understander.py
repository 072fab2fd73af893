"""An understander with a mistake in it, as somebody else's plugin may have."""

from collections.abc import Sequence

from zhuli.testing import scripted_understander
from zhuli.types.understanding.understanding import DialogueState, Reading


class Plugin(scripted_understander.Plugin):
    """Its mistake is no ZhuliError."""

    async def read(self, texts: Sequence[str], state: DialogueState) -> list[Reading]:
        raise KeyError(texts[0])
