"""A Ray cluster for one tuning: a local one that ends with it, or one that is there already; and what its processes need.

Processes of the cluster share the tuning's folder: one machine, or a disk that all machines have. Through it they hear
what the parent asks and tell what happens, for Ray has no way to ask a worker for something between two steps.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zhuli.core.errors import ConfigurationError
from zhuli.learning.training.control import Control
from zhuli.learning.training.event_log import EventLog, events
from zhuli.learning.training.failures import TuningFailed
from zhuli.types.learning.hyperparameters import LOCAL_CLUSTER

# Ray reads these when it is imported, and hands them to its processes. It would tell its makers how it is used.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ.setdefault("RAY_TRAIN_ENABLE_STATE_TRACKING", "0")
os.environ.setdefault("RAY_worker_niceness", "0")  # its workers would give way to everything else on the machine

try:
    import ray
    from ray._private import ray_constants
except ImportError as error:
    raise ConfigurationError("Ray is not installed: pip install 'zhuli[ray]'.") from error

LOCAL = LOCAL_CLUSTER
OBJECT_STORE_BYTES = 200 * 1024**2
"""Of a local cluster: the data goes through it, weights do not."""

POLL_SECONDS = 0.2
_WANTED = "wanted"


@contextmanager
def cluster(address: str, *, processes: int) -> Iterator[None]:
    """While it lasts, Ray is there with as many processors as processes, however many the machine has.

    "local" is the cluster that the variable RAY_ADDRESS names, or one of this tuning's own.
    """
    if address == LOCAL:
        address = os.environ.get("RAY_ADDRESS", LOCAL)
    if address == LOCAL:
        _start(processes)
    else:
        _listen_to(others=True)
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.WARNING)
        except ConnectionError as error:
            raise TuningFailed(
                "invalid_hyperparameters", f"No Ray cluster answers at {address}.", param="tuning.workers.address"
            ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _start(processes: int) -> None:
    """A cluster on this machine, which listens on the loopback address alone.

    Ray gives up after 30 s, with a bare Exception, and a busy machine may need them twice.
    """
    _listen_to(others=False)
    for last in (False, True):
        try:
            ray.init(
                address=LOCAL,
                num_cpus=processes,
                object_store_memory=OBJECT_STORE_BYTES,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except Exception as error:
            ray.shutdown()
            if last or "timed out" not in str(error):
                raise TuningFailed("server_error", f"Ray does not start on this machine: {error}") from error
        else:
            return


def _listen_to(*, others: bool) -> None:
    """Ray's own switch, meant for systems whose firewalls ask: read when it is imported, and by its processes when they start."""
    os.environ[ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR] = "1" if others else "0"
    ray_constants.ENABLE_RAY_CLUSTER = others


@contextmanager
def parent(folder: Path, *, event_log: EventLog | None, control: Control) -> Iterator[None]:
    """What the control is asked is written to `folder`, and events of the log there are taken over into `event_log`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _WANTED).unlink(missing_ok=True)
    taken = len(events(folder))

    def look() -> None:
        nonlocal taken
        if control.wanted is not None:
            (folder / _WANTED).write_text(control.wanted)
        if event_log is None:
            return
        for event in events(folder, after=taken):
            taken = event.number
            event_log.write(event.kind, event.message, level=event.level, **event.data)

    with _every(POLL_SECONDS, look):
        yield
    look()


@contextmanager
def control_of(folder: Path) -> Iterator[Control]:
    """In a process of the cluster: what the parent wrote to `folder`, at most a fifth of a second later."""
    control = Control()

    def look() -> None:
        try:
            wanted = (folder / _WANTED).read_text()
        except FileNotFoundError:
            return
        if wanted == "cancel":
            control.ask("cancel")
        elif wanted == "pause":
            control.ask("pause")

    with _every(POLL_SECONDS, look):
        yield control


@contextmanager
def _every(seconds: float, do: Callable[[], None]) -> Iterator[None]:
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(seconds):
            do()

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
