"""The files of a Dialogflow ES export: agent.json, intents and entities, each with its phrases by language."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zhuli.core.errors import InvalidRequest
from zhuli.types.understanding.domain import Language
from zhuli.understanding.domains.imports.draft import language_of
from zhuli.understanding.domains.imports.json_files import dicts, fields, read_json, text, texts
from zhuli.understanding.domains.imports.notes import Notes

Data = dict[str, Any]

_PART = re.compile(r"(?:^|/)(intents|entities)/([^/]+?)(?:_(?:usersays|entries)_([A-Za-z-]+))?\.json$")
_AGENT = re.compile(r"(?:^|/)agent\.json$")


@dataclass(slots=True)
class Part:
    """An intent or entity. lists: phrases of the intent, or entries of the entity, by language code."""

    file: str
    name: str
    fields: Data = field(default_factory=dict)
    lists: dict[str, list[Data]] = field(default_factory=dict)


@dataclass(slots=True)
class Agent:
    """fields: agent.json's. spoken: the language of each code that is taken; the first is the agent's own."""

    fields: Data = field(default_factory=dict)
    intents: dict[str, Part] = field(default_factory=dict)
    entities: dict[str, Part] = field(default_factory=dict)
    spoken: dict[str, Language] = field(default_factory=dict)

    def taken(self, part: Part) -> Iterable[tuple[str, Data]]:
        """Phrases or entries of the part in languages that are taken, with their file's language code."""
        return ((code, one) for code, found in part.lists.items() if code in self.spoken for one in found)


def is_agent(files: Iterable[str]) -> bool:
    """Whether files of these names are an agent's."""
    names = list(files)
    parts = [match for name in names if (match := _PART.search(name))]
    return any(match[3] for match in parts) or (bool(parts) and any(map(_AGENT.search, names)))


def read_agent(files: Mapping[str, str], notes: Notes) -> Agent:
    """All files; InvalidRequest where none of them is an intent's or entity's."""
    agent, refused = Agent(), list[InvalidRequest]()
    for name, content in files.items():
        part = _PART.search(name)
        if part is None and not _AGENT.search(name):
            notes.add("left_alone", name, None, "This is no agent.json, intent or entity, so it is left alone.")
            continue
        try:
            found = read_json(name, content)
        except InvalidRequest as error:
            refused.append(error)
            notes.add("unreadable", name, None, f"The file is left out. {error.message}")
            continue
        if part is None:
            agent.fields = fields(found)
        else:
            _add(agent, name, part, found)
    if not agent.intents and not agent.entities:
        if refused:
            raise refused[0]
        message = (
            "None of the files is an intent or entity. Send intents/*.json and entities/*.json of the agent's export."
        )
        raise InvalidRequest(message, param="files", code="invalid_value")
    _languages(agent, notes)
    return agent


def _add(agent: Agent, file: str, match: re.Match[str], found: Any) -> None:
    kind, stem, code = match.groups()
    parts = agent.intents if kind == "intents" else agent.entities
    part = parts.setdefault(stem, Part(file, stem))
    if code is not None:
        part.lists[code.lower()] = dicts(found)
        return
    part.file, part.fields = file, fields(found)
    part.name = text(part.fields.get("name")) or stem
    for key in ("userSays", "entries"):  # the oldest exports have them in the same file
        if inner := dicts(part.fields.get(key)):
            part.lists.setdefault("", inner)


def _languages(agent: Agent, notes: Notes) -> None:
    """Of those that the agent has, the ones that are understood here; the only one of another is taken as English."""
    own = (text(agent.fields.get("language")) or "").lower()
    also = [code.lower() for code in texts(agent.fields.get("supportedLanguages"))]
    parts = [*agent.intents.values(), *agent.entities.values()]
    codes = dict.fromkeys([own, *also, *(code for part in parts for code in part.lists)])
    known = {code: language for code in codes if (language := language_of(code))}
    if not known:
        known = {own: "en"}
        if own:
            text_ = (
                f"The agent speaks '{own}'. Here English and Chinese are understood: its texts are taken as English."
            )
            notes.add("unknown_language", "agent.json", None, text_)
    agent.spoken = known | {"": known.get(own, next(iter(known.values())))}
    for code in codes.keys() - agent.spoken.keys():
        notes.add(
            "language_left_out", f"language {code}", None, "Its phrases and texts are left out: en and zh are taken."
        )
