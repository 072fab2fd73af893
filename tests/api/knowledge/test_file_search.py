"""Runs that search files, through the SDK: the step, its results and their content, citations, stores of thread and assistant."""

from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AssistantEventHandler

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.knowledge import settled, upload
from tests.harness.stories import WEATHER
from tests.harness.stream_rules import StreamRules

SCRIPT = Path(__file__).parents[2] / "scripts" / "searching.json"
SEARCH: Any = [{"type": "file_search"}]
INCLUDE: Any = ["step_details.tool_calls[*].file_search.results[*].content"]
TOWER = "The tower of Luzhou was built in 1412 and is 78 metres high. It stands by the river."
BRIDGE = "The old bridge has eleven arches. Its stones were brought from the western hills by boat."


@pytest.fixture
def client(clients: Clients, start_server: StartServer) -> openai.OpenAI:
    """Of a server whose model searches, and cites what it finds."""
    return clients.sdk(start_server(script=SCRIPT))


def stored(client: openai.OpenAI, *texts: str) -> str:
    store = client.vector_stores.create(file_ids=upload(client, *texts)).id
    assert settled(client, store).file_counts.completed == len(texts)
    return store


def resources(store: str) -> Any:
    return {"file_search": {"vector_store_ids": [store]}}


def asked(client: openai.OpenAI, text: str, *, store: str | None = None, **assistant: Any) -> tuple[str, str]:
    """A thread with this question, and an assistant that searches this store: their ids."""
    given = {"model": "gpt-4o", "tools": SEARCH, "tool_resources": resources(store) if store else None, **assistant}
    made = client.beta.assistants.create(**given)
    thread = client.beta.threads.create(messages=[{"role": "user", "content": text}])
    return thread.id, made.id


def ask(client: openai.OpenAI, text: str, *, run: Any = None, **assistant: Any) -> Any:
    thread, made = asked(client, text, **assistant)
    done = client.beta.threads.runs.create_and_poll(thread_id=thread, assistant_id=made, **(run or {}))
    assert done.status == "completed", done.last_error
    return done


def search_step(client: openai.OpenAI, run: Any, **options: Any) -> Any:
    """The first step of the run."""
    return client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id, order="asc", **options).data[0]


def answer(client: openai.OpenAI, run: Any) -> Any:
    """The text of the run's message, with its annotations."""
    [message] = client.beta.threads.messages.list(run.thread_id, run_id=run.id).data
    return message.content[0].text  # type: ignore[union-attr]


class TestTheStep:
    def test_it_says_what_was_found_and_how_it_was_ranked(self, client: openai.OpenAI) -> None:
        run = ask(client, "How high is the tower?", store=stored(client, TOWER, BRIDGE))
        step = search_step(client, run)
        [call] = step.step_details.tool_calls
        assert (step.type, step.status, call.type) == ("tool_calls", "completed", "file_search")
        assert call.file_search.ranking_options.ranker == "default_2024_08_21"
        first = call.file_search.results[0]
        assert first.file_name == "0.txt" and first.file_id.startswith("file-") and 0 <= first.score <= 1
        assert call.to_dict()["file_search"]["queries"] == ["height of the tower of Luzhou"]

    def test_content_comes_only_when_it_is_asked_for(self, client: openai.OpenAI) -> None:
        run = ask(client, "How high is the tower?", store=stored(client, TOWER))
        step = search_step(client, run)
        assert "content" not in step.to_dict()["step_details"]["tool_calls"][0]["file_search"]["results"][0]
        listed = search_step(client, run, include=INCLUDE)
        got = client.beta.threads.runs.steps.retrieve(step.id, run_id=run.id, thread_id=run.thread_id, include=INCLUDE)
        for shown in (listed, got):
            [part] = shown.step_details.tool_calls[0].file_search.results[0].content
            assert (part.type, part.text) == ("text", TOWER)

    def test_the_assistants_options_count(self, client: openai.OpenAI) -> None:
        options = {"max_num_results": 1, "ranking_options": {"ranker": "auto", "score_threshold": 0.0}}
        tools: Any = [{"type": "file_search", "file_search": options}]
        run = ask(client, "How high is the tower?", store=stored(client, TOWER, BRIDGE), tools=tools)
        found = search_step(client, run).step_details.tool_calls[0].file_search
        assert len(found.results) == 1 and found.ranking_options.ranker == "auto"


class TestStores:
    def test_the_assistants_and_the_threads_are_both_searched(self, client: openai.OpenAI) -> None:
        thread, assistant = asked(client, "How high is the tower?", store=stored(client, BRIDGE))
        client.beta.threads.update(thread, tool_resources=resources(stored(client, TOWER)))
        run = client.beta.threads.runs.create_and_poll(thread_id=thread, assistant_id=assistant)
        assert len(search_step(client, run).step_details.tool_calls[0].file_search.results) == 2

    def test_a_file_that_was_just_attached_is_waited_for(self, client: openai.OpenAI) -> None:
        [file] = upload(client, TOWER)
        assistant = client.beta.assistants.create(model="gpt-4o", tools=SEARCH)
        attachment: Any = {"file_id": file, "tools": SEARCH}
        thread = client.beta.threads.create(
            messages=[{"role": "user", "content": "How high is it?", "attachments": [attachment]}]
        )
        run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
        assert search_step(client, run).step_details.tool_calls[0].file_search.results[0].file_id == file

    def test_without_a_store_nothing_is_found(self, client: openai.OpenAI) -> None:
        run = ask(client, "How high is the tower?")
        assert search_step(client, run).to_dict()["step_details"]["tool_calls"][0]["file_search"]["results"] == []


class TestCitations:
    def test_markers_become_annotations_whose_offsets_count_characters(self, client: openai.OpenAI) -> None:
        run = ask(client, "How high is the tower?", store=stored(client, TOWER))
        text = answer(client, run)
        assert text.value == "塔建于1412年【0:0†source】。\nIt is 78 metres high 【0:0†source】. Not this."
        assert [note.text for note in text.annotations] == ["【0:0†source】"] * 2
        for note in text.annotations:
            assert text.value[note.start_index : note.end_index] == note.text
            assert note.file_citation.to_dict()["quote"] in TOWER

    def test_a_sentence_without_a_marker_is_cited_by_what_it_takes(self, client: openai.OpenAI) -> None:
        thread, assistant = asked(client, "Say it yourself", store=stored(client, TOWER))
        run = client.beta.threads.runs.create_and_poll(
            thread_id=thread, assistant_id=assistant, tool_choice={"type": "file_search"}
        )
        text = answer(client, run)
        assert text.value == "The tower of Luzhou was built in 1412.【0:0†source】 Anything else?"
        [call] = search_step(client, run).to_dict()["step_details"]["tool_calls"]
        assert call["file_search"]["queries"] == ["Say it yourself"]


class TestSearchedByTheServer:
    """Models of whose entry the models file says file_search = "always"."""

    @pytest.fixture
    def client(self, clients: Clients, start_server: StartServer) -> openai.OpenAI:
        small = {"backend": "scripted", "script": str(SCRIPT), "file_search": "always"}
        writer = {**small, "rewrite_queries": True}
        return clients.sdk(start_server(models={"small": small, "writer": writer}))

    def test_the_search_is_a_step_before_the_answer_which_is_cited(self, client: openai.OpenAI) -> None:
        run = ask(client, "How old is the tower?", store=stored(client, TOWER), model="small")
        [call] = search_step(client, run).to_dict()["step_details"]["tool_calls"]
        assert call["file_search"]["queries"] == ["How old is the tower?"]
        assert call["file_search"]["called_by"] == "server"
        text = answer(client, run)
        assert text.value == "The tower of Luzhou was built in 1412.【0:0†source】 Anything else?"

    def test_the_model_may_rewrite_the_users_words(self, client: openai.OpenAI) -> None:
        run = ask(client, "Rewrite me", store=stored(client, TOWER), model="writer")
        [call] = search_step(client, run).to_dict()["step_details"]["tool_calls"]
        assert call["file_search"]["queries"] == ["age of the tower of Luzhou"]

    def test_without_a_store_there_is_no_search(self, client: openai.OpenAI) -> None:
        run = ask(client, "How old is the tower?", model="small")
        assert search_step(client, run).type == "message_creation"


class TestStreaming:
    def test_the_handler_hears_of_the_call_and_of_each_annotation_once(self, client: openai.OpenAI) -> None:
        thread, assistant = asked(client, "How high is the tower?", store=stored(client, TOWER))
        answered = Answered()
        with client.beta.threads.runs.stream(
            thread_id=thread, assistant_id=assistant, event_handler=answered
        ) as stream:
            stream.until_done()
            [message] = stream.get_final_messages()
            run = stream.get_final_run()
        assert [call.type for call in answered.calls] == ["file_search"]
        text = message.content[0].text  # type: ignore[union-attr]
        stored_text = answer(client, run)
        assert text.value == stored_text.value == "".join(answered.texts)
        assert [_place(note) for note in text.annotations or ()] == [_place(note) for note in stored_text.annotations]
        assert len(answered.notes) == len(stored_text.annotations) == 2

    def test_the_order_is_the_contracts(self, client: openai.OpenAI) -> None:
        thread, assistant = asked(client, "How high is the tower?", store=stored(client, TOWER))
        rules, names, problems = StreamRules(), [], []
        with client.beta.threads.runs.create(thread_id=thread, assistant_id=assistant, stream=True) as events:
            for event in events:
                problems += rules.check(event.event, event.data.to_dict())  # type: ignore[union-attr]
                if event.event != "thread.message.delta":
                    names.append(event.event.removeprefix("thread."))
        assert not problems
        step = ["run.step.created", "run.step.in_progress"]
        assert names == [
            *("run.created", "run.queued", "run.in_progress"),
            *(*step, "run.step.delta", "run.step.completed"),
            *(*step, "message.created", "message.in_progress", "message.completed", "run.step.completed"),
            "run.completed",
        ]

    @pytest.mark.parametrize("include", [[], INCLUDE])
    def test_content_is_streamed_only_when_it_is_asked_for(self, client: openai.OpenAI, include: Any) -> None:
        thread, assistant = asked(client, "How high is the tower?", store=stored(client, TOWER))
        options: Any = {"include": include} if include else {}
        with client.beta.threads.runs.create(
            thread_id=thread, assistant_id=assistant, stream=True, **options
        ) as events:
            done = [event.data.to_dict() for event in events if event.event == "thread.run.step.completed"]
        result = done[0]["step_details"]["tool_calls"][0]["file_search"]["results"][0]  # type: ignore[index]
        assert ("content" in result) == bool(include)


def test_beside_a_function_the_search_is_done_when_the_client_is_asked(client: openai.OpenAI) -> None:
    thread, assistant = asked(client, "Weather too", store=stored(client, TOWER), tools=[*SEARCH, WEATHER])
    run = client.beta.threads.runs.create_and_poll(thread_id=thread, assistant_id=assistant)
    assert run.status == "requires_action" and run.required_action is not None
    [wanted] = run.required_action.submit_tool_outputs.tool_calls
    output: Any = {"tool_call_id": wanted.id, "output": "Sunny"}
    run = client.beta.threads.runs.submit_tool_outputs_and_poll(run_id=run.id, thread_id=thread, tool_outputs=[output])
    assert run.status == "completed"
    calls = search_step(client, run).step_details.tool_calls
    assert [call.type for call in calls] == ["file_search", "function"]
    assert calls[0].file_search.results and calls[1].function.output == "Sunny"


class Answered(AssistantEventHandler):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Any] = []
        self.texts: list[str] = []
        self.notes: list[Any] = []

    def on_tool_call_created(self, tool_call: Any) -> None:
        self.calls.append(tool_call)

    def on_text_delta(self, delta: Any, snapshot: Any) -> None:
        self.texts.append(delta.value or "")
        self.notes.extend(delta.annotations or ())


def _place(note: Any) -> tuple[str, int, int, str]:
    return note.text, note.start_index, note.end_index, note.file_citation.file_id
