"""From the log of a data set to a version: folded, masked, without duplicates, split, balanced. Equal logs make equal files.

entries.tsv has the log, an entry a line: kind, example, body, with tabs between (JSON has none). What comes of it: train.jsonl
and validation.jsonl as fine-tuning jobs read them, manifest.jsonl with each example's id, part and sources, and a report.
"""

import gc
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from zhuli.learning.datasets.beside import EARLIER, ENTRIES, MANIFEST, ORIGINAL, TRAIN, VALIDATION
from zhuli.learning.datasets.examples import Mask, labels_of, masked, target_of, text_of
from zhuli.learning.datasets.near import near_pairs
from zhuli.learning.datasets.parts import Member, Part, replayed, split
from zhuli.learning.training.data.duplicates import key as plain_key

_TOLD = 20
"""Contradictions that are told of in full."""


@dataclass(slots=True)
class Kept:
    """An example on its way into a version. sources: of all that say the same of the same text."""

    id: str
    record: dict[str, Any]
    text: str
    thread: str | None
    sources: tuple[tuple[str, str], ...]
    users: tuple[str, ...]
    marks: tuple[tuple[str, str], ...] = ()


def build(folder: Path, request: Mapping[str, Any], *, task: str, mask: Mask | None) -> dict[str, Any]:
    """Write the files of a version into the folder; gives its report, digest and sources."""
    gc.disable()  # a million records are no garbage, and looking through them takes as long as the rest
    report: dict[str, Any] = {}
    kept = _without_duplicates(_read(folder, task, report, weak=request["weak"], mask=mask), report)
    if request["near"]:
        kept = _without_near(kept, report)
    earlier = parts_of(folder / EARLIER)
    labels = [labels_of(task, one.record) for one in kept]
    members = [Member(one.id, one.marks, said) for one, said in zip(kept, labels, strict=True)]
    parts = split(members, share=request["validation_share"], seed=request["seed"], earlier=earlier)
    del members, earlier
    if replay := request.get("replay"):
        original = parts_of(folder / ORIGINAL)
        learned = [index for index, part in enumerate(parts) if part == "train"]
        stay = replayed(
            [labels[index] for index in learned],
            [kept[index].id in original for index in learned],
            share=replay["share"],
            seed=request["seed"],
        )
        left = {index for index, stays in zip(learned, stay, strict=True) if not stays}
        report["left_out_by_replay"] = len(left)
        chosen = [index for index in range(len(kept)) if index not in left]
        kept, parts = [kept[index] for index in chosen], [parts[index] for index in chosen]
        labels = [labels[index] for index in chosen]
    report |= _counts(parts, labels)
    digest = _write(folder, kept, parts, labels)
    return {"report": report, "digest": digest, "examples": len(kept), "sources": _sources(kept)}


def fold(path: Path) -> dict[str, bytes]:
    """What is in the data set: each example's newest body, in the order in which they came."""
    there: dict[str, bytes] = {}
    with path.open("rb") as lines:
        for line in lines:
            kind, example, body = line.rstrip(b"\n").split(b"\t", 2)
            if kind == b"remove" or not body:
                there.pop(example.decode(), None)
            elif kind == b"add" or example.decode() in there:
                there[example.decode()] = body
    return there


def _read(folder: Path, task: str, report: dict[str, Any], *, weak: bool, mask: Mask | None) -> Iterator[Kept]:
    there = fold(folder / ENTRIES)
    report["in_log"] = len(there)
    known: dict[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]] = {}
    for id_ in list(there):
        body = orjson.loads(there.pop(id_))
        provenance = body["provenance"]
        if provenance["kind"] == "weak" and not weak:
            report["weak_left_out"] = report.get("weak_left_out", 0) + 1
            continue
        record = masked(body["record"], mask) if mask else body["record"]
        source = (provenance["kind"], provenance.get("id") or "")
        sources = known.setdefault((source,), (source,))  # a file's million examples have one
        user, thread = provenance.get("user"), provenance.get("thread_id")
        said = (("thread", thread), ("user", user), ("group", record.get("group")))
        marks = tuple((name, str(value)) for name, value in said if value)
        kept = Kept(id_, record, _key(text_of(task, record)), thread, sources, (user,) if user else (), marks)
        yield kept


def _key(text: str) -> str:
    """duplicates.key, sooner where there is nothing but ASCII."""
    return " ".join(text.split()).casefold() if text.isascii() else plain_key(text)


def _without_duplicates(found: Iterator[Kept], report: dict[str, Any]) -> list[Kept]:
    """Each text once: of those that say the same of it the first, with the sources of all; else what was said last."""
    first: dict[str, Kept] = {}
    repeated, against, told = 0, 0, list[dict[str, str]]()
    for one in found:
        before = first.get(one.text)
        if before is None:
            first[one.text] = one
            continue
        same = target_of(before.record) == target_of(one.record)
        if same:
            repeated += 1
            _join(before, one)
        else:
            against += 1
            if len(told) < _TOLD:
                told.append({"kept": one.id, "left_out": before.id, "text": one.text[:200]})
            one.marks = (*one.marks, *before.marks)  # what was said of it is known on this side
            first[one.text] = one
    report |= {"duplicates": repeated, "contradictions": against, "contradicting": told}
    return list(first.values())


def _join(kept: Kept, other: Kept) -> None:
    kept.sources = (*kept.sources, *(source for source in other.sources if source not in kept.sources))
    kept.users = (*kept.users, *(user for user in other.users if user not in kept.users))
    kept.marks = (*kept.marks, *(mark for mark in other.marks if mark not in kept.marks))


def _without_near(kept: list[Kept], report: dict[str, Any]) -> list[Kept]:
    """Of texts that are nearly the same and say the same, the first; those that say otherwise stay on its side of the split."""
    left: set[int] = set()
    apart = 0
    for earlier, later in near_pairs([one.text for one in kept]):
        if earlier in left or later in left:
            continue
        one, other = kept[earlier], kept[later]
        if target_of(one.record) == target_of(other.record):
            left.add(later)
            _join(one, other)
        else:
            apart += 1
            mark = ("near", one.id)
            one.marks, other.marks = (*one.marks, mark), (*other.marks, mark)
    report |= {"near_duplicates": len(left), "near_with_other_labels": apart}
    return [one for index, one in enumerate(kept) if index not in left]


def parts_of(manifest: Path) -> dict[str, Part]:
    """The part of each example of a version; empty without a manifest."""
    if not manifest.exists():
        return {}
    with manifest.open("rb") as lines:
        return {entry["id"]: entry["part"] for entry in map(orjson.loads, lines)}


def _counts(parts: list[Part], labels: list[list[str]]) -> dict[str, Any]:
    count: Counter[str] = Counter(parts)
    by_label = Counter(label for said in labels for label in said)
    return {"train": count["train"], "validation": count["validation"], "labels": dict(by_label.most_common(1_000))}


def _write(folder: Path, kept: list[Kept], parts: list[Part], labels: list[list[str]]) -> str:
    """The digest: of both parts and of where everything comes from."""
    digests = {name: hashlib.sha256() for name in (TRAIN, VALIDATION, MANIFEST)}
    with ExitStack() as stack:
        files = {name: stack.enter_context((folder / name).open("wb")) for name in digests}
        for one, part, said in zip(kept, parts, labels, strict=True):
            group = one.thread or (one.users[0] if one.users else None)
            record = {**one.record, "group": group} if group and "group" not in one.record else one.record
            line = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
            entry = {
                "id": one.id,
                "part": part,
                "record": hashlib.blake2b(line, digest_size=8).hexdigest(),
                "target": ", ".join(said) or target_of(one.record)[:200],
                "sources": one.sources,
                "thread": one.thread,
                "users": one.users,
            }
            for name, data in (
                (TRAIN if part == "train" else VALIDATION, line),
                (MANIFEST, orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)),
            ):
                digests[name].update(data)
                files[name].write(data)
    return hashlib.sha256(b"".join(digest.digest() for digest in digests.values())).hexdigest()


def _sources(kept: list[Kept]) -> list[tuple[str, str]]:
    """Each source once, and each end user, as kind and id."""
    found = {source: None for one in kept for source in one.sources if source[1]}
    users = {("user", user): None for one in kept for user in one.users}
    return [*found, *users]
