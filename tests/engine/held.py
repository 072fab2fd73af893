"""A transaction on PostgreSQL that has done its work and stays uncommitted, so that others meet its locks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.util import await_only

from zhuli.store.database import Database


@asynccontextmanager
async def held(database: Database, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> AsyncIterator[None]:
    """Run `function` in a transaction that is committed at the end of the block, and not before."""
    done, let_go = asyncio.Event(), asyncio.Event()

    def call(connection: Connection) -> None:
        function(connection, *args, **kwargs)
        done.set()
        await_only(let_go.wait())

    task = asyncio.create_task(database.run(call))
    await done.wait()
    try:
        yield
    finally:
        let_go.set()
        await task


async def blocked(task: asyncio.Task[Any]) -> None:
    """Give the task the time to meet a lock: it must not be done by then."""
    await asyncio.sleep(0.2)
    assert not task.done()
