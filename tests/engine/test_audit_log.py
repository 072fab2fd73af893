"""The audit log: what can't be taken back or opens a door is in it, with who, when and from where; and nothing changes it."""

import json
import time
from pathlib import Path
from typing import Any

import openai
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from tests.conftest import StartServer
from tests.engine.conftest import Place
from tests.engine.test_limits import HI, SCRIPT, sdk
from tests.harness.clients import Clients
from zhuli.server.doors.audited import event_of
from zhuli.server.http import _routes
from zhuli.testing.clock import EPOCH

HAVE_NONE = {
    # What projects work with, made and overwritten: it can be made and overwritten again.
    *("assistants", "assistants/{assistant_id}", "threads", "threads/{thread_id}", "threads/{thread_id}/messages"),
    *("threads/{thread_id}/messages/{message_id}", "threads/{thread_id}/state", "chat/completions/{completion_id}"),
    *("files", "uploads", "uploads/{upload_id}/parts", "uploads/{upload_id}/complete", "uploads/{upload_id}/cancel"),
    *("vector_stores", "vector_stores/{vector_store_id}", "vector_stores/{vector_store_id}/files"),
    *("vector_stores/{vector_store_id}/files/{file_id}", "vector_stores/{vector_store_id}/file_batches"),
    *("vector_stores/{vector_store_id}/file_batches/{batch_id}/cancel", "domains", "domains/{domain_id}"),
    *("domains/import", "domains/{domain_id}/examples", "datasets", "datasets/{dataset_id}/entries"),
    *("datasets/{dataset_id}/imports", "datasets/{dataset_id}/versions", "evals", "evals/{eval_id}"),
    *("feedback", "feedback/batches", "feedback/imports", "feedback/{feedback_id}/reviews", "recommenders"),
    *("recommenders/{recommender_id}/items", "recommenders/{recommender_id}/events", "support_desks"),
    *(
        "support_desks/{desk_id}",
        "support_desks/{desk_id}/proposals",
        "support_desks/{desk_id}/proposals/{proposal_id}",
    ),
    *("support_desks/{desk_id}/imports", "opinion_monitors/{monitor_id}/items"),
    *("opinion_monitors/{monitor_id}/alerts/{alert_id}/acknowledge",),
    *("opinion_monitors/{monitor_id}/alerts/{alert_id}/silence",),
    *("conversations", "conversations/{conversation_id}", "conversations/{conversation_id}/items"),
    # Work that is begun, and stopped, every day.
    *("responses", "responses/{response_id}/cancel"),
    *("threads/runs", "threads/{thread_id}/runs", "threads/{thread_id}/runs/{run_id}"),
    *("threads/{thread_id}/runs/{run_id}/cancel", "threads/{thread_id}/runs/{run_id}/submit_tool_outputs"),
    *(
        "fine_tuning/jobs",
        "fine_tuning/jobs/{fine_tuning_job_id}/pause",
        "fine_tuning/jobs/{fine_tuning_job_id}/resume",
    ),
    *("audits", "evals/{eval_id}/runs", "evals/{eval_id}/runs/{run_id}", "evals/{eval_id}/runs/{run_id}/cancel"),
    *("recommenders/{recommender_id}/trainings", "support_desks/{desk_id}/evaluations"),
    *("datasets/{dataset_id}/label_noise", "datasets/{dataset_id}/weak_labels", "domains/{domain_id}/test"),
    # What only asks, or is refused here.
    *("chat/completions", "completions", "embeddings", "moderations", "predictions", "understandings", "domains/check"),
    *("evals/{eval_id}/comparisons", "vector_stores/{vector_store_id}/search", "recommenders/{recommender_id}/similar"),
    *("recommenders/{recommender_id}/recommendations", "fine_tuning/alpha/graders/run"),
    *("fine_tuning/alpha/graders/validate", "fine_tuning/checkpoints/{checkpoint}/permissions"),
}
"""Paths whose POST leaves no entry. A new route that writes is either here, with a reason, or in server/doors/audited."""


def test_each_route_that_writes_has_an_entry_or_a_reason_to_have_none() -> None:
    writing = {(method, route.path) for route in _routes() for method in (route.methods or set()) - {"GET", "HEAD"}}
    without = {(method, path.removeprefix("/v1/")) for method, path in writing if event_of(method, path) is None}
    assert without == {("POST", path) for path in HAVE_NONE}
    assert event_of("DELETE", "/v1/threads/{thread_id}/messages/{message_id}") == "thread.message.deleted"
    assert event_of("DELETE", "/v1/model_aliases/{alias}") == "model_alias.deleted"


async def test_a_request_that_can_not_be_taken_back_is_written_down(place: Place) -> None:
    async with place.app(SCRIPT) as app, sdk(app) as client:
        assistant = await client.beta.assistants.create(model="script")
        thread = await client.beta.threads.create(messages=HI)
        with pytest.raises(openai.NotFoundError):
            await client.beta.assistants.delete("asst_x")
        deleted = await client.beta.assistants.with_raw_response.delete(assistant.id)
        app.clock.move(10)
        await client.beta.threads.delete(thread.id)
        page: Any = await client.admin.organization.audit_logs.list()
        newest, first = page.data
        assert (newest.type, first.type) == ("thread.deleted", "assistant.deleted")
        assert first.to_dict()["assistant.deleted"]["id"] == assistant.id
        assert (first.effective_at, newest.effective_at) == (int(EPOCH), int(EPOCH) + 10)
        assert first.actor.type == "session"
        assert first.actor.session.ip_address == "127.0.0.1"
        assert first.to_dict()["request_id"] == deleted.headers["x-request-id"]
        assert first.project.name == "default"
        listed = client.admin.organization.audit_logs.list
        assert [one.id async for one in listed(limit=1)] == [newest.id, first.id]
        types: Any = ["assistant.deleted"]
        for asked in (
            {"event_types": types},
            {"effective_at": {"lt": int(EPOCH) + 10}},
            {"resource_ids": [assistant.id]},
        ):
            assert [one.id for one in (await listed(**asked)).data] == [first.id]
        assert not (await listed(effective_at={"gt": int(EPOCH) + 10})).data
        assert not (await listed(project_ids=["proj_x"])).data
        with pytest.raises(openai.NotFoundError):
            await listed(after="audit_log_x")


async def test_an_entry_can_not_be_changed(place: Place) -> None:
    def change(connection: Connection) -> None:
        connection.execute(text("UPDATE audit_log SET body = '{}'"))

    async with place.app(SCRIPT) as app, sdk(app) as client:
        await client.beta.threads.delete((await client.beta.threads.create()).id)
        with pytest.raises(DBAPIError, match="append-only"):
            await app.app.database.run(change)
        assert len((await client.admin.organization.audit_logs.list()).data) == 1


def test_commands_are_written_down_and_all_is_exported(
    start_server: StartServer, clients: Clients, tmp_path: Path
) -> None:
    server = start_server(fresh=True)
    began = int(time.time())
    secret = server.cli("keys", "create", "--project", "shop", "--scope", "admin").split()[-1]
    key = next(word for word in server.cli("keys", "list").split() if word.startswith("key_"))
    server.cli("keys", "limit", key, "requests_per_minute=100")
    server.cli("keys", "rotate", key)
    client = clients.sdk(server, key=secret).with_options(admin_api_key=secret)
    client.beta.threads.delete(client.beta.threads.create().id)
    other = server.cli("keys", "create", "--project", "other").split()[-1]
    seen = clients.sdk(server, key=other).with_options(admin_api_key=other).admin.organization.audit_logs.list().data
    assert [one.type for one in seen] == ["api_key.created"]  # its own project's, and no other's
    server.cli("keys", "revoke", key)
    assert "api_key.deleted" in server.cli("audit-log")
    assert "6 entries" in server.cli("audit-log", "--export", str(tmp_path / "log.jsonl"), "--project", "shop")
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [one["type"] for one in entries] == [
        *("api_key.created", "rate_limit.updated", "api_key.created", "api_key.updated"),
        *("thread.deleted", "api_key.deleted"),
    ]
    assert entries[0]["api_key.created"]["id"] == key
    assert entries[0]["command"] == "keys create"
    assert entries[0]["actor"]["session"]["user"]["id"]
    assert entries[1]["rate_limit.updated"] == {"id": key, "changes_requested": {"requests_per_minute": 100}}
    assert entries[4]["actor"]["api_key"]["id"] == key
    assert all(one["effective_at"] >= began for one in entries)
    assert secret not in (tmp_path / "log.jsonl").read_text()
