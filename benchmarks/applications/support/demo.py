"""From transcripts to an assistant that answers and hands over, end to end over HTTP: `make demo-support`.

    python -m benchmarks.applications.support.demo [--data ../shared/data] [--volume 10000] [--medicine [--composed]]

With --data the transcripts are CrossWOZ (Chinese): the 500 dialogues of `val` are learned from, and the 500 of `test`, which
nothing was chosen on, are held out and replayed. Without it the three dialogues of ABCD's sample that lie beside this file, which
show that it runs and measure nothing. --volume imports so many dialogues of SGD, repeated under other ids, in place of CrossWOZ.
--medicine: the desk of medicine/desk.py instead.
"""

import argparse
import json
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.applications.support.medicine import desk as medicine
from benchmarks.learning.circle.house import House
from zhuli.operating.asking.support import told

SAMPLE = Path(__file__).parent / "abcd_sample.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--volume", type=int, default=0)
    parser.add_argument("--medicine", action="store_true")
    parser.add_argument("--composed", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zhuli-support-") as place, House(Path(place)) as house:
        if asked.medicine:
            medicine.told(house, _done, composed=asked.composed)
        elif asked.data is None:
            _sample(house)
        elif asked.volume:
            _volume(house, asked.data, asked.volume)
        else:
            _crosswoz(house, asked.data)


def _sample(house: House) -> None:
    desk = house.post("/support_desks", {"name": "Clothes shop"})["id"]
    given = {"text": SAMPLE.read_text(), "format": "abcd", "least": 1, "held_out": 0}
    _told("import", _done(house, desk, "imports", given))
    published = _told("publish", _done(house, desk, "publish", {"accept": 1}))
    _talk(house, desk, published["assistant"], "How long do promo codes last, when do they expire?")
    _talk(house, desk, published["assistant"], "I will call my lawyer if I do not get my refund!")


def _crosswoz(house: House, data: Path) -> None:
    desk = house.post("/support_desks", {"name": "Travel", "languages": ["zh"]})["id"]
    for part, held_out in (("val", 0), ("test", 1)):
        file = house.send(f"{part}.zip", (data / "crosswoz_zh" / f"{part}.json.zip").read_bytes(), "user_data")
        _told(f"import of {part}", _done(house, desk, "imports", {"file": file, "mask": False, "held_out": held_out}))
    published = _told("publish", _done(house, desk, "publish", {"accept": 3}))
    for line in told(_done(house, desk, "evaluations", {"most": 5_000})["result"]):
        print(line)
    _talk(house, desk, published["assistant"], "这家酒店的电话是多少？")
    _talk(house, desk, published["assistant"], "我要投诉，太差劲了，我要找律师")


def _volume(house: House, data: Path, count: int) -> None:
    """So many dialogues; of each repeated one the id differs, and a number in each of its turns, so that each has a vector."""
    found: list[dict[str, Any]] = []
    for path in sorted((data / "sgd_dialogues").glob("*_dialogues_*.json")):
        found += json.loads(path.read_bytes())
    lines = []
    for number in range(count):
        one, again = found[number % len(found)], number // len(found)
        mark = f" ({again})" if again else ""
        turns = [{"role": turn["speaker"], "content": turn["utterance"] + mark} for turn in one["turns"]]
        lines.append(json.dumps({"id": str(number), "messages": turns}))
    file = house.send("sgd.jsonl", "\n".join(lines).encode(), "user_data")
    desk = house.post("/support_desks", {"name": "Volume"})["id"]
    print(f"{len(found)} different dialogues, {count} in all")
    before, began = _processor_seconds(house.pid), time.monotonic()
    _told("import of SGD", _done(house, desk, "imports", {"file": file, "format": "jsonl"}))
    spent, took = _processor_seconds(house.pid) - before, time.monotonic() - began
    print(f"{spent:.0f} s of processor time, of server and children together, in {took:.0f} s")


def _processor_seconds(pid: int) -> float:
    """Of a process, its children that have ended, and those that live (Linux)."""
    used: dict[int, tuple[int, int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rsplit(")", 1)[1].split()
            used[int(path.parent.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    ticks = sum(spent for one, (parent, spent) in used.items() if pid in (one, parent))
    return ticks / os.sysconf("SC_CLK_TCK")


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
    run = house.run(assistant, text)
    print(f"\n> {text}\n  {run['status']}")
    if run["status"] != "requires_action":
        print(" ", house.get(f"/threads/{run['thread_id']}/messages")["data"][0]["content"][0]["text"]["value"])
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
