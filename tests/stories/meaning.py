"""Whether what was understood of a turn is what was expected, in meaning: values however written, replies by kind."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.stories.conversation import Expected
from zhuli.understanding.domains.testing.meaning import same

KINDS: dict[str, tuple[str, ...]] = {
    "greet": ("greet", "greeting", "welcome", "hello"),
    "thanks": ("thanks", "thank", "welcome"),
    "goodbye": ("goodbye", "bye"),
    "help": ("help", "capabilities"),
    "identity": ("identity", "bot"),
    "wait": ("wait", "waiting_for_user", "take_your_time"),
    "out_of_scope": ("out_of_scope",),
}
"""What `says` calls a kind, with the names that responses of it have; any other word is the name of one response."""


def differences(expected: Expected, said: Mapping[str, Any], responses: Mapping[str, str]) -> list[str]:
    """What of an understanding is otherwise. said: as the API gave it, with its state; responses: the texts of all, by name."""
    wrong = [line for check in _CHECKS for line in check(expected, said, responses)]
    if expected.either and all(differences(one, said, responses) for one in expected.either):
        first = differences(expected.either[0], said, responses)
        wrong.append(f"none of {len(expected.either)} readings; of the first: {'; '.join(first)}")
    return wrong


def _form(expected: Expected, said: Mapping[str, Any], responses: Mapping[str, str]) -> Iterator[str]:
    topics = said["state"]["topics"]
    form = topics[-1]["form"] if topics else None
    if "form" in expected.model_fields_set and form != expected.form:
        yield f"form is {form}, not {expected.form}"


def _slots(expected: Expected, said: Mapping[str, Any], responses: Mapping[str, str]) -> Iterator[str]:
    slots = said["state"]["slots"]
    for name, value in expected.slots.items():
        held = slots.get(name, {}).get("value")
        if not same(held, value):
            yield f"{name} is {held!r}, not {value!r}"


def _asks(expected: Expected, said: Mapping[str, Any], responses: Mapping[str, str]) -> Iterator[str]:
    asked = said["state"]["asked"]
    slot = asked["slot"] if asked else None
    if expected.asks is not None and slot != expected.asks:
        yield f"asks {slot or _asked(asked)}, not {expected.asks}"
    if expected.confirms and _asked(asked) != "to confirm":
        yield f"asks {slot or _asked(asked)}, not to confirm"


def _asked(asked: Mapping[str, Any] | None) -> str:
    if asked is None:
        return "nothing"
    return "which is meant" if asked["intents"] else "to confirm"


def _calls(expected: Expected, said: Mapping[str, Any], responses: Mapping[str, str]) -> Iterator[str]:
    decision = said["decision"]
    called = decision["function"] if decision["act"] == "call" else None
    if expected.calls == {} and called is not None:
        yield f"calls {called}"
    for function, arguments in (expected.calls or {}).items():
        given = decision.get("arguments") or {}
        if called != function:
            yield f"calls {called}, not {function}"
        elif other := {name: given.get(name) for name, value in arguments.items() if not same(given.get(name), value)}:
            yield f"calls {function} with {other}"


def _says(expected: Expected, said: Mapping[str, Any], responses: Mapping[str, str]) -> Iterator[str]:
    """A kind is said where the model answers, or a response of the kind is; a question with a "sorry" before it says nothing."""
    if expected.says is None:
        return
    decision = said["decision"]
    text = decision.get("text") or ""
    names = {name for name, response in responses.items() if response and response in text}
    names |= {decision["response"]} if decision.get("response") else set()
    kind = KINDS.get(expected.says)
    if kind is None:
        if expected.says not in names:
            yield f"says {text or decision['act']!r}, not {expected.says}"
        return
    own = set(kind) & names
    beside = decision["act"] in ("ask", "confirm") and not names & {"ask_again", "change"}
    if not (own or beside or decision["act"] == "talk"):
        yield f"{decision['act']}: {text!r}, not {expected.says}"


def _ends(expected: Expected, said: Mapping[str, Any], responses: Mapping[str, str]) -> Iterator[str]:
    left = any(change["type"] == "topic_closed" and change["how"] == "cancelled" for change in said["changes"])
    if expected.cancelled is not None and left != expected.cancelled:
        yield "is cancelled" if left else "is not cancelled"
    handed = said["state"]["handed_over"]
    if expected.hand_over is not None and handed != expected.hand_over:
        yield "is handed over" if handed else "is not handed over"
    if expected.hand_over is None and handed:
        yield "is handed over"


_CHECKS = (_form, _slots, _asks, _calls, _says, _ends)
