"""An understander that follows a script: for tests of runs and dialogues, which need no model.

    "understander": {
        "type": "zhuli.testing.scripted_understander:Plugin",
        "script": {
            "^(hi|hello)": "greet",
            "table(?: for (?P<people>\\w+))?": "book",
            "seats": ["book", "complain"],
            "hm": {"intent": "greet", "confidence": 0.3}
        }
    }

Keys are regular expressions, searched for without regard to case; the first that is found tells the intent, a list of
several means that they are equally likely. A named group is a learned entity; `(?P<city__to>…)` is a city with the role "to".
Texts that no key fits are out of scope. It has no model and understands nothing but the script. A server takes it in
domains when its setting `understander_plugins` names it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zhuli.core.errors import InvalidRequest
from zhuli.ports import Services
from zhuli.types.understanding.domain import DomainFields, DomainReport
from zhuli.types.understanding.understanding import DialogueState, EntityFound, IntentScore, Reading

SURE, THRESHOLD = 0.95, 0.5


class Plugin:
    """Implements ports.Understander."""

    def __init__(self, domain: DomainFields, services: Services) -> None:
        self.report: DomainReport | None = None
        script = (domain.understander.model_extra or {}).get("script", {})
        if not isinstance(script, dict):
            raise InvalidRequest("The script should be an object: patterns and intents.", param="understander.script")
        self._domain = domain
        self._intents = [intent.name for intent in domain.intents]
        self._entities = {entity.name for entity in domain.entities}
        self._rules = [(re.compile(pattern, re.IGNORECASE), self._scores(said)) for pattern, said in script.items()]

    async def prepare(self) -> None:
        self.report = DomainReport(learned=True, threshold=self._threshold)

    async def read(self, texts: Sequence[str], state: DialogueState) -> list[Reading]:
        if self.report is None:
            await self.prepare()
        return [self._reading(text) for text in texts]

    @property
    def _threshold(self) -> float:
        return THRESHOLD if self._domain.fallback.threshold is None else self._domain.fallback.threshold

    def _reading(self, text: str) -> Reading:
        for pattern, scores in self._rules:
            if match := pattern.search(text):
                entities = [found for found in _entities(match) if found.entity in self._entities]
                return Reading(scores, 1.0, self._threshold, entities, [f"The script has '{pattern.pattern}'."])
        unlikely = [IntentScore(name=name, confidence=0.05 / len(self._intents)) for name in self._intents]
        return Reading(unlikely, 0.05, self._threshold, reasons=["The script has nothing for this."])

    def _scores(self, said: Any) -> list[IntentScore]:
        """Ranked, of all intents: those of the script, then the others with nothing."""
        sure = SURE
        if isinstance(said, Mapping):
            said, sure = said["intent"], said["confidence"]
        meant = [said] if isinstance(said, str) else said
        if unknown := sorted(set(meant) - set(self._intents)):
            text = f"The script means '{unknown[0]}', which is no intent. Intents: {', '.join(self._intents)}."
            raise InvalidRequest(text, param="understander.script")
        others = [name for name in self._intents if name not in meant]
        likely = [IntentScore(name=name, confidence=sure / len(meant)) for name in meant]
        return [*likely, *(IntentScore(name=name, confidence=0.0) for name in others)]


def _entities(match: re.Match[str]) -> Iterator[EntityFound]:
    for group, text in match.groupdict().items():
        if text:
            entity, _, role = group.partition("__")
            start, end = match.span(group)
            yield EntityFound(
                entity=entity,
                text=text,
                value=text,
                start=start,
                end=end,
                source="learned",
                role=role or None,
                confidence=SURE,
            )
