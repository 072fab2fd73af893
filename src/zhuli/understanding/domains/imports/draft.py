"""A domain as an import makes it, part by part, until it is one: what all formats but Rasa's fill in the same way."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from zhuli.core.errors import InvalidRequest
from zhuli.types.refusals import refusal_of
from zhuli.types.understanding.domain import Act, DomainFields, Language
from zhuli.types.understanding.understanding import EntityFound
from zhuli.understanding.domains.imports.notes import Notes
from zhuli.understanding.language.marked_examples import MARK, BadMark, read_marks, write_marks

Data = dict[str, Any]
Said = dict[Language, str]
"""What is said, by language."""

MOST_CHARACTERS = 8192
"""Of a text that is said."""

MOST_OF_A_PATTERN = 1000
"""Characters, as a domain has them."""

ACTS: dict[str, Act] = {"yes": "affirm", "no": "deny", "cancel": "cancel"}
"""What these follow-ups mean to a dialogue."""

_PLACEHOLDER = re.compile(r"\{\{?(\w[^\s{}\[\]()]*)\}?\}")


@dataclass(slots=True)
class Draft:
    """Each thing by its name, as the fields of a domain have it."""

    notes: Notes = field(default_factory=Notes)
    name: str | None = None
    languages: list[Language] = field(default_factory=list)
    timezone: str | None = None
    intents: dict[str, Data] = field(default_factory=dict)
    out_of_scope: list[str] = field(default_factory=list)
    entities: dict[str, Data] = field(default_factory=dict)
    slots: dict[str, Data] = field(default_factory=dict)
    forms: dict[str, Data] = field(default_factory=dict)
    responses: dict[str, str | Said] = field(default_factory=dict)
    rules: list[Data] = field(default_factory=list)
    fallback: Data = field(default_factory=dict)

    def respond(self, name: str, said: Said) -> Data | None:
        """Keep the response and give the action that says it; None where there is nothing to say."""
        if not said:
            return None
        for words in said.values():
            if len(words) > MOST_CHARACTERS:
                self.notes.add("text_cut", name, None, f"Of '{name}' the first {MOST_CHARACTERS} characters are taken.")
        self.responses[name] = wording({language: text[:MOST_CHARACTERS] for language, text in said.items()})
        return {"type": "respond", "response": name}

    def domain(self) -> DomainFields:
        """The domain; InvalidRequest says which of its limits the files pass."""
        texts = [text for said in [*self.responses.values(), *self._prompts()] for text in texts_of(said)]
        given: Data = {
            "languages": list(dict.fromkeys(self.languages)) or ["en"],
            "intents": list(self.intents.values()),
            "out_of_scope": self.out_of_scope,
            "entities": list(self.entities.values()),
            "slots": list(self.slots.values()),
            "forms": list(self.forms.values()),
            "responses": self.responses,
            "rules": self.rules,
            "variables": variables_of(texts, self.slots.keys()),
            "fallback": self.fallback,
        }
        optional = {"name": self.name, "timezone": self.timezone}
        return validated(given | {key: value for key, value in optional.items() if value})

    def _prompts(self) -> list[str | Said]:
        forms = [prompt for form in self.forms.values() for prompt in form.get("prompts", {}).values()]
        return [*forms, *(slot["prompt"] for slot in self.slots.values() if "prompt" in slot)]


def validated(given: Data) -> DomainFields:
    """The domain of these fields; InvalidRequest says what of them none can have."""
    try:
        return DomainFields.model_validate(given)
    except ValidationError as error:
        said = refusal_of(error)
        text = f"The files can't be made into a domain. {said.message}"
        raise InvalidRequest(text, param="files", code=said.code) from error


def variables_of(texts: Iterable[str], slots: Iterable[str]) -> list[str]:
    """Placeholders that are no slots: functions fill them."""
    known = set(slots)
    found = (name for text in texts for name in _PLACEHOLDER.findall(text))
    return list(dict.fromkeys(name for name in found if name not in known))


def wording(said: Said) -> str | Said:
    """One text where there is only one language."""
    return next(iter(said.values())) if len(said) == 1 else said


def texts_of(said: str | Said) -> list[str]:
    """All that may be said."""
    return [said] if isinstance(said, str) else list(said.values())


def language_of(code: str) -> Language | None:
    """The language that a code such as zh-CN is of, if it is one that is understood here."""
    short = code.lower().replace("_", "-").partition("-")[0]
    return "zh" if short == "zh" else "en" if short == "en" else None


@dataclass(frozen=True, slots=True)
class Mark:
    """An entity of words at [start, end) of a text, in characters."""

    start: int
    end: int
    entity: str
    role: str | None = None


def marked(text: str, marks: Sequence[Mark]) -> str:
    """The example; brackets that would look like marks are left out, places that are not in the text too."""
    text = unmarked(text)
    found = [
        EntityFound(
            entity=mark.entity,
            text=text[mark.start : mark.end],
            value=text[mark.start : mark.end],
            start=mark.start,
            end=mark.end,
            source=MARK,
            role=mark.role,
        )
        for mark in marks
        if 0 <= mark.start < mark.end <= len(text) and text[mark.start : mark.end].strip()
    ]
    return write_marks(text, found)


def unmarked(text: str) -> str:
    """The text, of the same length, in which nothing looks like a mark."""
    try:
        plain = not read_marks(text).entities
    except BadMark:
        plain = False
    return text if plain else text.replace("[", " ").replace("]", " ")
