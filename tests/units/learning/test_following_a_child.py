"""Following events.jsonl while a child writes it: whole lines, each once, whatever their length."""

from pathlib import Path

from zhuli.learning.jobs.child_process import Tail
from zhuli.learning.training.event_log import EventLog
from zhuli.types.learning.tuning import EVENTS


def read_all(tail: Tail) -> list[int]:
    numbers: list[int] = []
    while events := tail.read():
        numbers += [event.number for event in events]
    return numbers


def test_each_event_is_read_once_and_one_that_is_being_written_later(tmp_path: Path) -> None:
    event_log, tail = EventLog(tmp_path), Tail(tmp_path)
    assert read_all(tail) == []
    event_log.write("message", "one")
    assert read_all(tail) == [1]
    line = event_log.write("message", "two").model_copy(update={"number": 3}).model_dump_json().encode()
    with (tmp_path / EVENTS).open("ab") as file:
        file.write(line[:20])
        file.flush()
        assert read_all(tail) == [2]
        file.write(line[20:] + b"\n")
    assert read_all(tail) == [3]


def test_an_event_may_be_longer_than_what_is_read_at_once(tmp_path: Path) -> None:
    event_log = EventLog(tmp_path)
    event_log.write("message", "short")
    event_log.write("report", "long", report={"confusion": "x" * 10_000_000})
    event_log.write("succeeded", "short")
    assert read_all(Tail(tmp_path)) == [1, 2, 3]
