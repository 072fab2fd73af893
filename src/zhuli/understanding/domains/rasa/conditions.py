"""From turns of stories to a domain's rules: each with as few conditions as tell it from the others.

What follows an intent wherever it is said is the intent's own action; all else is a rule that says when.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zhuli.types.understanding.domain import OUT_OF_SCOPE
from zhuli.understanding.domains.imports.notes import Notes, function_name
from zhuli.understanding.domains.rasa.responses import Variation
from zhuli.understanding.domains.rasa.stories import ANYTHING, DEACTIVATE, Turn

Data = dict[str, Any]

MOST_LOOKED_BACK = 8
"""Events that are looked back upon to tell two turns apart."""

MOST_STEPS = 16
"""Of a rule."""

TWO_STAGE = "action_two_stage_fallback"


@dataclass(frozen=True, slots=True)
class Known:
    """What the project has: forms; texts by name, with their variations; intents; slots whose values count, by their values."""

    forms: Collection[str]
    responses: Mapping[str, str]
    variations: Mapping[str, Sequence[Variation]]
    intents: Collection[str]
    slots: Mapping[str, Data]
    entities: Collection[str]


@dataclass(slots=True)
class Followed:
    """forms: intent → form; after_intent and after_form: what is done, as a domain says it. rules: what is done when."""

    forms: dict[str, str] = field(default_factory=dict)
    after_intent: dict[str, Data] = field(default_factory=dict)
    after_form: dict[str, Data] = field(default_factory=dict)
    rules: list[Data] = field(default_factory=list)


@dataclass(slots=True)
class _Case:
    """A turn with the conditions that it needs: how far it looks back, and whether entities and slots count."""

    turn: Turn
    steps: list[Data]
    back: int = 0
    entities: bool = False
    slots: bool = False

    def after(self, back: int) -> tuple[str, ...]:
        return self.turn.before[-back:] if back else ()


def follow(turns: Sequence[Turn], notes: Notes, known: Known) -> Followed:
    """Of turns with the same conditions and other actions the first counts, and the others are noted."""
    functions: set[str] = set()
    cases = [_Case(turn, steps) for turn in turns if (steps := _steps(turn, known, notes, functions))]
    cases = [case for case in cases if not _goes_on(case)]
    groups: dict[tuple[str | None, str | None, str | None], list[_Case]] = {}
    for case in cases:
        groups.setdefault((case.turn.intent, case.turn.done, case.turn.form), []).append(case)
    followed = Followed()
    for group in groups.values():
        _tell_apart(group, known)
    _plain(cases, followed, notes, known)
    rules = [(_when(case, known), case.steps, case) for case in cases]
    rules = [(when, steps, case) for when, steps, case in rules if not _said_already(when, steps, followed)]
    followed.rules = _varied(_once(rules, notes), followed, known)
    return followed


def _steps(turn: Turn, known: Known, notes: Notes, functions: set[str]) -> list[Data]:
    """functions: that were noted already."""
    steps: list[Data] = []
    for name in turn.actions:
        if name == DEACTIVATE:
            steps.append({"type": "leave"})
        elif name == TWO_STAGE:
            steps.append({"type": "clarify"})
        elif name in known.forms:
            steps.append({"type": "open", "form": name})
        elif name in known.responses:
            steps.append({"type": "respond", "response": name})
        elif any(response.startswith(f"{name}/") for response in known.responses):
            steps.append({"type": "answer"})
        elif name.startswith("utter_"):
            notes.add("no_response", turn.file, turn.node, f"There is no response '{name}', so it is left out.")
        else:
            text = (
                f"'{name}' becomes a call of the client's function '{function_name(name)}': the app does what it did."
            )
            if name not in functions:
                functions.add(name)
                notes.add("becomes_function", turn.file, turn.node, text)
            steps.append({"type": "call", "function": function_name(name)})
    return _without_repeats(steps, turn, notes)


def _without_repeats(steps: list[Data], turn: Turn, notes: Notes) -> list[Data]:
    """Of forms that are opened the last; where another one was open, that is left."""
    kept: list[Data] = []
    for step in steps:
        if step["type"] in ("leave", "clarify") and step in kept:
            continue
        if step["type"] == "open" and any(one["type"] == "open" for one in kept):
            kept = [one for one in kept if one["type"] != "open"]
        kept.append(step)
    opened = next((step["form"] for step in kept if step["type"] == "open"), None)
    if turn.form is not None and opened not in (None, turn.form) and {"type": "leave"} not in kept:
        kept.insert(0, {"type": "leave"})
    if len(kept) > MOST_STEPS:
        notes.add("steps_left_out", turn.file, turn.node, f"Of {len(kept)} actions the first {MOST_STEPS} are taken.")
    return kept[:MOST_STEPS]


def _goes_on(case: _Case) -> bool:
    """Whether it only says that the open form goes on, which it does by itself."""
    return case.steps == [{"type": "open", "form": case.turn.form}]


def _tell_apart(group: Sequence[_Case], known: Known) -> None:
    """Conditions are added until no other turn has the same ones and does something else."""
    for case in group:
        case.back = len(case.turn.before) if case.turn.strict else 0 if case.turn.done else 1
        case.entities = case.slots = case.turn.strict
    free = [case for case in group if not case.turn.strict]
    looked_back = range(1, MOST_LOOKED_BACK + 1)
    for entities, slots, back in (
        *((True, False, back) for back in looked_back),
        *((True, True, back) for back in looked_back),
    ):
        torn = [case for case in free if _contradicted(case, free, known)]
        for case in torn:
            case.entities, case.slots, case.back = entities, slots, back


def _contradicted(case: _Case, group: Sequence[_Case], known: Known) -> bool:
    mine = _key(case, known)
    return any(other.steps != case.steps and _key(other, known) == mine for other in group)


def _key(case: _Case, known: Known) -> str:
    """The conditions, as something that can be compared."""
    return str(sorted(_when(case, known).items()))


def _when(case: _Case, known: Known) -> Data:
    turn = case.turn
    when: Data = {"done": turn.done} if turn.done else {"intents": [turn.intent]}
    if turn.form in known.forms and not turn.done:
        when["form"] = turn.form
    if turn.asked in known.slots and turn.form in known.forms:
        when["asked"] = turn.asked
    if back := [_event(name, known) for name in case.after(case.back)]:
        when["after"] = back[-16:]
    values: dict[str, Any] = {}
    if case.slots:
        values = {name: value for name, value in turn.slots.items() if name in known.slots}
    fixed = {name: value for name, value in values.items() if value is None or _counts(known, name, value)}
    if fixed:
        when["slots"] = fixed
    if others := [name for name in values if name not in fixed]:
        when["known"] = others
    if case.entities:
        valued = {n: v for n, v in turn.entities.items() if n in known.entities and _counts(known, n, v)}
        if valued:
            when["entities"] = valued
        if mentioned := [n for n in turn.entities if n in known.entities and n not in valued]:
            when["mentioned"] = mentioned
    return when


def _event(name: str, known: Known) -> str:
    """As it is called here."""
    if name.startswith(("/", "utter_")) or name in known.responses:
        return name
    return function_name(name)


def _counts(known: Known, name: str, value: Any) -> bool:
    """Whether it matters which value it is: of yes and no, and of a category."""
    slot = known.slots.get(name)
    if slot is None or value in (None, ANYTHING):
        return False
    if slot["type"] == "category":
        return value in [one["value"] for one in slot["values"]]
    return slot["type"] == "boolean" and isinstance(value, bool)


def _plain(cases: Sequence[_Case], followed: Followed, notes: Notes, known: Known) -> None:
    """What has no condition at all becomes the intent's or the form's own."""
    for case in cases:
        when = _when(case, known)
        name = case.turn.done or case.turn.intent or ""
        if set(when) - {"intents", "done"}:
            continue
        _own(followed, notes, case, name)
    for case in cases:  # a form must do something, if only what it does under a condition
        if case.turn.done and case.turn.done not in followed.after_form:
            followed.after_form[case.turn.done] = _first_action(case.steps)


def _own(followed: Followed, notes: Notes, case: _Case, name: str) -> None:
    if case.turn.done:
        _noted(
            followed.after_form.setdefault(name, _first_action(case.steps)),
            _first_action(case.steps),
            name,
            case,
            notes,
        )
        return
    opened = next((step["form"] for step in case.steps if step["type"] == "open"), None)
    if opened is not None and name not in followed.after_intent:
        _noted(followed.forms.setdefault(name, opened), opened, name, case, notes)
    elif name not in followed.forms and (action := _first_action(case.steps)) != {"type": "answer"}:
        _noted(followed.after_intent.setdefault(name, action), action, name, case, notes)


def _noted(taken: Any, wanted: Any, name: str, case: _Case, notes: Notes) -> None:
    if taken != wanted:
        text = f"After '{name}' something else was taken already, under the same conditions."
        notes.add("contradiction", case.turn.file, case.turn.node, text)


def _first_action(steps: Sequence[Data]) -> Data:
    """The weightiest step; a call with the text behind it."""
    actions = [step for step in steps if step["type"] not in ("open", "leave")]
    for number, step in enumerate(actions):
        if step["type"] == "call":
            behind = [one["response"] for one in actions[number + 1 :] if one["type"] == "respond"]
            return {**step, **({"response": behind[0]} if behind else {})}
    return next(
        (step for step in actions if step["type"] != "answer"), {"type": "answer"} if actions else {"type": "talk"}
    )


def _said_already(when: Data, steps: list[Data], followed: Followed) -> bool:
    """Whether the intent or the form does just that by itself."""
    if set(when) - {"intents", "done"}:
        return False
    if "done" in when:
        return len(steps) == 1 and followed.after_form.get(when["done"]) == steps[0]
    name = when["intents"][0]
    if steps == [{"type": "answer"}]:
        return True
    if len(steps) != 1:
        return False
    return followed.after_intent.get(name) == steps[0] or followed.forms.get(name) == steps[0].get("form", "")


def _once(rules: Sequence[tuple[Data, list[Data], _Case]], notes: Notes) -> list[Data]:
    """The same rule for several intents as one; of two with the same conditions the first; those with most conditions first."""
    taken: dict[str, list[Data]] = {}
    merged: dict[str, Data] = {}
    for when, steps, case in rules:
        key = str(sorted(when.items(), key=lambda item: item[0]))
        if key in taken:
            _noted(taken[key], steps, case.turn.intent or case.turn.done or "", case, notes)
            continue
        taken[key] = steps
        rest = {name: value for name, value in when.items() if name != "intents"}
        same = f"{sorted(rest.items(), key=lambda item: item[0])} {steps}"
        if same in merged and "intents" in when:
            merged[same]["when"]["intents"] += when["intents"]
        else:
            merged[same] = {
                "when": {**when, **({"intents": [*when["intents"]]} if "intents" in when else {})},
                "do": steps,
            }
    return sorted(merged.values(), key=lambda rule: -_weight(rule["when"]))


def _weight(when: Data) -> int:
    many = sum(len(when.get(name, ())) for name in ("after", "slots", "known", "entities", "mentioned"))
    return many + ("form" in when) + ("asked" in when)


def _varied(rules: list[Data], followed: Followed, known: Known) -> list[Data]:
    """With a rule before each that says a text which has variations, for each of their conditions."""
    own = [{"when": {"intents": [name]}, "do": [action]} for name, action in followed.after_intent.items()]
    own += [{"when": {"done": name}, "do": [action]} for name, action in followed.after_form.items()]
    made: list[Data] = []
    for rule in rules:
        made += [*_variants(rule, known), rule]
    return made + [variant for rule in own for variant in _variants(rule, known)]


def _variants(rule: Data, known: Known) -> Iterator[Data]:
    for number, step in enumerate(rule["do"]):
        for variation in known.variations.get(step.get("response", ""), ()):
            if not variation.slots.keys() <= known.slots.keys():
                continue
            when = {**rule["when"], "slots": {**rule["when"].get("slots", {}), **variation.slots}}
            do = [*rule["do"][:number], {**step, "response": variation.response}, *rule["do"][number + 1 :]]
            yield {"when": when, "do": do}


def fallbacks(followed: Followed) -> Data:
    """What is done out of scope, and where it is unclear, by Rasa's intents for that."""
    unclear = followed.after_intent.get("nlu_fallback")
    outside = followed.after_intent.get(OUT_OF_SCOPE) or unclear
    found = {"out_of_scope": outside, "unclear": unclear}
    return {name: action for name, action in found.items() if action is not None and action["type"] != "answer"}
