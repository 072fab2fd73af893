"""A turn makes events of what a model says: one message at a time, then its calls; nothing lost, whoever takes when."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhuli.assistants.runs.turn import Turn, wire_usage
from zhuli.types.assistants.event import Change
from zhuli.types.assistants.message import Message
from zhuli.types.assistants.run import Run
from zhuli.types.assistants.step import RunStep
from zhuli.types.models.generation import Delta, ToolCallDelta, Usage

NOW = 1_750_000_000
USAGE = Usage(prompt=7, completion=3)
RUN = Run(id="run_1", created_at=NOW, thread_id="thread_1", assistant_id="asst_1", model="m", expires_at=NOW + 600)

MESSAGE_BEGINS = [
    "thread.run.step.created",
    "thread.run.step.in_progress",
    "thread.message.created",
    "thread.message.in_progress",
]


@pytest.fixture
def turn() -> Turn:
    return Turn(RUN, NOW)


def call(index: int, arguments: str, name: str | None = None, id_: str | None = None) -> Delta:
    return Delta(tool_calls=(ToolCallDelta(index, id_, name, arguments),))


def names(changes: list[Change]) -> list[str]:
    return [change.name for change in changes]


def of(changes: list[Change], name: str) -> dict[str, Any]:
    """The data of the only change of this name."""
    [data] = [change.data for change in changes if change.name == name]
    return data


class TestText:
    def test_the_first_piece_opens_a_step_and_in_it_a_message(self, turn: Turn) -> None:
        assert turn.feed(Delta(text="Well"))
        changes = turn.take()
        assert names(changes) == [*MESSAGE_BEGINS, "thread.message.delta"]
        step, message = of(changes, "thread.run.step.created"), of(changes, "thread.message.created")
        assert step["step_details"] == {"type": "message_creation", "message_creation": {"message_id": message["id"]}}
        assert (message["run_id"], message["thread_id"], message["assistant_id"]) == ("run_1", "thread_1", "asst_1")
        assert message["content"] == []

    def test_later_pieces_open_nothing_and_are_joined(self, turn: Turn) -> None:
        turn.feed(Delta(text="Well"))
        turn.take()
        assert not turn.feed(Delta(text=", you"))
        assert not turn.feed(Delta(text=" see"))
        [delta] = turn.take()
        assert delta.data["delta"] == {"content": [{"index": 0, "type": "text", "text": {"value": ", you see"}}]}

    def test_an_empty_delta_says_nothing(self, turn: Turn) -> None:
        assert not turn.feed(Delta())
        assert not turn.feed(Delta(reasoning="Hm."))
        assert not turn.dirty
        assert turn.take() == []

    def test_what_was_taken_is_not_taken_again(self, turn: Turn) -> None:
        turn.feed(Delta(text="Well"))
        assert turn.dirty
        turn.take()
        assert not turn.dirty
        assert turn.take() == []

    def test_closing_completes_message_and_step(self, turn: Turn) -> None:
        turn.feed(Delta(text="Well"))
        turn.take()
        changes = turn.close(USAGE, NOW + 1)
        assert names(changes) == ["thread.message.completed", "thread.run.step.completed"]
        message, step = changes[0].data, changes[1].data
        assert message["content"] == [{"type": "text", "text": {"value": "Well", "annotations": []}}]
        assert (message["status"], message["completed_at"]) == ("completed", NOW + 1)
        assert (step["status"], step["completed_at"], step["usage"]) == ("completed", NOW + 1, wire_usage(USAGE))

    def test_closing_a_silent_turn_makes_an_empty_message(self, turn: Turn) -> None:
        changes = turn.close(USAGE, NOW)
        assert names(changes) == [*MESSAGE_BEGINS, "thread.message.completed", "thread.run.step.completed"]

    def test_cutting_marks_the_message_and_completes_the_step(self, turn: Turn) -> None:
        turn.feed(Delta(text="As I was say"))
        changes = turn.cut(USAGE, NOW + 1)
        message = of(changes, "thread.message.incomplete")
        assert (message["status"], message["incomplete_at"]) == ("incomplete", NOW + 1)
        assert message["incomplete_details"] == {"reason": "max_tokens"}
        assert of(changes, "thread.run.step.completed")["usage"] == wire_usage(USAGE)

    def test_cutting_a_silent_turn_makes_nothing(self, turn: Turn) -> None:
        assert turn.cut(USAGE, NOW) == []


class TestRefusal:
    def test_pieces_and_message_are_refusals(self, turn: Turn) -> None:
        turn.feed(Delta(refusal="I "))
        turn.feed(Delta(refusal="can't."))
        changes = turn.close(USAGE, NOW)
        delta = of(changes, "thread.message.delta")
        assert delta["delta"] == {"content": [{"index": 0, "type": "refusal", "refusal": "I can't."}]}
        message = of(changes, "thread.message.completed")
        assert message["content"] == [{"type": "refusal", "refusal": "I can't."}]


class TestCalls:
    def test_a_call_opens_a_tool_step_that_lists_nothing_yet(self, turn: Turn) -> None:
        assert turn.feed(call(0, "", "weather", "call_a"))
        changes = turn.take()
        assert names(changes) == ["thread.run.step.created", "thread.run.step.in_progress", "thread.run.step.delta"]
        assert changes[0].data["step_details"] == {"type": "tool_calls", "tool_calls": []}
        [piece] = changes[2].data["delta"]["step_details"]["tool_calls"]
        assert piece == {
            "index": 0,
            "type": "function",
            "id": "call_a",
            "function": {"name": "weather", "arguments": "", "output": None},
        }

    def test_later_pieces_bring_arguments_only(self, turn: Turn) -> None:
        turn.feed(call(0, "", "weather", "call_a"))
        turn.take()
        turn.feed(call(0, '{"city"'))
        [delta] = turn.take()
        [piece] = delta.data["delta"]["step_details"]["tool_calls"]
        assert piece == {"index": 0, "type": "function", "function": {"arguments": '{"city"'}}

    def test_a_message_stands_complete_before_the_calls_begin(self, turn: Turn) -> None:
        turn.feed(Delta(text="Let me look."))
        turn.feed(call(0, "{}", "weather", "call_a"))
        changes = turn.take()
        assert names(changes)[5:9] == [
            "thread.message.completed",
            "thread.run.step.completed",
            "thread.run.step.created",
            "thread.run.step.in_progress",
        ]
        assert changes[6].data["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}

    def test_text_behind_a_call_has_no_place(self, turn: Turn) -> None:
        turn.feed(call(0, "{}", "weather", "call_a"))
        turn.take()
        assert not turn.feed(Delta(text="And now?"))
        assert turn.take() == []

    def test_calls_may_come_interleaved_and_stand_in_their_order(self, turn: Turn) -> None:
        turn.feed(call(0, "", "weather", "call_a"))
        turn.feed(call(1, "", "time", "call_b"))
        turn.feed(call(0, '{"a":1}'))
        turn.feed(call(1, '{"b":2}'))
        assert [(one.id, one.function.name, one.function.arguments) for one in turn.calls] == [
            ("call_a", "weather", '{"a":1}'),
            ("call_b", "time", '{"b":2}'),
        ]

    def test_a_call_without_arguments_has_the_empty_object(self, turn: Turn) -> None:
        turn.feed(call(0, "", "time", "call_a"))
        assert turn.calls[0].function.arguments == "{}"

    def test_a_call_without_an_id_gets_one(self, turn: Turn) -> None:
        turn.feed(call(0, "{}", "time"))
        assert turn.calls[0].id.startswith("call_")

    def test_the_tool_step_waits_with_its_calls_and_without_outputs(self, turn: Turn) -> None:
        turn.feed(call(0, "{}", "time", "call_a"))
        step = turn.tool_step()
        assert step is not None
        assert step["status"] == "in_progress"
        [listed] = step["step_details"]["tool_calls"]
        assert listed["function"] == {"name": "time", "arguments": "{}", "output": None}

    def test_without_calls_there_is_no_tool_step(self, turn: Turn) -> None:
        turn.feed(Delta(text="Well"))
        assert turn.tool_step() is None

    def test_cutting_completes_the_tool_step_as_far_as_it_came(self, turn: Turn) -> None:
        turn.feed(call(0, '{"zone": "Eur', "time", "call_a"))
        step = of(turn.cut(USAGE, NOW), "thread.run.step.completed")
        assert step["step_details"]["tool_calls"][0]["function"]["arguments"] == '{"zone": "Eur'
        assert step["usage"] == wire_usage(USAGE)


pieces = st.one_of(
    st.builds(lambda text: Delta(text=text), st.text(max_size=5)),
    st.builds(lambda index, text: call(index, text, "f", f"call_{index}"), st.integers(0, 2), st.text(max_size=5)),
)


@given(st.lists(pieces, max_size=20), st.sets(st.integers(0, 19)))
def test_whoever_takes_when_the_objects_are_the_same(deltas: list[Delta], taken_behind: set[int]) -> None:
    """Taking cuts the stream into other pieces; joined they say what the finished objects say."""
    turn = Turn(RUN, NOW)
    changes: list[Change] = []
    for n, delta in enumerate(deltas):
        turn.feed(delta)
        if n in taken_behind:
            changes += turn.take()
    changes += turn.close(USAGE, NOW)
    streamed = "".join(
        piece["text"]["value"]
        for change in changes
        if change.name == "thread.message.delta"
        for piece in change.data["delta"]["content"]
    )
    finished = [change.data for change in changes if change.name == "thread.message.completed"]
    assert streamed == turn.text
    assert streamed == "".join(message["content"][0]["text"]["value"] for message in finished)
    arguments: dict[int, str] = {}
    for change in changes:
        if change.name == "thread.run.step.delta":
            [piece] = change.data["delta"]["step_details"]["tool_calls"]
            arguments[piece["index"]] = arguments.get(piece["index"], "") + piece["function"]["arguments"]
    assert [text or "{}" for _, text in sorted(arguments.items())] == [one.function.arguments for one in turn.calls]


@given(st.lists(pieces, max_size=20))
def test_every_object_of_a_turn_is_one_of_the_api(deltas: list[Delta]) -> None:
    turn = Turn(RUN, NOW)
    for delta in deltas:
        turn.feed(delta)
    for change in turn.close(USAGE, NOW):
        if not change.name.endswith(".delta"):
            kind = Message if change.name.startswith("thread.message") else RunStep
            assert kind.model_validate(change.data).model_dump(mode="json") == change.data
