"""Understands by asking a chat model, which writes commands: what to set, to start, to correct, to leave, and a few more.

One call for each message. What users say is in the prompt as JSON, apart from the instructions, and the schema lets the model
name nothing but what the domain has: a message that gives orders can make it err, but not do anything else. A model that says
nothing of use, or nothing in time, is stood in for by what was learned from the examples.
"""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from zhuli import registry
from zhuli.core.errors import BackendError, InvalidRequest, Outage, Unavailable, ZhuliError
from zhuli.ports import Services, Understander
from zhuli.types.models.generation import ChatMessage, GenerationRequest
from zhuli.types.understanding.commands import (
    CallPerson,
    CancelForm,
    Commands,
    MentionEntity,
    SayYesOrNo,
    SetSlot,
    StartIntent,
)
from zhuli.types.understanding.domain import DomainFields, DomainReport, Finding, UnderstanderSettings
from zhuli.types.understanding.understanding import ActsRead, DialogueState, EntityFound, IntentScore, Reading
from zhuli.understanding.language.commands.answer_reading import CommandReader, InvalidAnswer
from zhuli.understanding.language.commands.command_prompt import command_messages
from zhuli.understanding.language.commands.command_schema import command_schema
from zhuli.understanding.language.commands.excerpt import (
    LONGEST_EXAMPLE,
    DomainTexts,
    Excerpt,
    Vectors,
    excerpt,
    sources,
)
from zhuli.understanding.language.plain_text import plain

THRESHOLD = 0.5
"""Models say how sure they are in round numbers, and no examples tell what those mean."""

LONGEST_ANSWER = 500
"""Tokens of the model's answer: a bound for one that does not stop."""

SECONDS, MOST_SECONDS = 30.0, 60.0
"""For the model's answer, both of them where the first can't be read."""

EMBEDDED_AT_ONCE = 256

LONGEST_PROMPT = 24_000
"""Characters of instructions and domain, some 6,000 tokens: what most models read in one window."""

PARTS = (1.0, 0.5, 0.25, 0.1)
"""Of what a prompt may tell of a domain: less where its names and descriptions are long."""

_ACTS = {"affirm": SayYesOrNo(True), "deny": SayYesOrNo(False), "cancel": CancelForm(), "handover": CallPerson()}


class Plugin:
    """Implements ports.Understander. Settings: `model`, a chat model, the default one if it is not given; `embedder`, by which
    the examples most like the message are chosen, and which the stand-in learns with; `seconds`, which an answer may take."""

    def __init__(self, domain: DomainFields, services: Services) -> None:
        self.report: DomainReport | None = None
        self._domain = domain
        self._services = services
        self._seconds = _seconds(domain.understander)
        self._texts = DomainTexts.of(domain)
        self._vectors: Vectors | None = None
        self._stand_in: Understander | None = None

    async def prepare(self) -> None:
        findings = await self._learned()
        if not self._texts.fits:
            await self._embedded()
        self.report = DomainReport(
            findings=findings, learned=True, examples=len(self._texts.examples), threshold=self._threshold
        )

    async def read(self, texts: Sequence[str], state: DialogueState) -> list[Reading]:
        """Of texts that are clauses of the first, its commands have said what they say."""
        if self.report is None:
            await self.prepare()
        said = list(dict.fromkeys(text for text in texts if text.strip()))
        clauses = [text for text in said[1:] if text in said[0]]
        asked = [text for text in said if text not in clauses]
        readings = dict(zip(asked, await asyncio.gather(*(self._read(text, state) for text in asked)), strict=True))
        if clauses and readings[said[0]].commands is None and self._stand_in is not None:
            readings |= dict(zip(clauses, await self._stand_in.read(clauses, state), strict=True))
        readings |= {
            text: Reading([], 0.0, self._threshold, acts=ActsRead()) for text in clauses if text not in readings
        }
        nothing = self._nothing("There is no text.")
        return [readings.get(text, nothing) for text in texts]

    async def _read(self, text: str, state: DialogueState) -> Reading:
        failed: ZhuliError
        try:
            async with asyncio.timeout(self._seconds):
                return await self._commanded(text, state)
        except Outage:  # it passes, and the message can be understood then
            raise
        except TimeoutError:
            failed = Unavailable(f"The model took longer than {self._seconds:g} seconds to say what it understood.")
        except (BackendError, Unavailable) as error:
            failed = error
        except InvalidAnswer as reason:
            failed = BackendError(f"The model's answer could not be read: {reason}")
            if self._stand_in is None:
                return self._nothing(failed.message)
        if self._stand_in is None:
            raise failed
        [reading] = await self._stand_in.read([text], state)
        return replace(
            reading,
            threshold=self._threshold if self._domain.fallback.threshold is not None else reading.threshold,
            reasons=[failed.message, "What was learned from the examples reads it instead.", *reading.reasons],
        )

    async def _commanded(self, text: str, state: DialogueState) -> Reading:
        """What the model says, asked once more if it can't be read; InvalidAnswer."""
        likeness = await self._likeness(text)
        shown, messages = await asyncio.to_thread(self._told, text, state, likeness)
        request = GenerationRequest(
            messages=messages,
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "commands", "strict": True, "schema": command_schema(shown)},
            },
            max_tokens=LONGEST_ANSWER,
            temperature=0.0,
            cache_key=f"understanding-{hashlib.sha256(messages[0]['content'].encode()).hexdigest()[:16]}",
        )
        reader = CommandReader(self._domain, shown)
        model = self._domain.understander.model
        answer = await self._services.generate(model, request)
        try:
            commands, dropped = reader.read(answer)
        except InvalidAnswer as reason:
            answer = await self._services.generate(model, _once_more(request, answer, reason))
            commands, dropped = reader.read(answer)
        return self._reading(text, commands, dropped)

    def _told(self, text: str, state: DialogueState, likeness: Vectors | None) -> tuple[Excerpt, list[ChatMessage]]:
        """As much of the domain as the prompt has room for."""
        for part in PARTS:
            shown = excerpt(self._domain, self._texts, text, state, likeness=likeness, part=part)
            messages = command_messages(self._domain, shown, text, state)
            if len(messages[0]["content"]) <= LONGEST_PROMPT:
                break
        return shown, messages

    def _reading(self, text: str, commands: Commands, dropped: list[str]) -> Reading:
        names = self._wanted(commands)
        sure = commands.certainty / len(names) if names else 0.0
        others = (intent.name for intent in self._domain.intents if intent.name not in names)
        ranking = [*(IntentScore(name=name, confidence=sure) for name in names)]
        ranking += [IntentScore(name=name, confidence=0.0) for name in others]
        inside = 1.0 if names else 0.0
        entities = list(self._entities(text, commands))
        return Reading(ranking, inside, self._threshold, entities, dropped, ActsRead(), commands)

    def _wanted(self, commands: Commands) -> list[str]:
        """Intents that the commands start, or that the domain has for what they do."""
        names = [one.intent for one in commands.given if isinstance(one, StartIntent)]
        by_act = [one.name for one in self._domain.intents if one.act and _ACTS[one.act] in commands.given]
        return list(dict.fromkeys([*names, *by_act]))

    def _entities(self, text: str, commands: Commands) -> Iterator[EntityFound]:
        """Learned ones that stand in the text, each at the first place that none before it took."""
        learned = {entity.name for entity in self._domain.entities if entity.kind == "learned"}
        slots = {slot.name: slot for slot in self._domain.slots}
        taken: set[int] = set()
        for one in commands.given:
            if isinstance(one, SetSlot):
                found = [source for source in sources(slots[one.slot]) if source[0] in learned]
                name, role = found[0] if found and one.value is not None else (None, None)
            elif isinstance(one, MentionEntity):
                name, role = one.entity, one.role
            else:
                continue
            place = _place(text, one.words, taken)
            if name is None or place is None:
                continue
            taken.update(range(*place))
            words = text[place[0] : place[1]]
            yield EntityFound(
                entity=name,
                text=words,
                value=one.value if isinstance(one.value, str) and one.value.strip() else words,
                start=place[0],
                end=place[1],
                source="learned",
                role=role,
            )

    async def _learned(self) -> list[Finding]:
        """Prepare who stands in; what learning found, or why nobody does."""
        settings = UnderstanderSettings(type="few_shot", embedder=self._domain.understander.embedder)
        domain = self._domain.model_copy(update={"understander": settings})
        stand_in: Understander = registry.find("understanders", "few_shot")(domain, self._services)
        try:
            await stand_in.prepare()
        except Outage:
            raise
        except (BackendError, Unavailable) as error:
            text = f"Nobody stands in for the model where it fails: {error.message}"
            return [Finding(level="warning", code="stand_in", where="understander", message=text)]
        self._stand_in = stand_in
        return stand_in.report.findings if stand_in.report else []

    async def _embedded(self) -> None:
        """Vectors of all texts; without them the first examples of each intent are shown."""
        texts, rows = self._texts.texts, list[Vectors]()
        try:
            for at in range(0, len(texts), EMBEDDED_AT_ONCE):
                rows.append(await self._rows(texts[at : at + EMBEDDED_AT_ONCE]))
        except (BackendError, Unavailable):
            return
        self._vectors = np.vstack(rows)

    async def _likeness(self, text: str) -> Vectors | None:
        if self._vectors is None:
            return None
        try:
            [own] = await self._rows([text])
        except ZhuliError:
            return None
        found: Vectors = self._vectors @ own
        return found

    async def _rows(self, texts: Sequence[str]) -> Vectors:
        made = await self._services.embed(self._domain.understander.embedder, texts)
        return np.frombuffer(made.data, "<f4").reshape(-1, made.dimensions)

    @property
    def _threshold(self) -> float:
        asked = self._domain.fallback.threshold
        return THRESHOLD if asked is None else asked

    def _nothing(self, why: str) -> Reading:
        return Reading([], 0.0, self._threshold, reasons=[why])


def _once_more(request: GenerationRequest, answer: str, reason: InvalidAnswer) -> GenerationRequest:
    """The same again, with what was wrong: the same prompt would get the same answer."""
    said = {"role": "assistant", "content": answer[:LONGEST_EXAMPLE] or "{}"}
    wrong = {"role": "user", "content": f"That can't be read: {reason} Answer with JSON only, as described."}
    return replace(request, messages=[*request.messages, said, wrong])


def _place(text: str, words: str, taken: set[int]) -> tuple[int, int] | None:
    read, wanted = plain(text), plain(words).strip()
    at = read.find(wanted) if wanted else -1
    while at in taken:
        at = read.find(wanted, at + 1)
    return (at, at + len(wanted)) if at >= 0 else None


def _seconds(settings: UnderstanderSettings) -> float:
    given = (settings.model_extra or {}).get("seconds", SECONDS)
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= MOST_SECONDS:
        text = f"'seconds', which the model has for an answer, is a number above 0 and up to {MOST_SECONDS:g}."
        raise InvalidRequest(text, param="understander.seconds", code="invalid_value")
    return float(given)
