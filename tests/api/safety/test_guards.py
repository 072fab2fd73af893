"""Guards of an assistant: what users may not say, what they may not be shown, and what is masked, in every form of answer."""

from typing import Any

import httpx2
import openai
import pytest

from tests.harness.farm import Storage
from tests.harness.server import Server
from tests.harness.stories import answers, at_rest


@pytest.fixture
def storage() -> Storage:
    """What guards do does not depend on the database; their decisions are folded like every event of a run."""
    return "sqlite"


def run_with(client: openai.OpenAI, guards: dict[str, Any], text: str) -> Any:
    assistant = client.beta.assistants.create(model="script", extra_body={"guards": guards})
    thread = client.beta.threads.create(messages=[{"role": "user", "content": text}])
    return at_rest(client, client.beta.threads.runs.create(thread.id, assistant_id=assistant.id))


def content(client: openai.OpenAI, run: Any) -> list[dict[str, Any]]:
    (message,) = client.beta.threads.messages.list(run.thread_id, run_id=run.id).data
    assert message.status == "completed"
    return [part.to_dict(mode="json") for part in message.content]


def decisions(run: Any) -> list[tuple[str, str]]:
    return [(one["where"], one["action"]) for one in run.to_dict().get("guarded") or []]


BLOCK: dict[str, Any] = {"moderation": "block"}


@pytest.mark.parametrize(
    ("text", "says"),
    [("I want to kill them.", "I can't help with that."), ("我要杀了你", "抱歉，这个我帮不上忙。")],
)
def test_what_is_blocked_no_model_reads_and_the_answer_is_a_refusal(
    client: openai.OpenAI, server: Server, text: str, says: str
) -> None:
    run = run_with(client, {"input": BLOCK}, text)
    assert run.status == "completed"
    assert content(client, run) == [{"type": "refusal", "refusal": says}]
    assert server.requests(run.thread_id) == []
    assert decisions(run) == [("input", "block")]
    assert run.to_dict()["guarded"][0]["categories"]["harassment/threatening"] > 0.5


def test_who_speaks_of_ending_their_life_is_not_just_refused(client: openai.OpenAI) -> None:
    (part,) = content(client, run_with(client, {"input": BLOCK}, "不想活了"))
    assert "急救" in part["refusal"]
    (part,) = content(client, run_with(client, {"input": BLOCK}, "I want to kill myself"))
    assert "emergency" in part["refusal"]


def test_what_harms_nobody_goes_its_way(client: openai.OpenAI) -> None:
    run = run_with(client, {"input": BLOCK, "output": BLOCK}, "Good morning. How are you?")
    assert answers(client, run) == ["You said: Good morning. How are you?"]
    assert decisions(run) == []


def test_the_operator_s_words_are_said_and_only_named_categories_count(client: openai.OpenAI) -> None:
    guards = {"input": {**BLOCK, "categories": ["sexual"]}, "refusal": "Nein."}
    assert decisions(run_with(client, guards, "I want to kill them.")) == []
    assert content(client, run_with(client, guards, "send nudes")) == [{"type": "refusal", "refusal": "Nein."}]


def test_a_person_takes_over_where_that_is_asked(client: openai.OpenAI) -> None:
    run = run_with(client, {"input": {"moderation": "hand_over"}}, "你们这些骗子去死吧")
    assert answers(client, run) == ["我把您的问题转给人工客服，请稍候。"]
    assert decisions(run) == [("input", "hand_over")]


def test_flagging_changes_nothing_and_is_told(client: openai.OpenAI) -> None:
    run = run_with(client, {"input": {"moderation": "flag", "personal_data": "flag"}}, "kys, call 415-555-2671")
    assert answers(client, run) == ["You said: kys, call 415-555-2671"]
    assert decisions(run) == [("input", "flag")]
    assert run.to_dict()["guarded"][0]["personal_data"] == ["phone"]


def test_personal_data_is_masked_for_the_model_and_kept_on_the_thread(client: openai.OpenAI, server: Server) -> None:
    run = run_with(client, {"input": {"personal_data": "mask"}}, "我叫王小明，电话13812345678")
    assert answers(client, run) == ["You said: 我叫[NAME]，电话[PHONE]"]
    (asked,) = server.requests(run.thread_id)
    assert asked["messages"] == [{"role": "user", "content": "我叫[NAME]，电话[PHONE]"}]
    (first,) = client.beta.threads.messages.list(run.thread_id, order="asc", limit=1).data
    assert "13812345678" in first.content[0].text.value  # type: ignore[union-attr]


def test_personal_data_may_be_refused(client: openai.OpenAI) -> None:
    run = run_with(client, {"input": {"personal_data": "block"}}, "my card is 4111 1111 1111 1111")
    assert content(client, run)[0]["refusal"].startswith("Please leave out personal data")


def test_an_answer_is_masked_before_it_is_shown(client: openai.OpenAI) -> None:
    run = run_with(
        client, {"output": {"personal_data": "mask"}}, "echo: Write to jo@example.com. Or call +1 650-253-0000!"
    )
    assert answers(client, run) == ["echo: Write to [EMAIL]. Or call [PHONE]!"]


def test_a_stream_shows_nothing_of_the_sentence_that_is_blocked(client: openai.OpenAI) -> None:
    assistant = client.beta.assistants.create(model="script", extra_body={"guards": {"output": BLOCK}})
    text = "echo: It is a fine day. I will kill you. And good night."
    thread = client.beta.threads.create(messages=[{"role": "user", "content": text}])
    events = list(client.beta.threads.runs.create(thread.id, assistant_id=assistant.id, stream=True))
    parts = [
        part for event in events if event.event == "thread.message.delta" for part in event.data.delta.content or []
    ]
    assert (
        "".join(part.text.value or "" for part in parts if part.type == "text" and part.text)
        == "echo: It is a fine day."
    )
    assert [(part.index, part.refusal) for part in parts if part.type == "refusal"] == [(1, "I can't help with that.")]
    run = client.beta.threads.runs.retrieve(events[-1].data.id, thread_id=thread.id)  # type: ignore[union-attr]
    assert run.status == "completed"
    assert [part["type"] for part in content(client, run)] == ["text", "refusal"]
    assert decisions(run) == [("output", "block")]


def test_a_run_keeps_the_guards_that_its_assistant_had_and_wrong_ones_are_refused(
    client: openai.OpenAI, http: httpx2.Client
) -> None:
    made = http.post("/v1/assistants", json={"model": "script", "guards": {"input": BLOCK}}).json()
    assert made["guards"]["input"]["moderation"] == "block"
    assert "guards" not in http.post("/v1/assistants", json={"model": "script"}).json()
    refused = http.post("/v1/assistants", json={"model": "script", "guards": {"output": {"personal_data": "hide"}}})
    assert refused.status_code == 400 and refused.json()["error"]["param"] == "guards.output.personal_data"
    modified = http.post(f"/v1/assistants/{made['id']}", json={"guards": {"output": {"personal_data": "mask"}}}).json()
    assert modified["guards"]["input"] is None
