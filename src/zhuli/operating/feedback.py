"""`zhuli feedback import`: feedback from a file, directly in the database, beside a running server or without one."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

from zhuli.core.clock import SystemClock
from zhuli.core.errors import ConfigurationError
from zhuli.learning.feedback.giving import FeedbackCommands
from zhuli.learning.feedback.importing import format_of, run_import
from zhuli.operating.in_database import in_project
from zhuli.settings import Settings
from zhuli.types.learning.feedback import FeedbackImported

_PIECE = 1024 * 1024


async def take(settings: Settings, path: Path, *, project: str) -> FeedbackImported:
    """Take what of the file can be taken; ConfigurationError for a file that can't be read."""
    if not await asyncio.to_thread(path.is_file):
        raise ConfigurationError(f"There is no file {path}.")
    async with in_project(settings, project) as (database, project_id):
        commands = FeedbackCommands(database, SystemClock())
        return await run_import(commands, project_id, _pieces(path), format=format_of(path.name))


async def _pieces(path: Path) -> AsyncGenerator[bytes, None]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
