"""The files of a Botpress 12 bot: bot.config.json, intents, entities, questions and answers, contents, flows."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from zhuli.core.errors import InvalidRequest
from zhuli.understanding.domains.imports.json_files import Data, dicts, fields, read_json, text
from zhuli.understanding.domains.imports.notes import Notes

_PART = re.compile(r"(?:^|/)(intents|entities|qna|content-elements|flows)/(?:.+/)?[^/]+\.json$")
_CONFIG = re.compile(r"(?:^|/)bot\.config\.json$")
_SHARED = re.compile(r"(?:^|/)(?:intents/__qna__|[^/]*\.ui\.json$|[^/]*package\.json$)|\.ui\.json$")
"""What says nothing that other files do not: the intents of questions, places of nodes on a canvas."""


@dataclass(slots=True)
class Bot:
    """Objects with their file's names. contents: what is said, by id. flows: by the name that other flows call them by."""

    config: Data = field(default_factory=dict)
    intents: list[tuple[str, Data]] = field(default_factory=list)
    entities: list[tuple[str, Data]] = field(default_factory=list)
    questions: list[tuple[str, Data]] = field(default_factory=list)
    contents: dict[str, Data] = field(default_factory=dict)
    flows: dict[str, tuple[str, Data]] = field(default_factory=dict)


def is_bot(files: Iterable[str]) -> bool:
    """Whether files of these names are a bot's."""
    names = list(files)
    return any(
        _CONFIG.search(name) or re.search(r"(?:^|/)(?:qna|content-elements)/[^/]+\.json$", name) for name in names
    )


def read_bot(files: Mapping[str, str], notes: Notes) -> Bot:
    """All files; InvalidRequest where none has an intent or a question."""
    bot, refused = Bot(), list[InvalidRequest]()
    for name, content in files.items():
        if not name.endswith(".json") or _SHARED.search(name):
            continue
        try:
            _add(bot, name, read_json(name, content), notes)
        except InvalidRequest as error:
            refused.append(error)
            notes.add("unreadable", name, None, f"The file is left out. {error.message}")
    if not bot.intents and not bot.questions:
        if refused:
            raise refused[0]
        message = "None of the files has intents or questions. Send intents/, entities/ and qna/ of a Botpress 12 bot."
        raise InvalidRequest(message, param="files", code="invalid_value")
    return bot


def _add(bot: Bot, name: str, found: object, notes: Notes) -> None:
    match = _PART.search(name)
    several = dicts(found) or [fields(found)]
    if _CONFIG.search(name):
        bot.config = fields(found)
    elif "qnas" in several[0]:  # what the page of questions exports
        bot.questions += [(name, one) for one in dicts(several[0]["qnas"])]
        _contents(bot, dicts(several[0].get("contentElements")))
    elif match is None:
        notes.add("left_alone", name, None, "This is no file of intents, entities, questions, contents or flows.")
    elif match[1] == "intents":
        bot.intents += [(name, one) for one in several if not str(one.get("name", "")).startswith("__qna__")]
    elif match[1] == "entities":
        bot.entities += [(name, one) for one in several]
    elif match[1] == "qna":
        bot.questions += [(name, one) for one in several]
    elif match[1] == "content-elements":
        _contents(bot, several)
    else:
        bot.flows[name.rpartition("flows/")[2]] = (name, several[0])


def _contents(bot: Bot, elements: list[Data]) -> None:
    bot.contents |= {identifier: one for one in elements if (identifier := text(one.get("id")))}
