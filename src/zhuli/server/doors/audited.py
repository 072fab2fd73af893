"""What requests did goes into the audit log: everything that can't be taken back, or opens a door; by method and route.

An entry is written when it is known that the request did what it asked for, before its answer is sent. So whoever has an answer
is in the log; of a request whose server died before it answered there may be none. Refused requests did nothing, and have none.
"""

import logging
import re

from starlette.types import Scope

from zhuli.core.clock import Clock
from zhuli.server.doors.actor import Actor
from zhuli.store import audit_log
from zhuli.store.database import Database
from zhuli.store.deletions import digest_of
from zhuli.types.audit_log import by_key, entry

log = logging.getLogger(__name__)

_DONE: dict[tuple[str, str], str] = {
    ("PUT", "/v1/model_aliases/{alias}"): "model_alias.moved",
    ("POST", "/v1/model_aliases/{alias}/rollback"): "model_alias.rolled_back",
    ("POST", "/v1/model_aliases/{alias}/policy"): "model_alias.policy.updated",
    ("POST", "/v1/model_aliases/{alias}/candidates"): "model_alias.candidate.created",
    ("POST", "/v1/model_aliases/{alias}/decisions/{decision_id}/sign"): "model_alias.decision.signed",
    ("GET", "/v1/models/{model:path}/export"): "model.exported",
    ("PUT", "/v1/moderations/thresholds"): "moderation.thresholds.updated",
    ("GET", "/v1/end_users/{user_id:path}/export"): "end_user.exported",
    ("POST", "/v1/fine_tuning/jobs/{fine_tuning_job_id}/cancel"): "fine_tuning.job.cancelled",
    ("POST", "/v1/opinion_monitors"): "opinion_monitor.created",
    ("POST", "/v1/opinion_monitors/{monitor_id}"): "opinion_monitor.updated",
    ("POST", "/v1/support_desks/{desk_id}/publish"): "support_desk.published",
    ("POST", "/v1/support_desks/{desk_id}/handoffs/{handoff_id}/claim"): "support_desk.handoff.claimed",
    ("POST", "/v1/support_desks/{desk_id}/handoffs/{handoff_id}/answer"): "support_desk.handoff.answered",
    ("POST", "/v1/support_desks/{desk_id}/handoffs/{handoff_id}/return"): "support_desk.handoff.returned",
}
"""Beside deletions: what moves what apps are served by, hands people over, lets data out, or ends work that took long."""

PERSON = "user_id"
"""The parameter of a path that is an end user. The log can't be changed, and a deletion must leave nothing of them."""


def event_of(method: str, route: str) -> str | None:
    """The type of the entry for a route, by its template; None where it has none. Each DELETE has: thread.message.deleted."""
    if method == "DELETE":
        return ".".join(map(_one, (part for part in route.split("/")[2:] if not part.startswith("{")))) + ".deleted"
    return _DONE.get((method, route))


def _one(word: str) -> str:
    """vector_stores → vector_store, model_aliases → model_alias."""
    return word[:-2] if word.endswith("aliases") else word.removesuffix("s")


class AuditTrail:
    """Writes entries. Made once."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def note(self, scope: Scope, request_id: str) -> None:
        """A request did what it asked for. Where that can't be written down it stands in the server's log: it is done by now."""
        route: str = getattr(scope.get("route"), "path", "")
        event = event_of(scope["method"], route)
        if event is None:
            return
        actor: Actor = scope["actor"]
        parameters, path = _nameless(actor.project, scope, route)
        ids = list(parameters.values())
        made = entry(
            event,
            at=self._clock.now(),
            actor=by_key(actor.key, (scope.get("client") or (None,))[0]),
            project=actor.project,
            details={"id": ids[-1] if ids else None, **parameters},
            request_id=request_id,
            method=scope["method"],
            path=path,
        )
        try:
            await self._database.run(audit_log.append, made)
        except Exception:
            log.exception("The audit log can't be written; it lacks: %s", made.model_dump_json())


def _nameless(project: str, scope: Scope, route: str) -> tuple[dict[str, str], str]:
    """The path's parameters, and the path, with an end user's digest, as their deletion has it, in place of the person."""
    parameters = {name: str(value) for name, value in scope.get("path_params", {}).items()}
    if PERSON not in parameters:
        return parameters, scope["path"]
    parameters[PERSON] = digest_of(project, parameters[PERSON])
    return parameters, re.sub(r"\{(\w+)[^}]*\}", lambda found: parameters[found[1]], route)
