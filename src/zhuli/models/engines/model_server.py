"""What the plugins that speak to model servers share: the key, the reason in an error's body, the wait that is asked for."""

import os
import random
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from zhuli.core.errors import ConfigurationError


def read_key(name: str, variable: str | None) -> str | None:
    """The key in an environment variable, None where no variable is named."""
    if variable is None:
        return None
    if key := os.environ.get(variable, "").strip():
        return key
    raise ConfigurationError(f"Model '{name}' takes its key from the variable {variable}, which is not set.")


def wait_before_retry(
    tries: int, asked: float | None, *, retries: int, shortest: float, longest: float
) -> float | None:
    """Seconds until the next try, None if there should be none. asked: what the server wants, in seconds."""
    if tries >= retries or (asked is not None and asked > longest):
        return None
    # Jitter: what was refused together must not come back together.
    if asked is not None:
        return asked + random.uniform(0, shortest)
    return min(shortest * 2.0**tries, longest) * random.uniform(0.5, 1)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait: `retry-after-ms`, else `Retry-After` as seconds or as a date."""
    milliseconds, given = headers.get("retry-after-ms"), headers.get("Retry-After")
    with suppress(ValueError):
        if milliseconds is not None:
            return max(0.0, float(milliseconds) / 1000)
    if given is None:
        return None
    with suppress(ValueError):
        return max(0.0, float(given))
    with suppress(ValueError):
        # Against the server's own clock where it tells it: ours may differ.
        now = parsedate_to_datetime(headers["Date"]) if "Date" in headers else datetime.now(UTC)
        return max(0.0, (parsedate_to_datetime(given) - now).total_seconds())
    return None


def message_in(said: Any) -> Any:
    """The sentence in an error body: {"error": {"message"}}, {"error": "…"}, {"detail": […]}, a list of one …"""
    if isinstance(said, list) and said:
        return message_in(said[0])
    if not isinstance(said, dict):
        return said
    for key in ("error", "message", "detail", "msg"):
        if said.get(key):
            return message_in(said[key])
    return said
