"""From transcripts to an assistant that answers and hands over, end to end over HTTP: `make demo-support`.

    python -m benchmarks.applications.support.demo [--data ../shared/data] [--volume 10000]

With --data the transcripts are CrossWOZ (Chinese, 1,000 dialogues, a fifth held out); without it the three dialogues of ABCD's
sample that lie beside this file, which show that it runs and measure nothing. --volume imports so many dialogues of SGD,
repeated under other ids.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.learning.circle.story import House

SAMPLE = Path(__file__).parent / "abcd_sample.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--volume", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zhuli-support-") as place:
        house = House(Path(place))
        house.start()
        try:
            if asked.data is None:
                _sample(house)
            else:
                _crosswoz(house, asked.data)
            if asked.volume and asked.data is not None:
                _volume(house, asked.data, asked.volume)
        finally:
            house.kill()


def _sample(house: House) -> None:
    desk = house.post("/support_desks", {"name": "Clothes shop"})["id"]
    given = {"text": SAMPLE.read_text(), "format": "abcd", "least": 1, "held_out": 0}
    _told("import", _done(house, desk, "imports", given))
    published = _told("publish", _done(house, desk, "publish", {"accept": 1}))
    _talk(house, desk, published["assistant"], "How long do promo codes last, when do they expire?")
    _talk(house, desk, published["assistant"], "I will call my lawyer if I do not get my refund!")


def _crosswoz(house: House, data: Path) -> None:
    desk = house.post("/support_desks", {"name": "Travel", "languages": ["zh"]})["id"]
    for part in ("val", "test"):
        content = (data / "crosswoz_zh" / f"{part}.json.zip").read_bytes()
        sent = house.http.post("/files", files={"file": (f"{part}.zip", content)}, data={"purpose": "user_data"})
        file = sent.raise_for_status().json()["id"]
        _told(f"import of {part}", _done(house, desk, "imports", {"file": file, "mask": False, "least": 5}))
    published = _told("publish", _done(house, desk, "publish", {"accept": 5}))
    print(json.dumps(_done(house, desk, "evaluations", {"most": 600})["result"], indent=2, ensure_ascii=False))
    _talk(house, desk, published["assistant"], "这家酒店的电话是多少？")
    _talk(house, desk, published["assistant"], "我要投诉，太差劲了，我要找律师")


def _volume(house: House, data: Path, count: int) -> None:
    """So many dialogues; of each repeated one the id differs, and a number in its first words."""
    found: list[dict[str, Any]] = []
    for path in sorted((data / "sgd_dialogues").glob("*_dialogues_*.json")):
        found += json.loads(path.read_bytes())
    lines = []
    for number in range(count):
        one, again = found[number % len(found)], number // len(found)
        turns = [{"role": turn["speaker"], "content": turn["utterance"]} for turn in one["turns"]]
        if again:
            turns[0]["content"] += f" ({again})"
        lines.append(json.dumps({"id": f"{one['dialogue_id']}-{again}", "messages": turns}))
    sent = house.http.post(
        "/files", files={"file": ("sgd.jsonl", "\n".join(lines).encode())}, data={"purpose": "user_data"}
    )
    desk = house.post("/support_desks", {"name": "Volume"})["id"]
    asked = {"file": sent.raise_for_status().json()["id"], "format": "jsonl"}
    print(f"{len(found)} different dialogues, {count} in all")
    _told("import of SGD", _done(house, desk, "imports", asked))


def _done(house: House, desk: str, work: str, body: dict[str, Any]) -> dict[str, Any]:
    """The task, when it has ended; how far it is, on one line."""
    began = time.monotonic()
    task = house.post(f"/support_desks/{desk}/{work}", body)
    while task["status"] == "queued":
        time.sleep(0.5)
        task = house.get(f"/support_desks/{desk}/tasks/{task['id']}")
        print(f"\r{work}: {time.monotonic() - began:5.0f} s {task['progress']}", end="   ", flush=True)
    print()
    if task["status"] == "failed":
        raise SystemExit(task["error"])
    return dict(task)


def _told(name: str, task: dict[str, Any]) -> dict[str, Any]:
    result = dict(task["result"])
    print(name, json.dumps({**result, "faults": len(result.get("faults", ()))}, ensure_ascii=False))
    return result


def _talk(house: House, desk: str, assistant: str, text: str) -> None:
    """One message, and what came of it."""
    thread = house.post("/threads", {"messages": [{"role": "user", "content": text}]})["id"]
    run = house.post(f"/threads/{thread}/runs", {"assistant_id": assistant})
    while run["status"] in ("queued", "in_progress"):
        time.sleep(0.2)
        run = house.get(f"/threads/{thread}/runs/{run['id']}")
    print(f"\n> {text}\n  {run['status']}")
    if run["status"] != "requires_action":
        print(" ", house.get(f"/threads/{thread}/messages")["data"][0]["content"][0]["text"]["value"])
        return
    (handoff,) = [
        one for one in house.get(f"/support_desks/{desk}/handoffs?limit=100")["data"] if one["run_id"] == run["id"]
    ]
    print(f"  handed over ({handoff['reason']}): {handoff['why']}")
    for one in handoff["suggestions"]:
        print(f"  suggested {one['certainty']:.2f}: {one['text'][:100]}")
    answer = {"agent": "ann", "text": "A colleague answers here."}
    print("  ", house.post(f"/support_desks/{desk}/handoffs/{handoff['id']}/answer", answer)["status"])


if __name__ == "__main__":
    main()
