"""Rasa's rules and stories, step by step, as turns: what is done after an intent or a form that is done, and what was before.

Checkpoints join stories; `or` makes several of one; a step that only has what a user said has the intent whose example that is.
What follows of the turns is conditions'.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from zhuli.understanding.domains.imports.notes import Notes, clean
from zhuli.understanding.domains.rasa.yaml_files import RasaFiles, text_of
from zhuli.understanding.domains.yaml.tree import Node, data_of

DEACTIVATE = "action_deactivate_loop"

BUILT_IN = (
    "action_listen",
    "action_restart",
    "action_session_start",
    "action_default_fallback",
    "action_extract_slots",
    "action_back",
    "action_unlikely_intent",
    "...",
)
"""Of Rasa's own; zhuli does by itself what these are for, or has no such thing."""

MOST_WAYS = 16
"""Through a story with several `or`."""

MOST_JOINED = 8
"""Stories that a checkpoint leads to one, of which each is joined."""

Events = tuple[str, ...]
"""As rules look back: names of actions, and "/intent"."""


@dataclass(slots=True)
class Turn:
    """actions: names in their order, DEACTIVATE and forms among them. done: the form that was completed, in place of an intent.

    strict: of a rule, whose conditions are all meant; of a story they only tell it from others. entities: None: any value.
    """

    file: str
    node: Node
    strict: bool
    intent: str | None = None
    done: str | None = None
    form: str | None = None
    asked: str | None = None
    before: Events = ()
    slots: dict[str, Any] = field(default_factory=dict)
    entities: dict[str, Any] = field(default_factory=dict)
    actions: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Script:
    """What steps are read with. said: example, in lower case, → its intent. bot: texts that a bot says in stories, by name."""

    forms: Collection[str]
    said: Mapping[str, str]
    bot: dict[str, str] = field(default_factory=dict)


def read_turns(source: RasaFiles, notes: Notes, script: Script) -> list[Turn]:
    """Of all rules, then of all stories, in the order of the files."""
    turns: list[Turn] = []
    for file, rule in source.items("rules"):
        for steps in _ways(_steps(rule)):
            turns += _Reader(file, rule, notes, script, strict=True).turns(steps)
    stories = [(file, story, _steps(story)) for file, story in source.items("stories")]
    ends = _ends(stories)
    for file, story, steps in stories:
        for before, way in product(_befores(steps, ends), _ways(steps)):
            turns += _Reader(file, story, notes, script, strict=False).turns(way, before)
    return turns


def _ways(steps: Sequence[Node]) -> list[list[Node]]:
    """The steps with one alternative of each `or`."""
    ways: list[list[Node]] = [[]]
    for step in steps:
        either = [Node(step.line, one.value) for one in step.fields["or"].items] if "or" in step.fields else [step]
        ways = [[*way, one] for way in ways for one in either][:MOST_WAYS]
    return ways


def _steps(story: Node) -> list[Node]:
    steps = story.fields.get("steps")
    return steps.items if steps else []


def _ends(stories: Sequence[tuple[str, Node, list[Node]]]) -> dict[str, list[list[Node]]]:
    """By the checkpoint that they end with, the steps of stories before it."""
    found: dict[str, list[list[Node]]] = {}
    for _, _, steps in stories:
        name = text_of(steps[-1].fields.get("checkpoint")) if len(steps) > 1 else None
        if name is not None:
            found.setdefault(name, []).append(steps[:-1])
    return found


def _befores(steps: Sequence[Node], ends: Mapping[str, list[list[Node]]]) -> list[list[Node]]:
    """What may have been before the story: nothing, or each story that leads to its checkpoint."""
    name = text_of(steps[0].fields.get("checkpoint")) if steps else None
    return ends.get(name, [])[:MOST_JOINED] or [[]] if name is not None else [[]]


class _Reader:
    """One rule or story."""

    def __init__(self, file: str, story: Node, notes: Notes, script: Script, *, strict: bool) -> None:
        self._file, self._story, self._notes, self._script, self._strict = file, story, notes, script, strict
        self._before: list[str] = []
        self._form: str | None = None
        self._asked: str | None = None
        self._slots: dict[str, Any] = {}
        self._open: list[Turn] = []
        self._done: list[Turn] = []
        self._last: str | None = None

    def turns(self, steps: Sequence[Node], before: Sequence[Node] = ()) -> Iterator[Turn]:
        """before: steps of a story that leads here, whose own turns are read elsewhere."""
        self._conditions()
        for step in before:
            self._step(step)
        self._close()
        self._done = []
        for step in steps:
            self._step(step)
        self._close()
        return iter([turn for turn in self._done if turn.actions])

    def _conditions(self) -> None:
        condition = self._story.fields.get("condition")
        for item in condition.items if condition else []:
            if "slot_was_set" in item.fields:
                self._set(item.fields["slot_was_set"])
            self._form = text_of(item.fields.get("active_loop")) or self._form
        if "conversation_start" in self._story.fields:
            text = "That the rule is only for the start of a conversation is not taken."
            self._notes.add("conversation_start", self._file, self._story, text)

    def _step(self, step: Node) -> None:
        fields = step.fields
        if fields.keys() & {"intent", "user"}:
            self._said(step)
        elif "slot_was_set" in fields:
            self._set(fields["slot_was_set"])
        elif "active_loop" in fields or "form" in fields:
            self._loop(text_of(fields.get("active_loop", fields.get("form"))), step)
        elif "action" in fields:
            self._act(text_of(fields["action"]), step)
        elif "bot" in fields:
            self._speak(text_of(fields["bot"]))
        elif not fields.keys() & {"checkpoint"}:
            text = f"A step with {', '.join(fields) or 'nothing'} is not known."
            self._notes.add("unknown_step", self._file, step, text)

    def _said(self, step: Node) -> None:
        self._close()
        intent = self._intent(step)
        if intent is not None:
            self._open = [self._turn(step, intent=intent, entities=_entities(step))]
            self._before.append(f"/{intent}")

    def _intent(self, step: Node) -> str | None:
        """As it is written, or by what the user says, where that is an example of one."""
        if (name := text_of(step.fields.get("intent"))) is not None:
            return clean(name)
        said = text_of(step.fields.get("user"))
        found = self._script.said.get(said.strip().lower()) if said else None
        if said is not None and found is None:
            text = f"What follows '{said.strip()[:60]}' is not taken: it is no example of an intent. Add it to one."
            self._notes.add("end_to_end", self._file, step, text)
        return found

    def _turn(self, node: Node, **more: Any) -> Turn:
        return Turn(
            self._file,
            node,
            self._strict,
            form=self._form,
            asked=self._asked,
            before=tuple(self._before),
            slots=dict(self._slots),
            **more,
        )

    def _set(self, node: Node) -> None:
        """Slots that are set, by the message where nothing was done yet."""
        found: dict[str, Any] = {key: data_of(child) for key, child in node.fields.items()}
        for item in node.items:
            found |= {key: data_of(child) for key, child in item.fields.items()}
            if isinstance(item.value, str):
                found[item.value] = ANYTHING
        if "requested_slot" in found:
            asked = found.pop("requested_slot")
            self._asked = clean(asked) if isinstance(asked, str) and asked != ANYTHING else None
        values = {clean(name): value for name, value in found.items()}
        self._slots |= values
        for turn in self._open:
            if not turn.actions:
                turn.slots |= values

    def _loop(self, name: str | None, step: Node) -> None:
        if name is not None:
            self._form = clean(name)
            self._asked = None
            return
        ended, self._form, self._asked = self._form, None, None
        if ended is None or self._last == DEACTIVATE or ended not in self._script.forms:
            return
        self._close()
        self._open = [self._turn(step, done=ended)]
        self._open[0].form = None

    def _act(self, name: str | None, step: Node) -> None:
        if name is None or name in BUILT_IN:
            text = f"{name} is an action of Rasa's own, which has no counterpart here."
            if name not in (None, "action_listen", "..."):
                self._notes.add("rasas_own", self._file, step, text)
            return
        name = self._last = clean(name)
        for turn in self._open:
            turn.actions.append(name)
        if name in self._script.forms:
            self._form, self._asked = name, None
        elif name != DEACTIVATE:
            self._before.append(name)

    def _speak(self, text: str | None) -> None:
        if text is None:
            return
        known = {said: name for name, said in self._script.bot.items()}
        name = known.get(text, f"bot_{len(self._script.bot) + 1}")
        self._script.bot[name] = text
        self._before.append(name)
        for turn in self._open:
            turn.actions.append(name)

    def _close(self) -> None:
        self._done += self._open
        self._open, self._last = [], None


ANYTHING = "\0anything"
"""Of a slot that was set, the story does not say to what."""


def _entities(step: Node) -> dict[str, Any]:
    entities = step.fields.get("entities")
    found: dict[str, Any] = {}
    for item in entities.items if entities else []:
        if isinstance(item.value, str):
            found[clean(item.value)] = None
        found |= {clean(key): data_of(child) for key, child in item.fields.items() if key not in ("role", "group")}
    return found
