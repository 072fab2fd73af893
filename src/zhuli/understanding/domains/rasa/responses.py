"""Rasa's responses: one text for each name, and the variations that are said under a condition."""

from dataclasses import dataclass
from typing import Any

from zhuli.understanding.domains.imports.notes import Notes, clean
from zhuli.understanding.domains.rasa.yaml_files import RasaFiles, text_of
from zhuli.understanding.domains.yaml.tree import Node, data_of

MOST_CHARACTERS = 8192
"""Of a text that is said."""


@dataclass(frozen=True, slots=True)
class Variation:
    """response: the name under which its text is kept. slots: what must hold for it."""

    response: str
    slots: dict[str, Any]


def read_responses(source: RasaFiles, notes: Notes) -> tuple[dict[str, str], dict[str, list[Variation]]]:
    """Texts by name, the variations' names among them; variations by the name that they are of."""
    texts: dict[str, str] = {}
    variations: dict[str, list[Variation]] = {}
    for key in ("responses", "templates"):
        for file, name, node in source.named(key):
            found, special = _response(notes, file, clean(name), node)
            texts |= found
            if special:
                variations[clean(name)] = special
    return texts, variations


def _response(notes: Notes, file: str, name: str, node: Node) -> tuple[dict[str, str], list[Variation]]:
    """The first variation without conditions and channel, if there is one."""
    given = [node] if isinstance(node.value, str) and node.value else node.items
    said = [(item, text) for item in given if (text := _text(item)) is not None]
    if not said:
        notes.add("no_text", file, node, f"The response '{name}' has no text, so it is left out.")
        return {}, []
    plain = [one for one in said if not {"condition", "channel"} & one[0].fields.keys()]
    chosen, text = (plain or said)[0]
    texts, special = {name: text[:MOST_CHARACTERS]}, list[Variation]()
    if len(text) > MOST_CHARACTERS:
        notes.add("text_cut", file, chosen, f"Of '{name}' the first {MOST_CHARACTERS} characters are taken.")
    for number, (item, words) in enumerate(said):
        slots = _condition(item)
        if item is not chosen and slots is not None:
            special.append(Variation(f"{name}.{number + 1}"[:128], slots))
            texts[special[-1].response] = words[:MOST_CHARACTERS]
    if (left := len(said) - len(special) - 1) > 0:
        notes.add(
            "variations",
            file,
            node,
            f"Of the {len(given)} variations of '{name}' only one is taken; {left} are left out.",
        )
    if extras := [key for key in chosen.fields if key not in ("text", "condition", "channel")]:
        notes.add("no_text_extras", file, chosen, f"Of '{name}' the text is taken, but not {', '.join(extras)}.")
    return texts, special


def _text(item: Node) -> str | None:
    return item.value if isinstance(item.value, str) and item.value else text_of(item.fields.get("text"))


def _condition(item: Node) -> dict[str, Any] | None:
    """What slots must hold; None where there is no condition, or one of another kind."""
    condition = item.fields.get("condition")
    if condition is None or "channel" in item.fields:
        return None
    found: dict[str, Any] = {}
    for one in condition.items:
        name = text_of(one.fields.get("name"))
        if text_of(one.fields.get("type")) != "slot" or name is None or "value" not in one.fields:
            return None
        found[clean(name)] = data_of(one.fields["value"])
    return found or None
