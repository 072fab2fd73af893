"""Dialogues of many turns, as an app of the official SDK has them: after every turn the reply and the thread's state are told.

Messages are read by the few_shot understander with the packaged embedders; the model that talks is the scripted one.
"""

import json
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import openai
import pytest
from openai.types.beta.threads import Run

from tests.harness.clients import Clients
from tests.harness.farm import Farm, Storage
from tests.harness.knowledge import settled, upload
from tests.harness.server import Server
from tests.harness.stories import answers, at_rest, calls_of, function, submit
from tests.stories.story import DOMAINS, Known, Story, Turn, stories

NOON = 12 - datetime.now(UTC).hour
"""Hours from UTC to where it is about noon: no story sees a day end."""

ZONE = f"Etc/GMT{-NOON:+d}"
TODAY = datetime.now(timezone(timedelta(hours=NOON))).date()

LEARNING_SECONDS = 180.0

TOLD = [(story, storage) for story in stories(TODAY) for storage in story.storages]


class Told:
    """One story on a thread of its own."""

    def __init__(self, client: openai.OpenAI, server: Server, story: Story, domain: str) -> None:
        self._client = client
        self._server = server
        self._streamed = story.streamed
        self._searches = bool(story.knowledge)
        tools: list[Any] = [function(name) for name in sorted({turn.call for turn in story.turns if turn.call})]
        knowledge: Any = {}
        if self._searches:
            store = client.vector_stores.create(file_ids=upload(client, *story.knowledge)).id
            settled(client, store)
            tools.append({"type": "file_search"})
            knowledge = {"file_search": {"vector_store_ids": [store]}}
        self._assistant = client.beta.assistants.create(model="script", tools=tools, extra_body={"domain": domain}).id
        self._thread = client.beta.threads.create(tool_resources=knowledge).id

    def tell(self, turn: Turn) -> None:
        if turn.user is None:
            self._client.post(f"/threads/{self._thread}/state", body={"release": True}, cast_to=object)
        else:
            self._client.beta.threads.messages.create(self._thread, role="user", content=turn.user)
            self._answered(turn)
        unsaid = {"intent", "language"} - turn.state.model_fields_set
        assert self._known().model_dump(exclude=unsaid) == turn.state.model_dump(exclude=unsaid)

    def _answered(self, turn: Turn) -> None:
        run = self._run()
        if turn.call:
            [call] = calls_of(run)
            assert (call.function.name, json.loads(call.function.arguments)) == (turn.call, turn.arguments)
            run = self._submitted(run, call.id, turn.output or "")
        assert run.status == "completed", run.last_error or run.required_action
        [said] = answers(self._client, run)
        check(said, turn.reply)
        if self._searches:
            steps = self._client.beta.threads.runs.steps.list(run.id, thread_id=self._thread).data
            tools = [call.type for step in steps for call in getattr(step.step_details, "tool_calls", ())]
            assert ("file_search" in tools) == turn.searched
        if turn.told:
            check(json.dumps(self._server.requests(self._thread)[-1]["messages"], ensure_ascii=False), turn.told)

    def _run(self) -> Run:
        runs = self._client.beta.threads.runs
        if self._streamed:
            with runs.stream(thread_id=self._thread, assistant_id=self._assistant) as stream:
                return _final(stream)
        return at_rest(self._client, runs.create(self._thread, assistant_id=self._assistant))

    def _submitted(self, run: Run, call: str, output: str) -> Run:
        if not self._streamed:
            return submit(self._client, run, output)
        outputs: Any = [{"tool_call_id": call, "output": output}]
        with self._client.beta.threads.runs.submit_tool_outputs_stream(
            run_id=run.id, thread_id=self._thread, tool_outputs=outputs
        ) as stream:
            return _final(stream)

    def _known(self) -> Known:
        state: Any = self._client.get(f"/threads/{self._thread}/state", cast_to=object)
        topics = state["topics"]
        return Known(
            intent=state["intent"],
            language=state["language"],
            slots={name: slot["value"] for name, slot in state["slots"].items() if slot["value"] is not None},
            form=topics[-1]["form"] if topics else None,
            topics=[topic["intent"] for topic in topics],
            asked=_asked(state["asked"]),
            handed_over=state["handed_over"],
        )


def check(said: str, expected: str | list[str]) -> None:
    """A text is the answer itself; of a list each must stand behind the one before."""
    if isinstance(expected, str):
        assert said == expected
        return
    rest = said
    for part in expected:
        assert part in rest, f"{part!r} is missing in {said!r}"
        rest = rest.partition(part)[2]


def _final(stream: Any) -> Run:
    stream.until_done()
    run: Run = stream.current_run
    return run


def _asked(asked: dict[str, Any] | None) -> str | list[str] | None:
    if asked is None:
        return None
    return asked.get("slot") or asked.get("intents") or "confirm"


@pytest.fixture(scope="module")
def saved() -> dict[tuple[str, str], str]:
    """The domains' ids, by server and name: each is saved once."""
    return {}


@pytest.mark.parametrize(("story", "storage"), TOLD, ids=lambda it: getattr(it, "name", it))
def test_the_story_goes_as_told(
    story: Story, storage: Storage, clients: Clients, farm: Farm, saved: dict[tuple[str, str], str]
) -> None:
    server = farm.shared(storage)
    client = clients.sdk(server)
    where = (server.url, story.domain)
    if where not in saved:
        saved[where] = _save(client, story.domain)
    told = Told(client, server, story, saved[where])
    for turn in story.turns:
        try:
            told.tell(turn)
        except AssertionError as failure:
            failure.add_note(f"when the user said: {turn.user}")
            raise


def _save(client: openai.OpenAI, domain: str) -> str:
    """Its id, when it is learned: the first domain of a server has the embedder's model made ready."""
    text = (DOMAINS / f"{domain}.yml").read_text() + f"timezone: {ZONE}\n"
    headers = {"content-type": "application/yaml"}
    made: Any = client.post("/domains", content=text.encode(), options={"headers": headers}, cast_to=object)
    domain, report = str(made["id"]), made["report"]
    deadline = time.monotonic() + LEARNING_SECONDS
    while not report["learned"] and time.monotonic() < deadline:
        time.sleep(0.1)
        report = client.get(f"/domains/{domain}/report", cast_to=object)
    assert report["learned"] and not [finding for finding in report["findings"] if finding["level"] == "error"]
    return domain
