"""Short texts a second that a monitor reads, beside the encoder alone: the same texts to the same model by /v1/predictions.

    python -m benchmarks.applications.opinion.throughput --data DIR [--texts 1000]

Counted is processor time, of the server and its children, so that it holds on a machine that others use: with two cores twice
as many texts a second as one second of processor time takes. Wall time is told beside it, for a quiet machine. The model is
MiniLM with a head that has learned for a moment: what it says is of no interest here, and how long it takes is the same. Texts:
sentences of financial_phrasebank, of up to 160 characters.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.applications.opinion.sets import phrasebank
from benchmarks.learning.circle.house import House, waiting

AT_ONCE = 250
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=1_000)
    asked = parser.parse_args()
    rows = [row for part in phrasebank(asked.data, 0, "50Agree").values() for row in part if len(row["text"]) <= 160]
    texts = list(dict.fromkeys(row["text"] for row in rows))[: asked.texts]
    with tempfile.TemporaryDirectory(prefix="zhuli-opinion-") as place, House(Path(place)) as house:
        content = "".join(json.dumps(row) + "\n" for row in rows[:60]).encode()
        answer = house._http.post("/files", files={"file": ("t.jsonl", content)}, data={"purpose": "fine-tune"})
        options = {"trainable": "head", "n_epochs": 1}
        tuning = {"hyperparameters": options}
        file = answer.json()["id"]
        body = {"model": "minilm", "task": "text_classification", "training_file": file, "tuning": tuning}
        model = house.tuned(body)
        house.put("/model_aliases/sentiment", {"model": model})
        house.post("/predictions", {"model": "sentiment", "input": texts[:8]})  # loaded
        alone = _encoder(house, texts)
        whole = _monitor(house, texts)
    print(f"{len(texts)} texts, {sum(map(len, texts)) / len(texts):.0f} characters on average")
    for name, (seconds, wall) in (("encoder alone", alone), ("monitor", whole)):
        each = 1_000 * seconds / len(texts)
        print(f"{name}: {each:.2f} ms of processor time a text, {2 * len(texts) / seconds:.0f} a second on two cores")
        print(f"{name}: {len(texts) / wall:.0f} texts a second of wall time")
    print(f"the monitor does {alone[0] / whole[0]:.2f} of the encoder alone, {alone[1] / whole[1]:.2f} by wall time")


def _encoder(house: House, texts: list[str]) -> tuple[float, float]:
    """Seconds of processor time, and of the clock."""
    before, began = _spent(house), time.monotonic()
    for start in range(0, len(texts), AT_ONCE):
        house.post("/predictions", {"model": "sentiment", "input": texts[start : start + AT_ONCE], "top_k": 1})
    return _spent(house) - before, time.monotonic() - began


def _monitor(house: House, texts: list[str]) -> tuple[float, float]:
    """Seconds of processor time, and of the clock."""
    companies = [
        {"id": f"c{n}", "name": name} for n, name in enumerate(("Nokia", "Elcoteq", "Gran", "Finnair", "Outokumpu"))
    ]
    models = {"en": {"sentiment": "sentiment"}}
    body: dict[str, Any] = {"name": "speed", "companies": companies, "models": models}
    monitor = house.post("/opinion_monitors", body)["id"]
    now = time.time()
    items = [{"id": str(n), "text": text, "published_at": now - len(texts) + n} for n, text in enumerate(texts)]
    before, began = _spent(house), time.monotonic()
    for start in range(0, len(items), AT_ONCE):
        house.post(f"/opinion_monitors/{monitor}/items", {"data": items[start : start + AT_ONCE]})
    for _ in waiting("reading"):
        if not house.get(f"/opinion_monitors/{monitor}/status")["waiting"]:
            return _spent(house) - before, time.monotonic() - began
    raise AssertionError


def _spent(house: House) -> float:
    """Seconds of processor time of the server and its children, those that have ended included."""
    assert house._process is not None
    parents = {int(place.name): _stat(place) for place in Path("/proc").iterdir() if place.name.isdigit()}
    family = {house._process.pid}
    while more := {pid for pid, stat in parents.items() if stat and int(stat[1]) in family} - family:
        family |= more
    return sum(sum(map(int, stat[11:15])) for pid, stat in parents.items() if pid in family and stat) / TICKS


def _stat(place: Path) -> list[str]:
    """The fields behind the name, which may have blanks: the state first, then the parent."""
    try:
        return (place / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []


if __name__ == "__main__":
    main()
