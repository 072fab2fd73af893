"""Rows of data sets that are published in set-ups of their own: nlupp in folds, restaurant8k in parts of its training data.

nlupp banking: one fold of twenty (or two) is learned from, the others are asked, each in turn; figures are means. Intents are
several a message: a regression for each on frozen sentence vectors; slots are spans. restaurant8k: spans, and what was asked.
Settings are chosen on what is learned from, by its own parts; test parts are asked once.
"""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.understanding import label_head
from benchmarks.understanding.bench import Bench, Missing
from benchmarks.understanding.edits import Span
from benchmarks.understanding.label_head import Flags, Floats
from benchmarks.understanding.rows import Row
from benchmarks.understanding.span_tagger import ChosenTagger, Said
from zhuli.understanding.dialogue.understander_services import ENGLISH, EVERY_LANGUAGE

FOLDS = 20

EMBEDDERS = (ENGLISH, EVERY_LANGUAGE)
"""Both that come with zhuli, frozen, one behind the other."""

WORDS_WEIGHT = 1.0
PENALTIES = (0.1, 0.3, 1.0)

PARTS = {1: "train_0", 8: "train_3", 32: "train_5", 128: "train_7"}
"""Of restaurant8k's training data, by what share they are."""

Result = dict[str, Any]


async def labels(bench: Bench, row: Row) -> Result:
    """each: folds that are learned from. intent_f1: micro, of all labels; slot_f1: micro, of spans with the same characters."""
    folds = [_read(bench.data / "nlupp" / f"banking_fold{number}.json") for number in range(FOLDS)]
    services = bench.services(row, "en")
    texts = [one["text"] for fold in folds for one in fold]
    vectors = [(await services.embed(name, texts)) for name in EMBEDDERS]
    arrays = [np.frombuffer(found.data, np.float32).reshape(len(texts), found.dimensions) for found in vectors]
    return await asyncio.to_thread(_in_turn, bench, row, folds, arrays)


def _in_turn(bench: Bench, row: Row, folds: Sequence[list[Any]], vectors: Sequence[Floats]) -> Result:
    names = sorted({name for fold in folds for one in fold for name in one.get("intents", ())})
    said = [_said(one) for fold in folds for one in fold]
    truth = np.array([[name in one.get("intents", ()) for name in names] for fold in folds for one in fold])
    fold_of = np.repeat(np.arange(FOLDS), [len(fold) for fold in folds])
    starts = list(range(0, FOLDS, row.each))[: 1 if bench.quick else None]
    runs: list[dict[str, float]] = []
    for number, start in enumerate(starts):
        learned = (fold_of >= start) & (fold_of < start + row.each)
        with threadpool_limits(1):
            intents = _intents([one.text for one in said], vectors, truth, learned)
        tagger = ChosenTagger([one for one, ours in zip(said, learned, strict=True) if ours])
        asked = [one for one, ours in zip(said, learned, strict=True) if not ours]
        runs.append({"intent_f1": intents, "slot_f1": _spans(tagger, asked)["f1"]})
        bench.advance((number + 1) / len(starts))
    found = {name: [run[name] for run in runs] for name in runs[0]}
    return {
        "measures": {name: fmean(values) for name, values in found.items()},
        "deviation": {name: stdev(values) for name, values in found.items()} if len(runs) > 1 else {},
        "train": round(len(said) * row.each / FOLDS),
        "test": round(len(said) * (FOLDS - row.each) / FOLDS),
    }


def _intents(texts: Sequence[str], vectors: Sequence[Floats], truth: Flags, learned: Flags) -> float:
    ours = [text for text, one in zip(texts, learned, strict=True) if one]
    others = [text for text, one in zip(texts, learned, strict=True) if not one]
    inputs = label_head.Inputs.of([part[learned] for part in vectors], ours, WORDS_WEIGHT)
    rows = inputs.rows([part[learned] for part in vectors], ours)
    penalty, threshold, _ = label_head.chosen(rows, truth[learned], PENALTIES)
    weights = label_head.fitted(rows, truth[learned], penalty)
    sure = label_head.certainties(inputs.rows([part[~learned] for part in vectors], others), weights)
    return label_head.f1(sure >= threshold, truth[~learned])


async def asked(bench: Bench, row: Row) -> Result:
    """each: one in so many of the training data is learned from. slot_f1: the mean over slots, as in the paper; micro_f1: of all
    spans."""
    return await asyncio.to_thread(_asked, bench, row)


def _asked(bench: Bench, row: Row) -> Result:
    folder = bench.data / "restaurant8k"
    if not (folder / "test.json").is_file():
        raise Missing(
            "restaurant8k/test.json is not there: it is in span_extraction/ of PolyAI-LDN/task-specific-datasets"
        )
    test = [_answer(one) for one in _read(folder / "test.json")]
    learned = [_answer(one) for one in _read(folder / f"{PARTS[row.each]}.json")]
    found = _spans(ChosenTagger(learned), test[:100] if bench.quick else test)
    return {
        "measures": {"slot_f1": found.pop("mean"), "micro_f1": found.pop("f1")},
        "slots": found,
        "train": len(learned),
        "test": len(test),
    }


def _spans(tagger: ChosenTagger, asked_of: Sequence[Said]) -> dict[str, float]:
    """f1: micro; mean: over slots; and of each slot."""
    right: dict[str, int] = {}
    there: dict[str, int] = {}
    for one in asked_of:
        found, wanted = set(tagger.find(one.text, one.asked)), set(one.spans)
        for span in [*found, *wanted]:
            there[span.label] = there.get(span.label, 0) + 1
        for span in found & wanted:
            right[span.label] = right.get(span.label, 0) + 1
    each = {name: 2 * right.get(name, 0) / count for name, count in sorted(there.items())}
    return {"f1": 2 * sum(right.values()) / max(1, sum(there.values())), "mean": fmean(each.values()), **each}


def _said(one: dict[str, Any]) -> Said:
    places = ((name, slot["span"]) for name, slot in one.get("slots", {}).items())
    spans = [Span(int(start), int(end), name) for name, (start, end) in places]
    return Said(one["text"], tuple(spans))


def _answer(one: dict[str, Any]) -> Said:
    marks = [(label["slot"], label["valueSpan"]) for label in one.get("labels", ())]
    spans = [Span(place.get("startIndex", 0), place["endIndex"], slot) for slot, place in marks]
    return Said(one["userInput"]["text"], tuple(spans), tuple(one.get("context", {}).get("requestedSlots", ())))


def _read(path: Path) -> list[Any]:
    found: list[Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
