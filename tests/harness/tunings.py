"""Fine-tuning jobs in tests: a server whose training child trains nothing, files that say how it goes, and waiting."""

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx2
import openai
import pytest

from tests.harness import waiting, warm

PATIENCE = 300.0
"""Of a machine that does much else, too: a child that trains loads its libraries for seconds."""

eventually = partial(waiting.eventually, patience=PATIENCE)


def command() -> str:
    """For `tuning_command`: zhuli.testing.tuning_child does what the training file's first line says."""
    return warm.command_of("zhuli.testing.tuning_child")


def upload(client: openai.OpenAI, *lines: dict[str, Any], name: str = "train.jsonl", purpose: str = "fine-tune") -> str:
    """The id of a new file with these lines of JSON."""
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    return client.files.create(file=(name, content), purpose=purpose).id  # type: ignore[arg-type]


def plan(client: openai.OpenAI, **how: Any) -> str:
    """The id of a training file whose job goes like this; it looks like labelled texts."""
    return upload(client, {"text": "good", "label": "positive", **how})


def until(http: httpx2.Client, job: str, *statuses: str) -> dict[str, Any]:
    """Wait until the job has one of these statuses; the job as it is then. Any other end is a failure."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found: dict[str, Any] = http.get(f"/v1/fine_tuning/jobs/{job}").json()
        if found["status"] in statuses:
            return found
        if found["status"] in ("succeeded", "failed", "cancelled"):
            raise AssertionError(f"{job} has {found['status']}: {found['error']}")
        time.sleep(0.15)
    raise AssertionError(f"{job} has {found['status']} after {PATIENCE} s")


def messages(http: httpx2.Client, job: str) -> list[str]:
    """What the job's events say, oldest first."""
    found: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = http.get(f"/v1/fine_tuning/jobs/{job}/events", params={"limit": 100, **after}).json()
        found += [event["message"] for event in page["data"]]
        if not page["has_more"]:
            return found[::-1]
        after = {"after": page["data"][-1]["id"]}


def finished(client: openai.OpenAI, http: httpx2.Client, **fields: Any) -> dict[str, Any]:
    """A job that has succeeded."""
    body = {"model": "minilm", "training_file": plan(client), **fields}
    made = http.post("/v1/fine_tuning/jobs", json=body)
    assert made.status_code == 200, made.text
    return until(http, made.json()["id"], "succeeded")


def refused(call: Callable[[], Any], status: int, *, param: str | None = None) -> str:
    """What the refusal of this call says; `param` None: any."""
    with pytest.raises(openai.APIStatusError) as caught:
        call()
    error = caught.value.response.json()["error"]
    assert caught.value.status_code == status, error
    assert param in (None, error["param"]), error
    return str(error["message"])
