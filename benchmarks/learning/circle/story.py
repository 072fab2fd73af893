"""The learning circle on banking77, from a model that serves to a better one that took its place: `make demo-learning`.

    python -m benchmarks.learning.circle.story --data ../shared/data

A model of some intents serves; a group that it has never seen appears; drift fires; what it names is labelled (by the data's own
labels, in place of people); a candidate is tuned, gated, shadowed, shared, promoted; a poisoned batch is refused. The server is
killed twice on the way. Prints what was measured, and draws accuracy over time as an SVG.
"""

import argparse
import csv
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.processes import free_port

OLD = (
    "card_arrival activate_my_card age_limit apple_pay_or_google_pay atm_support beneficiary_not_allowed cancel_transfer "
    "change_pin contactless_not_working country_support exchange_rate getting_virtual_card"
).split()
NEW = "lost_or_stolen_phone passcode_forgotten top_up_failed terminate_account".split()
ALIAS = "intents"
HEAD = {"trainable": "head"}


class House:
    """A server of its own, which can be killed and started again on the same data."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self.http = httpx2.Client(base_url=f"http://127.0.0.1:{self._port}/v1", timeout=180)

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "zhuli.cli",
            "serve",
            "--port",
            str(self._port),
            "--data-dir",
            str(self._folder),
        ]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        for _ in range(600):
            try:
                self.http.get("/models").raise_for_status()
                return
            except httpx2.HTTPError:
                time.sleep(0.2)
        raise SystemExit(f"The server does not start: {self._folder / 'server.log'}")

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def get(self, path: str) -> Any:
        return self._said(self.http.get(path))

    def post(self, path: str, body: Any) -> Any:
        return self._said(self.http.post(path, json=body))

    def upload(self, name: str, rows: list[tuple[str, str]]) -> str:
        content = "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows).encode()
        files = {"file": (name, content)}
        return str(self._said(self.http.post("/files", files=files, data={"purpose": "fine-tune"}))["id"])

    def predict(self, rows: list[tuple[str, str]]) -> list[bool]:
        """Whether each was answered with its label; one request a message, as people send them in turn."""
        found = []
        for text, label in rows:
            said = self.post("/predictions", {"model": ALIAS, "input": text, "top_k": 1, "user": text})
            found.append(said["data"][0]["output"][0]["label"] == label)
        return found

    @staticmethod
    def _said(response: Any) -> Any:
        if response.status_code >= 400:
            raise SystemExit(f"{response.request.url}: {response.text}")
        return response.json()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--svg", type=Path, default=Path("build/learning-circle.svg"))
    parser.add_argument("--no-poison", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zhuli-circle-") as place:
        house = House(Path(place))
        house.start()
        try:
            _story(house, asked)
        finally:
            house.kill()


def _story(house: House, asked: argparse.Namespace) -> None:
    began = time.monotonic()
    dice = random.Random(0)
    train, test = (_read(asked.data / "banking77" / f"{name}.csv") for name in ("train", "test"))
    known, held = _part(train, OLD, 0, 40), _part(test, OLD, 0, 20)
    traffic, new_traffic = _part(train, OLD, 40, 100), _part(train, NEW, 0, 60)
    dice.shuffle(traffic)
    dice.shuffle(new_traffic)
    line: list[tuple[int, float]] = []

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:6.0f} s] {text}", flush=True)

    def serve(rows: list[tuple[str, str]]) -> float:
        right = house.predict(rows)
        line.append(((line[-1][0] if line else 0) + len(rows), sum(right) / len(right)))
        return line[-1][1]

    held_file, regression = house.upload("held.jsonl", held + _part(test, NEW, 0, 20)), house.upload("old.jsonl", held)
    job = house.post(
        "/fine_tuning/jobs",
        {
            "model": "minilm",
            "task": "text_classification",
            "training_file": house.upload("known.jsonl", known),
            "validation_file": regression,
            "tuning": {"hyperparameters": HEAD},
        },
    )
    while (job := house.get(f"/fine_tuning/jobs/{job['id']}"))["status"] not in ("succeeded", "failed"):
        time.sleep(1)
    first = job["fine_tuned_model"]
    house.http.put(f"/model_aliases/{ALIAS}", json={"model": first}).raise_for_status()
    policy = {
        "validation_file": held_file,
        "hyperparameters": HEAD,
        "gate": {"regression_file": regression, "slices": {"new": NEW, "old": OLD}, "margins": {"regression": 0.005}},
        "stages": {"shadow_requests": 40, "share": 0.3, "share_requests": 20},
        "watch": {"requests": 60, "least": 15},
        "drift": {"window": 50, "reference": 150, "season": 20, "keep_texts": True},
    }
    house.post(f"/model_aliases/{ALIAS}/policy", policy)
    say(f"{first} serves {len(OLD)} intents")
    serve(traffic[:150])
    quiet = serve(traffic[150:350])
    time.sleep(3)
    drift = house.get(f"/model_aliases/{ALIAS}/drift")
    say(f"quiet traffic: {len(drift['windows'])} windows, {drift['status']}; {quiet:.1%} right")

    used = 0
    while drift["status"] != "drifted" and used < 240:
        mixed = traffic[350 + used * 3 // 4 : 350 + (used + 50) * 3 // 4] + new_traffic[used // 4 : (used + 50) // 4]
        dice.shuffle(mixed)
        serve(mixed)
        used += 50
        time.sleep(3)
        drift = house.get(f"/model_aliases/{ALIAS}/drift")
    labels = dict(train)
    first_new = [labels[each["text"]] in NEW for each in drift["messages"][:10]]
    say(
        f"drift fired within {used} messages of which a quarter were new; of the ten named first {sum(first_new)} are new"
    )
    say("new: " + "; ".join(f"{group['name']} ({group['messages']})" for group in drift["groups"][:5]))

    before = _accuracy(house, _part(test, NEW, 20, 40)), _accuracy(house, _part(test, OLD, 20, 40))
    taught = known + new_traffic[: len(NEW) * 40]
    house.post(f"/model_aliases/{ALIAS}/candidates", {"training_file": house.upload("taught.jsonl", taught)})
    time.sleep(4)
    house.kill()
    house.start()
    say("the server was killed while the candidate was tuned")
    _until(house, "shadow", lambda: None)
    house.predict(_part(test, OLD, 0, 2))
    house.kill()
    house.start()
    say("and again while it was in the shadow")
    queue = traffic[200:] + new_traffic
    dice.shuffle(queue)
    _until(house, "settled", lambda: serve([queue.pop() for _ in range(20) if queue]))
    after = _accuracy(house, _part(test, NEW, 20, 40)), _accuracy(house, _part(test, OLD, 20, 40))
    say(f"new group {before[0]:.1%} → {after[0]:.1%}, old group {before[1]:.1%} → {after[1]:.1%}")
    for share in () if asked.no_poison else (0.05, 0.10, 0.20):
        batch = _part(train, ["change_pin"], 40, 100)
        number = round(share * 300)
        poisoned = [(text, "atm_support") for text, _ in (batch * 2)[:number]]
        body = {"training_file": house.upload("poisoned.jsonl", taught + poisoned)}
        house.post(f"/model_aliases/{ALIAS}/candidates", body)
        ended = _until(house, "refused", lambda: None)
        decision = next(
            each for each in _decisions(house) if each["candidate"] == ended["id"] and each["kind"] == "refused"
        )
        say(f"poisoned, {number} labels of 300 ({share:.0%}): {decision['sentence']['en']}")
    for decision in reversed(_decisions(house)):
        print(f"  {decision['kind']:15} {decision['sentence']['en']}\n  {'':15} {decision['sentence']['zh']}")
    asked.svg.parent.mkdir(parents=True, exist_ok=True)
    asked.svg.write_text(_drawn(line), encoding="utf-8")
    say(f"accuracy over time: {asked.svg}")


def _decisions(house: House) -> list[Any]:
    return list(house.get(f"/model_aliases/{ALIAS}/decisions?limit=100")["data"])


def _until(house: House, status: str, meanwhile: Any) -> Any:
    while True:
        found = house.get(f"/model_aliases/{ALIAS}/candidates?limit=1")["data"][0]
        if found["status"] == status:
            return found
        if found["status"] in ("refused", "failed", "rolled_back", "settled"):
            raise SystemExit(f"{found['status']}: {_decisions(house)[0]['sentence']['en']}")
        if found["status"] in ("shadow", "share", "all"):
            meanwhile()
        time.sleep(1)


def _accuracy(house: House, rows: list[tuple[str, str]]) -> float:
    right = house.predict(rows)
    return sum(right) / len(right)


def _read(path: Path) -> list[tuple[str, str]]:
    with path.open(encoding="utf-8") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


def _part(rows: list[tuple[str, str]], labels: list[str], start: int, end: int) -> list[tuple[str, str]]:
    """Of each label the rows from `start` to `end`."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for text, label in rows:
        if label in labels:
            found[label].append((text, label))
    return [row for label in labels for row in found[label][start:end]]


def _drawn(line: list[tuple[int, float]]) -> str:
    width, height, last = 640, 240, line[-1][0]
    across, up = (width - 60) / last, height - 50
    points = " ".join(f"{40 + number * across:.0f},{height - 30 - right * up:.0f}" for number, right in line)
    marks = "".join(
        f'<text x="4" y="{height - 26 - share * (height - 50):.0f}" font-size="11">{share:.0%}</text>'
        for share in (0, 0.5, 1)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif">'
        f'<polyline fill="none" stroke="#36c" stroke-width="2" points="{points}"/>{marks}'
        f'<text x="{width // 2 - 80}" y="{height - 6}" font-size="11">messages served, {last} in all</text></svg>\n'
    )


if __name__ == "__main__":
    main()
