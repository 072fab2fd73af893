"""Understands like few_shot, and by what the message before was about: which intent follows which was counted in past dialogues.

"And the phone number?" is asked of a hotel after hotels, of a museum after museums. What few_shot says of a text is multiplied by
how much likelier its intent is behind the last one than anywhere; it is no other classifier, and reads no other text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import TypeAdapter, ValidationError

from zhuli import registry
from zhuli.core.errors import InvalidRequest
from zhuli.ports import Services, Understander
from zhuli.types.understanding.domain import DomainFields, DomainReport, UnderstanderSettings
from zhuli.types.understanding.understanding import DialogueState, IntentScore, Reading

FIRST = ""
"""What stands for the previous intent of a dialogue's first message."""

PRIOR = 20.0
"""Messages behind the same intent that what follows anything counts as. On CrossWOZ's development part, 5 to 60 are the same."""

Counts = dict[str, int]
_COUNTS: TypeAdapter[dict[str, Counts]] = TypeAdapter(dict[str, Counts])


class Plugin:
    """Implements ports.Understander. Settings: `embedder`, as few_shot has it; `often`: how often each intent was meant in past
    dialogues; `follows`: of a previous intent ("" before the first), how often each came behind it."""

    def __init__(self, domain: DomainFields, services: Services) -> None:
        given = domain.understander.model_extra or {}
        self._often, self._follows = _often(given.get("often", {})), _follows(given.get("follows", {}))
        settings = UnderstanderSettings(type="few_shot", embedder=domain.understander.embedder)
        inside = domain.model_copy(update={"understander": settings})
        self._inside: Understander = registry.find("understanders", "few_shot")(inside, services)
        self._domain = domain
        self._all = sum(self._often.values())

    @property
    def report(self) -> DomainReport | None:
        return self._inside.report

    @report.setter
    def report(self, report: DomainReport | None) -> None:
        self._inside.report = report

    async def prepare(self) -> None:
        await self._inside.prepare()

    async def read(self, texts: Sequence[str], state: DialogueState) -> list[Reading]:
        chosen = self._domain.fallback.threshold
        readings = [
            reading if chosen is None else replace(reading, threshold=chosen)
            for reading in await self._inside.read(texts, state)
        ]
        behind = self._follows.get(FIRST if state.turn == 0 else state.intent or "-")
        return readings if behind is None else [self._moved(reading, behind) for reading in readings]

    def _moved(self, reading: Reading, behind: Counts) -> Reading:
        count = sum(behind.values())
        moved = [one.confidence * self._likelier(one.name, behind, count) for one in reading.ranking]
        whole, total = sum(one.confidence for one in reading.ranking), sum(moved)
        if total <= 0:
            return reading
        ranking = [
            IntentScore(name=one.name, confidence=min(1.0, share * whole / total))
            for one, share in zip(reading.ranking, moved, strict=True)
        ]
        ranking.sort(key=lambda one: -one.confidence)
        told = f"in_context: behind the intent before, '{ranking[0].name}' has {ranking[0].confidence:.0%}."
        return replace(reading, ranking=ranking, reasons=[*reading.reasons, told])

    def _likelier(self, name: str, behind: Mapping[str, int], count: int) -> float:
        """How much likelier the intent is here than anywhere; 1 for one that was never met."""
        if name not in self._often:
            return 1.0
        share = (self._often[name] + 1) / (self._all + len(self._domain.intents))
        return (behind.get(name, 0) + PRIOR * share) / (count + PRIOR) / share


def _often(given: object) -> Counts:
    return _follows({FIRST: given})[FIRST]


def _follows(given: object) -> dict[str, Counts]:
    try:
        found = _COUNTS.validate_python(given)
    except ValidationError:
        found = None
    if found is None or any(count < 0 for counts in found.values() for count in counts.values()):
        raise InvalidRequest(
            "'often' has a count for each intent, and 'follows' such counts for each previous intent: "
            '{"follows": {"hotel": {"phone": 3}}}.',
            param="understander.follows",
            code="invalid_value",
        )
    return found
