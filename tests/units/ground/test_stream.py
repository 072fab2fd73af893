"""Server-sent events: each with its id, and the end that SDKs wait for, whatever happened before."""

from collections.abc import AsyncGenerator

import orjson

from zhuli.core.errors import NotFound
from zhuli.server.answers.stream import DONE, KEEP_ALIVE, encode, run_events
from zhuli.types.assistants.event import RunEvent

EVENTS = [
    RunEvent(1, "thread.run.created", b'{"id":"run_1"}'),
    RunEvent(12, "thread.message.delta", '{"text":"你好\\n"}'.encode()),
]


async def pieces(*given: list[RunEvent], error: Exception | None = None) -> AsyncGenerator[list[RunEvent], None]:
    for events in given:
        yield events
    if error is not None:
        raise error


def test_an_event_has_a_name_an_id_and_one_line_of_json() -> None:
    assert encode(EVENTS[:1]) == b'event: thread.run.created\nid: 1\ndata: {"id":"run_1"}\n\n'


def test_several_follow_each_other_and_bytes_stay_as_they_are() -> None:
    assert encode(EVENTS) == encode(EVENTS[:1]) + encode(EVENTS[1:])
    assert b'id: 12\ndata: {"text":"' + "你好".encode() in encode(EVENTS)


def test_nothing_is_nothing() -> None:
    assert encode([]) == b""


def test_json_of_ours_never_breaks_a_line() -> None:
    assert b"\n" not in orjson.dumps({"text": "one\ntwo\r\u2028"})


async def test_a_stream_is_its_pieces_and_done() -> None:
    assert [piece async for piece in run_events(pieces(EVENTS[:1], EVENTS[1:]))] == [
        encode(EVENTS[:1]),
        encode(EVENTS[1:]),
        DONE,
    ]


async def test_silence_is_a_comment() -> None:
    assert [piece async for piece in run_events(pieces([], EVENTS))] == [KEEP_ALIVE, encode(EVENTS), DONE]
    assert KEEP_ALIVE.startswith(b":")


async def test_an_error_is_an_event_and_the_stream_still_ends_properly() -> None:
    *_, told, done = [piece async for piece in run_events(pieces(EVENTS, error=NotFound("Gone.")))]
    assert told.startswith(b"event: error\ndata: ")
    assert orjson.loads(told.removeprefix(b"event: error\ndata: "))["error"]["message"] == "Gone."
    assert done == DONE


def test_done_is_exactly_what_the_node_sdk_wants() -> None:
    assert DONE == b"event: done\ndata: [DONE]\n\n"
