"""A version without the examples of somebody, and what was copied of it without them, too. What the child does.

An example is somebody's if the manifest has them among its users, or if it is from a conversation or a source of theirs.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from zhuli.core import whole_file
from zhuli.learning.datasets.beside import MANIFEST, TRAIN, VALIDATION
from zhuli.learning.datasets.examples import labels_of

EVENTS = "events.jsonl"
NEAREST, NEAREST_VECTORS = "nearest.json", "nearest.npy"
"""Of a model's folder (neural.explaining.nearest): training examples that are shown, and their vectors."""


def redact(folder: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    """Rewrite the version's files in the folder, and copies of them in the folders of tunings.

    request: task; user; own: ids of their conversations and sources; folders: of tunings. Gives how many examples went, their
    ids, `items`: the digests that evals know their records by, and report and digest of what is left.
    """
    user, own = request["user"], frozenset(request["own"])
    gone, lines = list[dict[str, Any]](), list[bytes]()
    for line in _lines(folder / MANIFEST):
        entry = orjson.loads(line)
        (gone.append(entry) if _is_of(entry, user, own) else lines.append(line))
    records = {entry["record"] for entry in gone}
    dropped: list[dict[str, Any]] = []
    digests = []
    counts: dict[str, int] = {"train": 0, "validation": 0}
    labels: Counter[str] = Counter()
    for name, part in ((TRAIN, "train"), (VALIDATION, "validation")):
        kept, left = _without(folder / name, records)
        dropped += map(orjson.loads, left)
        digests.append(hashlib.sha256(b"".join(kept)))
        counts[part] = len(kept)
        for line in kept:
            labels.update(labels_of(request["task"], orjson.loads(line)))
        if left:
            whole_file.replace(folder / name, b"".join(kept))
    for place in map(Path, request["folders"]):
        _redact_tuning(place, records, dropped)
    manifest = b"".join(lines)
    whole_file.replace(folder / MANIFEST, manifest)
    digests.append(hashlib.sha256(manifest))
    return {
        "removed": len(gone),
        "ids": [entry["id"] for entry in gone],
        "items": [hashlib.sha256(orjson.dumps(one, option=orjson.OPT_SORT_KEYS)).hexdigest() for one in dropped],
        "report": {**counts, "labels": dict(labels.most_common(1_000))},
        "examples": len(lines),
        "digest": hashlib.sha256(b"".join(digest.digest() for digest in digests)).hexdigest(),
    }


def _is_of(entry: Mapping[str, Any], user: str, own: Collection[str]) -> bool:
    return (
        user in entry["users"]
        or entry["thread"] in own
        or any(source_id in own for _, source_id in entry["sources"] if source_id)
    )


def _lines(path: Path) -> Iterator[bytes]:
    if path.exists():
        with path.open("rb") as lines:
            yield from lines


def _without(path: Path, records: Collection[str]) -> tuple[list[bytes], list[bytes]]:
    """The lines that stay, and those of these records."""
    kept, left = list[bytes](), list[bytes]()
    for line in _lines(path):
        (left if hashlib.blake2b(line, digest_size=8).hexdigest() in records else kept).append(line)
    return kept, left


def _redact_tuning(place: Path, records: Collection[str], dropped: list[dict[str, Any]]) -> None:
    """Copies of data, and the training examples that a model's folder shows."""
    for path in place.rglob("*.jsonl"):
        if path.name != EVENTS:
            kept, left = _without(path, records)
            if left:
                whole_file.replace(path, b"".join(kept))
    said = {text for record in dropped for text in _texts(record)}
    for path in place.rglob(NEAREST) if said else ():
        _redact_nearest(path, said)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _redact_nearest(path: Path, said: Collection[str]) -> None:
    """An example shown is one of these if it has any of their texts, or is the beginning of one."""
    import numpy as np

    shown = orjson.loads(path.read_bytes())
    length = max((len(one["text"]) for one in shown), default=0)
    begun = {text[:length] for text in said}
    long = [text for text in said if len(text) > 20]
    stay = [
        row
        for row, one in enumerate(shown)
        if one["text"] not in begun and not any(text[:length] in one["text"] for text in long)
    ]
    if len(stay) < len(shown):
        vectors = np.load(path.with_name(NEAREST_VECTORS))[stay]
        beside = path.with_name(f".{NEAREST_VECTORS}.npy")
        np.save(beside, vectors)
        whole_file.replace(path, orjson.dumps([shown[row] for row in stay]))
        beside.replace(path.with_name(NEAREST_VECTORS))
