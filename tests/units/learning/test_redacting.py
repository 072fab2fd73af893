"""A deleted person's examples leave a version's files, copies of them in tunings, and what models' folders show."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from zhuli.learning.datasets.building import build
from zhuli.learning.datasets.redacting import redact

REQUEST = {"weak": False, "near": False, "validation_share": 0.3, "seed": 0, "replay": None}


def version(folder: Path) -> None:
    """Of forty texts, a quarter of which are of u1, some of these in a thread, and one pair of the same words of two people."""
    folder.mkdir()
    texts = [(f"{'hers' if number % 4 == 0 else 'his'} {number} of many", number) for number in range(40)]
    with (folder / "entries.tsv").open("w") as log:
        for text, number in [*texts, ("shared words", 100), ("Shared  words", 101)]:
            user = "u1" if text.startswith("hers") or number == 100 else f"u{2 + number % 5}"
            thread = f"thread_{number}" if number == 8 else None
            provenance = {"kind": "feedback", "id": f"fb_{number}", "user": user, "thread_id": thread}
            body = {"record": {"text": text, "label": "ab"[number // 2 % 2]}, "provenance": provenance}
            log.write(f"add\tex_{number}\t{json.dumps(body)}\n")
    build(folder, REQUEST, task="text_classification", mask=None)


def everything(folder: Path) -> str:
    names = ("train.jsonl", "validation.jsonl", "manifest.jsonl")
    return "".join((folder / name).read_text() for name in names)


def asked(*folders: Path, **more: Any) -> dict[str, Any]:
    request = {"task": "text_classification", "user": "u1", "own": [], "folders": [str(one) for one in folders]}
    return {**request, **more}


def test_files_copies_and_shown_examples_are_without_the_person(tmp_path: Path) -> None:
    made, tuning = tmp_path / "version", tmp_path / "ftjob-1"
    version(made)
    before = (made / "manifest.jsonl").read_text().splitlines()
    (tuning / "model").mkdir(parents=True)
    (tuning / "train.jsonl").write_bytes((made / "train.jsonl").read_bytes())
    (tuning / "events.jsonl").write_text('{"kind": "started"}\n')
    shown = [json.loads(line) for line in (made / "train.jsonl").read_text().splitlines()]
    (tuning / "model" / "nearest.json").write_text(json.dumps([{"text": one["text"], "labels": []} for one in shown]))
    np.save(tuning / "model" / "nearest.npy", np.arange(len(shown) * 2, dtype=np.float16).reshape(-1, 2))

    said = redact(made, asked(tuning))
    assert said["removed"] == 11, "ten of hers, and what two said in the same words"
    assert "hers" not in everything(made) and '"u1"' not in everything(made) and "hared" not in everything(made)
    left = everything(made)
    assert all(f"his {number} of many" in left for number in range(40) if number % 4)
    assert said["examples"] == len(before) - 11 == said["report"]["train"] + said["report"]["validation"]
    assert (tuning / "train.jsonl").read_bytes() == (made / "train.jsonl").read_bytes()
    assert (tuning / "events.jsonl").exists()
    kept = json.loads((tuning / "model" / "nearest.json").read_text())
    assert len(kept) == len(np.load(tuning / "model" / "nearest.npy")) == said["report"]["train"]
    rows = [row for row, one in enumerate(shown) if one["text"].startswith("his")]
    assert np.load(tuning / "model" / "nearest.npy")[:, 0].tolist() == [2 * row for row in rows]
    assert len(said["items"]) == 11 and redact(made, asked(tuning))["removed"] == 0


def test_who_died_before_the_manifest_was_written_begins_anew(tmp_path: Path) -> None:
    made = tmp_path / "version"
    version(made)
    manifest = (made / "manifest.jsonl").read_bytes()
    first = redact(made, asked())
    after = everything(made)
    (made / "manifest.jsonl").write_bytes(manifest)
    again = redact(made, asked())
    assert (again["digest"], again["removed"], everything(made)) == (first["digest"], first["removed"], after)


def test_threads_and_sources_are_found_too(tmp_path: Path) -> None:
    made = tmp_path / "version"
    version(made)
    said = redact(made, asked(user="nobody", own=["thread_8", "fb_3"]))
    assert sorted(said["ids"]) == ["ex_3", "ex_8"]
