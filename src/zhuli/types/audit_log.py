"""An entry of the audit log: who did what, when and from where; in the published shape, and what that has no place for."""

from typing import Any, Literal

from pydantic import ConfigDict

from zhuli.core.ids import new_id
from zhuli.types.wire import Wire, optional


class AuditUser(Wire):
    """id: an account of the operating system for commands; a key has no person."""

    id: str | None = None
    email: str | None = None


class AuditKey(Wire):
    """A key, by its id."""

    id: str
    type: Literal["service_account"] = "service_account"
    service_account: dict[str, str | None] | None = None
    user: AuditUser | None = None


class AuditSession(Wire):
    """ip_address: from which it was asked; null for a command on the server's machine."""

    ip_address: str | None = None
    user: AuditUser | None = None


class AuditActor(Wire):
    """type: a key, or a session: a command, or a request to a server without keys. Both have the session."""

    type: Literal["api_key", "session"]
    api_key: AuditKey | None = None
    session: AuditSession


class AuditProject(Wire):
    """Of the thing that was changed."""

    id: str
    name: str | None = None


class AuditLog(Wire):
    """An entry as it is sent. type: what was done, like "assistant.deleted"; under that name is more: to which id.

    request_id, method, path: of a request; command: of a command. They are our additions.
    """

    model_config = ConfigDict(extra="allow")

    object: Literal["organization.audit_log"] = "organization.audit_log"
    id: str
    type: str
    effective_at: int
    project: AuditProject | None = None
    actor: AuditActor
    request_id: str | None = optional()
    method: str | None = optional()
    path: str | None = optional()
    command: str | None = optional()


class AuditLogEntry(AuditLog):
    """The same as it is kept: details are what is sent under the name of the type."""

    details: dict[str, Any]

    @property
    def resource(self) -> str:
        """The id of what was changed."""
        return str(self.details.get("id", ""))

    @property
    def who(self) -> str:
        """The id of the key, or of the person at a terminal; empty where nobody knows."""
        user = self.actor.session.user
        return self.actor.api_key.id if self.actor.api_key else (user.id if user and user.id else "")

    def shown(self) -> dict[str, Any]:
        """As it is sent: details under the name of the type."""
        body = self.model_dump(mode="json")
        return {**{name: value for name, value in body.items() if name != "details"}, self.type: self.details}


def entry(
    type: str, *, at: float, actor: AuditActor, project: str | None, details: dict[str, Any], **more: Any
) -> AuditLogEntry:
    """A new one. more: request_id, method, path, command."""
    owner = None if project is None else AuditProject(id=project)
    return AuditLogEntry(
        id=new_id("audit_log"), type=type, effective_at=int(at), project=owner, actor=actor, details=details, **more
    )


def by_key(key: str | None, ip_address: str | None) -> AuditActor:
    """Who sends a request. key: its id; None where no key is asked for."""
    session = AuditSession(ip_address=ip_address)
    if key is None:
        return AuditActor(type="session", session=session)
    return AuditActor(type="api_key", api_key=AuditKey(id=key, service_account={"id": key}), session=session)


def at_terminal(account: str) -> AuditActor:
    """Who gives a command on the server's machine."""
    return AuditActor(type="session", session=AuditSession(user=AuditUser(id=account)))
