"""Makes a domain of a LUIS app's JSON export: intents, utterances with labels, lists, patterns and prebuilt entities.

LUIS knows neither slots nor answers, so that the domain has none; patterns, phrase lists and features are findings.
"""

import re
from collections.abc import Mapping

from zhuli.core.errors import InvalidRequest
from zhuli.types.understanding.domain import DomainFields, Finding
from zhuli.understanding.domains.imports.draft import Draft, Mark, language_of, marked
from zhuli.understanding.domains.imports.json_files import Data, dicts, fields, read_json, text, texts, whole
from zhuli.understanding.domains.imports.notes import Names, markable
from zhuli.understanding.domains.imports.value_lists import pattern_entity, value_list

NONE = "None"
"""LUIS's intent of what belongs to no other."""

PREBUILT = {
    "number": "number",
    "ordinal": "number",
    "ordinalv2": "number",
    "percentage": "number",
    "age": "number",
    "temperature": "number",
    "dimension": "number",
    "datetimev2": "date",
    "datetime": "date",
    "money": "money",
    "currency": "money",
    "phonenumber": "phone",
    "email": "email",
}

_NOT_TAKEN = {
    "patterns": "patterns",
    "model_features": "phrase lists",
    "phraselists": "phrase lists",
    "regex_features": "regex features",
    "patternAnyEntities": "Pattern.any entities",
}

_WORD = re.compile(r"\w+|[^\w\s]")


def read(files: Mapping[str, str]) -> tuple[DomainFields, list[Finding]]:
    """The domain, and what of the files is not in it; files: their texts by name. InvalidRequest for what is no app."""
    draft = Draft()
    apps = [
        (name, app) for name, content in files.items() if (app := _app(name, content, draft, alone=len(files) == 1))
    ]
    if not apps:
        text_ = "None of the files is a LUIS app. Send the JSON of its export, which has `intents` and `utterances`."
        raise InvalidRequest(text_, param="files", code="invalid_value")
    names = Names("out_of_scope")
    for file, app in apps:
        _App(file, app, draft, names).take()
    return draft.domain(), list(draft.notes)


def _app(name: str, content: str, draft: Draft, *, alone: bool) -> Data:
    """The file's members; none where it is no app."""
    try:
        found = fields(read_json(name, content))
    except InvalidRequest:
        if alone:
            raise
        found = {}
    if "intents" in found and "utterances" in found:
        return found
    draft.notes.add("left_alone", name, None, "This is no LUIS app, so it is left alone.")
    return {}


class _App:
    def __init__(self, file: str, app: Data, draft: Draft, names: Names) -> None:
        self._file, self._app, self._draft, self._names = file, app, draft, names
        version = text(app.get("luis_schema_version")) or ""
        self._counts_words = version.startswith(("0.", "1."))

    def take(self) -> None:
        draft, app = self._draft, self._app
        draft.name = draft.name or text(app.get("name"))
        self._language()
        for intent in dicts(app.get("intents")):
            if (given := text(intent.get("name"))) and given != NONE:
                draft.intents.setdefault(self._names(given), {"name": self._names(given), "examples": []})
        self._entities()
        for utterance in dicts(app.get("utterances")):
            self._utterance(utterance)
        for key, called in _NOT_TAKEN.items():
            for one in dicts(app.get(key)):
                what = text(one.get("pattern")) or text(one.get("name")) or key
                self._note(
                    "not_taken", f"{called.capitalize()} are not known here, so '{what[:100]}' is left out.", key
                )
        self._note("no_dialogue", "LUIS has no slots and no answers: say in the domain what each intent does.", None)

    def _note(self, code: str, message: str, where: str | None) -> None:
        self._draft.notes.add(code, f"{self._file}: {where}" if where else self._file, None, message)

    def _language(self) -> None:
        culture = text(self._app.get("culture")) or "en-us"
        language = language_of(culture)
        if language is None:
            self._note(
                "unknown_language",
                f"The app speaks '{culture}'. Here English and Chinese are understood: its texts are taken as English.",
                "culture",
            )
        self._draft.languages.append(language or "en")

    def _entities(self) -> None:
        app, entities = self._app, self._draft.entities
        for one in [*dicts(app.get("entities")), *dicts(app.get("hierarchicals")), *dicts(app.get("composites"))]:
            if given := text(one.get("name")):
                entities.setdefault(markable(given), {"name": markable(given)})
        for one in dicts(app.get("composites")):
            self._note(
                "composite_entity",
                f"Of the composite '{one.get('name')}' its parts are taken where they are labelled.",
                None,
            )
        for one in dicts(app.get("closedLists")):
            if given := text(one.get("name")):
                rows = [
                    (text(row.get("canonicalForm")) or "", texts(row.get("list"))) for row in dicts(one.get("subLists"))
                ]
                entities[markable(given)] = value_list(markable(given), rows)
        for one in [*dicts(app.get("regex_entities")), *dicts(app.get("regexEntities"))]:
            if given := text(one.get("name")):
                patterns = texts(one.get("regexPattern"))
                entities[markable(given)] = pattern_entity(markable(given), patterns, self._draft.notes)
        old = [{"name": name} for name in texts(app.get("bing_entities"))]
        for one in [*dicts(app.get("prebuiltEntities")), *old]:
            self._prebuilt(text(one.get("name")) or "")

    def _prebuilt(self, given: str) -> None:
        name, kind = markable(given.removeprefix("builtin.")), PREBUILT.get(given.removeprefix("builtin.").lower())
        if kind is None:
            text_ = f"The prebuilt '{given}' is not known here. If utterances label it, it is learned from them."
            self._note("kind_not_taken", text_, None)
            return
        self._draft.entities[name] = {"name": name, "kind": kind}
        if kind == "date":
            self._draft.entities[f"{name}_time"] = {"name": f"{name}_time", "kind": "time"}
            self._note(
                "kind_partly_taken", f"Of '{given}' days and times are taken, as '{name}' and '{name}_time'.", None
            )

    def _utterance(self, utterance: Data) -> None:
        said, intent = text(utterance.get("text")), text(utterance.get("intent")) or NONE
        if said is None:
            return
        marks = [mark for one in dicts(utterance.get("entities")) for mark in self._marks(said, one)]
        for mark in marks:
            self._draft.entities.setdefault(mark.entity, {"name": mark.entity})
        example = marked(said, marks)
        if intent == NONE:
            self._draft.out_of_scope.append(example)
            return
        name = self._names(intent)
        self._draft.intents.setdefault(name, {"name": name, "examples": []})["examples"].append(example)

    def _marks(self, said: str, one: Data, parent: str = "") -> list[Mark]:
        """Of an entity with labelled parts these, since of words that are marked twice only one mark is taken."""
        given, start, end = text(one.get("entity")), whole(one.get("startPos")), whole(one.get("endPos"))
        if given is None or start is None or end is None:
            return []
        name = f"{parent}.{given}" if parent else given
        if inner := [mark for child in dicts(one.get("children")) for mark in self._marks(said, child, name)]:
            self._note(
                "nested_entity",
                f"Of '{name}' the parts are taken where utterances label them, and not the whole.",
                None,
            )
            return inner
        if self._counts_words:
            start, end = _in_characters(said, start, end)
        entity, _, role = name.partition("::")  # a hierarchical entity's child
        role = text(one.get("role")) or role
        return [Mark(start, end + 1, markable(entity), markable(role) if role else None)]


def _in_characters(said: str, start: int, end: int) -> tuple[int, int]:
    """Where words from start to end stand, as the schemas before 2 counted."""
    words = [match.span() for match in _WORD.finditer(said)]
    if not 0 <= start <= end < len(words):
        return -1, -1
    return words[start][0], words[end][1] - 1
