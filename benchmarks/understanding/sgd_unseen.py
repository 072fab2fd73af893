"""Schema-Guided Dialogue, services that nobody has seen: `python -m benchmarks.understanding.sgd_unseen --data DIR`.

A domain is made from a dialogue's services by the schema alone: names, descriptions and possible values of its slots, names,
descriptions, required and optional slots of its intents. Nothing is learned from dialogues, no synonym is added by hand. What
the system did is given, as in the rows about dialogues (dialogue_rows). Counted are final states: every slot that is annotated
after the user's last turn has one of its writings, and no other has a value. Who mends looks at `--part dev`; `test` is for
reporting.
"""

import asyncio
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import track as progress

from benchmarks.understanding.dialogue_parts import Dialogue, DialogueSet, Turn, Values
from benchmarks.understanding.dialogue_rows import After, follow, meets, writings
from benchmarks.understanding.services import BenchServices, KeptVectors
from benchmarks.understanding.sgd import NOW, Schema, dialogue_of
from zhuli.models.catalog import Catalog
from zhuli.plugins.understanders.few_shot import Plugin as FewShot
from zhuli.types.understanding.domain import (
    DomainFields,
    EntityValue,
    Fallback,
    Form,
    Intent,
    Slot,
    Talk,
    UnderstanderSettings,
)

console = Console(highlight=False, width=160)

FILES = {"dev": ("dev_dialogues_001", "dev_dialogues_010"), "test": ("test_dialogues_001",)}

WISHES = (
    "I want to {wish}",
    "Can you {wish}?",
    "I would like to {does} {what}",
    "I'd like to {does} a {what}",
    "please {does} {what} for me",
    "I need a {what}",
    "I am looking for {what}",
    "can you help me {does} a {what}?",
    "I want a {what}",
    "could you {does} some {what}",
    "{what}",
)
"""wish: the intent's description; does, what: the verb of its name, and the rest."""

THRESHOLD = 0.01
"""Such an app does nothing else than its services do."""

_DIGITS = re.compile(r"\d+")


def domain_of(services: Sequence[Any]) -> DomainFields:
    """What an author would write who has the schema and nothing else."""
    slots = {f"{one['service_name']}.{slot['name']}": slot for one in services for slot in one["slots"]}
    wanted = {
        f"{one['service_name']}.{slot}"
        for one in services
        for intent in one["intents"]
        for slot in (*intent["required_slots"], *intent["optional_slots"])
    }
    kept = {name: slot for name, slot in slots.items() if name in wanted}
    return DomainFields(
        languages=["en"],
        understander=UnderstanderSettings(type="few_shot"),
        fallback=Fallback(threshold=THRESHOLD),
        intents=[_intent(one["service_name"], intent) for one in services for intent in one["intents"]],
        slots=[_slot(name, slot) for name, slot in kept.items()],
        forms=[_form(one["service_name"], intent) for one in services for intent in one["intents"]],
    )


def _intent(service: str, intent: Any) -> Intent:
    """Its description as a wish."""
    said = intent["description"].rstrip(".")
    wish = said[0].lower() + said[1:]
    verb, *rest = re.findall(r"[A-Z][a-z]+", intent["name"])
    does, what = verb.lower(), " ".join(rest).lower()
    examples = [said, *(template.format(wish=wish, does=does, what=what) for template in WISHES)]
    name = f"{service}.{intent['name']}"
    return Intent(name=name, description=said, examples=list(dict.fromkeys(examples)), form=name)


def _form(service: str, intent: Any) -> Form:
    required = [f"{service}.{slot}" for slot in intent["required_slots"]]
    optional = [f"{service}.{slot}" for slot in intent["optional_slots"]]
    first = required or optional
    return Form(
        name=f"{service}.{intent['name']}", slots=first, optional=optional if required else [], action=Talk(type="talk")
    )


def _slot(name: str, slot: Any) -> Slot:
    kind = _kind(slot)
    match kind:
        case "boolean" | "date" | "time" | "number":
            return Slot(name=name, type=kind, description=slot["description"])
        case "lookup":
            values = [EntityValue(value=value) for value in slot["possible_values"]]
            return Slot(name=name, type="category", description=slot["description"], values=values)
    return Slot(name=name, description=slot["description"])


def _kind(slot: Any) -> Literal["boolean", "date", "time", "number", "lookup", "text"]:
    """By name and possible values, as who reads them would see."""
    values = set(slot["possible_values"])
    if values == {"True", "False"}:
        return "boolean"
    if values and all(map(_DIGITS.fullmatch, values)):
        return "number"
    if slot["is_categorical"]:
        return "lookup"
    words = set(slot["name"].split("_"))
    if words & {"date", "day"} or slot["description"].lower().startswith(("date ", "start date", "end date")):
        return "date"
    return "time" if "time" in words else "text"


def read(data: Path, part: str) -> Iterator[tuple[DomainFields, DialogueSet, Dialogue]]:
    """Each dialogue with the domain of its services."""
    folder = data / "sgd_dialogues"
    services = {one["service_name"]: one for one in json.loads((folder / f"{part}_schema.json").read_bytes())}
    for file in FILES[part]:
        for dialogue in json.loads((folder / f"{file}.json").read_bytes()):
            mine = {name: services[name] for name in dialogue["services"]}
            known = DialogueSet("en", NOW, [], [], lambda domain: domain, all_services=True)
            turns = [_needed_only(turn, mine.values()) for turn in dialogue_of(dialogue, Schema(mine))]
            yield domain_of(list(mine.values())), known, turns


def _needed_only(turn: Turn, services: Iterable[Any]) -> Turn:
    """Of what was offered, what an app would remember when it is taken: what an intent can't be without, if that is in it."""
    needed = {
        f"{one['service_name']}.{slot}"
        for one in services
        for intent in one["intents"]
        for slot in intent["required_slots"]
    }
    kept = {name: value for name, value in turn.offered.items() if name in needed}
    return replace(turn, offered=kept or turn.offered)


def main(
    data: Annotated[Path, typer.Option(help="The folder with sgd_dialogues in it.")],
    part: Annotated[str, typer.Option(help="dev or test.")] = "dev",
    most: Annotated[int, typer.Option(help="Dialogues; 0: all.")] = 0,
    every: Annotated[int, typer.Option(help="Only each n-th dialogue.")] = 1,
    tell: Annotated[int, typer.Option(help="Print so many states that are wrong.")] = 0,
    trace: Annotated[bool, typer.Option("--trace", help="Print dialogues whose state is wrong.")] = False,
    work: Annotated[Path, typer.Option(help="Where vectors are kept.")] = Path("build/bench-understanding"),
    data_dir: Annotated[Path, typer.Option(help="Where embedders are made ready.")] = Path("data"),
) -> None:
    """Follow the dialogues, and print the share of final states that are right, and what the wrong ones lack."""
    asyncio.run(_main(data, part, most, every, tell, trace, work, data_dir))


async def _main(
    data: Path, part: str, most: int, every: int, tell: int, trace: bool, work: Path, data_dir: Path
) -> None:
    with TemporaryDirectory() as folder:
        services = BenchServices(
            Path(folder),
            Catalog.load(None, data_dir),
            KeptVectors(work / "vectors.db"),
            language="en",
            models=Path(folder),
        )
        asked = list(read(data, part))[::every]
        asked = asked[:most] if most else asked
        ends: list[After] = []
        made: dict[str, FewShot] = {}
        for domain, known, dialogue in progress(asked, console=console):
            key = ",".join(intent.name for intent in domain.intents)
            if key not in made:
                made[key] = FewShot(domain, services)
                await made[key].prepare()
            done = await follow(made[key], domain, dialogue, known, opens=True)
            if trace and not meets(done[-1], None):
                _trace(done)
            ends.append(done[-1])
    right = [meets(one, None) for one in ends]
    console.print(
        f"{part}: {sum(right):.0f} of {len(right)} final states are right, {100 * sum(right) / len(right):.1f} %"
    )
    _slots(ends)
    for end in [one for one, is_right in zip(ends, right, strict=True) if not is_right][:tell]:
        _tell(end)


def _slots(ends: Sequence[After]) -> None:
    """How each slot fared: right, wrong, missing, too much."""
    counts: dict[str, dict[str, int]] = {}
    for end in ends:
        state = _values(end)
        for name in {*state, *end.turn.goal}:
            mine = counts.setdefault(name, {"right": 0, "wrong": 0, "missing": 0, "too much": 0})
            mine[_fate(state.get(name), end.turn.goal.get(name))] += 1
    for name, mine in sorted(counts.items()):
        console.print(f"  {name:45}" + "  ".join(f"{what} {number:3}" for what, number in mine.items()))


def _fate(said: Any, wanted: Any) -> str:
    if said is None:
        return "missing"
    if wanted is None:
        return "too much"
    return "right" if said & wanted else "wrong"


def _values(end: After) -> Values:
    return {
        name: writings(slot.value, slot.history[-1].text if slot.history else "")
        for name, slot in end.state.slots.items()
        if slot.value is not None
    }


def _trace(done: Sequence[After]) -> None:
    """What each message was read as, and which slots it filled."""
    console.print("---")
    for one in done:
        asked = one.turn.asked
        console.print(f"  ? {asked.slot or asked.intents or 'all right' if asked else ''}", markup=False)
        console.print(f"  {one.turn.message.text}", markup=False)
        ranking = ", ".join(f"{score.name} {score.confidence:.2f}" for score in one.ranking[:3])
        console.print(
            f"      {one.told.score:.2f} ({ranking}); {' '.join(one.reasons)}; {dict(one.filled)}", markup=False
        )


def _tell(end: After) -> None:
    state: Mapping[str, Any] = _values(end)
    console.print("---", end.turn.message.text, markup=False)
    for name in sorted({*state, *end.turn.goal}):
        fate = _fate(state.get(name), end.turn.goal.get(name))
        if fate != "right":
            console.print(f"    {fate}: {name}: {state.get(name)} for {end.turn.goal.get(name)}", markup=False)


if __name__ == "__main__":
    typer.run(main)
