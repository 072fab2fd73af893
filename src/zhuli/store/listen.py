"""Hints from other processes, through PostgreSQL's LISTEN. Some are lost while it reconnects: hints may be."""

import asyncio
import logging
from typing import Any

import asyncpg

from zhuli.core.hints import Hints
from zhuli.store.database import CHANNEL, PostgresDatabase

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 1.0


async def listen(database: PostgresDatabase, hints: Hints) -> None:
    """Publish on `hints` what other processes notify, until cancelled."""
    while True:
        try:
            await _listen_once(database, hints)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("Listening to PostgreSQL broke off (%s); trying again", error)
        await asyncio.sleep(_AGAIN_SECONDS)


async def _listen_once(database: PostgresDatabase, hints: Hints) -> None:
    def publish(_connection: Any, _pid: int, _channel: str, payload: str) -> None:
        origin, _, topic = payload.partition(" ")
        if origin != database.origin:
            hints.publish(topic)

    address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection: Any = await asyncpg.connect(address)
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _: lost.set())
    try:
        await connection.add_listener(CHANNEL, publish)
        await lost.wait()
    finally:
        await connection.close()
