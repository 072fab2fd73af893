"""Who asks: the project that an API key opens. Without any keys there is one project, open to all on this machine."""

from dataclasses import dataclass

from zhuli.core.clock import Clock
from zhuli.core.errors import Unauthenticated
from zhuli.store import projects
from zhuli.store.database import Database

_REMEMBER_SECONDS = 5.0
"""How long a key that was revoked may still open; and a first key, not yet be asked for."""


@dataclass(frozen=True, slots=True)
class Actor:
    project: str


class Doorkeeper:
    """Turns an Authorization header into an Actor."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[str, Actor] = {}
        self._open = False
        self._until = 0.0

    async def admit(self, authorization: str | None) -> Actor:
        """The actor behind the header; Unauthenticated in the API's words."""
        if self._clock.now() >= self._until:
            await self._look()
        if self._open:
            return Actor(projects.DEFAULT_PROJECT)
        secret = _bearer(authorization)
        actor = self._known.get(secret)
        if actor is None:
            project = await self._database.run(projects.project_of, secret)
            if project is None:
                raise Unauthenticated(f"Incorrect API key provided: {_masked(secret)}.", code="invalid_api_key")
            actor = self._known[secret] = Actor(project)
        return actor

    async def _look(self) -> None:
        self._known.clear()
        self._open = not await self._database.run(projects.has_keys)
        self._until = self._clock.now() + _REMEMBER_SECONDS


def _bearer(authorization: str | None) -> str:
    scheme, _, secret = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthenticated(
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
            "(i.e. Authorization: Bearer YOUR_KEY)."
        )
    return secret.strip()


def _masked(secret: str) -> str:
    return secret if len(secret) < 8 else f"{secret[:3]}{'*' * 8}{secret[-4:]}"
