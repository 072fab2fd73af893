"""Rows about single messages: how right they are, with what is out of scope, and with noise."""

from typing import Any

from benchmarks.understanding import measures
from benchmarks.understanding.bench import Bench, answers
from benchmarks.understanding.intent_sets import IntentSet, Message
from benchmarks.understanding.perturbations import kinds_for, perturbed
from benchmarks.understanding.rows import Row

NOISE_SEED = 0
RECALLS = (0.8, 0.85, 0.9, 0.95)
"""Shares of the validation part's messages out of scope that a threshold is set to refuse."""

Result = dict[str, Any]


async def messages(bench: Bench, row: Row, known: IntentSet) -> Result:
    """Accuracy of intents, and where there are entities slot F1 and frames."""
    asked = bench.sample(known.test, row.test)
    runs = []
    for seed in bench.seeds(row):
        examples = known.drawn(bench.each(row), seed)
        told, _ = await answers(bench, row, known, examples, [one.text for one in asked])
        runs.append(measures.measured(asked, told))
    found = measures.averaged([_shown(row, measures.points(run)) for run in runs])
    if len(runs) == 1:
        found["intervals"] = _shown(row, measures.intervals(runs[0]))
    return {**found, "train": len(examples), "test": len(asked)}


async def outside(bench: Bench, row: Row, known: IntentSet) -> Result:
    """The same for what is in scope, and how much of what is out of scope is refused at once.

    own: with the threshold that the understander chose from its examples. chosen: with thresholds that refuse a share of the
    validation part's messages out of scope; the test part is only measured.
    """
    parts = {
        "test": bench.sample(known.test, row.test),
        "test_outside": [Message(text, "") for text in known.outside["test"]],
        "val_outside": [Message(text, "") for text in known.outside["val"]],
    }
    parts["test_outside"] = bench.sample(parts["test_outside"], 0)
    texts = [message.text for part in parts.values() for message in part]
    runs, trades = [], []
    for seed in bench.seeds(row):
        examples = known.drawn(bench.each(row), seed)
        away = known.outside["train"] if not row.each else []
        said, threshold = await answers(bench, row, known, examples, texts, outside=away)
        told = iter(said)
        split = {name: [next(told) for _ in part] for name, part in parts.items()}
        run = {"accuracy": measures.measured(parts["test"], split["test"])["accuracy"]}
        limits = {f"{recall:g}": measures.threshold_for(split["val_outside"], recall) for recall in RECALLS}
        if threshold is not None:
            limits["own"] = threshold
        trade = {
            name: measures.at_threshold(parts["test"], split["test"], split["test_outside"], limit)
            for name, limit in limits.items()
        }
        runs.append({**run, **{f"own_{key}": value for key, value in trade.get("own", {}).items()}})
        trades.append(trade)
    found = measures.averaged(runs)
    found["trade"] = {name: measures.averaged([trade[name] for trade in trades])["measures"] for name in trades[0]}
    return {**found, "train": len(examples), "test": len(parts["test"]), "outside": len(parts["test_outside"])}


async def noise(bench: Bench, row: Row, known: IntentSet) -> Result:
    """The measures of messages on each kind of noise, and without any; examples are as they were."""
    clean = bench.sample(known.test, row.test)
    kinds: dict[str, list[Message]] = {"clean": clean}
    for kind in kinds_for(known.language):
        kinds[kind] = [_noisy(message, kind, known) for message in clean]
    examples = known.drawn(bench.each(row), row.seeds[0])
    texts = [message.text for part in kinds.values() for message in part]
    said, _ = await answers(bench, row, known, examples, texts)
    told = iter(said)
    found = {}
    for kind, part in kinds.items():
        found[kind] = _shown(row, measures.points(measures.measured(part, [next(told) for _ in part])))
    return {"measures": found["clean"], "noise": found, "train": len(examples), "test": len(clean)}


def _noisy(message: Message, kind: str, known: IntentSet) -> Message:
    text, spans = perturbed(message.text, kind, seed=NOISE_SEED, language=known.language, spans=message.spans)
    return Message(text, message.intent, spans)


def _shown(row: Row, found: dict[str, Any]) -> dict[str, Any]:
    """Without what the row's understander does not do."""
    return {name: value for name, value in found.items() if row.understander != "bm25" or name == "accuracy"}
