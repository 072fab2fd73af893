"""The program behind tests.harness.warm: it imports what a server needs, once, and forks for whoever asks on its socket.

    python -m tests.harness.warm_program SOCKET

A request is a line of JSON, the fields of Job, with the descriptors of the new process: its standard input, output and error,
and others that it holds under any number.
Answers are lines: the process's id, and when it has ended, how (as in Popen.returncode). Who closes the connection before
kills the process. The program ends with its own standard input. It has one thread, no event loop and no settings, so that
what it forks begins as clean as a new process.
"""

import contextlib
import gc
import importlib
import importlib.util
import json
import os
import pkgutil
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.abc import InspectLoader
from types import CodeType, ModuleType
from typing import Self

PROGRAM = "zhuli.cli"
MOST_DESCRIPTORS = 16
LIBRARIES = (
    "uvloop",
    "httptools",
    "asyncpg",
    "greenlet",
    "numpy",
    "regex",
    "tokenizers",
    "yaml",
    "rapidfuzz",
    "pycrfsuite",
)
"""What nearly every server of the tests loads sooner or later."""

OUTSIDE = (
    "zhuli.applications.opinion.drawing",
    "zhuli.applications.recommender.child",
    "zhuli.applications.recommender.live",
    "zhuli.applications.recommender.method.",
    "zhuli.applications.recommender.recommending",
    "zhuli.learning.",
    "zhuli.models.packaged.",
    "zhuli.models.engines.llama_child",
    "zhuli.operating.tuning.tune",
    "zhuli.plugins.blobs.s3",
    "zhuli.plugins.indexes.qdrant",
    "zhuli.plugins.tasks.",
    "zhuli.store.migrations.",
    "zhuli.testing.",
    "zhuli.knowledge.vectors.approximate",
)
"""What loads torch, onnxruntime, faiss, scipy, lightgbm, matplotlib: seldom needed, slow to load, and not all can be forked."""

INSIDE = ("zhuli.testing.scripted_understander", "zhuli.learning.training.control", "zhuli.learning.training.event_log")
"""What does not, of these: for servers of the tests, and for zhuli.testing.tuning_child."""


def main(address: str) -> None:
    gc.disable()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as it is loaded; threads can't be forked
    for name in (*LIBRARIES, *_rooms(), *INSIDE):
        importlib.import_module(name)
    assert threading.active_count() == 1
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen()
        job = Forks(door).serve()
    if job is not None:
        job.become()


def _code(program: str) -> CodeType:
    """What `python -m program` runs."""
    spec = importlib.util.find_spec(program)
    assert spec is not None and isinstance(spec.loader, InspectLoader)
    code = spec.loader.get_code(program)
    assert code is not None
    return code


def _rooms() -> Iterator[str]:
    zhuli = importlib.import_module("zhuli")
    yield "zhuli.server.serve"  # an order that a server has, too
    for module in pkgutil.walk_packages(zhuli.__path__, "zhuli."):
        if not module.ispkg and module.name != PROGRAM and not module.name.startswith(OUTSIDE):
            yield module.name


@dataclass
class Job:
    """A process that is to be. descriptors: its standard input, output and error, and what else it holds."""

    program: str
    arguments: list[str]
    environment: dict[str, str]
    folder: str
    new_session: bool
    descriptors: list[int]

    @classmethod
    def receive(cls, connection: socket.socket) -> Self:
        data, descriptors, _, _ = socket.recv_fds(connection, 1 << 16, MOST_DESCRIPTORS)
        while not data.endswith(b"\n"):
            if not (more := connection.recv(1 << 16)):
                raise EOFError
            data += more
        return cls(**json.loads(data), descriptors=descriptors)

    def become(self) -> None:
        """Be the program, as if Python had just started it: nothing of the warm one's own is left."""
        code = _code(self.program)
        os.chdir(self.folder)
        for number, descriptor in enumerate(self.descriptors[:3]):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(self.environment)
        time.tzset()
        self._open_standard_streams()
        module = ModuleType("__main__")
        module.__dict__.update(__file__=code.co_filename, __builtins__=__builtins__)
        sys.modules["__main__"] = module
        sys.argv = [code.co_filename, *self.arguments]
        sys.path[0] = self.folder
        gc.enable()
        exec(code, module.__dict__)

    def _open_standard_streams(self) -> None:
        unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
        sys.stdin = sys.__stdin__ = open(0, closefd=False)  # noqa: SIM115
        sys.stdout = sys.__stdout__ = open(1, "w", closefd=False)  # noqa: SIM115
        sys.stderr = sys.__stderr__ = open(2, "w", closefd=False, errors="backslashreplace")  # noqa: SIM115
        sys.stdout.reconfigure(line_buffering=sys.stdout.isatty(), write_through=unbuffered)
        sys.stderr.reconfigure(line_buffering=True, write_through=unbuffered)


class Forks:
    """Takes requests and follows what was forked. `serve` returns in each new process with its job, in the end with None."""

    def __init__(self, door: socket.socket) -> None:
        self._door = door
        self._wake, self._woken = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, socket.socket] = {}

    def serve(self) -> Job | None:
        self._listen_to_children()
        self._selector.register(self._door, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._selector.register(0, selectors.EVENT_READ)
        print("ready", flush=True)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj == 0:
                    return None
                if key.fileobj is self._woken:
                    self._reap()
                elif key.fileobj is not self._door:
                    self._abandon(*key.data)
                elif (job := self._fork()) is not None:
                    return job

    def _listen_to_children(self) -> None:
        for end in (self._wake, self._woken):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)

    def _fork(self) -> Job | None:
        """In the new process its job."""
        connection, _ = self._door.accept()
        job = Job.receive(connection)
        pid = os.fork()
        if pid == 0:
            if job.new_session:
                os.setsid()
            connection.sendall(b"%d\n" % os.getpid())
            self._forget(connection)
            return job
        for descriptor in job.descriptors:
            os.close(descriptor)
        self._children[pid] = connection
        self._selector.register(connection, selectors.EVENT_READ, (pid, job))
        return None

    def _forget(self, connection: socket.socket) -> None:
        """Of a new process: what belongs to the warm one."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._selector.close()
        for end in (connection, self._wake, self._woken, *self._children.values()):
            end.close()

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(1 << 12)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                pid, status = ended
                connection = self._children.pop(pid)
                with contextlib.suppress(KeyError):  # abandoned
                    self._selector.unregister(connection)
                with connection, contextlib.suppress(OSError):
                    connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))

    def _abandon(self, pid: int, job: Job) -> None:
        """Nobody waits for this one any more."""
        if pid in self._children:
            self._selector.unregister(self._children[pid])
            (os.killpg if job.new_session else os.kill)(pid, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1])
