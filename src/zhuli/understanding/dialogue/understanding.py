"""The way of one message through understanding: language, clauses, what the understander reads, its interpretation, what follows.

Reads no thread and writes nothing: who asks gives the state, and keeps the Understanding. What each station does is in its own
file; this puts them in order, and gives them the time and the models.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from time import perf_counter
from zoneinfo import ZoneInfo

from zhuli.core import sticky
from zhuli.core.clock import Clock
from zhuli.core.ids import new_id
from zhuli.core.telemetry import Telemetry
from zhuli.types.understanding.domain import Domain, DomainReport, Language
from zhuli.types.understanding.understanding import DialogueState, Reading, SlotSet, Understanding
from zhuli.understanding.dialogue.interpreter import interpret
from zhuli.understanding.dialogue.loaded_understanders import LoadedUnderstanders
from zhuli.understanding.dialogue.policy.policy import decide
from zhuli.understanding.dialogue.state import fold
from zhuli.understanding.dialogue.state_tracking import track
from zhuli.understanding.dialogue.utterance.clause_splitting import split_clauses
from zhuli.understanding.dialogue.utterance.multi_intent import Clause
from zhuli.understanding.dialogue.utterance.payloads import payload
from zhuli.understanding.language.entity_extraction.patterns import MESSAGE_SECONDS, SECONDS, SearchTime
from zhuli.understanding.language.languages import language_of

log = logging.getLogger(__name__)

MOST_CHARACTERS = 2_000
"""Of a message that are read: what a user wants is in there, and what was pasted behind it is for the model."""

MOST_RANKED = 10
"""Intents of an Understanding's ranking: nobody clarifies among more, and every message keeps them."""

_NOTHING = Reading(ranking=[], in_scope=0.0, threshold=1.0)
"""What is read of a message without text."""


class Understandings:
    """Made once, by the composition root."""

    def __init__(self, understanders: LoadedUnderstanders, clock: Clock, telemetry: Telemetry) -> None:
        self._understanders = understanders
        self._clock = clock
        self._telemetry = telemetry

    async def prepare(self, project: str, domain: Domain) -> DomainReport:
        """Learn the domain now; what learning found. A failure is a ZhuliError."""
        return (await self._understanders.of(project, domain)).report or DomainReport(learned=True)

    async def forget(self, domain_id: str) -> None:
        """Drop what was learned for a domain that has been deleted."""
        await self._understanders.forget(domain_id)

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
        now: float | None = None,
    ) -> Understanding:
        """What `text` means where the dialogue stands at `state`, and what is decided. `state` of the answer is None.

        now: seconds since 1970, what "tomorrow" is counted from; None: the clock's.
        """
        sticky.who.set(thread_id or sticky.who.get())
        began, now = perf_counter(), self._clock.now() if now is None else now
        read = text[:MOST_CHARACTERS]
        language = language_of(read, domain.languages, state.language)
        whole, clauses = await self._readings(project, domain, state, read, split_clauses(read, language))
        search_time = SearchTime()
        try:
            made = await asyncio.to_thread(
                _understood,
                domain,
                state,
                read,
                search_time=search_time,
                language=language,
                now=now,
                whole=whole,
                clauses=clauses,
                message_id=message_id,
            )
        finally:
            search_time.stop()  # who asked may be gone, and the server stopping
        made.reasons.extend(_unsearched(domain, search_time))
        if len(text) > MOST_CHARACTERS:
            made.reasons.append(f"Of its {len(text)} characters the first {MOST_CHARACTERS} were read.")
        self._telemetry.understanding_seconds.labels(domain.understander.type).observe(perf_counter() - began)
        return made.model_copy(update={"text": text, "thread_id": thread_id, "run_id": run_id})

    async def aclose(self) -> None:
        """Stop what is being learned."""
        await self._understanders.aclose()

    async def _readings(
        self, project: str, domain: Domain, state: DialogueState, text: str, spans: Sequence[tuple[int, int]]
    ) -> tuple[Reading, list[Clause]]:
        """Of the whole text, and of its clauses where it has several: read together, so that a model is asked once."""
        understander = await self._understanders.of(project, domain)
        if not text.strip():
            return _NOTHING, []
        if (said := payload(domain, text)) is not None:
            return said, []
        cut = [text[start:end] for start, end in spans] if len(spans) > 1 else []
        whole, *others = await understander.read([text, *cut], state)
        return whole, list(zip(spans, others, strict=False))


def _understood(
    domain: Domain,
    state: DialogueState,
    text: str,
    *,
    search_time: SearchTime,
    language: Language | None,
    now: float,
    whole: Reading,
    clauses: Sequence[Clause],
    message_id: str | None,
) -> Understanding:
    """From what was read to what is decided; pure but for its id."""
    there = datetime.fromtimestamp(now, ZoneInfo(domain.timezone))
    with search_time.of_all_here():
        utterance = interpret(domain, state, text, language=language, now=there, whole=whole, clauses=clauses)
        tracked = track(domain, state, utterance, message_id=message_id)
        decision, decided = decide(domain, fold(tracked, state), utterance)
    return Understanding(
        id=new_id("und"),
        created_at=int(now),
        domain=domain.id,
        version=domain.version,
        text=text,
        message_id=message_id,
        language=utterance.language,
        intent=utterance.intent,
        intents=utterance.intents if len(utterance.intents) > 1 else [],
        ranking=utterance.ranking[:MOST_RANKED],
        entities=utterance.entities,
        slots={change.slot: change.value for change in tracked if isinstance(change, SlotSet)},
        changes=[*tracked, *decided],
        decision=decision,
        reasons=list(utterance.reasons),
    )


def _unsearched(domain: Domain, search_time: SearchTime) -> list[str]:
    """Whose expressions found nothing because they take too long; the log has it too, for who wrote the domain may not look."""
    slow = search_time.unsearched
    names = [f"'{entity.name}'" for entity in domain.entities if not slow.keys().isdisjoint(entity.patterns)]
    names += [f"'{slot.name}'" for slot in domain.slots if slot.validation and slot.validation.pattern in slow]
    if not names:
        return []
    log.warning("Domain %s: %d regular expressions were not searched to the end, of %s", domain.id, len(slow), names)
    return [
        f"Regular expressions of {', '.join(names)} were not searched to the end: each has {SECONDS * 1000:.0f} ms, and all "
        f"of a message have {MESSAGE_SECONDS:g} s together."
    ]
