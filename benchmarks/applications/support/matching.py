"""How well the answer that was really given is found among a hundred. answering.py is about what a desk may answer.

    python -m benchmarks.applications.support.matching --data ../shared/data [--set crosswoz] [--choosing]

CrossWOZ: learned from the dialogues of `val`, measured on those of `test`, which nothing was chosen on; with --choosing a fifth
of the dialogues of `val` is held out in place of it. ABCD's sample has three dialogues: its figures say that the code runs,
and no more. SGD: learned from the files of `train`, measured on those of `dev`. Candidates are the real answer and 99 of other
questions.
"""

import argparse
import asyncio
import hashlib
import json
import random
import time
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.applications.support.matcher import Matcher
from benchmarks.learning.active import Vectors
from zhuli.applications.support.episodes import Pair, pairs
from zhuli.applications.support.lexical import Bm25
from zhuli.applications.support.transcripts import Dialogue, read
from zhuli.knowledge.retrieval.indexing.segmentation import words
from zhuli.models.catalog import Catalog

EMBEDDERS = {"crosswoz": "e5-small", "sgd": "minilm", "abcd": "minilm"}
CANDIDATES = 100
DRAWS = 2_000
Acts = dict[str, frozenset[tuple[str, ...]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", choices=list(EMBEDDERS), default="crosswoz")
    parser.add_argument("--choosing", action="store_true")
    parser.add_argument("--cache", type=Path, default=Path("build/support"))
    asked = parser.parse_args()
    asked.cache.mkdir(parents=True, exist_ok=True)
    learned, measured = load(asked.data, asked.set, choosing=asked.choosing)
    began = time.process_time()
    print(json.dumps(asyncio.run(measure(learned, measured, asked.set, asked.cache)), indent=2, ensure_ascii=False))
    print(f"{time.process_time() - began:.0f} s of processor time")


def load(data: Path, name: str, *, choosing: bool) -> tuple[list[Pair], list[Pair]]:
    """Pairs to learn from and to be measured on, split by dialogue."""
    if name == "crosswoz":
        folder = data / "crosswoz_zh"
        parts = [part_of(folder / f"{part}.json.zip") for part in ("val", "test")]
    elif name == "sgd":
        files = sorted((data / "sgd_dialogues").glob("*_dialogues_*.json"))
        parts = [
            [one for file in files if file.name.startswith(part) for one in part_of(file)] for part in ("train", "dev")
        ]
    else:
        parts = [part_of(data / "abcd_sample" / "abcd_sample.json")] * 2
    if choosing:
        held = [one for one in parts[0] if is_held(one)]
        parts = [[one for one in parts[0] if one not in held], held]
    return [pair for one in parts[0] for pair in pairs(one)], [pair for one in parts[1] for pair in pairs(one)]


def is_held(one: Dialogue) -> bool:
    """Whether this dialogue of five is one to choose by."""
    return int(hashlib.sha256(one.id.encode()).hexdigest(), 16) % 5 == 0


def part_of(path: Path) -> list[Dialogue]:
    """The dialogues of a file."""
    return [one for one in read(path.read_bytes()) if isinstance(one, Dialogue)]


def crosswoz_acts(folder: Path) -> Acts:
    """The dialogue acts of each text, without their values."""
    found: Acts = {}
    for part in ("val", "test"):
        with zipfile.ZipFile(folder / f"{part}.json.zip") as archive:
            whole = json.loads(archive.read(f"{part}.json"))
        for one in whole.values():
            for said in one["messages"]:
                wanted = frozenset(tuple(act[:3]) for act in said["dialog_act"] if act[0] != "General")
                found[said["content"].strip()] = wanted
    return found


async def embedded(texts: Sequence[str], embedder: str, cache: Path) -> Vectors:
    """A row a text, kept in a file by what they are."""
    digest = hashlib.sha256("\n".join([embedder, *texts]).encode()).hexdigest()[:16]
    path = cache / f"{digest}.npy"
    if path.exists():
        return np.load(path)
    entry = Catalog.load(None, cache).resolve_embedder(embedder)
    assert entry is not None
    rows = []
    for start in range(0, len(texts), 256):
        made = await entry.embedder.embed(texts[start : start + 256], "query")
        rows.append(np.frombuffer(made.data, dtype="<f4").reshape(-1, made.dimensions))
    found = np.concatenate(rows)
    np.save(path, found)
    return found


async def measure(learned: list[Pair], measured: list[Pair], name: str, cache: Path) -> dict[str, Any]:
    """Recall of the real answer among a hundred."""
    texts = list(dict.fromkeys(text for one in [*learned, *measured] for text in (one.question, one.answer)))
    vectors = await embedded(texts, EMBEDDERS[name], cache)
    place = {text: row for row, text in enumerate(texts)}

    def rows(some: Sequence[str]) -> Vectors:
        return vectors[[place[text] for text in some]]

    asked, said = [one.question for one in learned], [one.answer for one in learned]
    matcher = Matcher.learned(asked, said, (rows(asked), rows(said)))
    questions = [one.question for one in measured]
    answers = list(dict.fromkeys(one.answer for one in measured))
    lists = _candidates(measured, answers)
    counted, lexical = [Counter(words(text)) for text in answers], Bm25(said)
    centred = _unit(rows(questions) - rows(asked).mean(axis=0)) @ _unit(rows(answers) - rows(said).mean(axis=0)).T
    ways = {
        "untuned vectors": rows(questions) @ rows(answers).T,
        "untuned vectors, centred": centred,
        "matcher without votes": matcher.scores(questions, rows(questions), answers, rows(answers), votes=0.0),
        "matcher": matcher.scores(questions, rows(questions), answers, rows(answers)),
    }
    found = {way: [_rank(scores[row][some]) for row, some in enumerate(lists)] for way, scores in ways.items()}
    found["BM25"] = [
        _rank(lexical.scores(question, [counted[one] for one in some]))
        for question, some in zip(questions, lists, strict=True)
    ]
    report: dict[str, Any] = {"learned": len(learned), "measured": len(measured), "candidates": len(lists[0])}
    report["recall"] = {way: {"@1": _share(ranks, 1), "@5": _share(ranks, 5)} for way, ranks in sorted(found.items())}
    report["@1 over BM25"] = _gap(found["matcher"], found["BM25"], [_dialogue_of(one) for one in measured])
    return report


def _dialogue_of(pair: Pair) -> str:
    return pair.question


def _candidates(measured: Sequence[Pair], answers: Sequence[str]) -> list[list[int]]:
    """The real answer first, and others that differ from it, the same for each way."""
    dice, place = random.Random(0), {text: row for row, text in enumerate(answers)}
    found = []
    for one in measured:
        own = place[one.answer]
        others = [row for row in dice.sample(range(len(answers)), min(CANDIDATES, len(answers))) if row != own]
        found.append([own, *others[: CANDIDATES - 1]])
    return found


def _rank(scores: Any) -> int:
    """How many others are as good as the first, which is the real one."""
    return int((scores[1:] >= scores[0]).sum())


def _share(ranks: Sequence[int], most: int) -> float:
    return round(float(np.mean([rank < most for rank in ranks])), 4)


def _gap(ours: Sequence[int], theirs: Sequence[int], groups: Sequence[str]) -> dict[str, float]:
    """Points of recall@1, with a paired bootstrap interval over questions."""
    gaps = np.array([(one < 1) - (other < 1) for one, other in zip(ours, theirs, strict=True)], float)
    dice = np.random.default_rng(0)
    drawn = [gaps[dice.integers(0, len(gaps), len(gaps))].mean() for _ in range(DRAWS)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"points": round(100 * gaps.mean(), 1), "low": round(100 * low, 1), "high": round(100 * high, 1)}


def _unit(rows: Vectors) -> Vectors:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


if __name__ == "__main__":
    main()
