"""The way of one message through understanding: language, parts, what the understander reads, what is heard, what follows.

Reads no thread and writes nothing: who asks gives the state, and keeps the Understanding. What each station does is in its own
file; this puts them in order and gives them the time and the models.
"""

from time import perf_counter

from zhuli.core.clock import Clock
from zhuli.core.ids import new_id
from zhuli.core.telemetry import Telemetry
from zhuli.dialogue.minds import Minds
from zhuli.types.domain import OUT_OF_SCOPE, Domain, DomainReport
from zhuli.types.understanding import (
    Decision,
    DialogueState,
    IntentScore,
    TurnTaken,
    Understanding,
)

MOST_CHARACTERS = 2_000
"""Of a message that are read: what a user wants is in there, and what was pasted behind it is for the model."""


class Understandings:
    def __init__(self, minds: Minds, clock: Clock, telemetry: Telemetry) -> None:
        self._minds = minds
        self._clock = clock
        self._telemetry = telemetry

    async def prepare(self, project: str, domain: Domain) -> DomainReport:
        """Learn the domain now; what learning found. A failure is a ZhuliError."""
        return (await self._minds.of(project, domain)).report or DomainReport(learned=True)

    async def forget(self, domain_id: str) -> None:
        """Drop what was learned for a domain that has been deleted."""
        await self._minds.forget(domain_id)

    async def understand(
        self,
        project: str,
        domain: Domain,
        text: str,
        state: DialogueState,
        *,
        thread_id: str | None = None,
        message_id: str | None = None,
        run_id: str | None = None,
    ) -> Understanding:
        """What `text` means where the dialogue stands at `state`, and what is decided. `state` of the answer is None."""
        began = perf_counter()
        understander = await self._minds.of(project, domain)
        [reading] = await understander.read([text[:MOST_CHARACTERS]], state)
        best = reading.ranking[0] if reading.ranking else None
        sure = best is not None and best.confidence * reading.in_scope >= reading.threshold
        intent = best if sure else IntentScore(name=OUT_OF_SCOPE, confidence=1 - reading.in_scope)
        self._telemetry.understanding_seconds.labels(domain.understander.type).observe(perf_counter() - began)
        return Understanding(
            id=new_id("und"),
            created_at=int(self._clock.now()),
            domain=domain.id,
            version=domain.version,
            text=text,
            thread_id=thread_id,
            message_id=message_id,
            run_id=run_id,
            intent=intent,
            ranking=reading.ranking,
            entities=reading.entities,
            changes=[TurnTaken(message_id=message_id, intent=intent.name if intent else None)],
            decision=Decision(act="talk", why="The model talks."),
            reasons=reading.reasons,
        )

    async def aclose(self) -> None:
        """Stop what is being learned."""
        await self._minds.aclose()
