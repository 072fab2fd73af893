"""What follows an intent or a form in Rasa's rules and stories, as far as it is always the same.

What depends on what was said before is not taken over: here forms and slots do that.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from zhuli.understanding.domains.rasa.yaml_files import Notes, RasaFiles, clean, text_of
from zhuli.understanding.domains.yaml.tree import Node

BUILT_IN = (
    "action_listen",
    "action_restart",
    "action_session_start",
    "action_default_fallback",
    "action_deactivate_loop",
    "action_extract_slots",
    "action_back",
    "action_unlikely_intent",
)
"""Of Rasa's own; zhuli does by itself what these are for, or has no such thing."""

Action = dict[str, Any]


@dataclass(slots=True)
class Followed:
    """forms: intent → form; after_intent and after_form: what is done, as a domain says it."""

    forms: dict[str, str] = field(default_factory=dict)
    after_intent: dict[str, Action] = field(default_factory=dict)
    after_form: dict[str, Action] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Turn:
    """What the steps of a rule or story do after one of these intents, or after a form that is done."""

    file: str
    node: Node
    intents: tuple[str, ...]
    done: str | None
    actions: tuple[str, ...]


def read_rules(source: RasaFiles, notes: Notes, *, forms: Collection[str], responses: Mapping[str, str]) -> Followed:
    """Rules count before stories, and the first before the others, of which there is a note if they say something else."""
    followed = Followed()
    for key in ("rules", "stories"):
        for file, item in source.items(key):
            steps = item.fields.get("steps")
            for turn in _turns(file, item, steps.items if steps else [], forms):
                _follow(followed, notes, turn, forms, responses)
    return followed


def _turns(file: str, rule: Node, steps: list[Node], forms: Collection[str]) -> Iterator[_Turn]:
    """A story's turns one by one. A rule with a condition says what to do when its form is done, or only sometimes."""
    condition = rule.fields.get("condition")
    conditions = condition.items if condition else []
    loops = [text_of(item.fields.get("active_loop")) for item in conditions]
    intents: tuple[str, ...] = ()
    done: str | None = None
    actions: list[str] = []
    start = rule
    for step in [*steps, None]:
        begins = () if step is None else _intents_of(step)
        if step is None or begins:
            if actions and (intents or done):
                yield _Turn(file, start, intents if condition is None else (), done, tuple(actions))
            intents, done, actions, start = begins, None, [], step or rule
        elif "action" in step.fields:
            actions.append(clean(step.fields["action"].value) if isinstance(step.fields["action"].value, str) else "")
        elif "active_loop" in step.fields and text_of(step.fields["active_loop"]) is None:
            ended = next((name for name in (*actions, *loops) if name in forms), None)
            if ended is not None:
                done, intents, actions = ended, (), []


def _intents_of(step: Node) -> tuple[str, ...]:
    either = step.fields.get("or")
    nodes = [step] if either is None else either.items
    found = (text_of(node.fields.get("intent")) for node in nodes)
    return tuple(clean(name) for name in found if name is not None)


def _follow(
    followed: Followed, notes: Notes, turn: _Turn, forms: Collection[str], responses: Mapping[str, str]
) -> None:
    actions = [name for name in turn.actions if name not in BUILT_IN]
    if not actions:
        text = f"{', '.join(turn.actions)} is an action of Rasa's own, which has no counterpart here."
        notes.add("not_taken", turn.file, turn.node, text)
        return
    if len(actions) > 1:
        notes.add("not_taken", turn.file, turn.node, f"Of {', '.join(actions)} only the first is taken.")
    if not turn.intents and turn.done is None:
        text = "The rule has a condition. Here what was said before counts through forms and slots."
        notes.add("not_taken", turn.file, turn.node, text)
        return
    first = actions[0]
    if first not in forms and not first.startswith("utter_"):
        text = f"'{first}' becomes a call of the client's function '{function_name(first)}': the app does what it did."
        notes.add("becomes_function", turn.file, turn.node, text)
    if turn.done is not None:
        _once(followed.after_form, turn.done, _action(first, responses), notes, turn)
    for intent in turn.intents:
        if first in forms:
            _once(followed.forms, intent, first, notes, turn)
        else:
            _once(followed.after_intent, intent, _action(first, responses), notes, turn)


def _once(into: dict[str, Any], name: str, what: Any, notes: Notes, turn: _Turn) -> None:
    if into.setdefault(name, what) != what:
        text = f"After '{name}' something else was taken already. What follows must not depend on what was said before."
        notes.add("not_taken", turn.file, turn.node, text)


def _action(name: str, responses: Mapping[str, str]) -> Action:
    """A response of the domain; or a function of this name, which runs on the client."""
    if name in responses:
        return {"type": "respond", "response": name}
    if name.startswith("utter_"):
        return {"type": "talk"}
    return {"type": "call", "function": function_name(name)}


def function_name(action: str) -> str:
    """The action's name as a function may have it."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", action)[:64]
