"""/v1/support_desks: past transcripts become an assistant that answers, asks, and hands over to people."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from openai import OpenAI

from tests.harness.refusals import assert_refused
from tests.harness.stories import answers, at_rest, calls_of
from tests.harness.waiting import eventually

Body = dict[str, Any]

MATTERS = {
    "refund": (
        "When do I get the refund for my {thing} back?",
        "Refunds reach your bank account within five working days.",
    ),
    "parcel": (
        "Where is my parcel with the {thing}, track it?",
        "You can track every parcel under My orders on our site.",
    ),
    "password": (
        "I forgot my {thing} password, how do I reset it?",
        "Use the link Forgot password on the sign in page.",
    ),
    "invoice": (
        "Please send the invoice of the {thing} again.",
        "Invoices are under Documents in your customer account.",
    ),
}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
THINGS = ("shoes", "jacket", "phone", "lamp", "table", "watch", "camera", "bag")


def transcripts(*things: str, prefix: str = "d") -> str:
    """A dialogue a line: each thing in each matter, with thanks at its end."""
    lines = []
    for name, (question, answer) in MATTERS.items():
        for number, thing in enumerate(things):
            said = [
                {"role": "user", "content": "Hello"},
                {"role": "agent", "content": "Hi, how can I help you?"},
                {"role": "user", "content": question.format(thing=thing)},
                {"role": "agent", "content": f"{answer} Is there anything else?"},
                {"role": "user", "content": "No, thanks a lot!"},
            ]
            lines.append(json.dumps({"id": f"{prefix}-{name}-{number}", "user": f"u{number}", "messages": said}))
    return "\n".join(lines)


def post(http: httpx2.Client, path: str, body: Body) -> Body:
    response = http.post(f"/v1{path}", json=body)
    assert response.status_code == 200, response.text
    answer: Body = response.json()
    return answer


def get(http: httpx2.Client, path: str) -> Body:
    response = http.get(f"/v1{path}")
    assert response.status_code == 200, response.text
    answer: Body = response.json()
    return answer


def done(http: httpx2.Client, desk: str, work: str, body: Body) -> Body:
    """The task, when it has ended."""
    task = post(http, f"/support_desks/{desk}/{work}", body)

    def ended() -> bool:
        nonlocal task
        task = get(http, f"/support_desks/{desk}/tasks/{task['id']}")
        return bool(task["status"] != "queued")

    eventually(ended, patience=240)
    return task


def new_desk(http: httpx2.Client, **fields: Any) -> str:
    return str(post(http, "/support_desks", {"name": "Shop", "embedder": "hashed", "model": "script", **fields})["id"])


def proposals(http: httpx2.Client, desk: str, kind: str) -> list[Body]:
    return list(get(http, f"/support_desks/{desk}/proposals?kind={kind}&limit=100&order=asc")["data"])


_PUBLISHED: dict[str, tuple[str, str]] = {}


@pytest.fixture
def published(http: httpx2.Client) -> tuple[str, str]:
    """A desk with its assistant, the same for all tests of a server."""
    where = str(http.base_url)
    if where not in _PUBLISHED:
        desk = new_desk(http)
        assert done(http, desk, "imports", {"text": transcripts(*THINGS), "held_out": 0})["status"] == "completed"
        task = done(http, desk, "publish", {"accept": 3})
        assert task["status"] == "completed", task
        assert task["result"]["accepted"]["intent"] == 4
        _PUBLISHED[where] = desk, task["result"]["assistant"]
    return _PUBLISHED[where]


def test_an_import_proposes_intents_with_their_answers_and_a_second_one_never_overwrites(http: httpx2.Client) -> None:
    desk = new_desk(http)
    given = (
        transcripts(*THINGS[:6])
        + "\nnot json\n"
        + json.dumps({"id": "x", "messages": [{"role": "user", "content": "Hi"}]})
    )
    result = done(http, desk, "imports", {"text": given, "held_out": 0})["result"]
    assert (result["added"], result["refused"], result["pairs"]) == (24, 2, 24)
    assert [fault["line"] for fault in result["faults"]] == [25, 26]
    intents = proposals(http, desk, "intent")
    assert len(intents) == 4 and all(one["support"] == 6 for one in intents)
    texts = {one["content"]["text"] for one in proposals(http, desk, "answer")}
    assert texts == {answer for _, answer in MATTERS.values()}

    refund = next(one for one in intents if any("refund" in text for text in one["content"]["examples"]))
    other = next(one for one in intents if one is not refund)
    path = f"/support_desks/{desk}/proposals/{refund['id']}"
    edited = post(http, path, {"content": {**refund["content"], "examples": ["Money back, please"]}, "name": "refund"})
    assert (edited["status"], edited["edited"]) == ("edited", True)

    again = done(http, desk, "imports", {"text": transcripts(*THINGS[:6]), "held_out": 0})["result"]
    assert (again["added"], again["here_before"]) == (0, 24)
    assert get(http, path) == edited
    assert (
        done(http, desk, "imports", {"text": transcripts(*THINGS[6:], prefix="e"), "least": 2, "held_out": 0})[
            "result"
        ]["added"]
        == 8
    )
    kept = get(http, path)
    assert kept["content"]["examples"] == ["Money back, please"] and kept["name"] == "refund"
    grown = get(http, f"/support_desks/{desk}/proposals/{other['id']}")
    assert len(grown["content"]["examples"]) > len(other["content"]["examples"])


def test_personal_data_is_masked_before_anything_is_kept(http: httpx2.Client) -> None:
    desk = new_desk(http)
    said = transcripts(*THINGS[:3]).replace("shoes", "bob@example.com")
    result = done(http, desk, "imports", {"text": said, "held_out": 0})["result"]
    assert result["masked"] >= 4
    shown = http.get(f"/v1/support_desks/{desk}/proposals?limit=100").text
    assert "bob@example.com" not in shown and "EMAIL" in shown


def test_what_is_accepted_is_published_and_answers_what_it_knows(
    http: httpx2.Client, client: OpenAI, published: tuple[str, str]
) -> None:
    place, assistant = published
    desk = get(http, f"/support_desks/{place}")["published"]
    assert client.vector_stores.retrieve(desk["vector_store"]).id == desk["vector_store"]
    domain = get(http, f"/domains/{desk['domain']}")
    assert domain["metadata"] == {"support_desk": place} and domain["understander"]["type"] == "in_context"
    assert sum(domain["understander"]["follows"][""].values()) == sum(domain["understander"]["often"].values()) == 32
    versions = f"/datasets/{desk['dataset']}/versions"
    eventually(lambda: get(http, versions)["data"])
    assert get(http, versions)["data"][-1]["examples"] == 32

    run = asked(client, assistant, "When do I get the refund for my lamp back?")
    assert answers(client, run) == [MATTERS["refund"][1]]
    again = done(http, place, "publish", {})["result"]
    assert (again["version"], again["domain"]) == (desk["version"] + 1, desk["domain"])


def asked(client: OpenAI, assistant: str, text: str) -> Any:
    thread = client.beta.threads.create(messages=[{"role": "user", "content": text}])
    return at_rest(client, client.beta.threads.runs.create(thread.id, assistant_id=assistant))


def test_a_risk_is_handed_over_and_the_agents_answer_reaches_the_user_the_feedback_and_the_proposals(
    http: httpx2.Client, client: OpenAI, published: tuple[str, str]
) -> None:
    desk, assistant = published
    run = asked(client, assistant, "When do I get the refund for my lamp back? My lawyer will take legal action!")
    (call,) = calls_of(run)
    given = json.loads(call.function.arguments)
    assert (call.function.name, given["reason"]) == ("handoff", "law")
    assert "lawyer" in given["summary"]
    assert MATTERS["refund"][1] in [one["text"] for one in given["suggestions"]]

    queue = get(http, f"/support_desks/{desk}/handoffs?status=open&limit=100")["data"]
    (handoff,) = [one for one in queue if one["run_id"] == run.id]
    path = f"/support_desks/{desk}/handoffs/{handoff['id']}"
    assert post(http, f"{path}/claim", {"agent": "ann"})["status"] == "claimed"
    assert_refused(http.post(f"/v1{path}/claim", json={"agent": "bob"}), 400)
    said = post(http, f"{path}/answer", {"agent": "ann", "text": "I have paid it out today."})
    assert said["status"] == "answered"
    assert answers(client, at_rest(client, run)) == ["I have paid it out today."]
    assert post(http, f"{path}/answer", {"agent": "ann", "text": "I have paid it out today."}) == said

    feedback = get(http, f"/feedback/{said['feedback']}")
    assert feedback["correction"]["text"] == "I have paid it out today."
    learned = [one for one in proposals(http, desk, "article") if one["origin"] == handoff["id"]]
    assert [one["content"]["text"] for one in learned] == ["I have paid it out today."]


def test_who_asks_for_a_person_gets_one_and_a_run_without_the_function_says_so(
    http: httpx2.Client, client: OpenAI, published: tuple[str, str]
) -> None:
    desk, assistant = published
    run = asked(client, assistant, "I want to speak to an agent")
    assert json.loads(calls_of(run)[0].function.arguments)["reason"] == "asked"
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "I want to speak to an agent"}])
    bare = at_rest(client, client.beta.threads.runs.create(thread.id, assistant_id=assistant, tools=[]))
    assert bare.status == "completed" and get(http, f"/threads/{thread.id}/state")["handed_over"]
    (handoff,) = [
        one for one in get(http, f"/support_desks/{desk}/handoffs?limit=100")["data"] if one["run_id"] == bare.id
    ]
    post(http, f"/support_desks/{desk}/handoffs/{handoff['id']}/answer", {"agent": "ann", "text": "Here I am."})
    assert answers(client, bare)[-1:] != ["Here I am."]
    newest = client.beta.threads.messages.list(thread.id).data[0]
    assert newest.content[0].text.value == "Here I am."  # type: ignore[union-attr]
    assert not get(http, f"/threads/{thread.id}/state")["handed_over"]


def test_a_handoff_goes_back_to_the_queue_or_to_the_assistant(
    http: httpx2.Client, client: OpenAI, published: tuple[str, str]
) -> None:
    desk, assistant = published
    run = asked(client, assistant, "I want to speak to an agent")
    (handoff,) = [one for one in handoffs(http, desk) if one["run_id"] == run.id]
    path = f"/support_desks/{desk}/handoffs/{handoff['id']}"
    post(http, f"{path}/claim", {"agent": "ann"})
    assert_refused(http.post(f"/v1{path}/return", json={"agent": "bob"}), 400)
    back = post(http, f"{path}/return", {"agent": "ann"})
    assert (back["status"], back["agent"]) == ("open", None)
    assert post(http, f"{path}/claim", {"agent": "bob"})["agent"] == "bob"
    given = post(http, f"{path}/return", {"agent": "bob", "to": "assistant"})
    assert given["status"] == "returned"
    rested = at_rest(client, run)
    assert rested.status == "completed"
    assert_refused(http.post(f"/v1{path}/claim", json={"agent": "ann"}), 400)
    more: Any = {"role": "user", "content": "When do I get the refund for my lamp back?"}
    client.beta.threads.messages.create(run.thread_id, **more)
    again = at_rest(client, client.beta.threads.runs.create(run.thread_id, assistant_id=assistant))
    assert answers(client, again) == [MATTERS["refund"][1]]


def handoffs(http: httpx2.Client, desk: str) -> list[Body]:
    return list(get(http, f"/support_desks/{desk}/handoffs?limit=100")["data"])


def test_what_is_missing_is_asked_for_and_a_new_question_is_answered_from_passages_that_are_cited(
    http: httpx2.Client, client: OpenAI
) -> None:
    desk = new_desk(http)
    passage = "Gift cards can be spent within three years from the day on which they were bought."
    for kind, name, content in (
        ("slot", "order_number", {"type": "text", "prompt": "What is your order number?"}),
        ("answer", "send_back", {"text": "Send {order_number} back with the label that is in the parcel."}),
        ("intent", "send_back", {"examples": RETURNS, "answer": "send_back", "slots": ["order_number"]}),
        ("article", "gift_cards", {"title": "How long can gift cards be spent?", "text": passage}),
    ):
        post(http, f"/support_desks/{desk}/proposals", {"kind": kind, "name": name, "content": content})
    assistant = done(http, desk, "publish", {})["result"]["assistant"]

    run = asked(client, assistant, RETURNS[0])
    assert answers(client, run) == ["What is your order number?"]
    reply: Any = {"role": "user", "content": "A-1234"}
    client.beta.threads.messages.create(run.thread_id, **reply)
    run = at_rest(client, client.beta.threads.runs.create(run.thread_id, assistant_id=assistant))
    assert answers(client, run) == ["Send A-1234 back with the label that is in the parcel."]

    file = get(http, f"/support_desks/{desk}")["published"]["file"]
    run = asked(client, assistant, f"How long can gift cards be spent? {passage}")
    (message,) = client.beta.threads.messages.list(run.thread_id, run_id=run.id).data
    assert {note.file_citation.file_id for note in message.content[0].text.annotations} == {file}  # type: ignore[union-attr]


RETURNS = [
    "I want to send my shoes back",
    "How do I send an order back?",
    "I would like to send back what I ordered",
    "Can I send this jacket back to you?",
    "Send my parcel back please",
]


def test_exports_and_our_own_threads_are_imported_and_a_bad_row_is_told_by_its_line(
    http: httpx2.Client, client: OpenAI
) -> None:
    desk = new_desk(http)
    ticket = {
        "id": 1,
        "requester_id": 7,
        "comments": [
            {"author_id": 7, "plain_body": "Where is my parcel?"},
            {"author_id": 9, "body": "psst", "public": False},
            {"author_id": 9, "html_body": "<p>It comes tomorrow.</p>"},
        ],
    }
    lines = [json.dumps(ticket), "{broken", json.dumps({**ticket, "id": 2, "comments": []})]
    zendesk = done(http, desk, "imports", {"text": "\n".join(lines), "format": "zendesk", "held_out": 0})["result"]
    assert (zendesk["added"], zendesk["pairs"], [one["line"] for one in zendesk["faults"]]) == (1, 1, [2, 3])
    talk = {
        "id": "c1",
        "source": {"body": "<p>Can I pay by card?</p>", "author": {"type": "user", "id": "u"}},
        "conversation_parts": {
            "conversation_parts": [{"part_type": "comment", "body": "Yes, you can.", "author": {"type": "admin"}}]
        },
    }
    given = json.dumps([talk, {"id": "c2", "source": {}}])
    intercom = done(http, desk, "imports", {"text": given, "format": "intercom", "held_out": 0})["result"]
    assert (intercom["added"], intercom["pairs"], [one["line"] for one in intercom["faults"]]) == (1, 1, [2])
    thread = client.beta.threads.create(
        messages=[{"role": "user", "content": "Is it wool?"}, {"role": "assistant", "content": "It is cotton."}]
    ).id
    silent = client.beta.threads.create(messages=[{"role": "user", "content": "Hello?"}]).id
    own = done(http, desk, "imports", {"threads": {"ids": [thread, silent, "thread_none"]}, "held_out": 0})["result"]
    assert (own["added"], own["pairs"]) == (1, 1)
    again = done(http, desk, "imports", {"threads": {"ids": [thread]}, "held_out": 0})["result"]
    assert (again["added"], again["here_before"]) == (0, 1)


def test_answers_that_transcripts_label_are_intents_by_their_labels_and_judged_by_them(http: httpx2.Client) -> None:
    desk = new_desk(http)

    def lines(name: str, count: int, *, label: str) -> list[str]:
        """Dialogues whose answers differ in all words, and have the same label."""
        question, _ = MATTERS[name]
        said = [
            [
                {"role": "user", "content": question.format(thing=THINGS[number])},
                {"role": "agent", "content": f"{THINGS[number]} {number}", "label": label},
            ]
            for number in range(count)
        ]
        return [json.dumps({"id": f"{label}-{number}", "messages": one}) for number, one in enumerate(said)]

    known = [
        *lines("refund", 6, label="money back"),
        *lines("parcel", 6, label="track"),
        *lines("invoice", 2, label="pdf"),
    ]
    result = done(http, desk, "imports", {"text": "\n".join(known), "held_out": 0})["result"]
    intents = {one["name"]: one["content"] for one in proposals(http, desk, "intent")}
    assert {name: one["labels"] for name, one in intents.items()} == {
        "money_back": ["money back"],
        "track": ["track"],
        "other": [],
    }
    assert len(intents["other"]["examples"]) == 2 and intents["other"]["answer"] is None
    assert result["proposed"]["answer"] == 2
    one = lines("refund", 7, label="money back")[-1:]
    assert done(http, desk, "imports", {"text": one[0], "held_out": 0})["result"]["grown"] == 1
    more = [line.replace('"id": "', '"id": "e') for line in lines("refund", 8, label="money back")]
    assert done(http, desk, "imports", {"text": "\n".join(more), "held_out": 1})["result"]["mined"] == 0
    done(http, desk, "publish", {"accept": 2})
    made = done(http, desk, "evaluations", {})["result"]
    assert (made["matters"], made["with_a_template"], made["recall"]["desk"]["@1"]) == (8, 8, 1.0)


def test_outside_of_working_hours_the_user_is_told_when_people_are_back(
    http: httpx2.Client, client: OpenAI, published: tuple[str, str]
) -> None:
    desk, assistant = published
    tomorrow = DAYS[(datetime.now(UTC).weekday() + 1) % 7]
    hours = {"days": {tomorrow: ["22:00", "23:00"]}, "message": {"en": "We are back at {opens}."}}
    post(http, f"/support_desks/{desk}", {"hours": hours})
    try:
        run = asked(client, assistant, "I want to speak to an agent")
        assert answers(client, run)[0].startswith("We are back at 20")
        (handoff,) = [
            one for one in get(http, f"/support_desks/{desk}/handoffs?limit=100")["data"] if one["run_id"] == run.id
        ]
        assert handoff["status"] == "open" and handoff["opens_at"] is not None
    finally:
        post(http, f"/support_desks/{desk}", {"hours": None})


def test_dialogues_that_are_held_out_are_replayed_through_what_is_published(http: httpx2.Client) -> None:
    desk = new_desk(http)
    assert "publish" in done(http, desk, "evaluations", {})["error"].lower()
    result = done(http, desk, "imports", {"text": transcripts(*THINGS), "held_out": 0.3, "least": 2})["result"]
    assert 0 < result["mined"] < result["pairs"]
    done(http, desk, "publish", {"accept": 2})
    made = done(http, desk, "evaluations", {"cost_of_contact": 3})["result"]
    assert made["matters"] == result["pairs"] - result["mined"] == made["with_a_template"]
    assert made["recall"]["desk"]["@1"] >= 0.75
    assert sum(made["shares"].values()) == pytest.approx(1, abs=0.01)
    assert len(made["curve"]) == 21 and made["curve"][0]["answered"] >= made["curve"][-1]["answered"]


def test_a_deleted_end_user_is_gone_from_dialogues_proposals_and_the_queue(
    http: httpx2.Client, client: OpenAI, published: tuple[str, str]
) -> None:
    said = transcripts("hovercraft", prefix="f").replace('"u0"', '"dora"')
    desk = new_desk(http)
    done(http, desk, "imports", {"text": f"{transcripts(*THINGS[:4])}\n{said}", "held_out": 0})
    assert "hovercraft" in http.get(f"/v1/support_desks/{desk}/proposals?limit=100").text
    place, assistant = published
    message: Any = [{"role": "user", "content": "My hovercraft lawyer will call"}]
    thread = client.beta.threads.create(messages=message, metadata={"user": "dora"})
    run = at_rest(client, client.beta.threads.runs.create(thread.id, assistant_id=assistant))
    client.beta.threads.runs.cancel(run.id, thread_id=thread.id)
    assert "hovercraft" in http.get(f"/v1/support_desks/{place}/handoffs?limit=100").text

    exported = [json.loads(line) for line in http.get("/v1/end_users/dora/export").text.splitlines()]
    told = [line["kind"] for line in exported if "hovercraft" in json.dumps(line["data"])]
    assert told.count("support_dialogue") == 4 and told.count("support_handoff") == 1
    gone = http.delete("/v1/end_users/dora").json()
    assert gone["counts"]["support_dialogues"] == 4 and gone["counts"]["support_handoffs"] == 1, gone
    assert "hovercraft" not in http.get(f"/v1/support_desks/{desk}/proposals?limit=100").text
    assert "hovercraft" not in http.get(f"/v1/support_desks/{place}/handoffs?limit=100").text


def test_what_can_not_be_is_refused_with_what_would_be_right(http: httpx2.Client) -> None:
    desk = new_desk(http)
    assert_refused(http.post(f"/v1/support_desks/{desk}/imports", json={}), 400, code="invalid_value")
    assert_refused(
        http.post("/v1/support_desks", json={"name": "x", "risks": [{"name": "r", "pattern": "("}]}),
        400,
        param="risks[0].pattern",
        code="invalid_value",
    )
    task = done(http, desk, "publish", {})
    assert task["status"] == "failed" and "Import transcripts" in task["error"]
    few = done(http, desk, "imports", {"text": transcripts(*THINGS[:2]), "held_out": 0})["result"]
    assert few["proposed"]["intent"] == 0 and "2 matters are the most that are alike" in few["notes"][0]
    again = done(http, desk, "imports", {"text": transcripts(*THINGS[:2]), "held_out": 0})["result"]
    assert "here before" in again["notes"][0]
    task = done(http, desk, "publish", {"accept": 50})
    assert "none" not in task["error"] and ("the most is 1" in task["error"] or "nothing is proposed" in task["error"])
    task = done(http, desk, "evaluations", {})
    assert "Publish" in task["error"]
    bad = done(http, desk, "imports", {"text": "a,b\n1,2\n"})
    assert bad["status"] == "failed" and "id,role,text" in bad["error"]
    assert_refused(http.get(f"/v1/support_desks/{desk}/handoffs/hand_none"), 404)


def test_a_desk_is_deleted_with_all_that_is_kept_of_it(http: httpx2.Client) -> None:
    desk = new_desk(http)
    done(http, desk, "imports", {"text": transcripts(*THINGS[:3]), "held_out": 0})
    assert http.delete(f"/v1/support_desks/{desk}").json()["deleted"]
    assert_refused(http.get(f"/v1/support_desks/{desk}/proposals"), 404)
