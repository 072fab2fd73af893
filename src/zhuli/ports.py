"""The sockets of the house on one page. A plugin is one file under plugins/ that implements one of them.

Each docstring is the contract; `zhuli.testing` has a suite for each that built-ins and other people's plugins pass alike.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from zhuli.types.document import Block
from zhuli.types.generation import Delta, GenerationRequest, ToolDefinition
from zhuli.types.step import FileSearchToolCall
from zhuli.types.tool_task import ToolTask
from zhuli.types.vectors import Hit, IndexChange, Purpose, Vectors


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

    Made from its URL: `BlobStore(url)`. write() is atomic: a reader sees all of a blob or none of it. It takes the bytes at
    once or in pieces, of which it holds a few megabytes at a time, and gives their number; when the pieces break off, their
    exception is passed on and nothing is kept. read() streams pieces and raises KeyError for an unknown key; delete() of an
    unknown key is no error, and also removes what a process left behind that died while it wrote.
    """

    def __init__(self, url: str) -> None: ...

    async def write(self, key: str, data: bytes | AsyncIterable[bytes]) -> int: ...

    def read(self, key: str) -> AsyncGenerator[bytes, None]: ...

    async def delete(self, key: str) -> None: ...

    async def aclose(self) -> None:
        """Close connections; nothing must be called after this."""


class Embedder(Protocol):
    """Turns texts into vectors of unit length.

    Made from its settings like a Backend: `Embedder(name, settings)`; cheap until the first call or start(). A text longer
    than max_tokens is not refused: what does not fit is left out, or embedded in parts and averaged, as the plugin says.
    The same text gives the same vector whatever it is batched with (to 1e-3). Failures are BackendError.
    """

    dimensions: int
    max_tokens: int

    def __init__(self, name: str, settings: dict[str, Any]) -> None: ...

    async def start(self) -> None:
        """Load weights or open connections now; safe to call more than once."""

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors: ...

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, by the model's own tokenizer where it is at hand."""

    async def aclose(self) -> None:
        """Free everything; nothing may be called again."""


class VectorIndex(Protocol):
    """Finds the vectors nearest to one. A copy of what the database has, which may be thrown away and made again.

    Made from its settings: `VectorIndex(settings)`; "data_dir" and "database_url" are always among them. An index follows
    the changes of each store: apply() takes them in order and again without harm, and position() is the number up to which
    it has them all, also after a crash. All vectors of a store have the same length.
    """

    def __init__(self, settings: dict[str, Any]) -> None: ...

    async def position(self, store: str) -> int:
        """The number of the last change that this store's index has; 0 for a store it does not know."""

    async def apply(self, store: str, changes: Sequence[IndexChange], position: int) -> None:
        """Take in changes, oldest first; afterwards position() is `position`."""

    async def search(self, store: str, vector: bytes, *, most: int, files: Collection[int] | None) -> list[Hit]:
        """The `most` nearest chunks, best first, of these files only (None: of all); the filter never costs results."""

    async def drop(self, store: str) -> None:
        """Forget the store and delete what is kept of it; unknown ones too."""

    async def aclose(self) -> None:
        """Free everything; what was applied stays."""


class Parser(Protocol):
    """Reads one family of file formats. It runs in a child process with limits, and may take all of them with it.

    extensions: with the dot, in lower case. parse() yields blocks in reading order, and raises Unreadable for what is
    encrypted, broken, or not of this kind.
    """

    extensions: Sequence[str]

    def parse(self, path: Path) -> Iterator[Block]: ...


class Tool(Protocol):
    """A tool that runs in the server, in the middle of a run.

    Made by the composition root with what it needs. `definition` is the function that models are offered; its name is the
    tool's type. called() is the call as the step shows it while it waits, from the arguments as the model wrote them, which
    may be broken. run() gives the call with its results; it may be cancelled, and run again after a crash. Failures are
    ZhuliErrors, which end the run with their message.
    """

    definition: ToolDefinition

    def called(self, call_id: str, arguments: str) -> FileSearchToolCall: ...

    async def run(self, call: FileSearchToolCall, task: ToolTask) -> FileSearchToolCall: ...
