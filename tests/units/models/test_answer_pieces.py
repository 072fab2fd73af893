"""Long answers: what is read is the same however they are cut, and the work is that of reading them once."""

import orjson
import pytest

from zhuli.assistants.runs.citations.alignment import Alignment
from zhuli.assistants.runs.citations.citing import Citer
from zhuli.models.engines.event_lines import Body
from zhuli.models.engines.json_object import JsonObject
from zhuli.models.engines.tool_calls import ToolCallText

LONG = 300_000
MOST = 10_000_000


@pytest.mark.parametrize("cut", [1, 2, 5, 100])
def test_the_end_of_an_object_is_found_however_it_is_cut(cut: int) -> None:
    text = '{"a": "}\\"{", "b": [{}, "\\\\"]}'
    reader = JsonObject()
    ends = [
        end + start for start in range(0, len(text), cut) if (end := reader.feed(text[start : start + cut])) is not None
    ]
    assert ends[-1:] == [len(text)]
    assert reader.complete


@pytest.mark.parametrize("letters", ["a" * LONG, "a." * LONG, " " * LONG, "`" * LONG, "【" * LONG, "！" * LONG])
def test_a_text_without_sentences_comes_out_whole(letters: str) -> None:
    """In pieces of one letter and as one; the time is that of a text with sentences (benchmarks/models/long_answers.py)."""
    for pieces in (letters[:20_000], [letters]):
        citer = Citer({}, Alignment([]))
        said = [part for piece in pieces for part in citer.feed(piece)] + citer.close()
        assert "".join(str(part) for part in said) == "".join(pieces)


def test_a_call_of_many_pieces_is_found_once() -> None:
    call = orjson.dumps({"name": "f", "arguments": {"text": "}" * 50_000}}).decode()
    reader = ToolCallText({"f"})
    found = [one for letter in call for one in reader.feed(letter).tool_calls]
    assert [orjson.loads(one.arguments) for one in found] == [{"text": "}" * 50_000}]


def test_a_line_that_trickles_is_one_event() -> None:
    said = {"choices": [{"delta": {"content": "x" * LONG}}]}
    body = Body(MOST)
    stream = b"data: " + orjson.dumps(said) + b"\n\n"
    assert [chunk for place in range(len(stream)) for chunk in body.feed(stream[place : place + 1])] == [said]


def test_an_event_of_many_lines_is_one_event() -> None:
    body = Body(MOST)
    lines = ["data: {", *[f'data: "{number}": 1,' for number in range(20_000)], 'data: "end": 1}', "", ""]
    [chunk] = body.feed("\n".join(lines).encode())
    assert len(chunk) == 20_001
