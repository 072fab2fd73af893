"""A server that is asked to stop while runs go on: what can be finished is, the rest goes back to the queue."""

from collections.abc import Callable

import openai
import pytest
from openai import OpenAI

from tests.engine.log_checks import check_log
from tests.harness.clients import Clients
from tests.harness.server import Server
from tests.harness.stories import answers, at_rest, begin, until_it_said, when


@pytest.fixture
def stoppable(start_server: Callable[..., Server]) -> Server:
    return start_server(fresh=True, grace_seconds=1, lease_seconds=1, worker_slots=1)


@pytest.fixture
def client(clients: Clients, stoppable: Server) -> OpenAI:
    return clients.sdk(stoppable)


def test_a_run_that_does_not_goes_on_after_the_restart(client: OpenAI, clients: Clients, stoppable: Server) -> None:
    run = begin(client, "begin and stall")
    seen = until_it_said(clients.http(stoppable), run)
    stoppable.restart()
    seen += until_it_said(clients.http(stoppable), run, after=seen[-1].id)
    assert len(stoppable.requests(run.thread_id)) == 2
    client.beta.threads.runs.cancel(run.id, thread_id=run.thread_id)
    run = when(client, run, "cancelled")
    whole = check_log(clients.http(stoppable), run, seen)
    assert [event.name for event in whole].count("thread.run.created") == 1
    assert set(answers(client, run)) == {"I begin"}


def test_a_run_in_the_queue_is_still_there_after_the_restart(client: OpenAI, stoppable: Server) -> None:
    busy = when(client, begin(client, "stall"), "in_progress")
    waiting = begin(client, "hello")
    stoppable.restart()
    client.beta.threads.runs.cancel(busy.id, thread_id=busy.thread_id)
    assert at_rest(client, waiting).status == "completed"
    assert answers(client, waiting) == ["You said: hello"]


def test_the_sdk_raises_when_a_stream_is_cut_by_the_stop(client: OpenAI, stoppable: Server) -> None:
    assistant = client.beta.assistants.create(model="script")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "begin and stall"}])
    stream = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id, stream=True)
    next(event for event in stream if event.event == "thread.message.delta")
    stoppable.stop()
    with pytest.raises(openai.APIError) as raised:
        list(stream)
    assert not isinstance(raised.value, openai.APIConnectionError)
