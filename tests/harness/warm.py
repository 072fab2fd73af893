"""Processes of `zhuli` that start warm: forks of one that has imported everything, one for each test process.

Such a process is one of its own in all that a test can see: its id, session, environment, folder, output, signals, exit code.
It is what `python -m zhuli.cli` becomes, without the seconds of importing. With ZHULI_TEST_COLD=1, and where processes
can't be forked safely, everything is started as a user does.
"""

import atexit
import json
import os
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import IO, Any, Protocol

WARM = sys.platform == "linux" and not os.environ.get("ZHULI_TEST_COLD")
ROOT = Path(__file__).parents[2]
PROGRAM = "zhuli.cli"
RELAY = Path(__file__).with_name("relay.py")


class Process(Protocol):
    """What Popen and Fork have in common."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


def start(
    arguments: list[str], *, env: Mapping[str, str], output: IO[Any], errors: IO[Any], new_session: bool = False
) -> Process:
    """`zhuli` with these arguments, warm where that is possible; it has nothing on its standard input."""
    if WARM:
        return Fork(arguments, env=env, output=output, errors=errors, new_session=new_session)
    return subprocess.Popen(
        command(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        env=env,
        start_new_session=new_session,
    )


def run(
    arguments: list[str], *, env: Mapping[str, str], patience: float | None = None
) -> subprocess.CompletedProcess[str]:
    """What `zhuli` with these arguments did and wrote; one that takes longer is killed. patience: in seconds."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = start(arguments, env=env, output=output, errors=errors)
        try:
            code = process.wait(patience)
        except BaseException:
            process.kill()
            raise
        return subprocess.CompletedProcess(arguments, code, _text(output), _text(errors))


def command(*arguments: str) -> list[str]:
    """How a user starts it."""
    return [sys.executable, "-m", PROGRAM, *arguments]


def command_of(module: str) -> str:
    """The command with which a server, say, starts this program: warm where that is possible."""
    if WARM:
        return shlex.join([sys.executable, "-IS", str(RELAY), _address(), module])
    return shlex.join([sys.executable, "-m", module])


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


class Fork:
    """A process that the warm one has forked; `returncode` is as of Popen."""

    def __init__(
        self, arguments: list[str], *, env: Mapping[str, str], output: IO[Any], errors: IO[Any], new_session: bool
    ) -> None:
        self.returncode: int | None = None
        self._answers = socket.socket(socket.AF_UNIX)
        self._answers.connect(_address())
        self._given = b""
        request = {
            "program": PROGRAM,
            "arguments": arguments,
            "environment": dict(env),
            "folder": os.getcwd(),
            "new_session": new_session,
        }
        with open(os.devnull, "rb") as nothing:
            descriptors = [file.fileno() for file in (nothing, output, errors)]
            data = json.dumps(request).encode() + b"\n"
            sent = socket.send_fds(self._answers, [data], descriptors)
            self._answers.sendall(data[sent:])
            self.pid = self._answer(None)

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """How it has ended; TimeoutExpired if it has not by then. timeout: in seconds."""
        if self.returncode is None:
            self.returncode = self._answer(timeout)
            self._answers.close()
        return self.returncode

    def _answer(self, timeout: float | None) -> int:
        while b"\n" not in self._given:
            if not select.select([self._answers], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("zhuli", timeout or 0)
            if not (more := self._answers.recv(64)):
                raise RuntimeError("The warm process has ended.")
            self._given += more
        line, _, self._given = self._given.partition(b"\n")
        return int(line)

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@cache
def _address() -> str:
    """The address of this test process's warm process, which ends with it."""
    folder = tempfile.mkdtemp(prefix="zhuli-warm-")
    address = f"{folder}/socket"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.harness.warm_program", address],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if not name.startswith(("ZHULI_", "OPENAI_"))},
        start_new_session=True,  # an interrupt in the terminal is for the tests
    )
    assert process.stdin is not None and process.stdout is not None

    def end() -> None:
        process.communicate()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    if process.stdout.readline() != b"ready\n":
        raise RuntimeError("The warm process does not start; ZHULI_TEST_COLD=1 does without.")
    return address
