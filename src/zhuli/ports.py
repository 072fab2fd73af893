"""The sockets of the house on one page. A plugin is one file under plugins/ that implements one of them.

Each docstring is the contract; `zhuli.testing` has a suite for each that built-ins and other people's plugins pass alike.
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Protocol

from zhuli.types.generation import Delta, GenerationRequest


class Backend(Protocol):
    """A model that talks.

    Made from the settings of its entry in the models file: `Backend(name, settings)`; unknown or missing settings raise
    ConfigurationError. Making one is cheap: weights load and connections open on the first call, or in `start()`.

    generate() streams; there is no second, non-streaming way in. The last delta, and only it, has a finish reason; usage
    comes with it when the backend knows it. Tool call indexes have no gaps, and the first piece of each carries its id and
    name. Closing the iterator early frees the model within a second. Failures are BackendError, never the library's own.
    """

    context_window: int
    """Tokens of prompt and answer together."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None: ...

    async def start(self) -> None:
        """Load weights or open connections now; safe to call more than once."""

    def generate(self, request: GenerationRequest) -> AsyncGenerator[Delta, None]: ...

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text: exact where the tokenizer is at hand, otherwise the estimate of core.tokens."""

    async def aclose(self) -> None:
        """Free everything; generate() must not be called again."""


class BlobStore(Protocol):
    """Bytes by key. Keys are ours (ids), never a client's text.

    Made from its URL: `BlobStore(url)`. write() is atomic: a reader sees all of a blob or none of it. read() streams pieces
    and raises KeyError for an unknown key; delete() of an unknown key is no error.
    """

    def __init__(self, url: str) -> None: ...

    async def write(self, key: str, data: bytes) -> None: ...

    def read(self, key: str) -> AsyncGenerator[bytes, None]: ...

    async def delete(self, key: str) -> None: ...

    async def aclose(self) -> None:
        """Close connections; nothing must be called after this."""
