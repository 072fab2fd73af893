"""/v1/evals through the official SDK: what is evaluated, runs of it, what came of each item; on SQLite and on PostgreSQL."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from tests.harness.clients import Clients
from tests.harness.server import Server
from tests.harness.waiting import eventually

Json = dict[str, Any]

JUDGE = {"backend": "scripted", "script": str(Path(__file__).parents[2] / "scripts" / "judge.json")}

SCHEMA = {
    "type": "object",
    "properties": {"question": {"type": "string"}, "answer": {"type": "string"}},
    "required": ["question", "answer"],
}
EXACT = {
    "type": "string_check",
    "name": "exact",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
    "operation": "eq",
}
TEMPLATE = {"type": "template", "template": [{"role": "user", "content": "echo: {{ item.question }}"}]}


@pytest.fixture
def server(start_server: Any) -> Server:
    """One with a judge beside the scripted model."""
    found: Server = start_server(models={"judge": JUDGE})
    return found


@pytest.fixture
def client(clients: Clients, server: Server) -> openai.OpenAI:
    """As users have it: the SDK's types know no run without an error, which the API's examples show."""
    return clients.sdk(server, strict=False)


@contextmanager
def refused(status: int, *, param: str | None = None) -> Iterator[pytest.ExceptionInfo[openai.APIStatusError]]:
    """The call inside is refused for this parameter."""
    with pytest.raises(openai.APIStatusError) as caught:
        yield caught
    assert (caught.value.status_code, caught.value.param) == (status, param), caught.value


def made(client: openai.OpenAI, *criteria: Json, schema: Json = SCHEMA, **fields: Any) -> Any:
    config: Any = {"type": "custom", "item_schema": schema, "include_sample_schema": True}
    graders: Any = list(criteria or (EXACT,))
    return client.evals.create(name="geography", data_source_config=config, testing_criteria=graders, **fields)


def content(*pairs: tuple[str, str], **more: Any) -> Json:
    items = [{"item": {"question": question, "answer": answer, **more}} for question, answer in pairs]
    return {"type": "file_content", "content": items}


def asked(source: Json, *, model: str = "script", messages: Json = TEMPLATE, **more: Any) -> Any:
    return {"type": "completions", "model": model, "input_messages": messages, "source": source, **more}


def run_of(client: openai.OpenAI, eval_id: str, data_source: Any, **fields: Any) -> Any:
    run = client.evals.runs.create(eval_id, data_source=data_source, **fields)
    assert run.status in ("queued", "in_progress", "completed")
    return ended(client, eval_id, run.id)


def ended(client: openai.OpenAI, eval_id: str, run_id: str) -> Any:
    eventually(
        lambda: client.evals.runs.retrieve(run_id, eval_id=eval_id).status in ("completed", "failed", "canceled")
    )
    return client.evals.runs.retrieve(run_id, eval_id=eval_id)


def outputs(client: openai.OpenAI, run: Any, **params: Any) -> list[Any]:
    return list(client.evals.runs.output_items.list(run.id, eval_id=run.eval_id, **params))


def test_an_eval_is_made_listed_changed_and_deleted(client: openai.OpenAI) -> None:
    first = made(client, metadata={"team": "a"})
    assert (first.object, first.name, first.metadata) == ("eval", "geography", {"team": "a"})
    assert first.data_source_config.type == "custom"
    shown = client.evals.retrieve(first.id)
    assert shown.to_dict() == first.to_dict() and shown.testing_criteria[0].name == "exact"
    second = made(client)
    newest = client.evals.list(order="desc", limit=1)
    assert newest.data[0].id == second.id and newest.has_more
    changed = client.evals.update(first.id, name="renamed", metadata={"team": "b"})
    assert (changed.name, changed.metadata) == ("renamed", {"team": "b"})
    ids = [each.id for each in client.evals.list(order="desc", order_by="updated_at", limit=2)]
    assert set(ids[:2]) == {first.id, second.id}
    assert client.evals.delete(first.id).deleted
    with refused(404):
        client.evals.retrieve(first.id)


def test_a_model_is_asked_about_each_item_and_its_answers_are_graded(client: openai.OpenAI) -> None:
    of = made(client)
    source = asked(
        content(("Paris", "echo: Paris"), ("Rome", "nothing")), sampling_params={"temperature": 0, "seed": 7}
    )
    run = run_of(client, of.id, source, name="first", metadata={"v": "1"})
    assert (run.status, run.model, run.name, run.error) == ("completed", "script", "first", None)
    assert run.report_url.endswith(f"/v1/evals/{of.id}/runs/{run.id}/report")
    counts = run.result_counts
    assert (counts.total, counts.passed, counts.failed, counts.errored) == (2, 1, 1, 0)
    (criterion,) = run.per_testing_criteria_results
    assert (criterion.testing_criteria, criterion.passed, criterion.failed) == ("exact", 1, 1)
    (usage,) = run.per_model_usage
    assert usage.to_dict()["model_name"] == "script"
    assert usage.invocation_count == 2 and usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 0
    passed, failed = outputs(client, run)
    assert (passed.status, failed.status) == ("pass", "fail")
    assert passed.datasource_item == {"question": "Paris", "answer": "echo: Paris"}
    assert [each.datasource_item_id for each in (passed, failed)] == [0, 1]
    assert passed.sample.input[0].content == "echo: Paris" and passed.sample.output[0].content == "echo: Paris"
    assert (passed.sample.temperature, passed.sample.seed, passed.sample.finish_reason) == (0, 7, "stop")
    assert passed.results[0].passed and passed.results[0].score == 1
    assert [each.id for each in outputs(client, run, status="fail")] == [failed.id]
    assert (
        client.evals.runs.output_items.retrieve(passed.id, eval_id=of.id, run_id=run.id).to_dict() == passed.to_dict()
    )
    assert client.evals.runs.list(of.id, status="completed").data[0].to_dict() == run.to_dict()
    assert client.evals.runs.list(of.id, status="failed").data == []


def test_answers_that_are_there_are_graded_from_a_file(client: openai.OpenAI) -> None:
    similar = {
        "type": "text_similarity",
        "input": "{{sample.output_text}}",
        "reference": "{{item.answer}}",
        "pass_threshold": 0.8,
    }
    near = [{**similar, "name": name, "evaluation_metric": name} for name in ("fuzzy_match", "bleu", "rouge_l", "gleu")]
    of = made(client, EXACT, *near)
    lines = [
        {
            "item": {"question": "?", "answer": "the cat sat on the mat"},
            "sample": {"output_text": "the cat sat on the mat"},
        },
        {"item": {"question": "?", "answer": "the cat sat on the mat"}, "sample": {"output_text": "a dog"}},
        {"item": {"question": "?", "answer": "没有样本"}},
    ]
    data = "\n".join(json.dumps(line) for line in lines).encode()
    file = client.files.create(file=("items.jsonl", data), purpose="evals")
    run = run_of(client, of.id, {"type": "jsonl", "source": {"type": "file_id", "id": file.id}})
    counts = run.result_counts
    assert (run.status, counts.total, counts.passed, counts.failed, counts.errored) == ("completed", 3, 1, 1, 1)
    good, bad, without = outputs(client, run)
    assert [result.score for result in good.results] == pytest.approx([1] * 5)
    assert all(not result.passed and 0 <= result.score < 0.8 for result in bad.results)
    assert (
        without.sample.error.code == "invalid_item"
        and "There is no 'sample.output_text'" in without.sample.error.message
    )


def test_a_judge_gives_labels_and_scores_and_is_counted(client: openai.OpenAI) -> None:
    judge = [{"role": "user", "content": "Judge {{ item.question }}: {{ sample.output_text }}"}]
    label = {
        "type": "label_model",
        "name": "kind",
        "model": "judge",
        "input": judge,
        "labels": ["good", "bad"],
        "passing_labels": ["good"],
    }
    score = {
        "type": "score_model",
        "name": "grade",
        "model": "judge",
        "input": judge,
        "range": [1, 5],
        "pass_threshold": 4,
    }
    of = made(client, label, score)
    run = run_of(client, of.id, asked(content(("fine", ""), ("awful", ""), ("mute", ""))))
    fine, awful, mute = outputs(client, run)
    assert [(result.passed, result.score) for result in fine.results] == [(True, 1), (True, 5)]
    assert [(result.passed, result.score) for result in awful.results] == [(False, 0), (False, 2)]
    assert fine.results[0].label == "good" and "Judge fine: echo: fine" in fine.results[0].sample["input"][0]["content"]
    assert (mute.status, mute.sample.error.code) == ("error", "no_verdict")
    usages = {str(usage.to_dict()["model_name"]): usage.invocation_count for usage in run.per_model_usage}
    assert usages == {"script": 3, "judge": 4}
    assert run.result_counts.errored == 1


def test_stored_completions_are_graded_and_asked_again(client: openai.OpenAI) -> None:
    for text in ("echo: one", "echo: two"):
        client.chat.completions.create(
            model="script", messages=[{"role": "user", "content": text}], store=True, metadata={"use": "evals"}
        )
    of = client.evals.create(
        data_source_config={"type": "stored_completions", "metadata": {"use": "evals"}},
        testing_criteria=[
            {
                "type": "string_check",
                "name": "said",
                "input": "{{ sample.output_text }}",
                "reference": "{{ item.input[0].content }}",
                "operation": "eq",
            }
        ],
    )
    source: Any = {"type": "stored_completions", "limit": 2}
    run = run_of(client, of.id, {"type": "completions", "source": source})
    assert (run.result_counts.passed, run.per_model_usage) == (2, [])
    reference = {"type": "item_reference", "item_reference": "item.input"}
    again = run_of(client, of.id, asked(source, messages=reference))
    assert (again.result_counts.passed, again.per_model_usage[0].invocation_count) == (2, 2)
    with refused(400, param="data_source.source.type"):
        client.evals.runs.create(of.id, data_source=asked(content(("a", "b"))))


def test_a_whole_assistant_is_asked_on_threads_of_its_own(client: openai.OpenAI, http: httpx2.Client) -> None:
    assistant = client.beta.assistants.create(model="script", instructions="Be brief.")
    of = made(client)
    history = {
        "type": "template",
        "template": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": "echo: {{ item.question }}"},
        ],
    }
    run = run_of(client, of.id, asked(content(("a", "echo: a"), ("b", "c")), model=assistant.id, messages=history))
    assert (run.status, run.result_counts.passed, run.result_counts.failed) == ("completed", 1, 1), run.error
    right, _ = outputs(client, run)
    assert right.sample.output[0].content == "echo: a" and right.sample.usage.total_tokens > 0
    assert {str(usage.to_dict()["model_name"]) for usage in run.per_model_usage} == {"script"}
    left = http.get("/v1/threads", params={"limit": 100}).json()["data"]
    assert not [thread for thread in left if thread["metadata"].get("eval_run") == run.id]
    with refused(404, param="data_source.model"):
        client.evals.runs.create(of.id, data_source=asked(content(("a", "b")), model="asst_none"))


@pytest.mark.parametrize("storage", ["sqlite"])  # the making of a version is what costs, and is tested elsewhere
def test_an_example_of_a_data_set_s_version_is_an_item(client: openai.OpenAI, http: httpx2.Client) -> None:
    rows = [{"text": f"echo: text {number}", "label": f"echo: text {number}"} for number in range(6)]
    data = "\n".join(map(json.dumps, rows)).encode()
    file = client.files.create(file=("rows.jsonl", data), purpose="fine-tune")
    dataset = http.post("/v1/datasets", json={"name": "texts", "task": "text_classification"}).json()
    done(http, dataset, "imports", {"file": file.id})
    version = done(http, dataset, "versions", {"validation_share": 0.0})["version"]
    of = made(
        client, {**EXACT, "reference": "{{ item.label }}"}, schema={"type": "object", "required": ["text", "label"]}
    )
    source = {"type": "dataset_version", "version": version, "part": "training"}
    run = run_of(client, of.id, asked(source, messages={"type": "item_reference", "item_reference": "{{ item.text }}"}))
    assert (run.status, run.result_counts.passed, run.result_counts.total) == ("completed", 6, 6), run.error
    assert outputs(client, run)[0].datasource_item["text"].startswith("echo: text")
    with refused(404, param="data_source.source.version"):
        client.evals.runs.create(of.id, data_source=asked({**source, "version": "dsv_none"}))


def test_conversations_are_graded_asked_again_and_replayed(client: openai.OpenAI, http: httpx2.Client) -> None:
    assistant = client.beta.assistants.create(model="script")
    said = [("user", "echo: one"), ("assistant", "echo: one"), ("user", "echo: two"), ("assistant", "something else")]
    messages: Any = [{"role": role, "content": text} for role, text in said]
    for metadata in ({"use": "held-out"}, {"use": "other"}):
        client.beta.threads.create(messages=messages, metadata=metadata)
    of = made(client, {**EXACT, "reference": "{{ item.reference }}"}, schema={"type": "object"})
    threads = {"type": "threads", "metadata": {"use": "held-out"}}
    stored = run_of(client, of.id, {"type": "completions", "source": threads})
    assert (stored.result_counts.passed, stored.result_counts.total) == (2, 2)
    again = run_of(client, of.id, {"type": "completions", "source": threads, "model": "script"})
    first, second = outputs(client, again)
    assert (first.status, second.status) == ("pass", "fail")
    assert [each.content for each in second.sample.input] == ["echo: one", "echo: one", "echo: two"]
    replayed = {**threads, "history": "replayed", "turns": "last"}
    run = run_of(client, of.id, {"type": "completions", "source": replayed, "model": assistant.id})
    (last,) = outputs(client, run)
    assert (last.status, last.sample.output[0].content) == ("fail", "echo: two"), last.sample.error
    assert [each.content for each in last.sample.input] == ["echo: one", "echo: two"]
    path, asked_of = f"/evals/{of.id}/runs/{stored.id}/agreement", {"criterion": "exact", "human": "feedback"}
    with refused(400, param="human"):
        client.get(path, cast_to=object, options={"params": asked_of})
    for output, verdict in zip(outputs(client, stored), ("up", "down"), strict=True):
        target = {"type": "message", "id": output.datasource_item["message_id"]}
        assert http.post("/v1/feedback", json={"target": target, "verdict": verdict}).status_code == 200
    agreed: Any = client.get(path, cast_to=object, options={"params": asked_of})
    assert (agreed["number"], agreed["observed"], agreed["labels"]) == (2, 0.5, ["fail", "pass"])
    with refused(400, param="data_source.source.history"):
        client.evals.runs.create(of.id, data_source={"type": "completions", "source": replayed, "model": "script"})
    nobody = {"type": "completions", "source": {"type": "threads", "ids": ["thread_none"]}}
    assert run_of(client, of.id, nobody).error.code == "not_found"
    left = http.get("/v1/threads", params={"limit": 100}).json()["data"]
    assert not [thread for thread in left if "eval_run" in thread["metadata"]]


def done(http: httpx2.Client, dataset: Json, work: str, body: Json) -> Json:
    """A task of a data set, ended well."""
    path = f"/v1/datasets/{dataset['id']}"
    task = http.post(f"{path}/{work}", json=body).json()
    eventually(lambda: http.get(f"{path}/tasks/{task['id']}").json()["status"] != "queued", patience=120)
    found: Json = http.get(f"{path}/tasks/{task['id']}").json()
    assert found["status"] == "completed", found
    return found


def test_two_runs_are_compared_by_item_and_by_slice(client: openai.OpenAI, http: httpx2.Client) -> None:
    of = made(client)
    pairs = [(f"question {n}", f"echo: question {n}") for n in range(12)] + [
        (f"问题 {n}", f"echo: 问题 {n}") for n in range(6)
    ]
    wrong = {"type": "template", "template": [{"role": "user", "content": "echo: wrong {{ item.question }}"}]}
    source = content(*pairs, topic="all")
    before = run_of(client, of.id, asked(source, messages=wrong))
    after = run_of(client, of.id, asked(source))
    body = {"before": before.id, "after": after.id, "text": "item.question", "slices": {"topic": "item.topic"}}
    found: Any = client.post(f"/evals/{of.id}/comparisons", body=body, cast_to=object)
    whole = found["comparison"]
    assert (whole["number"], whole["before"], whole["after"], whole["gained"]) == (18, 0, 1, 18)
    assert whole["p"] < 0.001 and whole["test"] == "mcnemar" and found["unpaired"] == 0
    assert "better by more than chance" in whole["sentence"]["en"] and "改善并非偶然" in whole["sentence"]["zh"]
    slices = {each["name"]: each["number"] for each in found["slices"]}
    assert slices == {"language=en": 12, "language=zh": 6, "length=short": 18, "topic=all": 18}
    other = run_of(client, of.id, asked(content(("else", "x"))))
    with refused(400, param="after"):
        client.post(f"/evals/{of.id}/comparisons", body={"before": before.id, "after": other.id}, cast_to=object)
    with refused(400, param="criterion"):
        client.post(f"/evals/{of.id}/comparisons", body={**body, "criterion": "none"}, cast_to=object)
    report = http.get(f"/v1/evals/{of.id}/runs/{after.id}/report").text
    assert "18 passed (100.0 %)" in report and "| exact | 18 (100.0 %) | 0 | 1.000 |" in report


def test_a_judges_agreement_with_people_is_measured(client: openai.OpenAI) -> None:
    label = {
        "type": "label_model",
        "name": "kind",
        "model": "judge",
        "input": [{"role": "user", "content": "Judge {{ item.question }}"}],
        "labels": ["good", "bad"],
        "passing_labels": ["good"],
    }
    of = made(client, label, schema={"type": "object"})
    people = [("fine", "good"), ("fine", "good"), ("awful", "bad"), ("awful", "good"), ("fine", None)]
    items = [{"item": {"question": question, **({"human": human} if human else {})}} for question, human in people]
    run = run_of(client, of.id, asked({"type": "file_content", "content": items}))
    path = f"/evals/{of.id}/runs/{run.id}/agreement"
    found: Any = client.get(path, cast_to=object, options={"params": {"criterion": "kind", "human": "item.human"}})
    assert (found["number"], found["observed"], found["labels"]) == (4, 0.75, ["bad", "good"])
    assert found["kappa"] == pytest.approx(0.5) and "Cohen's kappa 0.50" in found["sentence"]["en"]
    with refused(400, param="human"):
        client.get(path, cast_to=object, options={"params": {"criterion": "kind", "human": "item.nobody"}})


def test_a_run_is_cancelled_and_deleted(client: openai.OpenAI) -> None:
    of = made(client)
    slow = {"type": "template", "template": [{"role": "user", "content": "stall {{ item.question }}"}]}
    run = client.evals.runs.create(of.id, data_source=asked(content(("a", "b")), messages=slow))
    cancelled = client.evals.runs.cancel(run.id, eval_id=of.id)
    assert (cancelled.status, cancelled.result_counts.total) == ("canceled", 1)
    with refused(400, param="run_id"):
        client.evals.runs.cancel(run.id, eval_id=of.id)
    assert client.evals.runs.delete(run.id, eval_id=of.id).deleted
    with refused(404):
        client.evals.runs.retrieve(run.id, eval_id=of.id)


def test_what_is_wrong_with_the_data_is_said(client: openai.OpenAI) -> None:
    of = made(client)
    with refused(400, param="data_source.source.content[1].item") as error:
        client.evals.runs.create(
            of.id,
            data_source=asked(
                {
                    "type": "file_content",
                    "content": [{"item": {"question": "a", "answer": "b"}}, {"item": {"question": 1, "answer": "b"}}],
                }
            ),
        )
    assert "item.question" in str(error.value)
    data = b'{"item": {"question": "a", "answer": "b"}}\nnonsense\n'
    file = client.files.create(file=("items.jsonl", data), purpose="evals")
    run = run_of(client, of.id, asked({"type": "file_id", "id": file.id}))
    assert (run.status, run.error.code) == ("failed", "invalid_data") and run.error.message.startswith(
        "Line 2 is no JSON"
    )
    with refused(404, param="data_source.source.id"):
        client.evals.runs.create(of.id, data_source=asked({"type": "file_id", "id": "file-none"}))
    with refused(404, param="data_source.model"):
        client.evals.runs.create(of.id, data_source=asked(content(("a", "b")), model="nobody"))
    with refused(400, param="data_source.type"):
        client.evals.runs.create(of.id, data_source={"type": "responses", "source": {"type": "responses"}})


WRONG_CRITERIA: list[tuple[str, list[Json]]] = [
    ("testing_criteria[0].type", [{"type": "python", "name": "p", "source": "def grade(sample, item): return 1"}]),
    ("testing_criteria[0].input", [{**EXACT, "input": "{{ item.a + 1 }}"}]),
    ("testing_criteria[0].reference", [{**EXACT, "reference": "{{ env.PATH }}"}]),
    ("testing_criteria[1].name", [EXACT, EXACT]),
    ("testing_criteria[0].operation", [{**EXACT, "operation": "regex"}]),
    (
        "testing_criteria[0].model",
        [{"type": "score_model", "name": "s", "model": "nobody", "input": [{"role": "user", "content": "x"}]}],
    ),
    (
        "testing_criteria[0].passing_labels",
        [
            {
                "type": "label_model",
                "name": "l",
                "model": "judge",
                "input": [{"role": "user", "content": "x"}],
                "labels": ["a"],
                "passing_labels": ["b"],
            }
        ],
    ),
]


@pytest.mark.parametrize(("param", "criteria"), WRONG_CRITERIA, ids=[param for param, _ in WRONG_CRITERIA])
def test_criteria_that_cannot_be_are_refused_by_name(client: openai.OpenAI, param: str, criteria: list[Json]) -> None:
    with refused(404 if param.endswith("model") else 400, param=param):
        made(client, *criteria)


def test_a_run_has_no_more_items_than_the_server_allows(clients: Clients, start_server: Any) -> None:
    server = start_server(eval_items=2)
    client = clients.sdk(server, strict=False)
    of = made(client)
    with refused(400, param="data_source.source"):
        client.evals.runs.create(of.id, data_source=asked(content(("a", "b"), ("c", "d"), ("e", "f"))))
    lines = "\n".join(json.dumps({"item": {"question": "a", "answer": "b"}}) for _ in range(3))
    file = client.files.create(file=("items.jsonl", lines.encode()), purpose="evals")
    run = run_of(client, of.id, asked({"type": "file_id", "id": file.id}))
    assert (run.status, run.error.code) == ("failed", "too_many_items")


def test_a_schema_that_is_none_is_refused(client: openai.OpenAI) -> None:
    with refused(400, param="data_source_config.item_schema"):
        made(client, schema={"type": "nonsense"})
    with refused(400, param="data_source_config.item_schema"):
        made(client, schema={"$ref": "http://127.0.0.1:9/schema.json"})
