"""with_text: what clients see of a piece of a log, and a message's text where its streamed pieces are gone."""

from typing import Any

import orjson

from zhuli.assistants.runs.follow import with_text
from zhuli.types.assistants.event import STEP_CALLED, TURN_ENDED, RunEvent


def event(sequence: int, name: str, **data: Any) -> RunEvent:
    return RunEvent(sequence, name, orjson.dumps({"id": "msg_1", **data}))


def message(sequence: int, name: str, *content: dict[str, Any]) -> RunEvent:
    return event(sequence, f"thread.message.{name}", content=list(content))


TEXT = {"type": "text", "text": {"value": "Hello.", "annotations": []}}
BEGUN = [event(1, "thread.run.in_progress"), message(2, "created"), message(3, "in_progress")]


def test_a_live_piece_is_shown_as_it_is() -> None:
    events = [*BEGUN, event(4, "thread.message.delta"), message(5, "completed", TEXT)]
    assert with_text(events) == events


def test_nothing_is_shown_of_nothing() -> None:
    assert with_text([]) == []


def test_our_own_events_are_not_shown() -> None:
    events = [event(1, TURN_ENDED), event(2, STEP_CALLED), event(3, "thread.run.requires_action")]
    assert with_text(events) == events[2:]


def test_a_message_whose_pieces_are_gone_gets_its_text_in_their_place() -> None:
    shown = with_text([*BEGUN, message(9, "completed", TEXT)])
    assert [(one.sequence, one.name) for one in shown[3:]] == [
        (4, "thread.message.delta"),
        (9, "thread.message.completed"),
    ]
    assert orjson.loads(shown[3].data) == {
        "id": "msg_1",
        "object": "thread.message.delta",
        "delta": {"content": [{"index": 0, **TEXT}]},
    }


def test_so_does_one_that_was_broken_off_with_events_between() -> None:
    shown = with_text([*BEGUN, event(8, "thread.run.cancelling"), message(9, "incomplete", TEXT)])
    assert [(one.sequence, one.name) for one in shown[3:]] == [
        (4, "thread.message.delta"),
        (8, "thread.run.cancelling"),
        (9, "thread.message.incomplete"),
    ]


def test_each_message_gets_its_own_text() -> None:
    other = {"type": "refusal", "refusal": "No."}
    again = [message(12, "created"), message(13, "in_progress"), message(17, "completed", other)]
    shown = with_text([*BEGUN, message(9, "completed", TEXT), *again])
    texts = [orjson.loads(one.data)["delta"]["content"] for one in shown if one.name == "thread.message.delta"]
    assert texts == [[{"index": 0, **TEXT}], [{"index": 0, **other}]]


def test_an_empty_message_gets_none() -> None:
    events = [*BEGUN, message(4, "completed", {"type": "text", "text": {"value": "", "annotations": []}})]
    assert with_text(events) == events


def test_a_piece_that_begins_behind_the_message_is_shown_as_it_is() -> None:
    events = [message(9, "completed", TEXT), event(10, "thread.run.completed")]
    assert with_text(events) == events
