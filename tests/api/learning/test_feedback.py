"""/v1/feedback: what is said of answers is kept once, reviewed by people, and its reviews can be held against each other."""

import json
from typing import Any

import httpx2
import openai
import pytest

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.refusals import assert_refused
from tests.harness.server import Server

Body = dict[str, Any]

CONTEXT = {
    "model": "m",
    "task": "text_classification",
    "input": "Where is it?",
    "output": [{"label": "a", "score": 0.6}],
}


@pytest.fixture
def message(client: openai.OpenAI) -> Body:
    """A target."""
    thread = client.beta.threads.create()
    made = client.beta.threads.messages.create(thread.id, role="assistant", content="It is on its way.")
    return {"type": "message", "id": made.id}


def on_prediction(name: str = "pred_1", **fields: Any) -> Body:
    return {"target": {"type": "prediction", "id": name}, "context": CONTEXT, **fields}


def give(http: httpx2.Client, body: Body, **headers: str) -> Body:
    response = http.post("/v1/feedback", json=body, headers=headers)
    assert response.status_code == 200, response.text
    given: Body = response.json()
    return given


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def review(http: httpx2.Client, feedback: Body, reviewer: str, state: str, **fields: Any) -> Body:
    body = {"reviewer": reviewer, "state": state, **fields}
    response = http.post(f"/v1/feedback/{feedback['id']}/reviews", json=body)
    assert response.status_code == 200, response.text
    reviewed: Body = response.json()
    return reviewed


def test_feedback_keeps_what_was_answered_and_is_found_by_its_target(http: httpx2.Client, message: Body) -> None:
    given = give(http, {"target": message, "verdict": "down", "comment": "No.", "user": "u1", "labels": ["late"]})
    assert given["id"].startswith("fb_")
    assert (given["state"], given["weight"], given["context"]["output"]) == ("new", 1.0, "It is on its way.")
    lineage = {"examples": [], "versions": [], "jobs": [], "models": []}
    assert http.get(f"/v1/feedback/{given['id']}").json() == {**given, "lineage": lineage}
    assert http.get("/v1/feedback", params={"target_id": message["id"]}).json()["data"] == [given]
    assert http.get("/v1/feedback", params={"target_id": message["id"], "state": "accepted"}).json()["data"] == []


def test_a_key_makes_feedback_one_however_often_it_is_sent(http: httpx2.Client, message: Body) -> None:
    body = {"target": message, "grade": 4, "key": f"app-{message['id']}"}
    first = give(http, body)
    assert give(http, body) == first
    batch = http.post("/v1/feedback/batches", json={"data": [body, body, {**body, "key": f"b-{message['id']}"}]}).json()
    assert [item["id"] == first["id"] for item in batch["data"]] == [True, True, False]
    other = http.post("/v1/feedback", json={**body, "user": "somebody else"})
    assert_refused(other, 400, param="key", code="key_reused")
    again = {"idempotency-key": f"k-{message['id']}"}
    assert give(http, {"target": message, "grade": 1}, **again) == give(http, {"target": message, "grade": 1}, **again)


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"target": {"type": "prediction", "id": "pred_x"}, "verdict": "up"}, "context", "missing_required_parameter"),
        (on_prediction(), None, "invalid_value"),
        (on_prediction(verdict="sideways"), "verdict", "invalid_value"),
        (on_prediction(grade=6), "grade", "integer_above_max_value"),
        (on_prediction(correction={}), "correction", "invalid_value"),
        (
            on_prediction(correction={"spans": [{"start": 3, "end": 3, "label": "x"}]}),
            "correction.spans[0]",
            "invalid_value",
        ),
        (on_prediction(source="signal", signal="copied", verdict="up"), None, "invalid_value"),
        (on_prediction(verdict="up", signal="copied"), None, "invalid_value"),
    ],
)
def test_what_can_t_be_is_refused_by_name(http: httpx2.Client, body: Body, param: str | None, code: str) -> None:
    assert_refused(http.post("/v1/feedback", json=body), 400, param=param, code=code)


def test_a_batch_is_taken_whole_or_not_at_all(http: httpx2.Client, message: Body) -> None:
    lost = {"target": {"type": "run", "id": "run_none"}, "verdict": "up"}
    response = http.post("/v1/feedback/batches", json={"data": [{"target": message, "verdict": "up"}, lost]})
    assert_refused(response, 404, param="data[1].target.id")
    assert http.get("/v1/feedback", params={"target_id": message["id"]}).json()["data"] == []


def test_reviews_are_a_log_and_those_who_disagree_are_shown(http: httpx2.Client) -> None:
    given = give(http, on_prediction(verdict="down", correction={"label": "b"}))
    assert review(http, given, "ann", "accepted")["state"] == "accepted"
    torn = review(http, given, "bo", "corrected", correction={"label": "c"})
    assert (torn["state"], torn["disagreement"]) == ("corrected", True)
    settled = review(http, given, "cy", "rejected", final=True)
    assert (settled["state"], settled["disagreement"]) == ("rejected", False)
    assert [(one["reviewer"], one["state"]) for one in settled["reviews"]] == [
        ("ann", "accepted"),
        ("bo", "corrected"),
        ("cy", "rejected"),
    ]
    lost = http.post("/v1/feedback/fb_none/reviews", json={"reviewer": "ann", "state": "accepted"})
    assert_refused(lost, 404)
    bare = http.post(f"/v1/feedback/{given['id']}/reviews", json={"reviewer": "ann", "state": "corrected"})
    assert_refused(bare, 400, code="invalid_value")


def test_a_signal_is_a_suggestion_with_a_weight_of_its_own(http: httpx2.Client, message: Body) -> None:
    given = give(http, {"target": message, "source": "signal", "signal": "copied"})
    assert (given["verdict"], given["suggests"], given["state"]) == (None, "up", "new")
    assert 0 < given["weight"] < 1


def test_a_file_is_imported_once_and_its_faults_are_told_by_line(
    http: httpx2.Client, client: openai.OpenAI, message: Body
) -> None:
    rows = [
        {"target": message, "verdict": "up", "comment": "ja, 好"},
        {"target": message, "verdict": "perhaps"},
        {"target": message, "correction": {"text": "It has arrived."}},
    ]
    lines = "\n".join([*(json.dumps(row) for row in rows), "{broken"])
    uploaded = client.files.create(file=("said.jsonl", lines.encode()), purpose="user_data")
    report = http.post("/v1/feedback/imports", json={"file": uploaded.id}).json()
    assert (report["added"], report["repeated"], report["refused"]) == (2, 0, 2)
    assert [fault["line"] for fault in report["faults"]] == [2, 4]
    assert "perhaps" in report["faults"][0]["message"]
    assert http.post("/v1/feedback/imports", json={"file": uploaded.id}).json()["repeated"] == 2

    table = f"target_type,target_id,grade,label,labels\nmessage,{message['id']},5,,kind;short\nmessage,{message['id']},,a,\n"
    uploaded = client.files.create(file=("said.csv", table.encode()), purpose="user_data")
    assert http.post("/v1/feedback/imports", json={"file": uploaded.id}).json()["added"] == 2
    found = http.get("/v1/feedback", params={"target_id": message["id"]}).json()["data"]
    assert (found[1]["grade"], found[1]["labels"], found[0]["correction"]["label"]) == (5, ["kind", "short"], "a")


def test_a_key_of_end_users_gives_feedback_and_opens_nothing_else(clients: Clients, start_server: StartServer) -> None:
    server: Server = start_server(name="with keys")
    app = server.cli("keys", "create", "--project", "anyone", "--scope", "feedback").split()[-1]
    owner = clients.http(server, headers=bearer(server.new_key("anyone")))
    http = clients.http(server, headers=bearer(app))
    secret = give(owner, on_prediction(verdict="up", comment="ours", user="u1", key="shared"))
    seen = give(http, on_prediction(verdict="up", user="u1", key="shared"))
    assert (seen["id"], seen["comment"], seen["context"]) == (secret["id"], None, None)
    assert_refused(
        http.post("/v1/feedback", json=on_prediction(verdict="up", source="reviewer")),
        403,
        param="source",
        code="insufficient_permissions",
    )
    for method, path in (
        ("GET", "/v1/feedback"),
        ("GET", f"/v1/feedback/{secret['id']}"),
        ("POST", f"/v1/feedback/{secret['id']}/reviews"),
        ("POST", "/v1/feedback/imports"),
        ("GET", "/v1/models"),
        ("POST", "/v1/threads"),
    ):
        assert_refused(http.request(method, path, json={}), 403, code="insufficient_permissions")
