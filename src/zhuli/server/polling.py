"""How long clients that poll a vector store, one of its files or a batch are told to wait: openai-poll-after-ms.

SDKs read it off the first answer only, and then wait as long each time; most files are done within a fraction of a second.
"""

from zhuli.app import App
from zhuli.server.requests.parameters import Json
from zhuli.types.wire import Wire

_SHORTEST_MS = 20


def polled(app: App, item: Wire, *, since: int, waiting: int) -> Json:
    """The object; with `waiting` files in progress since that time (seconds), it may be asked for again after a while."""
    if not waiting:
        return Json(item)
    age_ms = (app.clock.now() - since) * 1000
    wait = min(app.settings.poll_after_ms, max(_SHORTEST_MS, age_ms / 50, 2 * waiting))
    return Json(item, {"openai-poll-after-ms": str(int(wait))})
