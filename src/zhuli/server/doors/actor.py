"""Who asks: the project that an API key opens. Where there never was a key there is one project, open to all on this machine."""

import logging
from dataclasses import dataclass, replace

from sqlalchemy.exc import DBAPIError

from zhuli.core.clock import Clock
from zhuli.core.errors import Forbidden, Unauthenticated, Unavailable
from zhuli.store import projects
from zhuli.store.database import Database
from zhuli.store.projects import ApiKey, Scope

log = logging.getLogger(__name__)

_REMEMBER_SECONDS = 5.0
"""How long a key that was revoked may still open; and a first key, not yet be asked for."""

_NOTED_SECONDS = 60.0
"""How exact a key's last use is: it is not written with every request."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. project: the id of the project that the key opens. end_user: the key may give feedback and nothing else.

    key: its id; None where no key is asked for.
    """

    project: str
    end_user: bool = False
    key: str | None = None


class Doorkeeper:
    """Turns a request's headers into an Actor."""

    def __init__(self, database: Database, clock: Clock, *, loopback: bool) -> None:
        """loopback: whether only this machine reaches the server. Where others do, nobody comes in without a key, ever."""
        self._database = database
        self._clock = clock
        self._loopback = loopback
        self._known: dict[str, ApiKey] = {}
        self._open: bool | None = None
        self._until = 0.0

    async def is_open(self) -> bool:
        """Whether no key is asked for."""
        if self._clock.now() >= self._until:
            self._known.clear()
            if self._open is not False:
                self._open = await self._asked()
            self._until = self._clock.now() + _REMEMBER_SECONDS
        return bool(self._open)

    async def _asked(self) -> bool:
        """What the database says; while it is away, what it said last. Once closed it stays so, and is not asked again."""
        try:
            return self._loopback and not await self._database.run(projects.had_keys)
        except Unavailable:
            if self._open is None:
                raise
            return self._open

    async def admit(self, authorization: str | None, azure_key: str | None, scope: Scope) -> Actor:
        """The actor behind an Authorization header, or Azure's api-key. Unauthenticated and Forbidden in the API's words."""
        if await self.is_open():
            return Actor(projects.DEFAULT_PROJECT)
        secret = azure_key.strip() if azure_key else _bearer(authorization)
        now, until = self._clock.now(), self._until
        key = self._known.get(secret) or await self._database.run(projects.key_of, secret, now=now)
        if key is None or not key.opens(now):
            raise Unauthenticated(
                "Incorrect API key provided: it opens nothing here, or no longer.",
                code="invalid_api_key",
            )
        if key.used_at is None or now - key.used_at >= _NOTED_SECONDS:
            key = await self._noted(key, now)
        if until == self._until:  # else what was read may be older than what is remembered may be
            self._known[secret] = key
        if not key.may(scope):
            raise Forbidden(
                f"You have insufficient permissions for this operation. Missing scopes: {scope}. "
                f"This key has: {', '.join(sorted(key.scopes))}.",
                code="insufficient_permissions",
            )
        return Actor(key.project, end_user=not key.may("read"), key=key.id)

    async def _noted(self, key: ApiKey, now: float) -> ApiKey:
        try:
            await self._database.run(projects.used, key.id, now=now)
        except (DBAPIError, Unavailable) as error:  # a full disk, say: reading goes on
            log.warning("The last use of a key can't be noted: %s", error)
        return replace(key, used_at=now)


def _bearer(authorization: str | None) -> str:
    scheme, _, secret = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthenticated(
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
            "(i.e. Authorization: Bearer YOUR_KEY)."
        )
    return secret.strip()
