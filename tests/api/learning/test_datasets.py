"""/v1/datasets: from feedback and files to versions that never change, with where everything came from, both ways."""

import json
from typing import Any

import httpx2
import openai
import pytest

from tests.harness.refusals import assert_refused
from tests.harness.waiting import eventually

Body = dict[str, Any]


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


def done(http: httpx2.Client, dataset: Body, work: str, body: Body) -> Body:
    """The task, when it has ended."""
    task = post(http, f"/datasets/{dataset['id']}/{work}", body)

    path, found = f"/datasets/{dataset['id']}/tasks/{task['id']}", task

    def ended() -> bool:
        nonlocal found
        found = get(http, path)
        return bool(found["status"] != "queued")

    eventually(ended, patience=120)
    return found


def version_of(http: httpx2.Client, dataset: Body, **request: Any) -> Body:
    task = done(http, dataset, "versions", request)
    assert task["status"] == "completed", task
    return get(http, f"/datasets/{dataset['id']}/versions/{task['version']}")


@pytest.fixture
def dataset(http: httpx2.Client) -> Body:
    return post(http, "/datasets", {"name": "intents", "task": "text_classification"})


def reviewed(http: httpx2.Client, text: str, label: str, user: str) -> Body:
    context = {"model": "m", "task": "text_classification", "input": text, "output": [{"label": "x", "score": 0.9}]}
    target = {"type": "prediction", "id": f"pred_{abs(hash(text))}"}
    given = post(http, "/feedback", {"target": target, "verdict": "down", "user": user, "context": context})
    review = {"state": "corrected", "reviewer": "ann", "correction": {"label": label}}
    return post(http, f"/feedback/{given['id']}/reviews", review)


def test_a_file_and_reviewed_feedback_become_a_version_whose_lineage_goes_both_ways(
    http: httpx2.Client, client: openai.OpenAI, dataset: Body
) -> None:
    numbers = ("one", "two", "three", "four", "five", "six")
    rows = [{"text": f"Card {number} is lost, {what}", "label": what} for number in numbers for what in ("card", "pay")]
    lines = "\n".join([*map(json.dumps, rows), json.dumps({"text": "no label"})])
    file = client.files.create(file=("rows.jsonl", lines.encode()), purpose="fine-tune")
    imported = done(http, dataset, "imports", {"file": file.id})["result"]
    assert (imported["added"], imported["refused"], imported["faults"][0]["line"]) == (12, 1, 13)
    assert done(http, dataset, "imports", {"file": file.id})["result"]["here_before"] == 12

    first = version_of(http, dataset, validation_share=0.25)
    assert (first["examples"], first["report"]["validation"]) == (12, 3)
    said = reviewed(http, "Please write to bob@example.com about the fee", "fee", f"u/{dataset['id']}")
    assert said["state"] == "corrected"
    done(http, dataset, "imports", {"feedback": {}})
    second = version_of(http, dataset, validation_share=0.25)
    content = client.files.content(second["training_file"]).text
    assert "bob@example.com" not in content and "[EMAIL]" in content

    diff = get(http, f"/datasets/{dataset['id']}/versions/{second['id']}/diff")
    assert (diff["against"], diff["counts"]["removed"], diff["counts"]["moved"]) == (first["id"], 0, 0)
    assert diff["labels"]["fee"] == 1

    lineage = get(http, f"/datasets/{dataset['id']}/versions/{second['id']}/lineage")
    assert lineage["sources"]["file"] == [file.id]
    assert said["id"] in lineage["sources"]["feedback"]
    assert get(http, f"/feedback/{said['id']}")["lineage"]["versions"] == [second["id"]]
    for feedback in lineage["sources"]["feedback"]:  # what other tests have given may be in versions of theirs, too
        assert second["id"] in get(http, f"/feedback/{feedback}")["lineage"]["versions"]
    job = client.fine_tuning.jobs.create(
        model="minilm", training_file=second["training_file"], extra_body={"dataset_version": second["id"]}
    )
    client.fine_tuning.jobs.cancel(job.id)
    assert (job.validation_file, job.model_extra["task"]) == (second["validation_file"], "text_classification")  # type: ignore[index]
    assert get(http, f"/datasets/{dataset['id']}/versions/{second['id']}/lineage")["jobs"] == [job.id]
    assert get(http, f"/feedback/{said['id']}")["lineage"]["jobs"] == [job.id]
    other = {"model": "minilm", "training_file": first["training_file"], "dataset_version": second["id"]}
    assert_refused(http.post("/v1/fine_tuning/jobs", json=other), 400, param="training_file")

    # The same log makes the same version, and the first one is what it was.
    assert version_of(http, dataset, validation_share=0.25)["id"] == second["id"]
    assert get(http, f"/datasets/{dataset['id']}/versions/{first['id']}") == first

    gone = http.delete(f"/v1/end_users/u/{dataset['id']}").json()
    assert (gone["feedback"], gone["examples"], gone["versions"]) == (1, 1, [second["id"]])
    assert get(http, f"/datasets/{dataset['id']}/versions/{second['id']}")["deleted_users"] == 1
    assert get(http, f"/datasets/{dataset['id']}/versions/{first['id']}")["deleted_users"] == 0
    assert http.get(f"/v1/feedback/{said['id']}").status_code == 404
    third = version_of(http, dataset, validation_share=0.25)
    assert third["id"] == first["id"]
    assert all(
        "fee" not in json.dumps(entry["record"])
        for entry in get(http, f"/datasets/{dataset['id']}/entries?limit=100")["data"]
    )
    again = http.delete(f"/v1/end_users/u/{dataset['id']}").json()
    assert (again["feedback"], again["examples"], again["versions"]) == (0, 0, [second["id"]])
    assert_refused(http.delete("/v1/end_users/nobody"), 404)


def test_the_log_keeps_what_was_added_labelled_anew_and_removed(http: httpx2.Client, dataset: Body) -> None:
    path = f"/datasets/{dataset['id']}/entries"
    add = {"kind": "add", "record": {"text": "Hello", "label": "greet"}, "user": "u1"}
    made = post(http, path, {"data": [add, add]})["data"]
    assert len(made) == 1
    example = made[0]["example"]
    post(http, path, {"data": [{"kind": "relabel", "example": example, "label": "hello", "reviewer": "ann"}]})
    post(http, path, {"data": [{"kind": "remove", "example": example}]})
    log = get(http, path)["data"]
    assert [(one["kind"], (one["record"] or {}).get("label")) for one in log] == [
        ("add", "greet"),
        ("relabel", "hello"),
        ("remove", None),
    ]
    again = {"data": [{"kind": "remove", "example": example}]}
    assert_refused(http.post(f"/v1{path}", json=again), 404, param="data[0].example")
    wrong = {"data": [{"kind": "add", "record": {"text": "Hello"}}]}
    assert_refused(http.post(f"/v1{path}", json=wrong), 400, param="data[0].record", code="invalid_value")


def test_conversations_of_evals_are_nobody_s_and_not_learned_from(http: httpx2.Client) -> None:
    dataset = post(http, "/datasets", {"name": "chats", "task": "dialogue"})
    said = [{"role": "user", "content": "Where is my parcel?"}, {"role": "assistant", "content": "On its way."}]
    post(http, "/threads", {"messages": said, "metadata": {"user": "u-5"}})
    asked = [{"role": "user", "content": "Asked by an eval?"}, said[1]]
    post(http, "/threads", {"messages": asked, "metadata": {"eval_run": "evalrun_1"}})
    done(http, dataset, "imports", {"threads": {"newest": 100_000}})
    log = json.dumps(get(http, f"/datasets/{dataset['id']}/entries?limit=100"))
    assert "Where is my parcel?" in log and "Asked by an eval?" not in log


def test_what_can_t_be_done_is_said(http: httpx2.Client, dataset: Body) -> None:
    task = {"name": "x", "task": "cooking"}
    assert_refused(http.post("/v1/datasets", json=task), 400, param="task", code="invalid_value")
    assert_refused(http.post(f"/v1/datasets/{dataset['id']}/imports", json={}), 400, code="invalid_value")
    assert "no examples" in done(http, dataset, "versions", {})["error"]
    assert "dialogue" in done(http, dataset, "imports", {"threads": {}})["error"]
    assert_refused(http.get("/v1/datasets/dset_none"), 404)
    assert_refused(http.post("/v1/datasets/dset_none/versions", json={}), 404)


def test_conversations_become_chat_examples(http: httpx2.Client, client: openai.OpenAI) -> None:
    dataset = post(http, "/datasets", {"name": "chats", "task": "dialogue"})
    thread = client.beta.threads.create(metadata={"user": "u9"})
    for role, text in (("user", "Hi, I am at 10.1.2.3"), ("assistant", "Hello!"), ("user", "Bye")):
        client.beta.threads.messages.create(thread.id, role=role, content=text)  # type: ignore[arg-type]
    assert done(http, dataset, "imports", {"threads": {"ids": [thread.id]}})["result"]["added"] == 1
    entry = get(http, f"/datasets/{dataset['id']}/entries")["data"][0]
    assert [turn["role"] for turn in entry["record"]["messages"]] == ["user", "assistant"]
    assert "10.1.2.3" not in entry["record"]["messages"][0]["content"]
    assert (entry["provenance"]["thread_id"], entry["provenance"]["user"]) == (thread.id, "u9")


def test_wrong_labels_weak_labels_and_suggestions_are_offered(http: httpx2.Client, dataset: Body) -> None:
    """With the embedder of tests, which knows texts by their words."""
    words = {"card": "my credit card was lost", "pay": "how do i pay this bill"}
    rows = [{"text": f"{text} {number} times", "label": label} for number in range(12) for label, text in words.items()]
    rows[4]["label"] = "pay"
    post(http, f"/datasets/{dataset['id']}/entries", {"data": [{"kind": "add", "record": row} for row in rows]})
    version = version_of(http, dataset, validation_share=0, near=False)
    noise = done(http, dataset, "label_noise", {"version": version["id"]})["result"]
    assert [(one["text"], one["suggested"]) for one in noise["data"]] == [(rows[4]["text"], "card")]
    relabel = {"kind": "relabel", "example": noise["data"][0]["example"], "label": "card", "reviewer": "ann"}
    post(http, f"/datasets/{dataset['id']}/entries", {"data": [relabel]})

    weak = {
        "texts": ["my card fell into the sea", "the bill is too high", "hello"],
        "rules": [{"label": "card", "keywords": ["card"]}, {"label": "pay", "pattern": "bill"}],
        "min_probability": 0.6,
        "add": True,
    }
    found = done(http, dataset, "weak_labels", weak)["result"]
    assert (found["voted_on"], found["sure"], found["added"]) == (2, 2, 2)
    assert [voter["votes"] for voter in found["voters"]] == [1, 1]
    assert version_of(http, dataset, near=False)["report"]["weak_left_out"] == 2
    assert version_of(http, dataset, near=False, weak=True)["examples"] == len(rows) + 2

    suggested = get(http, f"/datasets/{dataset['id']}/suggestions?limit=5")
    assert suggested["looked_at"] >= len(suggested["data"])
    other = post(http, "/datasets", {"name": "chats", "task": "dialogue"})
    assert_refused(http.get(f"/v1/datasets/{other['id']}/suggestions"), 400, param="dataset_id")


def test_what_something_needs_is_not_deleted_and_lineage_is_kept(
    http: httpx2.Client, client: openai.OpenAI, dataset: Body
) -> None:
    texts = [{"text": f"Where is card {number}?", "label": label} for number in range(8) for label in ("a", "b")]
    texts = [{**one, "text": f"{one['text']} {one['label'] * 9}"} for one in texts]
    post(http, f"/datasets/{dataset['id']}/entries", {"data": [{"kind": "add", "record": one} for one in texts]})
    first = version_of(http, dataset, near=False)
    place = f"/v1/datasets/{dataset['id']}/versions/{first['id']}"
    job = client.fine_tuning.jobs.create(
        model="minilm", training_file=first["training_file"], extra_body={"dataset_version": first["id"]}
    )
    refused = http.delete(place)
    assert_refused(refused, 400)
    assert job.id in refused.json()["error"]["message"]
    assert_refused(http.delete(f"/v1/datasets/{dataset['id']}"), 400)
    client.fine_tuning.jobs.cancel(job.id)
    assert http.delete(place).json() == {"id": first["id"], "object": "dataset.version.deleted", "deleted": True}
    assert get(http, place.removeprefix("/v1"))["deleted_at"] is not None
    assert get(http, f"{place.removeprefix('/v1')}/lineage")["jobs"] == [job.id]
    assert http.get(f"/v1/files/{first['training_file']}/content").status_code == 404
    # What is gone is not compared with, and the same content may be a version again.
    second = version_of(http, dataset, near=False)
    assert second["digest"] == first["digest"] and second["id"] != first["id"]
    assert_refused(http.get(f"/v1/datasets/{dataset['id']}/versions/{second['id']}/diff"), 400, param="against")
    named = f"/v1/datasets/{dataset['id']}/versions/{second['id']}/diff?against={first['id']}"
    assert_refused(http.get(named), 400, param="against")

    assert http.delete(f"/v1/datasets/{dataset['id']}").json()["deleted"]
    assert http.get(f"/v1/datasets/{dataset['id']}").status_code == 404
    assert http.get(f"/v1/files/{second['manifest_file']}").status_code == 404
    assert_refused(http.delete(f"/v1/datasets/{dataset['id']}"), 404)
    assert_refused(http.post(f"/v1/datasets/{dataset['id']}/versions", json={}), 404)
