"""The event writer: the first piece at once, the rest joined, in order, and a failure in the background is not lost."""

import asyncio

import pytest

from zhuli.assistants.runs.event_writer import EventWriter
from zhuli.assistants.runs.turn import Turn
from zhuli.types.assistants.event import Change
from zhuli.types.assistants.run import Run
from zhuli.types.models.generation import Delta

RUN = Run(id="run_1", created_at=0, thread_id="thread_1", assistant_id="asst_1", model="m")


class Paper:
    """Takes what an event writer records; slowly, or not at all."""

    def __init__(self, *, delay: float = 0, error: Exception | None = None) -> None:
        self.written: list[Change] = []
        self.times = 0
        self.failed = asyncio.Event()
        self._delay = delay
        self._error = error

    async def write(self, changes: list[Change]) -> None:
        await asyncio.sleep(self._delay)
        if self._error is not None:
            raise self._error
        self.times += 1
        self.written += changes

    @property
    def text(self) -> str:
        deltas = [change.data["delta"] for change in self.written if change.name == "thread.message.delta"]
        return "".join(piece["text"]["value"] for delta in deltas for piece in delta["content"])


def writer_on(paper: Paper, *, interval: float) -> EventWriter:
    return EventWriter(paper.write, paper.failed.set, interval)


async def test_flush_writes_now_and_only_if_there_is_something() -> None:
    paper, turn = Paper(), Turn(RUN, 0)
    writer = writer_on(paper, interval=60)
    await writer.flush(turn)
    assert paper.times == 0
    turn.feed(Delta(text="Well"))
    await writer.flush(turn)
    assert (paper.times, paper.text) == (1, "Well")


async def test_what_comes_within_the_interval_is_written_together() -> None:
    paper, turn = Paper(), Turn(RUN, 0)
    writer = writer_on(paper, interval=0.01)
    for text in ("Well", ", you", " see"):
        turn.feed(Delta(text=text))
        writer.flush_later(turn)
    async with asyncio.timeout(10):
        while not paper.times:
            await asyncio.sleep(0.005)
    await writer.stop()
    assert (paper.times, paper.text) == (1, "Well, you see")


async def test_a_slow_paper_gets_everything_in_order() -> None:
    paper, turn = Paper(delay=0.003), Turn(RUN, 0)
    writer = writer_on(paper, interval=0.001)
    words = [f"{n} " for n in range(60)]
    for word in words:
        if turn.feed(Delta(text=word)):
            await writer.flush(turn)
        else:
            writer.flush_later(turn)
        await asyncio.sleep(0.0005)
    await writer.stop()
    await writer.flush(turn)
    assert paper.text == "".join(words)


async def test_after_stop_nothing_is_written_in_the_background() -> None:
    paper, turn = Paper(), Turn(RUN, 0)
    writer = writer_on(paper, interval=0.005)
    turn.feed(Delta(text="Well"))
    writer.flush_later(turn)
    await writer.stop()
    await asyncio.sleep(0.02)
    assert paper.times == 0
    assert turn.dirty


async def test_a_failure_in_the_background_is_told_and_stop_raises_it() -> None:
    paper, turn = Paper(error=ConnectionError("gone")), Turn(RUN, 0)
    writer = writer_on(paper, interval=0)
    turn.feed(Delta(text="Well"))
    writer.flush_later(turn)
    async with asyncio.timeout(10):
        await paper.failed.wait()
    with pytest.raises(ConnectionError):
        await writer.stop()
