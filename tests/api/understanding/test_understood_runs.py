"""Runs of assistants with a domain, as clients meet them: who knows nothing of it sees an ordinary run."""

import re
from typing import Any

import httpx2
import openai
import pytest
from openai import AssistantEventHandler, OpenAI

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.knowledge import settled, upload
from tests.harness.refusals import assert_refused
from tests.harness.restaurant import BOOK, RESTAURANT
from tests.harness.server import SCRIPT
from tests.harness.stories import WEATHER, answers, at_rest, calls_of, post, short, submit

SEARCHING = SCRIPT.parent / "searching.json"
TOWER = "The tower of Luzhou was built in 1412 and is 78 metres high. It stands by the river."
TALKING = {**RESTAURANT, "understander": {**RESTAURANT["understander"], "script": {"tower|weather": "chat"}}}

ADDED = ("domain", "understanding")
"""The fields that an object has more where there is a domain."""

TIMES = re.compile(r".*_at$")


def make_domain(http: httpx2.Client, fields: dict[str, Any] = RESTAURANT) -> str:
    answer = http.post("/v1/domains", json=fields)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def assistant_with(client: OpenAI, domain: str | None, **fields: Any) -> str:
    extra = {"domain": domain} if domain else {}
    return client.beta.assistants.create(model="script", extra_body=extra, **fields).id


def asks(client: OpenAI, assistant: str, *texts: str, thread: str | None = None, **run: Any) -> Any:
    """A run on these messages, at rest."""
    messages: Any = [{"role": "user", "content": text} for text in texts]
    on = thread or client.beta.threads.create().id
    begun = client.beta.threads.runs.create(on, assistant_id=assistant, additional_messages=messages, **run)
    return at_rest(client, begun)


class TestAnAppThatKnowsNothingOfIt:
    @pytest.fixture
    def programs(self, clients: Clients, start_server: StartServer) -> tuple["Program", "Program"]:
        """The same program for an assistant without a domain, and for one with."""
        server = start_server(script=SEARCHING)
        client, http = clients.sdk(server), clients.http(server)
        store = client.vector_stores.create(file_ids=upload(client, TOWER)).id
        settled(client, store)
        return Program(client, None, store), Program(client, make_domain(http, TALKING), store)

    def test_sees_the_same_events_and_objects_where_the_model_talks(
        self, programs: tuple["Program", "Program"]
    ) -> None:
        without, with_domain = programs
        assert with_domain.play() == without.play()
        assert with_domain.added == {"domain", "understanding"} and not without.added

    def test_sees_an_ordinary_run_where_the_policy_answers(self, client: OpenAI, http: httpx2.Client) -> None:
        logs = []
        for domain in (None, make_domain(http)):
            thread = client.beta.threads.create(messages=[{"role": "user", "content": "hello"}]).id
            body = {"assistant_id": assistant_with(client, domain), "stream": True}
            logs.append(short(list(post(http, f"/threads/{thread}/runs", body))))
        assert logs[0] == logs[1]


class Program(AssistantEventHandler):
    """An app as the SDK's guide has it: a question that is searched for, streamed; then a function, polled."""

    def __init__(self, client: OpenAI, domain: str | None, store: str) -> None:
        super().__init__()
        self._client = client
        tools: Any = [{"type": "file_search"}, WEATHER]
        resources: Any = {"file_search": {"vector_store_ids": [store]}}
        self._assistant = assistant_with(client, domain, tools=tools, tool_resources=resources)
        self._events: list[tuple[str, Any]] = []
        self.added: set[str] = set()

    def on_event(self, event: Any) -> None:
        self._events.append((event.event, event.data.to_dict()))

    def play(self) -> list[Any]:
        """All that the app sees: events and objects, with ids by their order and without times."""
        threads = self._client.beta.threads
        thread = threads.create(messages=[{"role": "user", "content": "How high is the tower?"}]).id
        with threads.runs.stream(thread_id=thread, assistant_id=self._assistant, event_handler=self) as stream:
            stream.until_done()
        threads.messages.create(thread, role="user", content="Weather too, please")
        run = threads.runs.create_and_poll(thread_id=thread, assistant_id=self._assistant, poll_interval_ms=20)
        outputs: Any = [{"tool_call_id": call.id, "output": "sunny"} for call in calls_of(run)]
        done = threads.runs.submit_tool_outputs_and_poll(
            run_id=run.id, thread_id=thread, tool_outputs=outputs, poll_interval_ms=20
        )
        steps = threads.runs.steps.list(run.id, thread_id=thread, order="asc").data
        messages = threads.messages.list(thread, order="asc").data
        objects = [thing.to_dict() for thing in (run, done, *steps, *messages)]
        seen: list[Any] = Plain(self).of([*self._joined(), *objects])
        return seen

    def _joined(self) -> list[Any]:
        """The events; of deltas, which come in pieces as time has it, only that there are some."""
        kept: list[Any] = []
        for name, data in self._events:
            if not name.endswith(".delta"):
                kept.append([name, data])
            elif kept[-1] != name:
                kept.append(name)
        return kept


class Plain:
    """What two runs of a program have in common: ids by the order in which they come, no times, no usage of tokens."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._ids: dict[str, str] = {}

    def of(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.of(item) for item in value]
        if isinstance(value, dict):
            self._program.added |= value.keys() & set(ADDED)
            kept = value.keys() - {*ADDED, "usage"}
            return {key: self.of(value[key]) for key in value if key in kept and not TIMES.match(key)}
        if isinstance(value, str) and re.fullmatch(r"[a-z]+_[A-Za-z0-9]{20,}", value):
            return self._ids.setdefault(value, f"id {len(self._ids)}")
        return value


class TestNamingADomain:
    def test_an_assistant_has_it_and_loses_it(self, client: OpenAI, http: httpx2.Client) -> None:
        domain = make_domain(http)
        made = assistant_with(client, domain)
        assert http.get(f"/v1/assistants/{made}").json()["domain"] == domain
        assert "domain" not in http.post(f"/v1/assistants/{made}", json={"domain": None}).json()

    def test_objects_without_one_do_not_mention_it(self, client: OpenAI, http: httpx2.Client) -> None:
        run = asks(client, assistant_with(client, None), "hello")
        assert "domain" not in http.get(f"/v1/assistants/{run.assistant_id}").json()
        assert "domain" not in http.get(f"/v1/threads/{run.thread_id}/runs/{run.id}").json()
        [message] = [m for m in http.get(f"/v1/threads/{run.thread_id}/messages").json()["data"] if m["role"] == "user"]
        assert "understanding" not in message

    def test_one_that_does_not_exist_is_refused_wherever_it_is_named(self, client: OpenAI, http: httpx2.Client) -> None:
        assistant, thread = assistant_with(client, None), client.beta.threads.create().id
        unknown = {"domain": "dom_x"}
        for path, body in (
            ("assistants", {"model": "script"}),
            (f"assistants/{assistant}", {}),
            (f"threads/{thread}/runs", {"assistant_id": assistant}),
            ("threads/runs", {"assistant_id": assistant}),
        ):
            refusal = http.post(f"/v1/{path}", json={**body, **unknown})
            assert_refused(refusal, 404, "No domain found with id 'dom_x'.", param="domain")


class TestState:
    def test_grows_with_the_messages_and_tells_where_values_come_from(
        self, client: OpenAI, http: httpx2.Client
    ) -> None:
        domain = make_domain(http)
        tools: Any = [BOOK]
        assistant = assistant_with(client, domain, tools=tools)
        run = asks(client, assistant, "a table")
        thread = run.thread_id
        assert answers(client, run) == ["For how many people?"]
        state = http.get(f"/v1/threads/{thread}/state").json()
        assert (state["turn"], state["intent"], state["domain"]) == (1, "book", domain)
        assert state["asked"]["slot"] == "people" and state["topics"][-1]["form"] == "booking"
        asks(client, assistant, "4", thread=thread)
        state = http.get(f"/v1/threads/{thread}/state").json()
        [value] = state["slots"]["people"]["history"]
        message = next(
            m for m in http.get(f"/v1/threads/{thread}/messages").json()["data"] if m["id"] == value["message_id"]
        )
        assert value["value"] == 4 and message["understanding"]["slots"] == {"people": 4}
        run = submit(client, asks(client, assistant, "terrace", thread=thread), '{"number": 7}')
        assert answers(client, run) == ["Booked: number 7."]

    def test_of_a_thread_on_which_nothing_was_understood_is_empty(self, client: OpenAI, http: httpx2.Client) -> None:
        thread = client.beta.threads.create().id
        state = http.get(f"/v1/threads/{thread}/state").json()
        assert (state["turn"], state["domain"], state["slots"], state["topics"]) == (0, None, {}, [])

    def test_takes_what_the_client_knows_already(self, client: OpenAI, http: httpx2.Client) -> None:
        domain, thread = make_domain(http), client.beta.threads.create().id
        given = http.post(f"/v1/threads/{thread}/state", json={"domain": domain, "slots": {"people": 4}}).json()
        assert given == http.get(f"/v1/threads/{thread}/state").json()
        assert given["slots"]["people"]["history"][0]["how"] == "given"
        run = asks(client, assistant_with(client, domain), "a table", thread=thread)
        assert answers(client, run) == ["Where?"]
        cleared = http.post(f"/v1/threads/{thread}/state", json={"clear": ["people"]}).json()
        assert cleared["slots"]["people"]["value"] is None

    def test_says_which_slots_there_are(self, client: OpenAI, http: httpx2.Client) -> None:
        thread, body = client.beta.threads.create().id, {"slots": {"persons": 4}}
        message = assert_refused(
            http.post(f"/v1/threads/{thread}/state", json=body), 400, param="domain", code="missing_required_parameter"
        )
        assert "domain" in message
        message = assert_refused(
            http.post(f"/v1/threads/{thread}/state", json={**body, "domain": make_domain(http)}),
            400,
            param="slots",
            code="invalid_value",
        )
        assert "people, seat" in message
        cleared = http.post(f"/v1/threads/{thread}/state", json={"domain": make_domain(http), "clear": ["persons"]})
        assert_refused(cleared, 400, message, param="clear", code="invalid_value")

    def test_refuses_a_value_that_does_not_fit_its_slot(self, client: OpenAI, http: httpx2.Client) -> None:
        thread, domain = client.beta.threads.create().id, make_domain(http)
        for slot, value, expected in (("people", "many", "number"), ("seat", "roof", "inside, terrace")):
            answer = http.post(f"/v1/threads/{thread}/state", json={"domain": domain, "slots": {slot: value}})
            assert expected in assert_refused(answer, 400, param=f"slots.{slot}", code="invalid_value")
        assert _understood(http, thread) == []

    def test_a_thread_that_was_handed_over_is_given_back(self, client: OpenAI, http: httpx2.Client) -> None:
        assistant = assistant_with(client, make_domain(http))
        thread = asks(client, assistant, "a person!").thread_id
        assert http.get(f"/v1/threads/{thread}/state").json()["handed_over"] is True
        assert http.post(f"/v1/threads/{thread}/state", json={"release": True}).json()["handed_over"] is False
        assert answers(client, asks(client, assistant, "hello", thread=thread)) == ["Welcome to Luzhou."]

    def test_is_not_changed_while_a_run_is_active(self, client: OpenAI, http: httpx2.Client) -> None:
        domain = make_domain(http)
        tools: Any = [BOOK]
        run = asks(client, assistant_with(client, domain, tools=tools), "a table for 4", "terrace")
        assert run.status == "requires_action"
        refusal = http.post(f"/v1/threads/{run.thread_id}/state", json={"slots": {"people": 5}})
        message = assert_refused(refusal, 400)
        assert run.id in message and "while a run" in message

    def test_of_a_thread_that_is_not_there_is_a_404(self, http: httpx2.Client) -> None:
        for path in ("state", "understandings"):
            assert_refused(http.get(f"/v1/threads/thread_x/{path}"), 404, "No thread found with id 'thread_x'.")
        assert_refused(http.post("/v1/threads/thread_x/state", json={}), 404)


class TestUnderstandings:
    def test_are_listed_page_by_page(self, client: OpenAI, http: httpx2.Client) -> None:
        run = asks(client, assistant_with(client, make_domain(http)), "hello", "a table", "4")
        path = f"/v1/threads/{run.thread_id}/understandings"
        whole = http.get(path, params={"order": "asc"}).json()["data"]
        assert [one["text"] for one in whole] == ["hello", "a table", "4"]
        assert {one["run_id"] for one in whole} == {run.id}
        page = http.get(path, params={"order": "asc", "limit": 1, "after": whole[0]["id"]}).json()
        assert page["data"] == whole[1:2] and page["has_more"] is True

    def test_go_with_their_message(self, client: OpenAI, http: httpx2.Client) -> None:
        run = asks(client, assistant_with(client, make_domain(http)), "a table", "4")
        thread = run.thread_id
        [four] = [m for m in client.beta.threads.messages.list(thread).data if _text(m) == "4"]
        client.beta.threads.messages.delete(four.id, thread_id=thread)
        assert [one["text"] for one in _understood(http, thread)] == ["a table"]
        assert "people" not in http.get(f"/v1/threads/{thread}/state").json()["slots"]

    def test_go_with_the_text_that_was_edited(self, client: OpenAI, http: httpx2.Client) -> None:
        assistant = assistant_with(client, make_domain(http))
        run = asks(client, assistant, "a table for 4")
        messages = {m.role: m for m in client.beta.threads.messages.list(run.thread_id).data}
        path = f"/v1/threads/{run.thread_id}/messages/{messages['user'].id}"
        assert "understanding" in http.post(path, json={"metadata": {"seen": "yes"}}).json()
        assert "understanding" not in http.post(path, json={"content": "a table for 5"}).json()
        assert _understood(http, run.thread_id) == []
        client.beta.threads.messages.delete(messages["assistant"].id, thread_id=run.thread_id)
        again = asks(client, assistant, thread=run.thread_id)
        assert answers(client, again) == ["Where?"]
        assert http.get(path).json()["understanding"]["slots"] == {"people": 5}

    def test_go_with_their_thread(self, client: OpenAI, http: httpx2.Client) -> None:
        run = asks(client, assistant_with(client, make_domain(http)), "hello")
        client.beta.threads.delete(run.thread_id)
        assert_refused(http.get(f"/v1/threads/{run.thread_id}/understandings"), 404)

    def test_are_none_of_a_run_that_switches_it_off(self, client: OpenAI, http: httpx2.Client) -> None:
        run = asks(client, assistant_with(client, make_domain(http)), "hello", extra_body={"domain": "none"})
        assert _understood(http, run.thread_id) == []


def _understood(http: httpx2.Client, thread: str) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = http.get(f"/v1/threads/{thread}/understandings").json()["data"]
    return data


def _text(message: openai.types.beta.threads.Message) -> str:
    return "".join(part.text.value for part in message.content if part.type == "text")
