"""What is sent to a model server is valid for the strictest one, whatever a thread holds."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as some

from zhuli.models.engines.sound_messages import sound
from zhuli.testing.strict_server import mistake

USER = {"role": "user", "content": "Hi"}
AGAIN = {"role": "user", "content": "Go on"}

texts = (
    some.none()
    | some.text("ab \n你", max_size=4)
    | some.sampled_from(["", " \n", "\ud83c", "\udf0d", "\0", "a\0b", "你好"])
)
arguments = some.sampled_from(['{"n": ', '{"n": 1}', "[1]", '"{}"', "", "null", '"\\ud83c"', "NaN", '{"a": NaN}'])
names = some.sampled_from(["f", "functions.get weather", "", "x" * 70, "天气"])
ids = some.sampled_from(["c", "call_1", "", "123456789"])
part = some.one_of(
    some.builds(lambda text: {"type": "text", "text": text}, texts),
    some.just({"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}),
)


@some.composite
def message(draw: Any) -> dict[str, Any]:
    role = draw(some.sampled_from(["system", "user", "assistant", "tool"]))
    made: dict[str, Any] = {"role": role, "content": draw(texts | some.lists(part, max_size=3))}
    if role == "tool":
        made["tool_call_id"] = draw(ids)
    if role == "assistant" and draw(some.booleans()):
        made["tool_calls"] = [
            {"id": draw(ids), "type": "function", "function": {"name": draw(names), "arguments": draw(arguments)}}
            for _ in range(draw(some.integers(0, 3)))
        ]
    return made


@given(some.lists(message(), max_size=8))
def test_whatever_was_said_breaks_no_rule(messages: list[dict[str, Any]]) -> None:
    assert mistake(sound(messages)) is None


@pytest.mark.parametrize("text", [5, ["a"], {"value": "a"}])
def test_parts_whose_text_is_no_text_break_nothing(text: Any) -> None:
    for role in ("system", "user", "assistant"):
        for kind in ("text", "refusal"):
            assert sound([{"role": role, "content": [{"type": kind, "text": text}]}, USER])


@given(some.lists(message(), max_size=6))
def test_what_is_sound_stays_as_it_is(messages: list[dict[str, Any]]) -> None:
    once = sound(messages)
    assert sound(once) == once


def test_an_ordinary_history_stays_as_it_is_but_for_ids() -> None:
    history = [{"role": "system", "content": "Be short."}, USER, *called(("call_1", '{"n": 1}', "2")), AGAIN]
    history.insert(-1, {"role": "assistant", "content": "2."})
    sent = sound(history)
    assert [message["role"] for message in sent] == [message["role"] for message in history]
    assert [message["content"] for message in sent] == [message["content"] for message in history]
    assert sent[2]["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"n": 1}'}
    assert sound(history, keep_ids=True) == history


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ('{"n": ', {"malformed": '{"n": '}),
        ("[1, 2]", {"value": [1, 2]}),
        ('"{\\"n\\": 1}"', {"n": 1}),
        ("", {}),
        (None, {}),
        ({"n": 1}, {"n": 1}),
    ],
)
def test_arguments_are_an_object(said: Any, sent: Any) -> None:
    [_, message, *_] = sound([USER, *called(("c", said, "error"))])
    assert orjson.loads(message["tool_calls"][0]["function"]["arguments"]) == sent


def test_calls_of_one_id_are_answered_in_their_order() -> None:
    _, asked, *outputs = sound([USER, *called(("c", "{}", "one"), ("c", "{}", "two")), *called(("c", "{}", "three"))])
    assert [output["content"] for output in outputs if output["role"] == "tool"] == ["one", "two", "three"]
    assert [call["id"] for call in asked["tool_calls"]] == [output["tool_call_id"] for output in outputs[:2]]


def test_a_call_that_was_not_answered_is_and_an_output_of_nothing_is_left_out() -> None:
    history = [
        USER,
        *called(("a", "{}", "one"), ("b", "{}", ""))[:2],
        {"role": "tool", "tool_call_id": "x", "content": "?"},
    ]
    assert [message["content"] for message in sound(history)[2:]] == ["one", "(no output)"]


def test_a_user_after_an_output_meets_an_answer() -> None:
    assert [message["role"] for message in sound([USER, *called(("a", "{}", "1")), AGAIN])][-2:] == [
        "assistant",
        "user",
    ]


def test_two_of_one_role_become_one() -> None:
    told = {"role": "system", "content": "The user is Ava."}
    picture = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u"}}]}
    assert sound([USER, told, AGAIN]) == [{"role": "user", "content": "Hi\n\nThe user is Ava.\n\nGo on"}]
    assert sound([USER, picture])[0]["content"] == [{"type": "text", "text": "Hi"}, picture["content"][0]]


def test_blank_answers_are_left_out_and_blank_questions_are_not() -> None:
    assert sound([USER, {"role": "assistant", "content": " "}, {"role": "user", "content": ""}]) == [
        {"role": "user", "content": "Hi\n\n(empty message)"}
    ]


def test_a_conversation_begins_and_ends_with_the_user() -> None:
    hello = {"role": "assistant", "content": "Hello."}
    assert [message["role"] for message in sound([hello])] == ["user", "assistant", "user"]
    assert sound([USER, hello | {"prefix": True}])[-1]["role"] == "assistant"
    assert sound([USER, hello], continues=True)[-1]["role"] == "assistant"
    assert sound([])[0]["role"] == "user"


@pytest.mark.parametrize(
    ("said", "sent"),
    [("functions.get weather", "functions_get_weather"), ("x" * 70, "x" * 64), ("天气", "__"), ("", "unknown")],
)
def test_names_of_functions_have_plain_signs(said: str, sent: str) -> None:
    asked, output = called(("a", "{}", "1"))
    asked["tool_calls"][0]["function"]["name"] = said
    assert sound([USER, asked, output])[1]["tool_calls"][0]["function"]["name"] == sent


@pytest.mark.parametrize("role", ["system", "assistant"])
def test_only_users_show_images(role: str) -> None:
    picture = [{"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}]
    sent = sound([{"role": role, "content": picture}, {"role": "user", "content": picture}])
    assert [message["content"] for message in sent if message["role"] == role] == ["(an image)"]
    assert sent[-1]["content"] == picture


def test_halves_of_characters_and_nul_are_not_sent() -> None:
    assert sound([{"role": "user", "content": "a\0b\ud83c"}]) == [{"role": "user", "content": "ab\ufffd"}]
    assert sound([{"role": "user", "content": "\ud83c\udf0d"}]) == [{"role": "user", "content": "\U0001f30d"}]


@given(some.lists(message(), max_size=5))
def test_a_prompt_that_grows_stays_the_same_before(messages: list[dict[str, Any]]) -> None:
    grown = sound([USER, *messages, AGAIN, *called(("a", "{}", "1"))])
    assert grown[: len(grown) - 2] == sound([USER, *messages, AGAIN])


def called(*calls: tuple[str, Any, str]) -> list[dict[str, Any]]:
    """A round: id, arguments and output of each call."""
    asked = [{"id": id_, "type": "function", "function": {"name": "f", "arguments": said}} for id_, said, _ in calls]
    outputs = [{"role": "tool", "tool_call_id": id_, "content": output} for id_, _, output in calls]
    return [{"role": "assistant", "content": None, "tool_calls": asked}, *outputs]
