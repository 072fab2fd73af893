"""Processes that are measured: started, waited for, pinned to a core, asked for CPU time and memory, stopped.

CPU time is the kernel's clock of the process (all its threads, those that ended too, in nanoseconds): on a shared
machine it is steadier than wall time. Child processes are not in it. Linux only.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

SERVER_CORE, CLIENT_CORE = 0, 1


@contextmanager
def started(
    module: str, *arguments: str, port: int, ready: str, log: Path, core: int | None = None
) -> Iterator["Process"]:
    """`python -m module arguments` until the block ends; entered once `ready` answers 200 on `port`."""
    process = Process(module, *arguments, port=port, ready=ready, log=log, core=core)
    try:
        process.wait_until_ready()
        yield process
    finally:
        process.stop()


class Process:
    """One process that listens on a port of 127.0.0.1. `seconds_to_ready` is counted from its start."""

    def __init__(self, module: str, *arguments: str, port: int, ready: str, log: Path, core: int | None) -> None:
        self.port = port
        self.seconds_to_ready = 0.0
        self._url = f"http://127.0.0.1:{port}{ready}"
        self._log = log
        prefix = [] if core is None else ["taskset", "--cpu-list", str(core)]
        # Where byte code is not kept, every start would compile all of the sources, which an installation does once.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment.setdefault("ZHULI_FIRST_MODEL", "packaged")  # what is measured is the same everywhere
        command = [*prefix, sys.executable, "-m", module, *arguments]
        with log.open("wb") as output:
            self._began = time.perf_counter()
            self._process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
        self.pid = self._process.pid

    def wait_until_ready(self, *, patience: float = 60) -> None:
        """Returns at the first 200. Raises RuntimeError with the log's end when the process ends or patience does."""
        while not self._is_ready():
            if self._process.poll() is not None or time.perf_counter() - self._began > patience:
                end = self._log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self._process.args!r} did not become ready:\n{end}")
            time.sleep(0.01)
        self.seconds_to_ready = time.perf_counter() - self._began

    def stop(self) -> None:
        """A polite signal first; a process that has not ended after 15 seconds is killed."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(self._url, timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far. The clock's number is made as clock_getcpuclockid(3) makes it."""
    return time.clock_gettime((~pid << 3) | 2)


def resident_megabytes(pid: int) -> float:
    """What of a process is in memory now (VmRSS)."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def yardstick_ms(core: int | None) -> float:
    """CPU time of a fixed loop on a core, median of nine: how fast the machine is just now, for it may be shared."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before if core is None else {core})
    times = []
    for _ in range(9):
        began = time.process_time()
        sum(number * number for number in range(100_000))
        times.append(1000 * (time.process_time() - began))
    os.sched_setaffinity(0, before)
    return median(times)


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def two_cores() -> bool:
    """Whether the server can have a core and everything else another."""
    return shutil.which("taskset") is not None and {SERVER_CORE, CLIENT_CORE} <= os.sched_getaffinity(0)
