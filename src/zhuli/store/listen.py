"""Hints from other processes, through PostgreSQL's LISTEN. Loses hints while it reconnects: hints may be lost."""

import asyncio
import logging
from typing import Any

import asyncpg
from sqlalchemy import URL

from zhuli.core.hints import Hints

log = logging.getLogger(__name__)

CHANNEL = "zhuli"
_AGAIN_SECONDS = 1.0


async def listen(url: URL, hints: Hints) -> None:
    """Publish on `hints` what other processes notify, until cancelled."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    while True:
        try:
            await _listen_once(address, hints)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("Listening to PostgreSQL broke off (%s); trying again", error)
        await asyncio.sleep(_AGAIN_SECONDS)


async def _listen_once(address: str, hints: Hints) -> None:
    connection: Any = await asyncpg.connect(address)
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _: lost.set())
    try:
        await connection.add_listener(CHANNEL, lambda _connection, _pid, _channel, topic: hints.publish(topic))
        await lost.wait()
    finally:
        await connection.close()
