"""A thread as chat messages: what a model reads of each message and step, counted once, and read anew after an edit."""

from collections.abc import AsyncIterator, Sequence
from random import random
from typing import Any

import orjson
import pytest
import pytest_asyncio
from sqlalchemy import Connection, insert

from tests.harness.waiting import turns_of_others
from zhuli.assistants.runs.history import IMAGE_TOKENS, History, Item
from zhuli.core.hints import Hints
from zhuli.core.tokens import MESSAGE_OVERHEAD, estimate
from zhuli.plugins.backends.scripted import Plugin
from zhuli.store import collections, migrate, schema
from zhuli.store.assistants import threads
from zhuli.store.database import Database
from zhuli.store.opening import open_database
from zhuli.types.assistants.message import Message
from zhuli.types.assistants.thread import Thread
from zhuli.types.models.generation import ChatMessage

PROJECT = "proj_1"
THREAD = "thread_1"


class Counting(Plugin):
    """A backend that remembers what it counted."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, {"script": {"default": []}})
        self.counted: list[str] = []

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        self.counted += texts
        return [estimate(text) for text in texts]


@pytest.fixture
def backend() -> Counting:
    return Counting("m", {})


@pytest_asyncio.fixture
async def database() -> AsyncIterator[Database]:
    """With an empty thread."""
    opened = open_database("sqlite://", Hints())
    await opened.run(migrate.upgrade)
    await opened.run(collections.insert, schema.threads, PROJECT, Thread(id=THREAD, created_at=0))
    yield opened
    await opened.aclose()


def message(id_: str, role: str, *content: dict[str, Any] | str, **fields: Any) -> Message:
    blocks = [
        {"type": "text", "text": {"value": block, "annotations": []}} if isinstance(block, str) else block
        for block in content
    ]
    given = {"id": id_, "created_at": 0, "thread_id": THREAD, "role": role, "content": blocks, **fields}
    return Message.model_validate(given)


async def say(database: Database, *messages: Message) -> None:
    await database.run(threads.insert_messages, PROJECT, messages)


async def call(database: Database, id_: str, *calls: tuple[str, str | None], behind: int, run: str = "run_1") -> None:
    """Add a finished round of calls of this run, (name, output) each, behind so many messages."""
    listed = [
        {"id": f"call_{name}", "type": "function", "function": {"name": name, "arguments": "{}", "output": output}}
        for name, output in calls
    ]
    body = orjson.dumps({"step_details": {"type": "tool_calls", "tool_calls": listed}}).decode()

    def write(connection: Connection) -> None:
        row = {
            "id": id_,
            "project_id": PROJECT,
            "thread_id": THREAD,
            "run_id": run,
            "status": "completed",
            "body": body,
        }
        connection.execute(insert(schema.run_steps), {**row, "after_message": behind})

    await database.run(write)


async def read(database: Database, backend: Counting) -> list[ChatMessage]:
    """The thread's chat messages."""
    items, _ = await History(database).read(THREAD, backend, "m")
    return flat(items)


def flat(items: Sequence[Item]) -> list[ChatMessage]:
    return [message for item in items for message in item.messages]


class TestConversion:
    async def test_texts_are_said_by_their_role(self, database: Database, backend: Counting) -> None:
        await say(database, message("msg_1", "user", "Hi"), message("msg_2", "assistant", "Hello."))
        assert await read(database, backend) == [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello."},
        ]

    async def test_texts_of_one_message_are_lines(self, database: Database, backend: Counting) -> None:
        await say(database, message("msg_1", "user", "one", "two"))
        assert await read(database, backend) == [{"role": "user", "content": "one\ntwo"}]

    async def test_a_refusal_is_what_the_assistant_said(self, database: Database, backend: Counting) -> None:
        await say(database, message("msg_1", "assistant", {"type": "refusal", "refusal": "No."}))
        assert await read(database, backend) == [{"role": "assistant", "content": "No."}]

    async def test_images_stay_parts_beside_their_text(self, database: Database, backend: Counting) -> None:
        image = {"type": "image_url", "image_url": {"url": "https://example.org/cat.png", "detail": "auto"}}
        file = {"type": "image_file", "image_file": {"file_id": "file-1", "detail": "low"}}
        await say(database, message("msg_1", "user", "Which?", image, file))
        assert await read(database, backend) == [
            {"role": "user", "content": [{"type": "text", "text": "Which?"}, image, file]}
        ]

    async def test_an_empty_answer_is_not_read_but_an_empty_question_is(
        self, database: Database, backend: Counting
    ) -> None:
        await say(database, message("msg_1", "user", ""), message("msg_2", "assistant", ""))
        assert await read(database, backend) == [{"role": "user", "content": ""}]

    @pytest.mark.parametrize(
        ("reason", "is_read"),
        [
            ("run_cancelled", True),
            ("max_tokens", True),
            ("run_expired", True),
            ("content_filter", True),
            ("run_failed", False),
        ],
    )
    async def test_what_was_broken_off_is_read_unless_its_attempt_failed(
        self, database: Database, backend: Counting, reason: str, is_read: bool
    ) -> None:
        details = {"reason": reason}
        await say(database, message("msg_1", "assistant", "Half", status="incomplete", incomplete_details=details))
        assert bool(await read(database, backend)) == is_read

    async def test_what_is_still_being_said_is_not_read(self, database: Database, backend: Counting) -> None:
        await say(database, message("msg_1", "assistant", "Half", status="in_progress"))
        assert await read(database, backend) == []


class TestCalls:
    async def test_a_round_is_an_assistant_message_and_its_outputs(self, database: Database, backend: Counting) -> None:
        await say(database, message("msg_1", "user", "Weather and time?"))
        await call(database, "step_1", ("weather", "sunny"), ("time", "noon"), behind=1)
        [_, asked, *outputs] = await read(database, backend)
        assert (asked["role"], asked["content"]) == ("assistant", None)
        assert [one["function"]["name"] for one in asked["tool_calls"]] == ["weather", "time"]
        assert outputs == [
            {"role": "tool", "tool_call_id": "call_weather", "content": "sunny"},
            {"role": "tool", "tool_call_id": "call_time", "content": "noon"},
        ]

    async def test_what_was_said_before_the_calls_of_the_turn_is_one_message_with_them(
        self, database: Database, backend: Counting
    ) -> None:
        await say(database, message("msg_1", "user", "Time?"), message("msg_2", "assistant", "Well.", run_id="run_1"))
        await call(database, "step_1", ("time", "noon"), behind=2)
        messages = await read(database, backend)
        assert [one["role"] for one in messages] == ["user", "assistant", "tool"]
        assert messages[1]["content"] == "Well."

    async def test_what_another_run_said_stays_its_own(self, database: Database, backend: Counting) -> None:
        await say(database, message("msg_1", "assistant", "Earlier.", run_id="run_0"))
        await call(database, "step_1", ("time", "noon"), behind=1)
        assert [one["role"] for one in await read(database, backend)] == ["assistant", "assistant", "tool"]

    async def test_rounds_stand_where_they_were_made(self, database: Database, backend: Counting) -> None:
        await say(database, message("msg_1", "user", "Time?"), message("msg_2", "user", "And now?"))
        await call(database, "step_1", ("time", "noon"), behind=1)
        await call(database, "step_2", ("weather", "sunny"), behind=2)
        said = [one["content"] for one in await read(database, backend) if one["role"] != "assistant"]
        assert said == ["Time?", "noon", "And now?", "sunny"]

    async def test_rounds_without_all_their_outputs_are_not_read(self, database: Database, backend: Counting) -> None:
        await say(database, message("msg_1", "user", "Time?"))
        await call(database, "step_1", ("time", None), behind=1)
        assert [one["role"] for one in await read(database, backend)] == ["user"]


class TestLongThreads:
    @pytest.fixture(autouse=True)
    def at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("zhuli.assistants.runs.history.MOST_AT_ONCE", 2)

    async def test_they_are_read_in_pieces_with_their_rounds_where_they_were_made(
        self, database: Database, backend: Counting
    ) -> None:
        await say(database, *(message(f"msg_{number}", "user", f"{number}") for number in range(1, 8)))
        for behind in (7, 1, 2, 3, 2):
            await call(database, f"step_{behind}_{random()}", (f"after {behind}", "-"), behind=behind)
        messages = await read(database, backend)
        said = [one["content"] or one["tool_calls"][0]["function"]["name"] for one in messages if one["role"] != "tool"]
        assert said == ["1", "after 1", "2", "after 2", "after 2", "3", "after 3", "4", "5", "6", "7", "after 7"]

    async def test_what_is_new_is_read_behind_what_was_known(self, database: Database, backend: Counting) -> None:
        history = History(database)
        await say(database, *(message(f"msg_{number}", "user", f"{number}") for number in range(1, 4)))
        await history.read(THREAD, backend, "m")
        await call(database, "step_1", ("time", "noon"), behind=3)
        await say(database, *(message(f"msg_{number}", "user", f"{number}") for number in range(4, 9)))
        items, counts = await history.read(THREAD, backend, "m")
        assert [one["content"] for one in flat(items) if one["role"] == "user"] == list("12345678")
        assert [one["role"] for one in flat(items)][3:5] == ["assistant", "tool"]
        assert [id_ for id_, _ in counts] == [f"msg_{number}" for number in range(4, 9)]

    async def test_others_have_their_turn_meanwhile(self, database: Database, backend: Counting) -> None:
        await say(database, *(message(f"msg_{number}", "user", "Hi") for number in range(1, 200)))
        with turns_of_others() as turns:
            await History(database).read(THREAD, backend, "m")
        assert turns() >= 99


class TestCounting:
    async def test_a_message_counts_its_text_and_what_is_around_it(self, database: Database, backend: Counting) -> None:
        image = {"type": "image_url", "image_url": {"url": "https://example.org/cat.png", "detail": "auto"}}
        await say(database, message("msg_1", "user", "Which is it?", image))
        [item], _ = await History(database).read(THREAD, backend, "m")
        assert item.tokens == estimate("Which is it?") + MESSAGE_OVERHEAD + IMAGE_TOKENS

    async def test_counts_that_are_stored_are_not_made_again(self, database: Database, backend: Counting) -> None:
        await say(database, message("msg_1", "user", "Hi"), message("msg_2", "assistant", "Hello."))
        _, counts = await History(database).read(THREAD, backend, "m")
        assert [id_ for id_, _ in counts] == ["msg_1", "msg_2"]
        await database.run(threads.store_counts, counts, "m")
        again, nothing_new = await History(database).read(THREAD, backend, "m")
        assert nothing_new == []
        assert backend.counted == ["Hi", "Hello."]
        assert [item.tokens for item in again] == [tokens for _, tokens in counts]

    async def test_counts_of_another_tokenizer_do_not_count(self, database: Database, backend: Counting) -> None:
        await say(database, message("msg_1", "user", "Hi"))
        await database.run(threads.store_counts, [("msg_1", 99)], "other")
        [item], counts = await History(database).read(THREAD, backend, "m")
        assert item.tokens == counts[0][1] == estimate("Hi") + MESSAGE_OVERHEAD


class TestReadingOn:
    async def test_only_what_is_new_is_counted(self, database: Database, backend: Counting) -> None:
        history = History(database)
        await say(database, message("msg_1", "user", "one"))
        await history.read(THREAD, backend, "m")
        await say(database, message("msg_2", "assistant", "two"))
        items, counts = await history.read(THREAD, backend, "m")
        assert [one["content"] for one in flat(items)] == ["one", "two"]
        assert [id_ for id_, _ in counts] == ["msg_2"]
        assert backend.counted == ["one", "two"]

    async def test_after_an_edit_the_thread_is_read_anew(self, database: Database, backend: Counting) -> None:
        history = History(database)
        await say(database, message("msg_1", "user", "one"), message("msg_2", "assistant", "two"))
        _, counts = await history.read(THREAD, backend, "m")
        await database.run(threads.store_counts, counts, "m")
        changed = message("msg_1", "user", "changed")
        await database.run(collections.replace, schema.messages, changed)
        await database.run(threads.edited, THREAD, changed)
        items, counts = await history.read(THREAD, backend, "m")
        assert [one["content"] for one in flat(items)] == ["changed", "two"]
        assert [id_ for id_, _ in counts] == ["msg_1"], "the other's stored count still holds"

    async def test_another_tokenizer_has_to_count_for_itself(self, database: Database, backend: Counting) -> None:
        history = History(database)
        await say(database, message("msg_1", "user", "one"))
        await history.read(THREAD, backend, "m")
        await history.read(THREAD, backend, "other")
        assert backend.counted == ["one", "one"]

    async def test_a_round_behind_a_message_that_was_read_before_joins_it(
        self, database: Database, backend: Counting
    ) -> None:
        history = History(database)
        await say(database, message("msg_1", "assistant", "Well.", run_id="run_1"))
        await history.read(THREAD, backend, "m")
        await call(database, "step_1", ("time", "noon"), behind=1)
        on, _ = await history.read(THREAD, backend, "m")
        whole, _ = await History(database).read(THREAD, backend, "m")
        assert on == whole
        assert [one["role"] for one in flat(on)] == ["assistant", "tool"]
