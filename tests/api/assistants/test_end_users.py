"""Deleting an end user leaves nothing of them anywhere, and everything of everybody else; before, all of it can be exported."""

import asyncio
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection, select

from tests.harness.refusals import assert_refused
from tests.harness.server import Server
from tests.harness.waiting import eventually
from zhuli.core.hints import Hints
from zhuli.core.ids import new_id
from zhuli.store import schema
from zhuli.store.learning import predictions, retuning, served
from zhuli.store.learning.predictions import StoredPrediction
from zhuli.store.learning.served import Served
from zhuli.store.opening import open_database
from zhuli.store.projects import DEFAULT_PROJECT
from zhuli.types.learning.comparison import Said
from zhuli.types.learning.retuning import Decision

Body = dict[str, Any]
WORDS = "parcel card refund lost late broken street invoice night seven green window paper ticket".split()


def post(http: httpx2.Client, path: str, body: Body, **headers: str) -> Body:
    response = http.post(f"/v1{path}", json=body, headers=headers)
    assert response.is_success, response.text
    answer: Body = response.json()
    return answer


def get(http: httpx2.Client, path: str) -> Body:
    answer: Body = http.get(f"/v1{path}").json()
    return answer


def done(http: httpx2.Client, dataset: Body, work: str, body: Body) -> Body:
    task = post(http, f"/datasets/{dataset['id']}/{work}", body)
    path, found = f"/datasets/{dataset['id']}/tasks/{task['id']}", task

    def ended() -> bool:
        nonlocal found
        found = get(http, path)
        return bool(found["status"] != "queued")

    eventually(ended, patience=120)
    assert found["status"] == "completed", found
    return found


def in_database(server: Server, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    async def run() -> Any:
        database = open_database(server.database_url, Hints())
        try:
            return await database.run(function, *arguments, **named)
        finally:
            await database.aclose()

    return asyncio.run(run())


def _rows(connection: Connection) -> list[str]:
    found = []
    for table in schema.metadata.sorted_tables:
        for row in connection.execute(select(table)):
            cells = (cell.decode("latin-1") if isinstance(cell, bytes) else str(cell) for cell in row)
            found.append(f"{table.name}: {' | '.join(cells)}")
    return found


def everywhere(server: Server, marker: str) -> list[str]:
    """Rows of the database, and lines of files below the data folder, that have it. Not what this test bed itself records."""
    rows = [row for row in in_database(server, _rows) if marker in row]
    for path in server.folder.rglob("*"):
        if (
            path.is_file()
            and path.name not in ("requests.jsonl", "server.log")
            and not path.name.startswith("zhuli.db")
        ):
            lines = path.read_bytes().split(b"\n")
            rows += [f"{path}: {line[:200]!r}" for line in lines if marker.encode() in line]
    return sorted(rows)


class Person:
    """Somebody who does things at random; all of it has their marker."""

    def __init__(self, http: httpx2.Client, server: Server, chance: random.Random, assistant: str) -> None:
        self.http, self.server, self.chance, self.assistant = http, server, chance, assistant
        self.marker = f"zq{chance.getrandbits(48):012x}"
        self.user = f"u-{self.marker}"
        self.threads: list[str] = []

    def words(self) -> str:
        return f"{self.marker} {' '.join(self.chance.choices(WORDS, k=8))} {self.chance.random()}"

    def talks(self) -> None:
        sent = self.http.post(
            "/v1/files",
            files={"file": ("note.txt", self.words().encode())},
            data={"purpose": "assistants"},
        ).json()
        said = {
            "role": "user",
            "content": self.words(),
            "attachments": [{"file_id": sent["id"], "tools": [{"type": "file_search"}]}],
        }
        body = {"messages": [said], "metadata": {"user": self.user}}
        thread = post(self.http, "/threads", body, **{"Idempotency-Key": new_id("key")})
        post(self.http, f"/threads/{thread['id']}/messages", {"role": "assistant", "content": self.words()})
        run = post(self.http, f"/threads/{thread['id']}/runs", {"assistant_id": self.assistant})
        path = f"/threads/{thread['id']}/runs/{run['id']}"
        eventually(lambda: get(self.http, path)["status"] not in ("queued", "in_progress"), patience=60)
        message = get(self.http, f"/threads/{thread['id']}/messages?order=asc")["data"][0]
        on = {"type": "message", "id": message["id"]}
        post(self.http, "/feedback", {"target": on, "verdict": "down", "source": "reviewer", "comment": self.words()})
        self.threads.append(thread["id"])

    def gives_feedback(self) -> None:
        context = {"model": "m", "task": "text_classification", "input": self.words(), "output": [{"label": "x"}]}
        target = {"type": "prediction", "id": new_id("pred")}
        body = {"target": target, "verdict": "down", "user": self.user, "context": context, "comment": self.words()}
        given = post(self.http, "/feedback", body, **{"Idempotency-Key": new_id("key")})
        review = {"state": "corrected", "reviewer": "ann", "correction": {"label": self.chance.choice("ab")}}
        post(self.http, f"/feedback/{given['id']}/reviews", review)

    def chats(self) -> None:
        messages = [{"role": "user", "content": self.words()}]
        chosen = self.chance.choice([{"user": self.user}, {"metadata": {"user": self.user}}])
        post(self.http, "/chat/completions", {"model": "script", "messages": messages, "store": True, **chosen})

    def asks_a_model(self) -> None:
        asked = StoredPrediction(
            id=new_id("pred"), created_at=1, model="m", task="text_classification", input=self.words(), output=[]
        )
        in_database(self.server, predictions.add, DEFAULT_PROJECT, [asked], user=self.user)
        note = Served(DEFAULT_PROJECT, "alias", "m", "champion", 1.0, 0.1, text=self.words(), asked_by=self.user)
        in_database(self.server, served.add, [note])
        shown = {"id": asked.id, "text": note.text, "label": "a", "confidence": 0.9, "at": 1}
        drifted = Decision(
            id=new_id("dec"),
            alias="alias",
            candidate=None,
            kind="drifted",
            by="policy",
            created_at=1,
            sentence=Said(en="It has drifted.", zh="已漂移。"),
            numbers={"messages": [shown], "groups": [{"name": "a b", "words": ["a", "b"], "examples": [note.text]}]},
        )
        in_database(self.server, retuning.decide, DEFAULT_PROJECT, drifted)

    def is_entered(self, dataset: Body) -> None:
        record = {"text": self.words(), "label": self.chance.choice("ab")}
        entry = {"kind": "add", "record": record}
        where = {"thread_id": self.chance.choice(self.threads)} if self.threads else {"user": self.user}
        made = post(self.http, f"/datasets/{dataset['id']}/entries", {"data": [{**entry, **where}]})["data"][0]
        relabel = {"kind": "relabel", "example": made["example"], "label": "b", "reviewer": "ann"}
        post(self.http, f"/datasets/{dataset['id']}/entries", {"data": [relabel]})


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_left_of_a_deleted_user_and_everything_of_others(
    http: httpx2.Client, server: Server, seed: int
) -> None:
    chance = random.Random(f"{seed}{server.database_url}")
    assistant = post(http, "/assistants", {"model": "gpt-4o-mini"})["id"]
    one, other = (Person(http, server, chance, assistant) for _ in range(2))
    intents = post(http, "/datasets", {"name": "intents", "task": "text_classification"})
    chats = post(http, "/datasets", {"name": "chats", "task": "dialogue"})
    for person in (one, other):
        person.talks()
        person.gives_feedback()
        acts: list[Callable[[], None]] = [person.chats, person.asks_a_model, person.gives_feedback]
        for act in chance.sample(acts, 2):
            act()
        for _ in range(4):
            person.is_entered(intents)
    done(http, intents, "imports", {"feedback": {}})
    done(http, chats, "imports", {"threads": {"ids": [*one.threads, *other.threads]}})
    version = done(http, intents, "versions", {"validation_share": 0.3})["version"]
    done(http, chats, "versions", {"validation_share": 0})
    criterion = {"type": "string_check", "name": "same", "input": "{{ item.reference }}", "reference": "x"}
    logs = {
        "data_source_config": {"type": "custom", "item_schema": {"type": "object"}},
        "testing_criteria": [{**criterion, "operation": "ilike"}],
    }
    of_threads = {"type": "threads", "ids": [*one.threads, *other.threads], "history": "stored"}
    of_version = {"type": "dataset_version", "version": version, "part": "training"}
    for source in (of_threads, of_version):
        asked = {}
        if source is of_version:
            template = [{"role": "user", "content": "{{ item.text }}"}]
            asked = {"model": "script", "input_messages": {"type": "template", "template": template}}
            criterion["input"] = "{{ item.text }}"
        made = post(http, "/evals", {**logs, "testing_criteria": [{**criterion, "operation": "ilike"}]})["id"]
        run = post(http, f"/evals/{made}/runs", {"data_source": {"type": "completions", "source": source, **asked}})[
            "id"
        ]
        path = f"/evals/{made}/runs/{run}"
        eventually(lambda path=path: get(http, path)["status"] not in ("queued", "in_progress"), patience=60)
        assert get(http, path)["status"] == "completed"

    lines = [json.loads(line) for line in http.get(f"/v1/end_users/{one.user}/export").text.splitlines()]
    kinds = {line["kind"] for line in lines}
    assert {"thread", "message", "run", "run_event", "feedback", "dataset_entry", "file", "file_content"} <= kinds
    assert other.marker not in json.dumps(lines)
    before = everywhere(server, other.marker)
    assert everywhere(server, one.marker) and before

    gone = http.delete(f"/v1/end_users/{one.user}").json()
    eventually(lambda: get(http, f"/end_user_deletions/{gone['deletion']}")["status"] == "completed", patience=120)
    eventually(lambda: not any(one.marker in row for row in everywhere(server, one.marker)))
    # Lines of files that are wholly of others, and rows of theirs, are as they were.
    assert [row.split(": ", 1)[1] for row in everywhere(server, other.marker)] == [
        row.split(": ", 1)[1] for row in before
    ]
    record = get(http, f"/end_user_deletions/{gone['deletion']}")
    named = everywhere(server, record["user_digest"])
    assert any(row.startswith("audit_log: ") for row in named), "who was deleted stands there without the person"
    assert record["counts"]["threads"] == 1 and record["counts"]["files"] == 1 and version in record["versions"]
    seen = get(http, f"/datasets/{intents['id']}/versions/{version}")
    assert seen["redacted_digest"] != seen["digest"] and seen["redacted_examples"] > 0 and seen["deleted_users"] == 1
    training, held_out = (
        http.get(f"/v1/files/{seen[f'{part}_file']}/content").text for part in ("training", "validation")
    )
    assert len(training.splitlines()) == seen["report"]["train"]
    assert other.marker in training + held_out, "a person is on one side, by lot"
    assert_refused(http.get(f"/v1/end_users/{one.user}/export"), 404)
    again = http.delete(f"/v1/end_users/{one.user}").json()
    assert (again["counts"], version in again["versions"]) == ({}, True)

    last = http.delete(f"/v1/end_users/{other.user}").json()  # so that other tests find no feedback of theirs
    eventually(lambda: get(http, f"/end_user_deletions/{last['deletion']}")["status"] == "completed", patience=120)


def test_who_is_unknown_leaves_no_record(http: httpx2.Client) -> None:
    count = len(get(http, "/end_user_deletions?limit=100")["data"])
    assert_refused(http.delete("/v1/end_users/nobody-at-all"), 404)
    assert len(get(http, "/end_user_deletions?limit=100")["data"]) == count


def test_files_and_stores_that_others_use_stay(http: httpx2.Client, tmp_path: Path) -> None:
    sent = http.post("/v1/files", files={"file": ("a.txt", b"shared")}, data={"purpose": "assistants"}).json()
    store = post(http, "/vector_stores", {"name": "docs", "file_ids": [sent["id"]]})
    resources = {"file_search": {"vector_store_ids": [store["id"]]}}
    post(http, "/threads", {"metadata": {"user": "u/shares"}, "tool_resources": resources})
    alone = http.post("/v1/files", files={"file": ("b.txt", b"alone")}, data={"purpose": "assistants"}).json()
    text = f"What of {sent['id']}?"
    said = {"role": "user", "content": text, "attachments": [{"file_id": alone["id"], "tools": []}]}
    post(http, "/threads", {"metadata": {"user": "u/shares"}, "messages": [said]})
    counts = http.delete("/v1/end_users/u/shares").json()["counts"]
    assert (counts["threads"], counts["files"]) == (2, 1)
    assert http.get(f"/v1/vector_stores/{store['id']}").status_code == 200
    assert http.get(f"/v1/files/{sent['id']}").status_code == 200
    assert http.get(f"/v1/files/{alone['id']}").status_code == 404
