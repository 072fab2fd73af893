"""Counts of tokens are kept with their messages, many in one statement, on both databases."""

from zhuli.store import migrate, schema
from zhuli.store.assistants import threads
from zhuli.store.database import Database


async def test_many_counts_are_kept_at_once_and_nothing_else_changes(database: Database) -> None:
    await database.run(migrate.upgrade)
    ids = [f"msg_{number}" for number in range(1_200)]
    rows = [
        {"id": id_, "project_id": "proj", "body": "{}", "thread_id": "thread_1", "status": "completed"} for id_ in ids
    ]
    await database.run(lambda connection: connection.execute(schema.messages.insert(), rows))
    await database.run(threads.store_counts, [(id_, number) for number, id_ in enumerate(ids)][:-1], "it's")
    kept = await database.run(lambda connection: connection.execute(schema.messages.select()).all())
    assert [(row.id, row.tokens, row.tokenizer) for row in sorted(kept, key=lambda row: row.seq)] == [
        *((id_, number, "it's") for number, id_ in enumerate(ids[:-1])),
        (ids[-1], None, None),
    ]
    await database.run(threads.store_counts, [], "it's")
