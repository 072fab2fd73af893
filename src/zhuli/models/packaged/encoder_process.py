"""The near end of encoder_child: starts the process, asks it, ends it. To be called in threads, several at once; over `line`, in
the event loop.

It is not started twice: once `alive` is False, a new one is needed.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from zhuli.core.errors import BackendError
from zhuli.models.packaged.encoder_child import Order
from zhuli.models.packaged.encoder_line import EncoderLine

ENVIRONMENT = {"OMP_WAIT_POLICY": "passive", "OPENBLAS_NUM_THREADS": "1"}
"""A text is encoded on one core: threads that help would only be in each other's way."""

LAST_WORDS_SECONDS = 0.1
"""A process whose connections are closed is gone a moment later."""


class EncoderProcess:
    """A running child. at_once: questions from threads that it works on beside each other; more wait. line: for short ones."""

    def __init__(self, order: Order, *, at_once: int) -> None:
        """Return when it is loaded. OSError or ConfigurationError says why it can't be, BackendError that it ended."""
        pairs = [Pipe() for _ in range(at_once + 1)]
        theirs = [their.fileno() for _, their in pairs]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "zhuli.models.packaged.encoder_child", *map(str, theirs)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=theirs,
            start_new_session=True,  # an interrupt in the terminal is for the server
            env=ENVIRONMENT | os.environ,
        )
        self._free: SimpleQueue[Connection[Any, Any]] = SimpleQueue()
        for _, their in pairs:
            their.close()
        for ours, _ in pairs[:-1]:
            self._free.put(ours)
        first = self._free.get()
        try:
            failure = self._said(first, order)
        finally:
            self._free.put(first)
        if failure is not None:
            self.end()
            raise failure
        self.line = EncoderLine(pairs[-1][0], self._ended)

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Of the child's process."""
        return self._process.pid

    def encode(self, texts: Sequence[str], prefix: str) -> bytes:
        """A row of Vectors for each text."""
        rows: bytes = self._ask("encode", texts, prefix)
        return rows

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without marks and prefixes."""
        counts: list[int] = self._ask("count", texts)
        return counts

    def end(self) -> None:
        """End it, whatever it is doing: who waits for an answer gets BackendError."""
        self._process.kill()
        self._process.wait()

    def _ask(self, *question: Any) -> Any:
        connection = self._free.get()
        try:
            answer = self._said(connection, question)
        finally:
            self._free.put(connection)
        if isinstance(answer, BackendError):
            raise answer
        return answer

    def _said(self, connection: "Connection[Any, Any]", question: Any) -> Any:
        try:
            connection.send(question)
            return connection.recv()
        except (EOFError, ConnectionError) as error:
            raise self._ended() from error

    def _ended(self) -> BackendError:
        """What became of it, before it is ended for good: otherwise each end would look like the SIGKILL of this one."""
        try:
            code = self._process.wait(LAST_WORDS_SECONDS)
        except subprocess.TimeoutExpired:
            how = "left a connection"
        else:
            how = f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
        self.end()
        memory = ", as a machine does that has no memory left" if how == f"ended by signal {signal.SIGKILL:d}" else ""
        return BackendError(f"The process that embeds {how}{memory}; the next call starts it again.")
