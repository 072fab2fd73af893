"""What a search tries: each searched hyperparameter's choices or range, checked before anything is trained.

Pure and light, so that a server can refuse a space when a job is created. Sampling is training.search's matter.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from zhuli.core.errors import InvalidRequest
from zhuli.types.learning.hyperparameters import Hyperparameters, Lora, Search, TaskName

PARAM = "tuning.search.space"
LANGUAGE_TASKS: tuple[TaskName, ...] = ("translation", "summarization", "dialogue", "preference")
"""Tasks whose base is a language model: they are costly, so their default space has small batches and few epochs."""

_RANGE = ("low", "high", "log")
_INTEGERS = (
    "top_layers",
    "batch_size",
    "accumulation",
    "n_epochs",
    "max_steps",
    "evaluations_per_epoch",
    "max_length",
    "lora.rank",
    "lora.alpha",
)
_NUMBERS = (
    "learning_rate",
    "learning_rate_multiplier",
    "momentum",
    "warmup_ratio",
    "weight_decay",
    "dropout",
    "label_smoothing",
    "max_grad_norm",
    "beta",
    "threshold",
    "lora.dropout",
)
_AROUND = 4.0
"""The default space has rates from a quarter of the usual one to four times it."""


@dataclass(frozen=True, slots=True)
class Choices:
    """One of these values, which have no order."""

    values: tuple[Any, ...]
    usual: Any = None


@dataclass(frozen=True, slots=True)
class Range:
    """A number between low and high, both included; log: each order of magnitude is as likely as another."""

    low: float
    high: float
    log: bool = False
    whole: bool = False
    usual: Any = None


Space = dict[str, Choices | Range]


def space_of(search: Search, given: Hyperparameters, *, task: TaskName) -> Space:
    """What `search` tries, by the hyperparameter's name ("lora.rank" for one inside lora).

    Without a space of its own: learning rate, batch size and epochs around what "auto" chooses, except what is given.
    InvalidRequest says which entry is wrong and what would be right.
    """
    if not search.space:
        return _default(given, task=task)
    space = {name: _dimension(name, entry) for name, entry in search.space.items()}
    if "learning_rate" in space and "learning_rate_multiplier" in space:
        raise _wrong("learning_rate", "is searched beside learning_rate_multiplier; search one of them")
    if "learning_rate_multiplier" in space and given.learning_rate != "auto":
        raise _wrong("learning_rate_multiplier", "is searched, but learning_rate is given, which it would not change")
    return space


def applied(given: Hyperparameters, values: Mapping[str, Any]) -> Hyperparameters:
    """The hyperparameters with a trial's values in their places."""
    changed = given.model_dump()
    for name, value in values.items():
        outer, _, inner = name.rpartition(".")
        (changed[outer] if outer else changed)[inner] = value
    return Hyperparameters.model_validate(changed)


def _default(given: Hyperparameters, *, task: TaskName) -> Space:
    space: Space = {}
    if given.learning_rate == "auto":
        space["learning_rate_multiplier"] = Range(1 / _AROUND, _AROUND, log=True, usual=1.0)
    else:
        rate = given.learning_rate
        space["learning_rate"] = Range(rate / _AROUND, rate * _AROUND, log=True, usual=rate)
    sizes, epochs = _usual(given, task=task)
    if given.batch_size == "auto":
        space["batch_size"] = sizes
    if given.n_epochs == "auto" and epochs is not None:
        space["n_epochs"] = epochs
    return space


def _usual(given: Hyperparameters, *, task: TaskName) -> tuple[Choices, Range | None]:
    """Batch sizes and epochs; a head on cached features has so many epochs that their number matters little."""
    if given.trainable == "head":
        return Choices((32, 64, 128), usual=128), None
    if given.trainable == "few_shot":
        return Choices((8, 16, 32), usual=16), Range(1, 3, whole=True, usual=1)
    if task in LANGUAGE_TASKS:
        return Choices((4, 8, 16), usual=8), Range(1, 5, whole=True, usual=3)
    return Choices((8, 16, 32), usual=16), Range(2, 10, whole=True, usual=4)


def _dimension(name: str, entry: Any) -> Choices | Range:
    if name not in _known():
        raise _wrong(name, f"is no hyperparameter. There are: {', '.join(_known())}")
    if isinstance(entry, list):
        return _choices(name, entry)
    if isinstance(entry, dict):
        return _range(name, entry)
    raise _wrong(name, 'is a list of choices, like [8, 16], or a range, like {"low": 1e-5, "high": 1e-3, "log": true}')


def _choices(name: str, values: list[Any]) -> Choices:
    if not values:
        raise _wrong(name, "has no choices; give at least one, like [8, 16]")
    for value in values:
        _check_value(name, value)
        if isinstance(value, dict | list):
            raise _wrong(name, "has a choice that is no number, text or truth value")
    return Choices(tuple(values))


def _range(name: str, entry: dict[str, Any]) -> Range:
    if name not in _INTEGERS and name not in _NUMBERS:
        raise _wrong(name, "has no range, for it is no number; give a list of choices")
    if unknown := [key for key in entry if key not in _RANGE]:
        raise _wrong(name, f"has an unknown key '{unknown[0]}'; a range has low, high and, if you like, log")
    low: Any = entry.get("low")
    high: Any = entry.get("high")
    log = entry.get("log", False)
    if not (_number(low) and _number(high) and isinstance(log, bool)):
        raise _wrong(name, "is a range of two numbers, low and high, with log true or false")
    if low > high:
        raise _wrong(name, f"has a low of {low:g} above its high of {high:g}")
    if log and low <= 0:
        raise _wrong(name, f"is logarithmic, so low must be above 0, not {low:g}")
    whole = name in _INTEGERS
    for end in (low, high):
        if whole and not float(end).is_integer():
            raise _wrong(name, f"takes whole numbers, not {end:g}")
        _check_value(name, int(end) if whole else float(end))
    return Range(low, high, log=log, whole=whole)


def _check_value(name: str, value: Any) -> None:
    try:
        applied(Hyperparameters(), {name: value})
    except ValidationError as error:
        raise _wrong(name, f"can't be {value!r}: {error.errors()[0]['msg']}") from error


def _known() -> list[str]:
    names = [name for name in Hyperparameters.model_fields if name != "lora"]
    return [*names, *(f"lora.{name}" for name in Lora.model_fields)]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _wrong(name: str, what: str) -> InvalidRequest:
    return InvalidRequest(f"The search space is wrong: '{name}' {what}.", param=f"{PARAM}.{name}")
