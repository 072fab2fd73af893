"""The model that comes with the package, given passages: an answer with citations or with none, and a whole stream."""

from pathlib import Path
from typing import Any

import openai
import pytest

from tests.harness.clients import Clients
from tests.harness.farm import Farm
from tests.harness.stream_rules import StreamRules

HANDBOOK = (
    "# Opening hours\n\nThe museum of Luzhou opens at nine and closes at half past five. It is closed on Mondays.\n\n"
    "# Tickets\n\nA ticket costs 12 yuan. Children under six enter for free. Students pay half.\n\n"
    "# The tower\n\nThe tower of Luzhou was built in 1412 and is 78 metres high. Its bell weighs three tons.\n"
)
QUESTION = "How high is the tower of Luzhou, and when was it built?"
MOST_TOKENS = 256


@pytest.fixture(scope="module")
def stored(farm: Farm, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, str]:
    """A server whose model and embedder are real, and a file's text in a store of it; both are slow to make."""
    server = farm.shared("sqlite", embedder="e5-small", models={"small": {"backend": "embedded"}})
    path = Path(tmp_path_factory.mktemp("documents")) / "handbook.md"
    path.write_text(HANDBOOK)
    client = openai.OpenAI(base_url=server.base_url, api_key="sk-test")
    file = client.files.create(file=path, purpose="assistants")
    store = client.vector_stores.create()
    done = client.vector_stores.files.create_and_poll(file.id, vector_store_id=store.id)
    assert done.status == "completed", done.last_error
    return server, store.id


@pytest.mark.embedded
@pytest.mark.timeout(600)
def test_a_streamed_answer_is_whole_and_its_citations_stand_in_it(clients: Clients, stored: tuple[Any, str]) -> None:
    server, store = stored
    client = clients.sdk(server)
    assistant = client.beta.assistants.create(
        model="small",
        tools=[{"type": "file_search"}],
        tool_resources={"file_search": {"vector_store_ids": [store]}},
        instructions="Repeat the passage that answers the question, word for word.",
        temperature=0,
    )
    thread = client.beta.threads.create(messages=[{"role": "user", "content": QUESTION}])
    rules = StreamRules()
    problems: list[str] = []
    with client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=assistant.id, max_completion_tokens=MOST_TOKENS
    ) as stream:
        for event in stream:
            problems += rules.check(event.event, event.data.to_dict())
        [streamed] = stream.get_final_messages()
        run = stream.get_final_run()
    assert not problems
    assert run.status in ("completed", "incomplete"), run.last_error
    [kept] = client.beta.threads.messages.list(thread.id, run_id=run.id).data
    text, heard = kept.content[0].text, streamed.content[0].text  # type: ignore[union-attr]
    assert text.value and text.value == heard.value
    places = [(note.text, note.start_index, note.end_index) for note in text.annotations]
    assert places == [(note.text, note.start_index, note.end_index) for note in heard.annotations or ()]
    assert all(text.value[start:end] == marker for marker, start, end in places)
    searched, said = client.beta.threads.runs.steps.list(run.id, thread_id=thread.id, order="asc").data
    assert searched.step_details.tool_calls[0].file_search.results  # type: ignore[union-attr]
    assert (searched.type, said.type) == ("tool_calls", "message_creation")
