"""Following a log: pieces joined but in order, followers alike, resuming anywhere, and replay when the pieces are gone."""

import asyncio
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, update

from tests.engine.conftest import Place
from tests.engine.invariants import check
from tests.engine.scripts import CALLS_THEN_ANSWERS, SPEAKING, STALLS, TOOLS, call, says
from tests.engine.workers import handler, play_on
from zhuli.assistants.runs.follow import follow
from zhuli.core.errors import NotFound, Unavailable
from zhuli.store import schema
from zhuli.store.assistants import runs
from zhuli.testing.app import AppInMemory, app_in_memory, told
from zhuli.types.assistants.event import DELTAS, RunEvent
from zhuli.types.assistants.run import Run

SOON = 0.05
RETENTION = 3600


async def seen(app: AppInMemory, run: Run, *, after: int = 0) -> list[RunEvent]:
    """All that a follower sees until the run rests."""
    return [event async for event in app.follow(run, after=after)]


def pieces(events: list[RunEvent]) -> list[str]:
    """The texts of message deltas."""
    deltas = [orjson.loads(event.data)["delta"] for event in events if event.name == "thread.message.delta"]
    return [piece["text"]["value"] for delta in deltas for piece in delta["content"]]


class TestPieces:
    async def test_the_first_comes_at_once_and_the_rest_joined(self) -> None:
        async with app_in_memory({"default": [{"text": f"{n} "} for n in range(50)]}) as app:
            run = await app.run("Count")
            assert pieces(await app.log(run)) == ["0 ", "".join(f"{n} " for n in range(1, 50))]
            await check(app, run)

    async def test_the_first_is_seen_while_the_model_still_thinks_of_the_second(self) -> None:
        async with app_in_memory({"default": [{"text": "Well"}, STALLS]}, stream_interval_ms=60_000) as app:
            run = await app.begin("Hi")
            await app.until(run, "thread.message.delta")
            assert pieces(await app.log(run)) == ["Well"]

    async def test_later_ones_do_not_wait_for_the_end(self) -> None:
        async with app_in_memory({"default": [{"text": "Well, "}, {"text": "you "}, {"text": "see"}, STALLS]}) as app:
            run = await app.begin("Hi")
            first = await app.until(run, "thread.message.delta")
            await app.until(run, "thread.message.delta", after=first.sequence)
            assert pieces(await app.log(run)) == ["Well, ", "you see"]

    async def test_whatever_their_pace_nothing_is_lost_and_the_order_stays(self, place: Place) -> None:
        paced = [{"text": f"{n} ", "delay": 0.001 * (n % 7)} for n in range(100)]
        async with place.app({"default": paced}, stream_interval_ms=3) as app:
            run = await app.run("Count")
            texts = pieces(await app.log(run))
            assert "".join(texts) == "".join(f"{n} " for n in range(100))
            assert texts[0] == "0 "
            await check(app, run)

    async def test_only_the_first_of_a_text_says_that_there_are_no_annotations(self) -> None:
        async with app_in_memory(says("Well, ", "you see.")) as app:
            run = await app.run("Hi")
            deltas = [orjson.loads(event.data)["delta"] for event in await app.log(run) if event.name in DELTAS]
            assert [list(delta["content"][0]["text"]) for delta in deltas] == [["value", "annotations"], ["value"]]

    async def test_a_call_is_seen_before_its_arguments_are_complete(self) -> None:
        script = {"default": [call("time", arguments='{"zone": "UTC"}', pieces=3), STALLS]}
        async with app_in_memory(script) as app:
            run = await app.begin("Time?", tools=TOOLS)
            await app.until(run, "thread.run.step.delta")
            assert (await app.reload(run)).status == "in_progress"


class TestFollowers:
    async def test_two_see_the_same(self, place: Place) -> None:
        async with place.app(CALLS_THEN_ANSWERS) as app:
            run = await app.begin("Weather and time?", tools=TOOLS)
            early, late = await asyncio.gather(seen(app, run), seen(app, run))
            assert early == late
            assert told(early)[-1] == "run.requires_action"

    async def test_one_sees_the_log_without_what_is_ours(self) -> None:
        async with app_in_memory(says("Hello.")) as app:
            run = await app.run("Hi")
            assert await seen(app, run) == [event for event in await app.log(run) if event.on_the_wire]

    async def test_one_can_resume_behind_every_event(self, place: Place) -> None:
        async with place.app(CALLS_THEN_ANSWERS) as app:
            run = await play_on(app, await app.begin("Weather and time?", tools=TOOLS))
            whole = await seen(app, run)
            for n, event in enumerate(whole):
                assert await seen(app, run, after=event.sequence) == whole[n + 1 :]

    async def test_one_that_resumes_meanwhile_misses_nothing(self, place: Place) -> None:
        async with place.app({"default": [{"text": f"{n} ", "delay": 0.002} for n in range(60)]}) as app:
            run = await app.begin("Count")
            got: list[RunEvent] = []
            async with asyncio.timeout(60):
                while not got or got[-1].name != "thread.run.completed":
                    after = got[-1].sequence if got else 0
                    async for event in app.follow(run, after=after):
                        got.append(event)
                        if len(got) % 3 == 0:
                            break  # and connect again
            assert got == [event for event in await app.log(run) if event.on_the_wire]

    async def test_one_stops_where_the_client_must_act_and_goes_on_after_its_outputs(self) -> None:
        async with app_in_memory(CALLS_THEN_ANSWERS) as app:
            run = await app.run("Weather and time?", tools=TOOLS)
            first = await seen(app, run)
            await app.submit(run, "sunny", "noon")
            await app.rest(run)
            second = await seen(app, run, after=first[-1].sequence)
            assert told(second)[:2] == ["run.step.completed", "run.queued"]
            assert first + second == await seen(app, run)

    async def test_one_who_asks_for_what_comes_after_the_end_gets_nothing(self) -> None:
        async with app_in_memory(says("Hello.")) as app:
            run = await app.run("Hi")
            assert await seen(app, run, after=10_000) == []

    async def test_silence_is_told_too(self) -> None:
        async with app_in_memory({"default": [STALLS]}) as app:
            run = await app.begin("Hi")
            await app.until(run, "thread.run.in_progress")
            last = (await app.log(run))[-1].sequence
            following = follow(app.app.database, app.app.hints, run.id, after=last, idle=SOON)
            assert await anext(following) == []
            await following.aclose()

    async def test_one_that_leaves_changes_nothing(self) -> None:
        async with app_in_memory({"default": [{"text": "Hello, "}, {"text": "you.", "delay": 0.1}]}) as app:
            run = await app.begin("Hi")
            await app.until(run, "thread.message.delta")
            assert (await app.rest(run)).status == "completed"

    async def test_one_is_told_when_the_process_stops(self) -> None:
        async with app_in_memory({"default": [STALLS]}) as app:
            run = await app.begin("Hi")
            await app.until(run, "thread.run.in_progress")
            app.app.hints.close()
            with pytest.raises(Unavailable, match=run.id):
                await seen(app, run)

    async def test_one_of_a_run_that_never_was_is_refused(self) -> None:
        async with app_in_memory(says("Hello.")) as app:
            run = await app.run("Hi")
            with pytest.raises(NotFound):
                await seen(app, run.model_copy(update={"id": "run_none"}))

    @pytest.mark.parametrize("storage", ["postgres"])
    async def test_one_in_another_process_sees_the_same(self, place: Place) -> None:
        async with place.app(CALLS_THEN_ANSWERS) as here, place.app(CALLS_THEN_ANSWERS, work=False) as there:
            run = await here.begin("Weather and time?", tools=TOOLS)
            mine, theirs = await asyncio.gather(seen(here, run), seen(there, run))
            assert mine == theirs

    async def test_one_that_reads_while_the_run_ends_knows_that_it_rests(self) -> None:
        """The end is committed between the follower's reading of the status and of the log, as PostgreSQL allows."""
        async with app_in_memory(says("Hello.")) as app:
            run = await app.run("Hi")
            await app.app.database.run(_set_status, run.id, "in_progress")
            events, resting = await app.app.database.run(runs.read_on, run.id, 0)
            assert (told(events)[-1], resting) == ("run.completed", True)


class TestRetention:
    """Streamed pieces are dropped an hour after the end; the messages hold their text."""

    async def ended_long_ago(self, app: AppInMemory, run: Run) -> list[RunEvent]:
        """Let the retention pass; the log as it was before."""
        before = await app.log(run)
        app.clock.move(RETENTION + 1)
        await handler(app).drop_old_deltas()
        return before

    async def test_pieces_are_kept_for_their_retention(self) -> None:
        async with app_in_memory(says("Well, ", "you see.")) as app:
            run = await app.run("Hi")
            before = await app.log(run)
            app.clock.move(RETENTION - 1)
            await handler(app).drop_old_deltas()
            assert await app.log(run) == before

    async def test_then_only_they_go(self, place: Place) -> None:
        async with place.app(CALLS_THEN_ANSWERS) as app:
            run = await play_on(app, await app.begin("Weather and time?", tools=TOOLS))
            before = await self.ended_long_ago(app, run)
            assert await app.log(run) == [event for event in before if event.name not in DELTAS]

    async def test_a_replay_gives_the_text_in_one_piece(self, place: Place) -> None:
        async with place.app(says("Well, ", "you ", "see.")) as app:
            run = await app.run("Hi")
            told_before = told(await seen(app, run))
            await self.ended_long_ago(app, run)
            assert told(await seen(app, run)) == told_before

    async def test_a_refusal_stays_a_refusal(self) -> None:
        async with app_in_memory({"default": [{"refusal": "I can't "}, {"refusal": "do that."}]}) as app:
            run = await app.run("Hi")
            await self.ended_long_ago(app, run)
            [delta] = [orjson.loads(event.data) for event in await seen(app, run) if event.name in DELTAS]
            assert delta["delta"]["content"] == [{"index": 0, "type": "refusal", "refusal": "I can't do that."}]

    @pytest.mark.parametrize("end", ["cancelled", "expired", "failed", "completed"])
    async def test_the_ids_of_a_replay_grow_however_the_run_ended(self, end: str) -> None:
        script: dict[str, Any] = {
            "rules": [{"when": {"last": "failed"}, "reply": [{"text": "Well"}, {"fault": "cut"}]}],
            "default": [{"text": "Well"}, *([STALLS] if end != "completed" else [])],
        }
        async with app_in_memory(script) as app:
            run = await app.begin(end)
            await app.until(run, "thread.message.delta")
            await app.app.assistants.runs.modify(app.project, run.thread_id, run.id, {"seen": "yes"})
            if end == "cancelled":
                await app.cancel(run)
            if end == "expired":
                app.clock.move(600)
            assert (await app.rest(run)).status == end
            whole = await seen(app, run)
            await self.ended_long_ago(app, run)
            replayed = await seen(app, run)
            ids = [event.sequence for event in replayed]
            assert ids == sorted(set(ids))
            assert set(ids) <= {event.sequence for event in whole}
            assert told(replayed)[3:8] == [*SPEAKING, "message.delta: Well"]

    async def test_resuming_behind_the_pieces_repeats_none_of_them(self) -> None:
        async with app_in_memory(says("Well, ", "you see.")) as app:
            run = await app.run("Hi")
            last = [event.sequence for event in await app.log(run) if event.name in DELTAS][-1]
            await self.ended_long_ago(app, run)
            assert told(await seen(app, run, after=last))[0] == "message.completed"

    async def test_a_change_of_metadata_long_after_the_end_is_no_second_end(self) -> None:
        async with app_in_memory(says("Hello.")) as app:
            run = await app.run("Hi")
            await self.ended_long_ago(app, run)
            await app.app.assistants.runs.modify(app.project, run.thread_id, run.id, {"seen": "yes"})
            assert (await app.reload(run)).metadata == {"seen": "yes"}
            assert told(await seen(app, run))[-1] == "run.completed"


def _set_status(connection: Connection, run_id: str, status: str) -> None:
    connection.execute(update(schema.runs).where(schema.runs.c.id == run_id).values(status=status))
