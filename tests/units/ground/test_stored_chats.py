"""Stored chat completions past their time are forgotten with all that belongs to them, and no others."""

from sqlalchemy import Connection, func, select

from zhuli.store import migrate
from zhuli.store.assistants import chat_completions
from zhuli.store.database import Database
from zhuli.store.schema import chat_completion_metadata
from zhuli.types.models.chat import ChatCompletion, ChatUsage


def store(connection: Connection, id_: str, created: int) -> None:
    usage = ChatUsage(prompt_tokens=1, completion_tokens=1, total_tokens=2)
    made = ChatCompletion(id=id_, created=created, model="m", choices=[], usage=usage, metadata={"a": "b"})
    chat_completions.add(connection, "p", made, [{"role": "user", "content": "hi"}], user=None)


def pairs(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(chat_completion_metadata)).scalar_one()


async def test_old_completions_are_forgotten_whole(database: Database) -> None:
    await database.run(migrate.upgrade)
    for number, created in enumerate((100, 200, 300)):
        await database.run(store, f"chatcmpl-{number}", created)
    assert await database.run(chat_completions.forget, before=250.0) == 2
    assert await database.run(chat_completions.forget, before=250.0) == 0
    assert await database.run(pairs) == 1
    assert (await database.run(chat_completions.get, "p", "chatcmpl-2")).created == 300
