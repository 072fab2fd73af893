"""A run's log as a response: server-sent events, from any point on."""

from collections.abc import Sequence

from starlette.responses import Response

from zhuli.app import App
from zhuli.assistants.runs.follow import follow
from zhuli.server.answers.included import shown_events
from zhuli.server.answers.stream import EventStream, run_events


def run_stream(app: App, run_id: str, *, after: int = 0, include: Sequence[str] = ()) -> Response:
    """The run's events after the one with this sequence, then what comes."""
    following = follow(app.database, app.hints, run_id, after=after, idle=app.settings.keepalive_seconds)
    return EventStream(run_events(shown_events(following, include)))
