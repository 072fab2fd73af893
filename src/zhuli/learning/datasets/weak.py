"""Weak labels: rules and models vote on each text, and their votes are combined by how right each of them is estimated to be.

The estimate is Dawid and Skene's (1979), by expectation maximisation: one accuracy a voter, and the rest spread over the other
labels evenly (the "one-coin" model): rules that know one label say too little for a whole confusion matrix. Voters may abstain.
crowd-kit has it too, and brings pandas and Hugging Face's tools along.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import regex
from numpy.typing import NDArray

from zhuli.core.errors import InvalidRequest
from zhuli.learning.datasets.classifier import Floats
from zhuli.learning.datasets.examples import example_id

ABSTAINS = -1

_ROUNDS = 100
_SMALL = 1e-6
_TRUST = 0.7, 4.0
"""A voter's accuracy before anything is known, and how many votes that counts as: a rule is written to be right."""

_SECONDS = 0.05
"""For an expression on a text; one that takes longer abstains."""


@dataclass(frozen=True, slots=True)
class Combined:
    """probabilities: texts × labels, none where nobody voted (a row of zeros). accuracies: of the voters, estimated."""

    probabilities: Floats
    accuracies: Floats


def combine(votes: NDArray[np.int64], labels: int) -> Combined:
    """votes: texts × voters, a label's number or ABSTAINS. labels: how many there are, at least two."""
    voted = votes != ABSTAINS
    any_vote = voted.any(axis=1)
    accuracies = np.full(votes.shape[1], _TRUST[0])
    prior = np.full(labels, 1 / labels)
    said = np.zeros((len(votes), labels))
    for _ in range(_ROUNDS):
        said = _posterior(votes, voted, accuracies, prior)
        said[~any_vote] = 0
        right = np.zeros(votes.shape[1])
        for voter in range(votes.shape[1]):
            rows = np.flatnonzero(voted[:, voter])
            right[voter] = said[rows, votes[rows, voter]].sum()
        counts = voted.sum(axis=0)
        after = np.clip((right + _TRUST[0] * _TRUST[1]) / (counts + _TRUST[1]), 0.02, 0.98)
        total = said.sum(axis=0) + 1.0
        prior = total / total.sum()
        moved = float(np.abs(after - accuracies).max(initial=0))
        accuracies = after
        if moved < _SMALL:
            break
    return Combined(said, accuracies)


def _posterior(votes: NDArray[np.int64], voted: NDArray[np.bool_], accuracies: Floats, prior: Floats) -> Floats:
    labels = len(prior)
    logs = np.tile(np.log(prior), (len(votes), 1))
    for voter, accuracy in enumerate(accuracies):
        rows = np.flatnonzero(voted[:, voter])
        wrong = np.log((1 - accuracy) / max(1, labels - 1))
        logs[rows] += wrong
        logs[rows, votes[rows, voter]] += np.log(accuracy) - wrong
    logs -= logs.max(axis=1, keepdims=True)
    odds = np.exp(logs)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def rule_votes(texts: Sequence[str], rule: Mapping[str, Any]) -> list[bool]:
    """Of which texts a rule says its label. InvalidRequest for an expression that can't be read."""
    if rule.get("keywords"):
        # A word of letters stands alone; Chinese has no spaces between words.
        words = "|".join(
            rf"\b{regex.escape(word)}\b" if word.isascii() else regex.escape(word) for word in rule["keywords"]
        )
        pattern = f"(?i:{words})"
    else:
        pattern = rule["pattern"]
    try:
        expression = regex.compile(pattern)
    except regex.error as error:
        raise InvalidRequest(f"The pattern '{rule['pattern']}' can't be read: {error}.") from error
    return [_matches(expression, text) for text in texts]


def _matches(expression: Any, text: str) -> bool:
    try:
        return expression.search(text, timeout=_SECONDS) is not None
    except TimeoutError:
        return False


def look(folder: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    """What the child does: the votes, what they come to, and entries for the log where the request wants them."""
    texts: list[str] = orjson.loads((folder / "texts.json").read_bytes())
    by_model: dict[str, list[str]] = orjson.loads((folder / "model_votes.json").read_bytes())
    rules = request["rules"]
    labels = sorted({rule["label"] for rule in rules} | {label for said in by_model.values() for label in said})
    if len(labels) < 2:
        raise InvalidRequest("All votes are for one label. There must be at least two to tell apart.")
    number = {label: index for index, label in enumerate(labels)}
    columns = [[number[rule["label"]] if hit else ABSTAINS for hit in rule_votes(texts, rule)] for rule in rules]
    columns += [[number[label] for label in said] for said in by_model.values()]
    votes = np.array(columns, dtype=np.int64).T
    combined = combine(votes, len(labels))
    best = combined.probabilities.max(axis=1)
    sure = np.flatnonzero(best >= request["min_probability"])
    chosen = [(int(row), labels[int(combined.probabilities[row].argmax())]) for row in sure]
    _write(folder / "prepared.tsv", texts, chosen, request["task_id"])
    names = [rule.get("name") or f"rule {index}: {rule['label']}" for index, rule in enumerate(rules, 1)]
    voted = votes != ABSTAINS
    return {
        "texts": len(texts),
        "voted_on": int(voted.any(axis=1).sum()),
        "sure": len(chosen),
        "voters": [
            {"name": name, "votes": int(voted[:, index].sum()), "accuracy": round(float(combined.accuracies[index]), 4)}
            for index, name in enumerate([*names, *by_model])
        ],
        "data": [
            {"text": texts[row][:1_000], "label": label, "probability": round(float(best[row]), 4)}
            for row, label in chosen[:100]
        ],
    }


def _write(path: Path, texts: Sequence[str], chosen: Sequence[tuple[int, str]], task_id: str) -> None:
    """Entries as preparing.py has them."""
    seen: set[str] = set()
    with path.open("wb") as out:
        for row, label in chosen:
            record = {"text": texts[row], "label": label}
            id_ = example_id(record)
            if id_ not in seen:
                seen.add(id_)
                body = orjson.dumps({"record": record, "provenance": {"kind": "weak", "id": task_id}})
                out.write(f"{id_}\t{task_id}\t\t".encode() + body + b"\n")
