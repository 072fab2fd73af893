"""Python's looks at all objects are taken in quiet moments, and taken they are."""

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from zhuli.server.garbage import BUSY_SECONDS, HOUR, QUIET_SECONDS, Garbage, only_new_objects


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


class Ring:
    """Garbage that only a look at it finds."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The generations that were looked at in this test, whose process has a server's garbage collector."""
    seen: list[int] = []

    def see(phase: str, about: dict[str, Any]) -> None:
        if phase == "start":
            seen.append(about["generation"])

    before, enabled = gc.get_threshold(), gc.isenabled()
    gc.collect()
    only_new_objects()
    gc.enable()
    gc.callbacks.append(see)
    yield seen
    gc.callbacks.remove(see)
    gc.set_threshold(*before)
    gc.unfreeze()
    if not enabled:
        gc.disable()


def old_garbage() -> "weakref.ref[Ring]":
    """What was in use when new objects were last looked at."""
    ring = Ring()
    gc.collect(0)
    gc.collect(1)
    return weakref.ref(ring)


def test_a_million_new_objects_begin_no_look_at_everything(looks: list[int]) -> None:
    kept = [[number] for number in range(1_000_000)]
    assert kept and 1 in looks and 2 not in looks


def test_old_garbage_is_found_in_a_quiet_moment(looks: list[int]) -> None:
    clock = Clock()
    garbage = Garbage(clock)
    ring = old_garbage()
    garbage.look(quiet=True)
    assert ring() is not None
    clock.time += QUIET_SECONDS
    garbage.look(quiet=False)
    assert ring() is not None
    garbage.look(quiet=True)
    assert ring() is None


def test_a_server_that_is_never_quiet_finds_it_too(looks: list[int]) -> None:
    clock = Clock()
    garbage = Garbage(clock)
    ring = old_garbage()
    clock.time += BUSY_SECONDS
    garbage.look(quiet=False)
    assert ring() is None


def test_what_was_in_use_for_long_is_looked_at_once_an_hour(looks: list[int]) -> None:
    clock = Clock()
    garbage = Garbage(clock)
    rings = [Ring()]
    gc.collect(1)
    ring = weakref.ref(rings[0])
    for _ in range(2):
        clock.time += QUIET_SECONDS
        garbage.look(quiet=True)
        rings.clear()
        gc.collect(0)
        gc.collect(1)
    assert ring() is not None
    clock.time += HOUR
    garbage.look(quiet=False)
    assert ring() is not None
    clock.time += QUIET_SECONDS
    garbage.look(quiet=True)
    assert ring() is None


def test_where_nothing_grew_old_nothing_is_looked_at(looks: list[int]) -> None:
    clock = Clock()
    garbage = Garbage(clock)
    clock.time += QUIET_SECONDS
    garbage.look(quiet=True)
    assert 2 not in looks
