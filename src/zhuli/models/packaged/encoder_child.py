"""An encoder of encoder_folder in a process of its own: run as a program, it answers what comes over its connections.

A process, because loading is no matter for a thread: tokenizers reads a vocabulary of 250,000 pieces in a second in which it
holds Python's lock, so that nothing else of a server would run. packaged.encoder_process is the other end.

Arguments: the descriptors of its connections. Over the first comes the Order, whose answer is None or why there is no encoder;
then over each, one at a time, questions (the name of a method of Encoding and what it takes), whose answer is what it
gives, or an error. It ends when all are closed, that is, at the latest with the process that started it.
"""

import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Any

from zhuli.core.errors import BackendError, ZhuliError
from zhuli.models.packaged.encoder_folder import Recipe


@dataclass(frozen=True, slots=True)
class Order:
    """Which encoder: made ready in the folder `models`; words_only: of its word vectors alone."""

    recipe: Recipe
    models: Path
    words_only: bool = False

    def open(self) -> "Encoding":
        """The encoder, made ready if it is not; OSError, or ConfigurationError for a package that is missing."""
        folder = self.recipe.prepared(self.models)
        if self.words_only:
            from zhuli.models.packaged.word_vectors import WordVectors

            return Encoding(WordVectors(folder))
        from zhuli.models.packaged.text_encoder import TextEncoder

        return Encoding(TextEncoder(folder, window=self.recipe.window))


class Encoding:
    """What may be asked."""

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder

    def encode(self, texts: Sequence[str], prefix: str) -> bytes:
        """A row of Vectors for each text."""
        return b"".join(self._encoder.encode(text, prefix=prefix).astype("<f4").tobytes() for text in texts)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text."""
        counts: list[int] = self._encoder.count(texts)
        return counts


def main() -> None:
    """Load, then answer over all connections at once until they end."""
    connections: list[Connection[Any, Any]] = [Connection(int(descriptor)) for descriptor in sys.argv[1:]]
    order: Order = connections[0].recv()
    try:
        encoding = order.open()
    except (OSError, ZhuliError) as error:
        connections[0].send(error)
        return
    connections[0].send(None)
    threads = [Thread(target=_answer, args=(encoding, connection)) for connection in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _answer(encoding: Encoding, connection: "Connection[Any, Any]") -> None:
    with suppress(EOFError, OSError):
        while True:
            method, *given = connection.recv()
            connection.send(_answered(encoding, method, given))


def _answered(encoding: Encoding, method: str, given: Sequence[Any]) -> Any:
    try:
        return getattr(encoding, method)(*given)
    except BackendError as error:
        return error
    except Exception as error:
        traceback.print_exc()  # into the server's log
        return BackendError(f"An embedding model failed: {type(error).__name__}: {error}")


if __name__ == "__main__":
    with suppress(EOFError, ConnectionError):  # who started it is gone
        main()
