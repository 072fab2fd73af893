"""Contexts as conditions of rules: an intent with input contexts holds after what set them; the same words are one intent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zhuli.types.understanding.domain import OUT_OF_SCOPE
from zhuli.understanding.domains.imports.draft import ACTS
from zhuli.understanding.domains.imports.json_files import dicts, text, texts, whole
from zhuli.understanding.domains.imports.notes import Names, Notes

Data = dict[str, Any]


@dataclass(slots=True)
class IntentRead:
    """An intent as it was read. does: its steps. ends: the event that it ends with, if one is known."""

    file: str
    name: str
    given: str
    examples: list[str]
    does: list[Data]
    ends: str | None
    inputs: list[str] = field(default_factory=list)
    outputs: dict[str, int] = field(default_factory=dict)
    fallback: bool = False


def inputs_of(fields: Data) -> list[str]:
    """Contexts that must be active, in lower case, as their names mean the same."""
    return [name.lower() for name in texts(fields.get("contexts"))]


def outputs_of(fields: Data) -> dict[str, int]:
    """Contexts that it sets, with the turns that they last; one that it ends is none."""
    found: dict[str, int] = {}
    for response in dicts(fields.get("responses")):
        for context in dicts(response.get("affectedContexts")):
            name, lifespan = text(context.get("name")), whole(context.get("lifespan"))
            if name is not None and lifespan != 0:
                found[name.lower()] = lifespan if lifespan is not None else 5
    return found


def rules_of(
    conditional: Sequence[IntentRead], read: Sequence[IntentRead], names: Mapping[str, str], notes: Notes
) -> list[Data]:
    """A rule for each intent that is bound and each that sets its contexts. names: under which an intent is understood."""
    rules: list[Data] = []
    for intent in conditional:
        for before in _setters(intent, read):
            if before.ends is None:
                text_ = f"'{intent.given}' follows '{before.given}', which ends with nothing that a rule could name."
                notes.add("context_not_taken", intent.file, None, text_)
                continue
            if intent.does:
                meant = OUT_OF_SCOPE if intent.fallback else names[intent.name]
                rules.append({"when": {"intents": [meant], "after": [before.ends]}, "do": intent.does})
            if (turns := max(before.outputs.get(name, 0) for name in intent.inputs)) > 1:
                text_ = (
                    f"A context of '{before.given}' lasts {turns} turns. Here '{intent.given}' holds right after it."
                )
                notes.add("context_lifespan", before.file, None, text_)
    return rules


def bound(intent: IntentRead, read: Sequence[IntentRead], notes: Notes) -> bool:
    """Whether it holds only in contexts that some intent sets."""
    if not intent.inputs:
        return False
    if not _setters(intent, read):
        text_ = f"No intent sets {', '.join(intent.inputs)}, so '{intent.given}' is taken without a condition."
        notes.add("context_of_nobody", intent.file, None, text_)
        return False
    return True


def merged(bound_ones: Sequence[IntentRead], names: Names, notes: Notes) -> list[tuple[str, list[IntentRead]]]:
    """Those of which half of the phrases are the same, together under one name; alone they keep their own."""
    groups: list[list[IntentRead]] = []
    for intent in bound_ones:
        said = {example.lower() for example in intent.examples}
        group = next((one for one in groups if _alike(said, {e.lower() for e in one[0].examples})), None)
        if group is None:
            groups.append([intent])
        else:
            group.append(intent)
    made = []
    for group in groups:
        kinds = {_kind(intent) for intent in group}
        name = names(kinds.pop()) if len(group) > 1 and len(kinds) == 1 else group[0].name
        if len(group) > 1:
            which = ", ".join(f"'{intent.given}'" for intent in group[:8])
            notes.add(
                "merged", name, None, f"{which} are said in the same words: they are one intent, '{name}', with rules."
            )
        made.append((name, group))
    return made


def act_of(group: Sequence[IntentRead]) -> str | None:
    """What follow-ups of this kind mean beside themselves."""
    kinds = {_kind(intent) for intent in group}
    return ACTS.get(kinds.pop()) if len(kinds) == 1 else None


def _setters(intent: IntentRead, read: Sequence[IntentRead]) -> list[IntentRead]:
    """Those that set all of its contexts, or else any."""
    wanted = set(intent.inputs)
    fully = [one for one in read if wanted and wanted <= one.outputs.keys()]
    return fully or [one for one in read if wanted & one.outputs.keys()]


def _alike(one: set[str], other: set[str]) -> bool:
    smaller = min(len(one), len(other))
    return smaller > 0 and 2 * len(one & other) >= smaller


def _kind(intent: IntentRead) -> str:
    """What a follow-up is called after its intent's name, such as "yes"."""
    return intent.given.rpartition(" - ")[2].strip().lower()
