"""What one project has, another one neither sees nor touches, by whatever route: a new one falls under it.

A project is given one object of every kind, each with a word that stands nowhere else. Then another project's admin asks for
all of them: by id in every path, as cursor and filter of every list, and in every field of a body that names an object.
Queries are the same on both databases; test_keys has a part of this on each.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httpx2
import openai
import pytest

from tests.api.edge.searching import DOMAIN, EVAL
from tests.api.edge.test_doors import bearer
from tests.api.edge.test_keys import refused_soon
from tests.harness import keys, tunings
from tests.harness.clients import PATIENCE
from tests.harness.farm import Farm
from tests.harness.server import Server
from tests.harness.tunings import eventually

Json = dict[str, Any]

WORD = "zebrafish"

NAMES = {"alias", "user_id", "kind"}
"""Parameters that are names of a project's own choice, or everybody's: another one may have the same."""

INNER = {"deletion_id", "item_id", "alert_id", "training_id", "handoff_id", "proposal_id", "work_id"}
"""Objects inside others of mine, which nobody reaches who does not reach those: none are made."""

OF_MORE = {
    "/v1/datasets/{dataset_id}/versions/{version_id}/diff",
    "/v1/evals/{eval_id}/runs/{run_id}/agreement",
    "/v1/fine_tuning/checkpoints/{checkpoint}/permissions",
}
"""What takes a second object of a kind, or a query, or is not done here."""

ASKS_MODELS = "/v1/datasets/{dataset_id}/suggestions"
"""Loads models, which takes long: I don't ask for it, the others do."""

ASKING = "/v1/organization/audit_logs"
"""Says also that I looked at what can be exported."""

QUERIES = {
    "/v1/evals/{eval_id}/runs/{run_id}/agreement": {"criterion": "same", "human": "same"},
}
"""Of routes that need one."""

OF_OPERATORS = "/v1/organization/"
"""Usage and the audit log, which grow while one looks; that they are a project's own is in test_usage and test_audit_log."""

TARGETS = [("message", "message_id"), ("run", "thread run_id"), ("understanding", "understanding")]

NOT_DONE = "/v1/fine_tuning/checkpoints/"
"""Permissions, which are refused."""


@dataclass
class World:
    """What a project has. ids: by the name of the path's parameter; of those that several kinds have, with the kind."""

    server: Server
    mine: httpx2.Client
    theirs: httpx2.Client
    ids: dict[str, str] = field(default_factory=dict)

    def id_for(self, path: str, name: str) -> str:
        if name in INNER:
            return "x_none"
        kind = "eval" if path.startswith("/v1/evals") else "thread"
        return self.ids[f"{kind} run_id" if name == "run_id" else name]

    def url(self, path: str) -> str:
        return re.sub(r"\{([^}:]+)[^}]*\}", lambda found: self.id_for(path, found[1]), path)

    def secrets(self) -> list[str]:
        """What stands in no answer to the other project, unless it said so itself."""
        return [WORD, *(id for name, id in self.ids.items() if name not in NAMES)]

    def reveals(self, answer: httpx2.Response, *said: object) -> list[str]:
        """What of mine an answer has that their request had not."""
        text, asked = answer.text, f"{unquote(str(answer.request.url))} {json.dumps(said, default=repr)}"
        return [secret for secret in self.secrets() if secret in text and secret not in asked]

    def shown(self) -> dict[str, str]:
        """All that I have, as every GET shows it."""
        found = {}
        for operation in _described(self.server, self.mine):
            if operation[0] == "GET" and operation[1].startswith("/v1/") and operation[1] not in (ASKS_MODELS, ASKING):
                found[operation[1]] = self.mine.get(self.url(operation[1])).text
        return found


def _described(server: Server, http: httpx2.Client) -> list[tuple[str, str]]:
    paths = http.get("/openapi.json").json()["paths"]
    return [
        (method.upper(), path)
        for path, methods in paths.items()
        if not path.startswith(OF_OPERATORS)
        for method in methods
    ]


@pytest.fixture(scope="module")
def world(farm: Farm) -> Iterator[World]:
    server = farm.fresh("sqlite", tuning_command=tunings.command())
    ours = keys.make(server, "ours", ["admin"])["admin"]
    theirs = keys.make(server, "theirs", ["admin"])["admin"]
    refused_soon(server, headers={})
    options: Any = {"base_url": server.url, "verify": False, "timeout": 4 * PATIENCE}
    with (
        httpx2.Client(headers=bearer(ours), **options) as mine,
        httpx2.Client(headers=bearer(theirs), **options) as them,
    ):
        world = World(server, mine, them)
        with openai.OpenAI(base_url=server.base_url, api_key=ours, max_retries=0) as client:
            _fill(world, client)
        yield world
    farm.retire(server)


def _fill(world: World, client: openai.OpenAI) -> None:
    """One of everything, each with the word in it."""

    def post(path: str, body: Json) -> Json:
        answer = world.mine.post(path, json=body)
        assert answer.status_code in (200, 201), (path, answer.text)
        return dict(answer.json())

    ids = world.ids
    ids["kind"] = "completions"
    metadata = {"word": WORD}
    domain = post("/v1/domains", {**DOMAIN, "name": WORD})["id"]
    assistant = post("/v1/assistants", {"model": "gpt-4o", "name": WORD, "domain": domain})["id"]
    thread = post("/v1/threads", {"messages": [{"role": "user", "content": f"greet {WORD}"}], "metadata": metadata})[
        "id"
    ]
    run = client.beta.threads.runs.create_and_poll(thread_id=thread, assistant_id=assistant, poll_interval_ms=20)
    assert run.status == "completed"
    file = client.files.create(file=(f"{WORD}.txt", f"The {WORD} swims.".encode()), purpose="assistants").id
    store = post("/v1/vector_stores", {"name": WORD, "metadata": metadata})["id"]
    batch = post(f"/v1/vector_stores/{store}/file_batches", {"file_ids": [file]})["id"]
    upload = post(
        "/v1/uploads", {"filename": f"{WORD}.txt", "bytes": 3, "purpose": "assistants", "mime_type": "text/plain"}
    )
    part = client.uploads.parts.create(upload["id"], data=b"abc").id
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": f"hello {WORD}"}], "store": True}
    completion = post("/v1/chat/completions", {**asked, "metadata": metadata})["id"]
    conversation = post("/v1/conversations", {"items": [{"role": "user", "content": WORD}], "metadata": metadata})["id"]
    answered = {"model": "gpt-4o", "input": f"hello {WORD}", "conversation": conversation, "metadata": metadata}
    ids |= {
        "domain_id": domain,
        "assistant_id": assistant,
        "thread_id": thread,
        "thread run_id": run.id,
        "step_id": client.beta.threads.runs.steps.list(run.id, thread_id=thread).data[0].id,
        "message_id": client.beta.threads.messages.list(thread).data[0].id,
        "file_id": file,
        "vector_store_id": store,
        "batch_id": batch,
        "upload_id": upload["id"],
        "part": part,
        "completion_id": completion,
        "conversation_id": conversation,
        "response_id": post("/v1/responses", answered)["id"],
    }
    _fill_learning(world, client, post)
    ids["understanding"] = world.mine.get(f"/v1/threads/{thread}/understandings").json()["data"][0]["id"]
    ids |= {
        "monitor_id": post("/v1/opinion_monitors", {"name": WORD})["id"],
        "recommender_id": post("/v1/recommenders", {"name": WORD, "embedder": "hashed"})["id"],
        "desk_id": post("/v1/support_desks", {"name": WORD, "embedder": "hashed", "model": "script"})["id"],
    }
    for path in ("/v1/vector_stores/{vector_store_id}/files/{file_id}", "/v1/datasets/{dataset_id}/tasks/{task_id}"):
        eventually(lambda path=path: world.mine.get(world.url(path)).json()["status"] == "completed")
    eventually(lambda: world.mine.get(world.url("/v1/audits/{audit_id}")).json()["status"] == "completed")


def _fill_learning(world: World, client: openai.OpenAI, post: Callable[[str, Json], Json]) -> None:
    ids, metadata = world.ids, {"word": WORD}
    given = {"target": {"type": "message", "id": ids["message_id"]}, "verdict": "up", "comment": WORD, "user": WORD}
    ids["feedback_id"] = post("/v1/feedback", given)["id"]
    ids["user_id"] = WORD
    dataset = post("/v1/datasets", {"name": WORD, "task": "text_classification", "metadata": metadata})["id"]
    records = [{"text": f"{WORD} {n} {word}", "label": word} for n in range(12) for word in ("good", "bad")]
    post(f"/v1/datasets/{dataset}/entries", {"data": [{"kind": "add", "record": record} for record in records]})
    versions = f"/v1/datasets/{dataset}/versions"
    post(versions, {"validation_share": 0.25})
    eventually(lambda: bool(world.mine.get(versions).json()["data"]))
    version = world.mine.get(versions).json()["data"][0]["id"]
    noise = post(f"/v1/datasets/{dataset}/label_noise", {"version": version, "folds": 2, "embedder": "hashed"})["id"]
    evaluated = post("/v1/evals", {**EVAL, "name": WORD, "metadata": metadata})["id"]
    items = [{"item": {"text": WORD}, "sample": {"output_text": WORD}}]
    source = {"type": "jsonl", "source": {"type": "file_content", "content": items}}
    run = post(f"/v1/evals/{evaluated}/runs", {"data_source": source, "name": WORD})["id"]
    outputs = f"/v1/evals/{evaluated}/runs/{run}/output_items"
    eventually(lambda: bool(world.mine.get(outputs).json()["data"]))
    job = tunings.finished(client, world.mine, suffix="zebra")
    assert world.mine.put("/v1/model_aliases/support", json={"model": job["fine_tuned_model"]}).status_code == 200
    policy = {"dataset": dataset}
    answer = world.mine.post("/v1/model_aliases/support/policy", json=policy)
    assert answer.status_code == 200, answer.text
    wrong = {"training_file": tunings.plan(client, bad_line=1)}  # so that nobody loads a model for it
    candidate = post("/v1/model_aliases/support/candidates", wrong)["id"]
    eventually(lambda: world.mine.get(f"/v1/model_aliases/support/candidates/{candidate}").json()["status"] == "failed")
    audit = post("/v1/audits", {"model": "script", "texts": [WORD], "axes": ["gender"], "language": "en"})["id"]
    ids |= {
        "dataset_id": dataset,
        "version_id": version,
        "task_id": noise,
        "eval_id": evaluated,
        "eval run_id": run,
        "output_item_id": world.mine.get(outputs).json()["data"][0]["id"],
        "audit_id": audit,
        "fine_tuning_job_id": job["id"],
        "training_file": job["training_file"],
        "checkpoint": f"{job['fine_tuned_model']}:ckpt-step-1",
        "permission": "cp_x",
        "model": job["fine_tuned_model"],
        "alias": "support",
        "candidate_id": candidate,
        "decision_id": world.mine.get("/v1/model_aliases/support/decisions").json()["data"][0]["id"],
    }


def test_every_kind_of_object_is_there(world: World) -> None:
    """A route whose parameter nothing is made for fails here: give the project one in _fill."""
    lacking = {}
    for method, path in _described(world.server, world.mine):
        made = not set(re.findall(r"\{([^}:]+)", path)) & INNER
        if method == "GET" and path.startswith("/v1/") and path != ASKS_MODELS and made:
            answer = world.mine.get(world.url(path))
            if answer.status_code != 200:
                lacking[path] = answer.text
    assert set(lacking) == OF_MORE, lacking


def test_what_another_project_has_is_not_there(world: World) -> None:
    """Every route with an id in its path. One that takes a body, and has none in _bodies, may say that first."""
    before, bodies = world.shown(), _bodies(world)
    for method, path in _described(world.server, world.theirs):
        names = set(re.findall(r"\{([^}:]+)", path))
        if not names or path.startswith(NOT_DONE):
            continue
        operation = f"{method} {path}"
        given = bodies.get(operation, {"json": {}})
        answer = world.theirs.request(method, world.url(path), params=QUERIES.get(path), **given)
        assert not world.reveals(answer, given), (operation, answer.text)
        unread = answer.status_code == 400 and operation not in bodies
        assert answer.status_code == 404 or unread or names & NAMES, (operation, answer.text)
    assert world.shown() == before


def test_what_a_body_names_of_another_project_is_not_there(world: World) -> None:
    ids, before, sent = world.ids, world.shown(), set[str]()
    for path, body in _references(world):
        sent |= set(_strings(body))
        answer = _ended(world, path, world.theirs.post(path, json=body))
        assert answer.status_code in (400, 404), (path, body, answer.text)
        assert not world.reveals(answer, body), (path, body, answer.text)
    assert world.shown() == before
    named = {
        "thread_id",
        "message_id",
        "file_id",
        "vector_store_id",
        "domain_id",
        "assistant_id",
        "dataset_id",
        "version_id",
        "response_id",
        "conversation_id",
    }
    named |= {"model", "training_file", "eval run_id", "thread run_id", "understanding"}
    assert {ids[name] for name in named} <= sent


def test_lists_and_filters_show_nothing_of_another_project(world: World) -> None:
    document = world.theirs.get("/openapi.json").json()["paths"]
    for path in (path for path, methods in document.items() if "get" in methods and "{" not in path):
        if not path.startswith("/v1/"):
            continue
        named = {given["name"] for given in document[path]["get"].get("parameters", []) if given["in"] == "query"}
        answers = [world.theirs.get(path)]
        for name in named - {"limit", "order"}:
            answers += [world.theirs.get(path, params={name: secret, "limit": 100}) for secret in world.secrets()]
        for answer in answers:
            assert not world.reveals(answer), (answer.request.url, answer.text)
            if "after=" in str(answer.request.url):
                assert answer.status_code == 404 or not answer.json().get("data"), (answer.request.url, answer.text)


def test_the_same_key_of_another_projects_request_is_another_one(world: World) -> None:
    """Idempotency-Key, and a client's own key of feedback."""
    headers = {"idempotency-key": WORD}
    mine, theirs = (http.post("/v1/threads", json={}, headers=headers) for http in (world.mine, world.theirs))
    assert mine.json()["id"] != theirs.json()["id"] and "idempotent-replayed" not in theirs.headers
    own = world.theirs.post(f"/v1/threads/{theirs.json()['id']}/messages", json={"role": "user", "content": "a"}).json()
    for http, id in ((world.mine, world.ids["message_id"]), (world.theirs, own["id"])):
        given = {"target": {"type": "message", "id": id}, "verdict": "up", "key": "the same"}
        assert http.post("/v1/feedback", json=given).json()["target"]["id"] == id


def test_forgetting_an_end_user_forgets_only_ones_own(world: World) -> None:
    before = world.shown()
    assert world.theirs.delete(f"/v1/end_users/{WORD}").status_code == 404
    assert world.shown() == before


def _bodies(world: World) -> dict[str, Json]:
    """What a route takes beside ids, by its operation, as the client's parameters."""
    ids = world.ids
    source = {"type": "jsonl", "source": {"type": "file_content", "content": [{"item": {"text": "a"}}]}}
    store, dataset, thread = (
        "/v1/vector_stores/{vector_store_id}",
        "/v1/datasets/{dataset_id}",
        "/v1/threads/{thread_id}",
    )
    feedback, evals, domain = "/v1/feedback/{feedback_id}", "/v1/evals/{eval_id}", "/v1/domains/{domain_id}"
    bodies: dict[str, Json] = {
        "/v1/chat/completions/{completion_id}": {"metadata": {"a": "b"}},
        f"{dataset}/entries": {"data": [{"kind": "add", "record": {"text": "a", "label": "b"}}]},
        f"{dataset}/imports": {"threads": {}},
        f"{dataset}/label_noise": {"version": ids["version_id"]},
        f"{dataset}/weak_labels": {"texts": ["a"], "rules": [{"label": "b", "keywords": ["a"]}]},
        f"{evals}/comparisons": {"before": ids["eval run_id"], "after": ids["eval run_id"]},
        f"{evals}/runs": {"data_source": source},
        f"{domain}/examples": {"text": "a", "intent": "greet"},
        f"{feedback}/reviews": {"state": "accepted", "reviewer": "r"},
        f"{thread}/messages": {"role": "user", "content": "a"},
        f"{thread}/runs": {"assistant_id": ids["assistant_id"]},
        f"{thread}/runs/{{run_id}}/submit_tool_outputs": {"tool_outputs": []},
        f"{store}/search": {"query": "a"},
        f"{store}/files": {"file_id": ids["file_id"]},
        f"{store}/files/{{file_id}}": {"attributes": {}},
        f"{store}/file_batches": {"file_ids": [ids["file_id"]]},
        "/v1/conversations/{conversation_id}": {"metadata": {"a": "b"}},
        "/v1/conversations/{conversation_id}/items": {"items": [{"role": "user", "content": "a"}]},
        "/v1/opinion_monitors/{monitor_id}/alerts/{alert_id}/acknowledge": {"by": "r"},
        "/v1/opinion_monitors/{monitor_id}/alerts/{alert_id}/silence": {"by": "r", "hours": 1},
        "/v1/recommenders/{recommender_id}/items": {"data": [{"id": "a", "text": "a"}]},
        "/v1/recommenders/{recommender_id}/recommendations": {"user": "a"},
        "/v1/recommenders/{recommender_id}/similar": {"item": "a"},
        "/v1/support_desks/{desk_id}/imports": {"threads": {}},
        "/v1/support_desks/{desk_id}/handoffs/{handoff_id}/claim": {"agent": "r"},
        "/v1/support_desks/{desk_id}/handoffs/{handoff_id}/answer": {"agent": "r", "text": "a"},
        "/v1/support_desks/{desk_id}/handoffs/{handoff_id}/return": {"agent": "r"},
        "/v1/uploads/{upload_id}/complete": {"part_ids": [ids["part"]]},
    }
    parts = {"POST /v1/uploads/{upload_id}/parts": {"files": {"data": ("a", b"a")}}}
    return {f"POST {path}": {"json": body} for path, body in bodies.items()} | parts


def _references(world: World) -> list[tuple[str, Json]]:
    """Bodies of theirs that name what is mine, at each place where a body names something."""
    ids, theirs = world.ids, world.theirs

    def made(path: str, body: Json) -> str:
        answer = theirs.post(path, json=body)
        assert answer.status_code in (200, 201), (path, answer.text)
        return str(answer.json()["id"])

    assistant, thread = made("/v1/assistants", {"model": "gpt-4o"}), made("/v1/threads", {})
    store, evaluated = made("/v1/vector_stores", {}), made("/v1/evals", EVAL)
    dataset = made("/v1/datasets", {"name": "own", "task": "text_classification"})
    file = theirs.post(
        "/v1/files", files={"file": ("a.jsonl", b'{"text": "a", "label": "b"}\n')}, data={"purpose": "fine-tune"}
    ).json()["id"]
    domain = made("/v1/domains", DOMAIN)
    assert theirs.put("/v1/model_aliases/own", json={"model": "script"}).status_code == 200
    searching = {"file_search": {"vector_store_ids": [ids["vector_store_id"]]}}
    making = {"file_search": {"vector_stores": [{"file_ids": [ids["file_id"]]}]}}
    attached = {
        "role": "user",
        "content": "a",
        "attachments": [{"file_id": ids["file_id"], "tools": [{"type": "file_search"}]}],
    }
    seen = {"role": "user", "content": [{"type": "image_file", "image_file": {"file_id": ids["file_id"]}}]}
    messages = [{"role": "user", "content": "a"}]
    tuned = ids["model"]
    found: list[tuple[str, Json]] = []
    referred = {"type": "item_reference", "id": ids["message_id"]}
    pictured = {"role": "user", "content": [{"type": "input_image", "file_id": ids["file_id"]}]}
    found += [
        ("/v1/responses", {"model": "gpt-4o", "input": "a", **given})
        for given in (
            {"previous_response_id": ids["response_id"]},
            {"conversation": ids["conversation_id"]},
            {"domain": ids["domain_id"]},
            {"tools": [{"type": "file_search", "vector_store_ids": [ids["vector_store_id"]]}]},
            {"input": [referred]},
            {"input": [pictured]},
        )
    ]
    found += [("/v1/conversations", {"items": [item]}) for item in (referred, pictured)]
    for resources in (searching, making):
        found += [
            ("/v1/assistants", {"model": "gpt-4o", "tool_resources": resources}),
            (f"/v1/assistants/{assistant}", {"tool_resources": resources}),
            ("/v1/threads", {"tool_resources": resources}),
            (f"/v1/threads/{thread}", {"tool_resources": resources}),
            ("/v1/threads/runs", {"assistant_id": assistant, "tool_resources": resources}),
            ("/v1/threads/runs", {"assistant_id": assistant, "thread": {"tool_resources": resources}}),
        ]
    for message in (attached, seen):
        found += [
            ("/v1/threads", {"messages": [message]}),
            (f"/v1/threads/{thread}/messages", message),
            ("/v1/threads/runs", {"assistant_id": assistant, "thread": {"messages": [message]}}),
            (f"/v1/threads/{thread}/runs", {"assistant_id": assistant, "additional_messages": [message]}),
        ]
    found += [
        (f"/v1/threads/{thread}/runs", {"assistant_id": ids["assistant_id"]}),
        ("/v1/threads/runs", {"assistant_id": ids["assistant_id"]}),
        (f"/v1/threads/{thread}/runs", {"assistant_id": assistant, "domain": ids["domain_id"]}),
        ("/v1/assistants", {"model": "gpt-4o", "domain": ids["domain_id"]}),
        (f"/v1/threads/{thread}/state", {"domain": ids["domain_id"]}),
        ("/v1/understandings", {"input": "a", "domain": ids["domain_id"]}),
        ("/v1/understandings", {"input": "a", "domain": domain, "thread": ids["thread_id"]}),
        (f"/v1/domains/{domain}/examples", {"intent": "greet", "understanding": ids["understanding"]}),
        ("/v1/vector_stores", {"file_ids": [ids["file_id"]]}),
        (f"/v1/vector_stores/{store}/files", {"file_id": ids["file_id"]}),
        (f"/v1/vector_stores/{store}/file_batches", {"file_ids": [ids["file_id"]]}),
        (f"/v1/vector_stores/{store}/file_batches", {"files": [{"file_id": ids["file_id"]}]}),
        *(("/v1/feedback", {"target": {"type": kind, "id": ids[name]}, "verdict": "up"}) for kind, name in TARGETS),
        *(
            ("/v1/feedback/batches", {"data": [{"target": {"type": kind, "id": ids[name]}, "verdict": "up"}]})
            for kind, name in TARGETS
        ),
        ("/v1/feedback/imports", {"file": ids["file_id"]}),
        (f"/v1/datasets/{dataset}/imports", {"file": ids["training_file"]}),
        (f"/v1/datasets/{dataset}/label_noise", {"version": ids["version_id"]}),
        (f"/v1/datasets/{dataset}/weak_labels", {"file": ids["file_id"], "rules": [{"label": "b", "keywords": ["a"]}]}),
        (f"/v1/datasets/{dataset}/weak_labels", {"texts": ["a"], "models": [tuned]}),
        ("/v1/fine_tuning/jobs", {"model": "minilm", "training_file": ids["training_file"]}),
        ("/v1/fine_tuning/jobs", {"model": "minilm", "training_file": file, "validation_file": ids["training_file"]}),
        ("/v1/fine_tuning/jobs", {"model": "minilm", "training_file": file, "dataset_version": ids["version_id"]}),
        ("/v1/fine_tuning/jobs", {"model": tuned, "training_file": file}),
        ("/v1/fine_tuning/jobs", {"model": ids["checkpoint"], "training_file": file}),
        ("/v1/model_aliases/own/policy", {"dataset": ids["dataset_id"]}),
        ("/v1/model_aliases/own/policy", {"training_file": ids["training_file"]}),
        ("/v1/model_aliases/own/policy", {"gate": {"regression_file": ids["training_file"]}}),
        ("/v1/model_aliases/own/candidates", {"model": tuned}),
        ("/v1/model_aliases/own/candidates", {"dataset_version": ids["version_id"]}),
        ("/v1/model_aliases/own/candidates", {"training_file": ids["training_file"]}),
        (f"/v1/evals/{evaluated}/comparisons", {"before": ids["eval run_id"], "after": ids["eval run_id"]}),
        ("/v1/audits", {"model": tuned}),
        ("/v1/support_desks", {"name": "own", "assistant": ids["assistant_id"]}),
        ("/v1/predictions", {"model": tuned, "input": "a"}),
    ]
    for model in (tuned, ids["checkpoint"]):
        found += [
            ("/v1/chat/completions", {"model": model, "messages": messages}),
            ("/v1/completions", {"model": model, "prompt": "a"}),
            ("/v1/assistants", {"model": model}),
            ("/v1/embeddings", {"model": model, "input": "a"}),
            ("/v1/moderations", {"model": model, "input": "a"}),
            (f"/v1/threads/{thread}/runs", {"assistant_id": assistant, "model": model}),
        ]
    return found


def _ended(world: World, path: str, answer: httpx2.Response) -> httpx2.Response:
    """Of work that is done behind the answer, what came of it; its failure is as good as a refusal."""
    if answer.status_code != 200 or answer.json().get("object") != "dataset.task":
        return answer
    task = f"{path.rpartition('/')[0]}/tasks/{answer.json()['id']}"
    eventually(lambda: world.theirs.get(task).json()["status"] in ("completed", "failed"))
    ended = world.theirs.get(task)
    assert not world.reveals(ended, answer.json())
    ended.status_code = 404 if ended.json()["status"] == "failed" else 200
    return ended


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
