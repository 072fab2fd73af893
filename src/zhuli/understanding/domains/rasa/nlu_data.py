"""Rasa's NLU data: examples of intents, and entities that are marked, listed, or have a pattern."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from zhuli.types.understanding.understanding import EntityFound
from zhuli.understanding.domains.imports.notes import Notes, clean, markable
from zhuli.understanding.domains.imports.value_lists import pattern_entity
from zhuli.understanding.domains.rasa.yaml_files import RasaFiles, text_of
from zhuli.understanding.domains.yaml.tree import Node, lines_of
from zhuli.understanding.language.marked_examples import BadMark, read_marks, write_marks

DUCKLING = {
    "number": "number",
    "amount-of-money": "money",
    "phone-number": "phone",
    "email": "email",
    "time": "date",
    "date": "date",
}
"""Entities of these names come from Rasa's DucklingEntityExtractor or its like, so they have no examples."""

_GROUP = re.compile(r'\{[^{}]*"group"')


@dataclass(slots=True)
class Nlu:
    """examples by intent, in our marks; marks by entity: the words and their value. synonyms: words in lower case → value.

    used: the synonyms that are of a list or of a mark.
    """

    examples: dict[str, list[str]] = field(default_factory=dict)
    marks: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    lookups: dict[str, list[str]] = field(default_factory=dict)
    patterns: dict[str, list[str]] = field(default_factory=dict)
    synonyms: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)


def read_nlu(source: RasaFiles, notes: Notes) -> Nlu:
    """All sections; synonyms first, since marks take their values."""
    nlu = Nlu()
    for _, item in source.items("nlu"):
        if (value := text_of(item.fields.get("synonym"))) is not None:
            nlu.synonyms |= {word.lower(): value for _, word in _lines(item.fields.get("examples"))}
    for file, item in source.items("nlu"):
        lines = list(_lines(item.fields.get("examples")))
        if (intent := text_of(item.fields.get("intent"))) is not None:
            found = (_example(nlu, notes, file, line, text) for line, text in lines)
            nlu.examples.setdefault(clean(intent), []).extend(text for text in found if text is not None)
        elif (name := text_of(item.fields.get("lookup"))) is not None:
            nlu.lookups.setdefault(markable(name), []).extend(text for _, text in lines)
        elif (name := text_of(item.fields.get("regex"))) is not None:
            nlu.patterns.setdefault(markable(name), []).extend(text for _, text in lines)
        elif "synonym" not in item.fields:
            kinds = ", ".join(item.fields) or "nothing"
            notes.add(
                "unknown_entry",
                file,
                item,
                f"An entry of `nlu` with {kinds} is not known. It has an intent, or a synonym.",
            )
    return nlu


def entity_names(source: RasaFiles, nlu: Nlu) -> list[str]:
    """Those that the domain names, are marked, or have a list."""
    declared = [markable(name) for name in source.names("entities")]
    return list(dict.fromkeys([*declared, *nlu.marks, *nlu.lookups]))


def entities_of(source: RasaFiles, nlu: Nlu, notes: Notes, *, also: Iterable[str]) -> list[dict[str, Any]]:
    """also: those that fill slots, if nothing else has them."""
    names = dict.fromkeys([*entity_names(source, nlu), *also])
    made = [_entity(name, nlu, notes) for name in names]
    for name in nlu.patterns.keys() - names.keys():
        text = f"The regex '{name}' belongs to no entity: it only helped to tell intents, which is not needed here."
        notes.add("regex_of_no_entity", name, None, text)
    for word in nlu.synonyms.keys() - nlu.used:
        text = f"The synonym '{word}' of '{nlu.synonyms[word]}' is of no list and of no mark, so it is left out."
        notes.add("synonym_of_nothing", word, None, text)
    return made


def _entity(name: str, nlu: Nlu, notes: Notes) -> dict[str, Any]:
    """A list makes it a lookup list also where it is marked: what is marked joins the list."""
    if values := _values(nlu.lookups.get(name, []), nlu.marks.get(name, []), nlu) if name in nlu.lookups else []:
        return {"name": name, "kind": "lookup", "values": values}
    if (found := pattern_entity(name, nlu.patterns.get(name, []), notes)).get("patterns"):
        return found
    if name not in nlu.marks and name.lower() in DUCKLING:
        kind = DUCKLING[name.lower()]
        notes.add(
            "kind_guessed", name, None, f"The entity '{name}' is never marked, so it is taken to be of kind {kind}."
        )
        return {"name": name, "kind": kind}
    return {"name": name}


def _values(words: list[str], marks: list[tuple[str, str]], nlu: Nlu) -> list[dict[str, Any]]:
    """A value for each word of the list, or several words for one where synonyms or marks say so."""
    values: dict[str, list[str]] = {}
    listed = [(word, nlu.synonyms.get(word.lower(), word)) for word in words]
    for word, value in [*listed, *marks]:
        synonyms = values.setdefault(value, [])
        synonyms += [word] if word != value and word not in synonyms else []
    for word, value in nlu.synonyms.items():
        if value in values:
            nlu.used.add(word)
            if word not in [known.lower() for known in values[value]]:
                values[value].append(word)
    return [{"value": value, "synonyms": synonyms} for value, synonyms in values.items()]


def _lines(node: Node | None) -> Iterator[tuple[Node, str]]:
    """The sentences of a block of `- …` lines, or of a list of texts or of {text: …}."""
    if node is None:
        return
    for line, text in lines_of(node):
        yield Node(line, text), text
    for item in node.items:
        text_node = item.fields.get("text", item)
        if isinstance(text_node.value, str) and (said := text_node.value.strip().removeprefix("- ")):
            yield text_node, said


def _example(nlu: Nlu, notes: Notes, file: str, node: Node, text: str) -> str | None:
    """The example with our marks, whose values are as synonyms say; None if it can't be read."""
    if _GROUP.search(text):
        notes.add("no_groups", file, node, "Groups of entities are not known here; the entity and its role are taken.")
    try:
        marked = read_marks(text)
    except BadMark as bad:
        notes.add("unreadable_example", file, node, f"The example is left out. {bad}")
        return None
    found = [_mark(nlu, entity) for entity in marked.entities]
    if len({(entity.start, entity.end) for entity in found}) < len(found):
        notes.add("overlapping_marks", file, node, "Of several entities of the same words only the first is taken.")
    return write_marks(marked.text, found)


def _mark(nlu: Nlu, entity: EntityFound) -> EntityFound:
    word, value = entity.text.lower(), entity.value
    if word in nlu.synonyms:
        nlu.used.add(word)
        value = nlu.synonyms[word] if value == entity.text else value
    name = markable(entity.entity)
    nlu.marks.setdefault(name, []).append((entity.text, str(value)))
    return entity.model_copy(update={"entity": name, "value": value})
