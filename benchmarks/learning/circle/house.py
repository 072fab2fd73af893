"""A server of the story's own, which can be killed and started again on the same data, and what a team asks of it."""

import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.learning.circle.corpora import Rows
from benchmarks.processes import free_port

ALIAS = "intents"

PATIENCE = 3600
"""Seconds that anything may take: a machine that others use is slow, and a story that hangs is none."""


class House:
    """Entered, it serves; left, it is gone."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._port = folder, free_port()
        self._http = httpx2.Client(base_url=f"http://127.0.0.1:{self._port}/v1", timeout=300)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "House":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._http.close()

    def start(self) -> None:
        command = [sys.executable, "-m", "zhuli.cli", "serve", "--port", str(self._port), "--data-dir"]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen([*command, str(self.folder)], stdout=log, stderr=log)
        for _ in range(1200):
            try:
                self._http.get("/models").raise_for_status()
                return
            except httpx2.HTTPError:
                time.sleep(0.2)
        raise SystemExit(f"The server does not start: {self.folder / 'server.log'}")

    def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is said."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def get(self, path: str) -> Any:
        return _said(self._http.get(path))

    def post(self, path: str, body: Any) -> Any:
        return _said(self._http.post(path, json=body))

    def put(self, path: str, body: Any) -> Any:
        return _said(self._http.put(path, json=body))

    def delete(self, path: str) -> Any:
        return _said(self._http.delete(path))

    def upload(self, name: str, rows: Rows) -> str:
        content = "".join(json.dumps({"text": text, "label": label}, ensure_ascii=False) + "\n" for text, label in rows)
        return self.send(name, content.encode(), "fine-tune")

    def send(self, name: str, content: bytes, purpose: str) -> str:
        """The id of the uploaded file."""
        files = {"file": (name, content)}
        return str(_said(self._http.post("/files", files=files, data={"purpose": purpose}))["id"])

    def ask(self, text: str, *, store: bool = True) -> tuple[str, str]:
        """(prediction, label) of one message, as its sender gets it; each message has a sender of its own."""
        body = {"model": ALIAS, "input": text, "top_k": 1, "user": sender(text), "store": store}
        (said,) = self.post("/predictions", body)["data"]
        return said["id"], said["output"][0]["label"]

    def run(self, assistant: str, text: str) -> dict[str, Any]:
        """A run of an assistant on a thread with one message, when it rests."""
        thread = self.post("/threads", {"messages": [{"role": "user", "content": text}]})["id"]
        run = self.post(f"/threads/{thread}/runs", {"assistant_id": assistant})
        while run["status"] in ("queued", "in_progress"):
            time.sleep(0.2)
            run = self.get(f"/threads/{thread}/runs/{run['id']}")
        return dict(run)

    def accuracy(self, rows: Rows, model: str = ALIAS) -> float:
        """Of a model, or of whoever serves; asked at once, and nothing of it is kept."""
        body = {"model": model, "input": [text for text, _ in rows], "top_k": 1, "store": False}
        said = [one["output"][0]["label"] for one in self.post("/predictions", body)["data"]]
        right: int = sum(one == label for one, (_, label) in zip(said, rows, strict=True))
        return right / len(rows)

    def tuned(self, body: dict[str, Any]) -> str:
        """A fine-tuning job, waited for; its model."""
        job = self.post("/fine_tuning/jobs", body)
        for _ in waiting("a fine-tuning job"):
            if (job := self.get(f"/fine_tuning/jobs/{job['id']}"))["status"] in ("succeeded", "failed", "cancelled"):
                break
        if job["status"] != "succeeded":
            raise SystemExit(f"A fine-tuning job failed: {job['error']}")
        return str(job["fine_tuned_model"])

    def dataset(self, name: str, file: str) -> str:
        """A data set with the records of a file."""
        made = str(self.post("/datasets", {"name": name, "task": "text_classification"})["id"])
        self.work(made, "imports", {"file": file})
        return made

    def work(self, dataset: str, what: str, body: dict[str, Any]) -> Any:
        """A task on a data set, waited for."""
        task = self.post(f"/datasets/{dataset}/{what}", body)
        for _ in waiting(f"{what} of a data set"):
            task = self.get(f"/datasets/{dataset}/tasks/{task['id']}")
            if task["status"] != "queued":
                break
        if task["error"]:
            raise SystemExit(f"{what}: {task['error']}")
        return task

    def version(self, dataset: str) -> Any:
        """The newest state of a data set as a version, a fifth of what is new held out."""
        made = self.work(dataset, "versions", {"validation_share": 0.2})["version"]
        return self.get(f"/datasets/{dataset}/versions/{made}")

    def feedback(self, pieces: Sequence[dict[str, Any]]) -> list[str]:
        """In batches; their ids."""
        found: list[str] = []
        for start in range(0, len(pieces), 500):
            found += [
                one["id"] for one in self.post("/feedback/batches", {"data": pieces[start : start + 500]})["data"]
            ]
        return found

    def review(self, pieces: Iterable[str], reviewer: str, **review: Any) -> None:
        for each in pieces:
            self.post(f"/feedback/{each}/reviews", {"reviewer": reviewer, "state": "accepted", **review})

    def drift(self) -> Any:
        return self.get(f"/model_aliases/{ALIAS}/drift")

    def decisions(self) -> list[Any]:
        """Oldest first."""
        return list(self.get(f"/model_aliases/{ALIAS}/decisions?limit=100&order=asc")["data"])

    def candidates(self) -> list[Any]:
        """Newest first."""
        return list(self.get(f"/model_aliases/{ALIAS}/candidates?limit=20")["data"])


def sender(text: str) -> str:
    """Who sends a message: each has a sender of its own."""
    return f"user-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def waiting(what: str) -> Iterable[None]:
    """Turns of a loop that waits for something, a second each, until it has taken too long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        yield
        time.sleep(1)
    raise SystemExit(f"{what} takes longer than {PATIENCE} seconds")


def _said(response: Any) -> Any:
    if response.status_code >= 400:
        raise SystemExit(f"{response.request.method} {response.request.url}: {response.text}")
    return response.json()
