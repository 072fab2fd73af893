"""Reads the commands in a chat model's answer, tolerantly: words or a fence around the JSON, an answer that was cut short, names
that are written a little otherwise. What names nothing of the domain is left out, and said.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zhuli.types.understanding.commands import (
    AskKnowledge,
    CallPerson,
    CancelForm,
    ClarifyIntents,
    Command,
    Commands,
    MakeSmallTalk,
    MentionEntity,
    SayYesOrNo,
    SetSlot,
    StartIntent,
)
from zhuli.types.understanding.domain import DomainFields
from zhuli.understanding.language.commands.command_schema import MOST_COMMANDS
from zhuli.understanding.language.commands.excerpt import Excerpt, talks
from zhuli.understanding.language.entity_extraction.entity_labels import entity_of, role_of

MOST_CHARACTERS = 8_000
"""Of an answer that are read: eight commands are shorter."""

MOST_VALUES = 200
"""Places of an answer at which JSON is looked for."""

UNSAID = 0.8
"""How sure a model is that does not say it."""

_DECODER = json.JSONDecoder()
_ALIASES = {
    "set_slot": "set", "correct_slot": "correct", "start_intent": "start", "start_flow": "start", "disambiguate": "clarify",
    "handover": "hand_over", "human_handoff": "hand_over", "chitchat": "small_talk", "affirm": "yes", "deny": "no",
    "search": "knowledge", "cancel_flow": "cancel", "cancel_form": "cancel",
}  # fmt: skip


class InvalidAnswer(ValueError):
    """The model's answer has no command that can be read; the message says why."""


class _NoCommand(ValueError):
    """One command that names nothing of the domain, or is none."""


@dataclass(frozen=True, slots=True)
class CommandReader:
    """For what was told of a domain: names of the domain count, also where they were not told."""

    domain: DomainFields
    shown: Excerpt

    def read(self, answer: str) -> tuple[Commands, list[str]]:
        """The commands, and what was left out with its reason; InvalidAnswer where that is all."""
        found = _found(answer[:MOST_CHARACTERS])
        if found is None:
            raise InvalidAnswer(f"it is no JSON: {answer[:80]!r}.")
        given, certainty = found
        commands: list[Command] = []
        dropped: list[str] = []
        for one in given[:MOST_COMMANDS]:
            try:
                command = self._command(one)
            except _NoCommand as reason:
                dropped.append(f"The model's command {str(one)[:80]} was left out: {reason}.")
            else:
                commands += [] if command in commands else [command]
        if given and not commands:
            raise InvalidAnswer(dropped[0].partition(" was left out: ")[2])
        return Commands(tuple(commands), certainty), dropped

    def _command(self, given: Any) -> Command:
        if not isinstance(given, Mapping):
            raise _NoCommand("it is no JSON object")
        name = _plain(given.get("command"))
        make = self._makers().get(_ALIASES.get(name, name))
        if make is None:
            raise _NoCommand("there is no such command")
        return make(given)

    def _makers(self) -> dict[str, Callable[[Mapping[str, Any]], Command]]:
        return {
            "set": lambda given: self._set(given, corrects=False),
            "correct": lambda given: self._set(given, corrects=True),
            "start": lambda given: StartIntent(self._intent(given.get("intent"))),
            "clarify": self._clarify,
            "cancel": lambda given: CancelForm(),
            "hand_over": lambda given: CallPerson(),
            "yes": lambda given: SayYesOrNo(True),
            "no": lambda given: SayYesOrNo(False),
            "knowledge": self._knowledge,
            "small_talk": self._small_talk,
            "mention": self._mention,
        }

    def _set(self, given: Mapping[str, Any], *, corrects: bool) -> SetSlot:
        slot = _named(given.get("slot"), [slot.name for slot in self.domain.slots], "slot")
        value, words = given.get("value"), given.get("words")
        if isinstance(value, dict | list):
            raise _NoCommand("its value is no single one")
        return SetSlot(slot, words if isinstance(words, str) else "", value, corrects)

    def _intent(self, name: Any) -> str:
        return _named(name, [intent.name for intent in self.domain.intents], "intent")

    def _clarify(self, given: Mapping[str, Any]) -> ClarifyIntents:
        names = given.get("intents")
        known = dict.fromkeys(self._intent(name) for name in (names if isinstance(names, list) else []))
        if len(known) < 2:
            raise _NoCommand("it does not name two intents")
        return ClarifyIntents(tuple(known))

    def _knowledge(self, given: Mapping[str, Any]) -> AskKnowledge:
        if not self.shown.knowledge:
            raise _NoCommand("the domain has nothing to search")
        return AskKnowledge()

    def _small_talk(self, given: Mapping[str, Any]) -> MakeSmallTalk:
        name = _named(given.get("kind"), talks(), "kind of small talk")
        return MakeSmallTalk(next(kind for kind in talks() if kind == name))

    def _mention(self, given: Mapping[str, Any]) -> MentionEntity:
        label, words, value = given.get("entity"), given.get("words"), given.get("value")
        if label not in self.shown.labels or not isinstance(words, str):
            raise _NoCommand(f"there is no entity {str(label)[:80]!r}")
        return MentionEntity(entity_of(label), role_of(label), words, value if isinstance(value, str) else words)


def _named(name: Any, known: Sequence[str], what: str) -> str:
    """The name as the domain writes it."""
    if name in known:
        return str(name)
    found = [one for one in known if _plain(one) == _plain(name)]
    if len(found) != 1:
        raise _NoCommand(f"there is no {what} {str(name)[:80]!r}")
    return found[0]


def _plain(name: Any) -> str:
    return "_".join(name.casefold().replace("-", " ").replace("_", " ").split()) if isinstance(name, str) else ""


def _found(answer: str) -> tuple[list[Any], float] | None:
    """The commands as JSON, and how sure the model says it is; None where there are none."""
    for value in _values(answer):
        if isinstance(value, dict) and isinstance(value.get("commands"), list):
            return value["commands"], _share(value.get("certainty"))
        if isinstance(value, list) and value and all(isinstance(one, dict) and "command" in one for one in value):
            return value, UNSAID
    single = list(_single(answer))  # cut short, or lines of commands
    return (single, UNSAID) if single else None


def _values(answer: str) -> Iterator[Any]:
    """JSON values that begin with a bracket, one after the other: a model may think aloud before it answers."""
    at = _next(answer, 0)
    for _ in range(MOST_VALUES):
        if at < 0:
            return
        value, end = _value(answer, at)
        yield value
        at = _next(answer, end if value is not None else at + 1)


def _next(answer: str, at: int) -> int:
    return min((place for place in (answer.find("{", at), answer.find("[", at)) if place >= 0), default=-1)


def _single(answer: str) -> Iterator[dict[str, Any]]:
    """All objects that are commands, one after the other."""
    at = answer.find("{")
    for _ in range(MOST_VALUES):
        if at < 0:
            return
        value, end = _value(answer, at)
        is_command = isinstance(value, dict) and "command" in value
        if is_command:
            yield value
        at = answer.find("{", end if is_command else at + 1)


def _value(answer: str, at: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(answer, at)
    except (ValueError, RecursionError):
        return None, at


def _share(certainty: Any) -> float:
    """Of percent, or of a share where the model says that instead: nobody says one percent."""
    if isinstance(certainty, bool) or not isinstance(certainty, int | float) or not 0 <= certainty <= 100:
        return UNSAID
    return certainty / 100 if certainty > 1 else float(certainty)
