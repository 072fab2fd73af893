"""What is otherwise in one version than in another, by their manifests."""

from collections import Counter
from pathlib import Path
from typing import Any

import orjson

SHOWN = 100


def diff(before: Path, after: Path) -> dict[str, Any]:
    """Counts, labels and the first examples that were added, removed, relabelled, moved to the other part.

    An example whose label was changed in the log keeps its id.
    """
    old = _read(before)
    counts = dict.fromkeys(("added", "removed", "relabelled", "moved", "same"), 0)
    shown: dict[str, list[dict[str, Any]]] = {name: [] for name in ("added", "removed", "relabelled", "moved")}
    labels: Counter[str] = Counter()

    def note(kind: str, entry: dict[str, Any]) -> None:
        counts[kind] += 1
        if len(shown[kind]) < SHOWN:
            shown[kind].append(entry)

    with after.open("rb") as lines:
        for line in lines:
            entry = orjson.loads(line)
            was = old.pop(entry["id"], None)
            if was is None:
                labels[entry["target"]] += 1
                note("added", _said(entry))
                continue
            part, record, target = was
            if record != entry["record"]:
                labels[entry["target"]] += 1
                labels[target] -= 1
                note("relabelled", {**_said(entry), "before": target})
            if part != entry["part"]:
                note("moved", {**_said(entry), "before": part})
            counts["same"] += (part, record) == (entry["part"], entry["record"])
    for id_, (part, _, target) in old.items():
        labels[target] -= 1
        note("removed", {"example": id_, "part": part, "target": target})
    changed = {label: number for label, number in labels.most_common(1_000) if number}
    return {"counts": counts, "labels": changed, **shown}


def _read(manifest: Path) -> dict[str, tuple[str, str, str]]:
    with manifest.open("rb") as lines:
        entries = map(orjson.loads, lines)
        return {entry["id"]: (entry["part"], entry["record"], entry["target"]) for entry in entries}


def _said(entry: dict[str, Any]) -> dict[str, Any]:
    return {"example": entry["id"], "part": entry["part"], "target": entry["target"], "sources": entry["sources"]}
