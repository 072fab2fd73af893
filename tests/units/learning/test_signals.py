"""What people do becomes suggestions: each once, with what it is about, never a label."""

import pytest
from sqlalchemy import Connection

from zhuli.learning.datasets.conversions import of_feedback
from zhuli.learning.feedback.signals import Signals, alike, rephrased
from zhuli.store import collections
from zhuli.store.learning import feedback, signs
from zhuli.store.learning.signs import Said
from zhuli.store.projects import DEFAULT_PROJECT
from zhuli.store.schema import feedback as table
from zhuli.testing.app import app_in_memory
from zhuli.types.learning.feedback import Feedback
from zhuli.types.page import PageParams


def said(*turns: tuple[str, str, int]) -> list[Said]:
    return [Said(f"m{index}", role, text, at) for index, (role, text, at) in enumerate(turns)]


@pytest.mark.parametrize(
    ("second", "at", "found"),
    [
        ("where is my card please", 30, "m1"),
        ("where is my card please", 300, None),
        ("thank you very much", 30, None),
    ],
)
def test_the_same_again_in_other_words_is_about_the_answer_in_between(second: str, at: int, found: str | None) -> None:
    turns = said(("user", "Where is my card?", 0), ("assistant", "In the mail.", 5), ("user", second, at))
    assert rephrased(turns) == found
    assert rephrased(turns[:2]) is None


def test_texts_are_compared_by_their_letters_in_every_language() -> None:
    assert alike("我的银行卡在哪里", "请问我的银行卡在哪里？") > 0.5 > alike("我的银行卡在哪里", "谢谢你的帮助")


async def test_a_cancelled_run_is_a_suggestion_once_however_often_it_is_looked_at() -> None:
    async with app_in_memory({"default": [{"text": "Hello."}]}, work=False) as app:
        run = await app.begin("Hi")
        await app.cancel(run)
        for _ in range(3):
            await app.app.learning.signals.look()
        found = await app.app.database.run(collections.page, table, Feedback, DEFAULT_PROJECT, PageParams())
        assert [(one.signal, one.target.id, one.suggests, one.verdict) for one in found.data] == [
            ("cancelled", run.id, "down", None)
        ]
        assert of_feedback("text_classification", found.data[0]) is None
        assert await app.app.database.run(feedback.get, DEFAULT_PROJECT, found.data[0].id) == found.data[0]


async def test_a_run_is_looked_at_once_and_a_look_that_finds_nothing_writes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[str] = []
    newest_messages = signs.newest_messages

    def counted(connection: Connection, thread_id: str) -> list[Said]:
        looked.append(thread_id)
        return newest_messages(connection, thread_id)

    monkeypatch.setattr(signs, "newest_messages", counted)
    async with app_in_memory({"default": [{"text": "Hello."}]}) as app:
        runs = [await app.run(text) for text in ("Hi", "Hi again")]
        signals = Signals(app.app.database, app.clock)
        for _ in range(3):
            await signals.look()
        assert sorted(looked) == sorted(run.thread_id for run in runs)
        app.clock.move(200)
        await signals.look()
        before = await app.app.database.run(_writes)
        for _ in range(3):
            app.clock.move(20)
            await signals.look()
        assert await app.app.database.run(_writes) == before
        late = await app.run("Hi, later")
        await signals.look()
        assert looked[-1] == late.thread_id


def _writes(connection: Connection) -> int:
    changes: int = connection.info["driver"].total_changes
    return changes
