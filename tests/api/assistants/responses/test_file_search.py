"""File search in responses: the call, what it found, citations without markers, the same in the stream, and in the thread."""

from typing import Any

import openai
import pytest

from tests.api.knowledge.test_file_search import BRIDGE, SCRIPT, TOWER, stored
from tests.conftest import StartServer
from tests.harness.clients import Clients


@pytest.fixture
def client(clients: Clients, start_server: StartServer) -> openai.OpenAI:
    return clients.sdk(start_server(script=SCRIPT))


def test_what_is_found_is_cited_and_streamed_as_it_is_read(client: openai.OpenAI) -> None:
    store = stored(client, TOWER, BRIDGE)
    tools: Any = [{"type": "file_search", "vector_store_ids": [store], "max_num_results": 3}]
    events: list[Any] = list(
        client.responses.create(
            model="gpt-4o",
            input="How high is the tower?",
            tools=tools,
            stream=True,
            include=["file_search_call.results"],
        )
    )
    names = [event.type.removeprefix("response.") for event in events]
    assert [name for name in names if "file_search" in name] == [
        "file_search_call.in_progress",
        "file_search_call.searching",
        "file_search_call.completed",
    ]
    response = events[-1].response
    call, message = response.output
    assert (call.type, call.status) == ("file_search_call", "completed")
    assert any("78 metres" in result.text for result in call.results)
    text = message.content[0]
    assert "【" not in text.text
    assert text.annotations
    for note in text.annotations:
        assert note.type == "file_citation" and note.filename.endswith(".txt") and 0 < note.index <= len(text.text)
    added = [event.annotation for event in events if event.type == "response.output_text.annotation.added"]
    assert len(added) == len(text.annotations)
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == text.text
    read: Any = client.responses.retrieve(response.id, include=["file_search_call.results"])
    assert read.to_dict()["output"] == response.to_dict()["output"]
    plain: Any = client.responses.retrieve(response.id).output[0]
    assert plain.results is None
    assert read.to_dict()["tools"] == tools


def test_two_stores_and_filters_are_refused_by_name(client: openai.OpenAI) -> None:
    for more, param in (
        ({"vector_store_ids": ["vs_a", "vs_b"]}, "tools[0].vector_store_ids"),
        ({"vector_store_ids": ["vs_a"], "filters": {"type": "eq", "key": "a", "value": "b"}}, "tools[0].filters"),
    ):
        tools: Any = [{"type": "file_search", **more}]
        with pytest.raises(openai.BadRequestError) as refused:
            client.responses.create(model="gpt-4o", input="x", tools=tools)
        assert refused.value.param == param
