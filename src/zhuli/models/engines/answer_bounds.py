"""What one answer of a model server may have at most: tokens, where the server ignores what was asked, and bytes. Pure."""

from zhuli.core.errors import BackendError
from zhuli.core.tokens import sevenths
from zhuli.types.models.generation import Delta


class AnswerBounds:
    """Told each delta. tokens: most of the answer, None for any number. size: most bytes of it; `name` is the model's."""

    def __init__(self, name: str, tokens: int | None, size: int) -> None:
        self._name = name
        self._tokens = tokens
        self._size = size
        self._pieces = 0
        self._sevenths = 0
        self._bytes = 0

    def end_before(self, delta: Delta) -> bool:
        """Whether the answer had all its tokens before this delta; BackendError when it has too many bytes with it.

        A piece is a token at least, but for proxies that cut finer; so both pieces and letters must be too many.
        """
        said = delta.text + delta.reasoning + delta.refusal
        if delta.tool_calls:
            said += "".join((call.name or "") + call.arguments for call in delta.tool_calls)
        if not said:
            return False
        self._pieces += 1
        self._sevenths += sevenths(said)
        self._bytes += len(said) if said.isascii() else len(said.encode(errors="replace"))
        if self._tokens is not None and self._pieces > self._tokens and self._sevenths > 7 * self._tokens:
            return True
        if self._bytes > self._size:
            raise BackendError(
                f"The answer of the model '{self._name}' went past {self._size} bytes, its max_answer_bytes."
            )
        return False
