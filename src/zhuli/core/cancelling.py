"""Whether a CancelledError is meant for the task that meets it, or only came out of what it waited for."""

import asyncio


def being_cancelled() -> bool:
    """Whether somebody asked the current task to end."""
    current = asyncio.current_task()
    return current is not None and current.cancelling() > 0
