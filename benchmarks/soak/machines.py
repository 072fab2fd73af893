"""What is soaked: PostgreSQL, two servers, two workers and the model server, of which half is killed again and again.

One server and one worker are left alone for as long as it lasts, so that their memory says something; the other two and
the database are killed by SIGKILL, asked to end, or stopped at once, at random moments, and started again.
"""

import asyncio
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.postgres import Cluster
from benchmarks.processes import free_port

CONFIG = """\
models_file = "{folder}/models.toml"
data_dir = "{folder}/data"
database_url = "{database}"
run_lifetime_seconds = 60
lease_seconds = 5
delta_retention_seconds = 86400
log_format = "json"
"""
MODELS = """\
default = "soak"
[models.soak]
backend = "openai_compatible"
base_url = "http://127.0.0.1:{port}/v1"
max_answer_bytes = 1000000
"""


class Machine:
    """A process that may be killed and started again, with the same command and port; its log goes on."""

    def __init__(self, name: str, command: list[str], port: int, log: Path) -> None:
        self.name = name
        self.port = port
        self._command = command
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=subprocess.STDOUT)

    async def ready(self) -> None:
        """Returns once it listens. Raises RuntimeError when it ends before, or after a minute."""
        for _ in range(600):
            if self._process is None or self._process.poll() is not None:
                raise RuntimeError(f"{self.name} ended:\n{self._log.read_text(errors='replace')[-2000:]}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            await asyncio.sleep(0.1)
        raise RuntimeError(f"{self.name} does not listen")

    async def end(self, signal_number: int) -> None:
        """Send the signal and wait until the process is gone; SIGKILL after 30 seconds."""
        if self._process is None:
            return
        self._process.send_signal(signal_number)
        began = time.monotonic()
        while self._process.poll() is None:
            if time.monotonic() - began > 30:
                self._process.kill()
            await asyncio.sleep(0.05)


@dataclass
class House:
    """All machines. `servers` are what clients may call; `kept` is what is never killed."""

    folder: Path
    database: Cluster
    model: Machine
    servers: list[Machine]
    workers: list[Machine]
    killed: Counter[str] = field(default_factory=Counter)

    @property
    def kept(self) -> list[Machine]:
        return [self.servers[1], self.workers[1]]

    async def start(self) -> None:
        for machine in (self.model, *self.servers, *self.workers):
            machine.start()
            await machine.ready()

    async def stop(self) -> None:
        for machine in (*self.servers, *self.workers, self.model):
            await machine.end(signal.SIGTERM)

    async def suffer(self, chance: random.Random, every: float, until: float) -> None:
        """Kill something every so many seconds on average, until this moment of the loop's clock."""
        loop = asyncio.get_running_loop()
        blows: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("server, kill -9", lambda: self._again(self.servers[0], signal.SIGKILL)),
            ("worker, kill -9", lambda: self._again(self.workers[0], signal.SIGKILL)),
            ("server, SIGTERM", lambda: self._again(self.servers[0], signal.SIGTERM)),
            ("worker, SIGTERM", lambda: self._again(self.workers[0], signal.SIGTERM)),
            ("database, stopped at once", lambda: self._outage(chance.uniform(1, 8))),
        ]
        while (pause := chance.uniform(0.5, 1.5) * every) < until - loop.time():
            await asyncio.sleep(pause)
            name, blow = chance.choice(blows)
            await blow()
            self.killed[name] += 1

    async def _again(self, machine: Machine, signal_number: int) -> None:
        await machine.end(signal_number)
        machine.start()
        await machine.ready()

    async def _outage(self, seconds: float) -> None:
        await asyncio.to_thread(self.database.stop, "immediate")
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self.database.start)


@contextmanager
def built() -> Iterator[House]:
    """The house, not started but for the database; at the end the database stops and all files go."""
    with TemporaryDirectory(prefix="zhuli-soak-") as name:
        folder = Path(name)
        database = Cluster(folder / "postgres")
        database.start()
        try:
            yield _house(folder, database)
        finally:
            database.stop("fast")


def _house(folder: Path, database: Cluster) -> House:
    model_port = free_port()
    config = folder / "zhuli.toml"
    config.write_text(CONFIG.format(folder=folder, database=database.url))
    (folder / "models.toml").write_text(MODELS.format(port=model_port))

    def machine(name: str, port: int, *command: Any) -> Machine:
        return Machine(name, [sys.executable, "-m", *map(str, command)], port, folder / f"{name}.log")

    def server(name: str, slots: int) -> Machine:
        port = free_port()
        config_of_its_own = folder / f"{name}.toml"
        config_of_its_own.write_text(f"{config.read_text()}worker_slots = {slots}\n")
        return machine(name, port, "zhuli.cli", "serve", "--port", port, "--config", config_of_its_own)

    def worker(name: str) -> Machine:
        port = free_port()
        return machine(name, port, "zhuli.cli", "worker", "--slots", 32, "--metrics-port", port, "--config", config)

    model = machine("model", model_port, "benchmarks.soak.model", "--port", model_port)
    servers = [server("server-killed", 16), server("server-kept", 0)]
    return House(folder, database, model, servers, [worker("worker-killed"), worker("worker-kept")])
