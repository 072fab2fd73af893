"""The event log and the ears of the training child: what is written is whole, and what is asked arrives."""

import errno
import io
from pathlib import Path

import pytest

from zhuli.learning.training import child
from zhuli.learning.training.control import Control, Stopped
from zhuli.learning.training.event_log import EventLog, events
from zhuli.learning.training.failures import TuningFailed, known
from zhuli.types.learning.tuning import TuningEvent


def test_events_are_numbered_on_over_several_attempts(tmp_path: Path) -> None:
    EventLog(tmp_path).write("message", "one", level="warn", step=3)
    event_log = EventLog(tmp_path)
    event_log.write("metrics", "two")
    event_log.write("succeeded", "three", trained_tokens=7)
    read = events(tmp_path)
    assert [(event.number, event.message) for event in read] == [(1, "one"), (2, "two"), (3, "three")]
    assert (read[0].level, read[0].data) == ("warn", {"step": 3})
    assert events(tmp_path, after=2) == read[2:]


def test_a_torn_last_line_is_dropped_and_written_over(tmp_path: Path) -> None:
    EventLog(tmp_path).write("message", "whole")
    with (tmp_path / "events.jsonl").open("ab") as file:
        file.write(b'{"number": 2, "at"')
    assert [event.message for event in events(tmp_path)] == ["whole"]
    EventLog(tmp_path).write("message", "next")
    assert [(event.number, event.message) for event in events(tmp_path)] == [(1, "whole"), (2, "next")]


def test_numbers_that_json_does_not_have_become_null(tmp_path: Path) -> None:
    EventLog(tmp_path).write("metrics", "m", train_loss=float("nan"), more={"rates": [float("inf"), 1.5]})
    assert events(tmp_path)[0].data == {"train_loss": None, "more": {"rates": [None, 1.5]}}


def test_listeners_are_told_of_what_is_written(tmp_path: Path) -> None:
    told: list[TuningEvent] = []
    written = EventLog(tmp_path, listeners=[told.append]).write("message", "hello")
    assert told == [written]


def test_a_folder_without_a_journal_has_no_events(tmp_path: Path) -> None:
    assert events(tmp_path) == []


@pytest.mark.parametrize(
    ("said", "wanted"), [(b"cancel\n", "cancel"), (b"pause\n", "pause"), (b"cancel\npause\n", "cancel"), (b"", "pause")]
)
def test_what_the_parent_asks_is_heard_and_its_end_is_a_pause(said: bytes, wanted: str) -> None:
    control = Control()
    child._listen(io.BytesIO(said), control)
    assert control.wanted == wanted
    with pytest.raises(Stopped):
        control.check()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "no_space"),
        (MemoryError(), "out_of_memory"),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
            "out_of_memory",
        ),
        (TuningFailed("diverged", "…"), "diverged"),
    ],
)
def test_what_the_machine_lacks_is_said_in_words(error: Exception, code: str) -> None:
    failure = known(error)
    assert failure is not None
    assert failure.code == code


def test_what_nobody_expected_is_no_known_failure() -> None:
    assert known(KeyError("surprise")) is None
    assert known(OSError(errno.EACCES, "Permission denied")) is None
