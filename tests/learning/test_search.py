"""Searches: what is tried, what is left off, what survives a kill, and spaces that are refused with what would be right."""

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness.later import later
from zhuli.core.errors import InvalidRequest
from zhuli.learning.training.control import Control, Stopped
from zhuli.learning.training.event_log import EventLog, events
from zhuli.learning.training.failures import TuningFailed
from zhuli.learning.training.searching.space import applied, space_of
from zhuli.types.learning.example import Metrics
from zhuli.types.learning.hyperparameters import Hyperparameters, Lora, Search

with later:
    from zhuli.learning.training.searching.search import Found, search

Report = Callable[[int, Metrics], None]


class Curve:
    """A training whose quality is known: best at twice the usual rate and five epochs. `before` runs before each trial."""

    def __init__(self, before: Callable[[int], None] = lambda number: None) -> None:
        self.before = before
        self.begun = 0
        self.evaluations = 0

    def __call__(self, options: Hyperparameters, *, folder: Path, report: Report, control: Control) -> Metrics:
        self.begun += 1
        self.before(self.begun)
        rate, epochs = float(options.learning_rate_multiplier), int(options.n_epochs)
        quality = -abs(math.log(rate / 2)) - abs(epochs - 5) / 10
        for epoch in range(1, epochs + 1):
            self.evaluations += 1
            report(10 * epoch, {"f1": quality - 1 / epoch, "valid_loss": 1 / epoch - quality})
        return {"f1": quality - 1 / epochs, "valid_loss": 1 / epochs - quality}


def searched(folder: Path, curve: Curve, wanted: Search, given: Hyperparameters | None = None) -> Found:
    folder.mkdir(exist_ok=True)
    return search(
        wanted,
        given or Hyperparameters(),
        curve,
        task="text_classification",
        metric="f1",
        folder=folder,
        seed=3,
        event_log=EventLog(folder),
        control=Control(),
    )


def told(folder: Path) -> list[str]:
    return [event.message for event in events(folder)]


def test_a_search_finds_better_hyperparameters_than_it_began_with(tmp_path: Path) -> None:
    found = searched(tmp_path, Curve(), Search(trials=15), Hyperparameters(weight_decay=0.5))
    assert len(found.trials) == 15
    first = found.trials[0]
    assert first["params"] == {"learning_rate_multiplier": 1.0, "batch_size": 16, "n_epochs": 4}
    assert found.best > first["value"]
    assert found.options.weight_decay == 0.5
    assert found.options.learning_rate_multiplier == found.values["learning_rate_multiplier"]
    with (tmp_path / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["value"]) for row in rows] == [trial["value"] for trial in found.trials]
    assert told(tmp_path)[0].startswith(
        "Trial 1/15: f1=-1.043 with learning_rate_multiplier=1, batch_size=16, n_epochs=4"
    )


def test_a_search_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    def stop(number: int) -> None:
        if number == 7:
            raise Stopped("paused")

    whole = searched(tmp_path / "whole", Curve(), Search(trials=12))
    halved = tmp_path / "halved"
    with pytest.raises(Stopped):
        searched(halved, Curve(stop), Search(trials=12))
    with (halved / "search" / "trials.log").open("ab") as file:
        file.write(b'{"op_code": 4, "torn')  # as a kill in the middle of a write leaves it
    curve = Curve()
    found = searched(halved, curve, Search(trials=12))
    assert curve.begun == 6
    assert [trial["params"] for trial in found.trials] == [trial["params"] for trial in whole.trials]
    assert found.values == whole.values
    assert told(halved) == told(tmp_path / "whole")


def test_what_falls_behind_is_left_off_unless_pruning_is_off(tmp_path: Path) -> None:
    space = {"learning_rate_multiplier": [2.0, 50.0, 80.0], "n_epochs": [8]}
    curve, patient = Curve(), Curve()
    pruned = searched(tmp_path / "pruned", curve, Search(trials=20, space=space))
    searched(tmp_path / "whole", patient, Search(trials=20, space=space, pruning=False))
    left_off = [trial for trial in pruned.trials if trial["state"] == "pruned"]
    assert left_off and all(trial["params"]["learning_rate_multiplier"] >= 50 for trial in left_off)
    assert curve.evaluations < patient.evaluations == 8 * 20


def test_the_loss_is_searched_downwards(tmp_path: Path) -> None:
    found = searched(tmp_path, Curve(), Search(trials=6, metric="loss"))
    assert found.best == min(trial["value"] for trial in found.trials if trial["state"] == "complete")


def test_trials_that_diverge_count_and_others_go_on(tmp_path: Path) -> None:
    def diverge(number: int) -> None:
        if number % 2:
            raise TuningFailed("diverged", "The loss is no number any more.")

    found = searched(tmp_path, Curve(diverge), Search(trials=4))
    assert [trial["state"] for trial in found.trials] == ["failed", "complete", "failed", "complete"]
    assert found.trials[0]["message"] == "The loss is no number any more."


def test_a_search_whose_trials_all_fail_says_why(tmp_path: Path) -> None:
    def diverge(number: int) -> None:
        raise TuningFailed("diverged", "The loss is no number any more.")

    with pytest.raises(TuningFailed, match=r"None of 2 trials could be finished\. The loss is no number") as failed:
        searched(tmp_path, Curve(diverge), Search(trials=2))
    assert failed.value.param == "tuning.search"


def test_when_the_minutes_are_over_the_trial_that_runs_counts_as_far_as_it_came(tmp_path: Path) -> None:
    curve = Curve()
    found = searched(tmp_path, curve, Search(trials=5, minutes=1e-9))
    assert [trial["state"] for trial in found.trials] == ["out_of_time"]
    assert curve.evaluations == 1
    assert told(tmp_path)[-1] == "The time for the search is over after 1 trials."


def test_a_failure_that_no_hyperparameter_helps_ends_the_search(tmp_path: Path) -> None:
    def full(number: int) -> None:
        raise TuningFailed("no_space", "No space is left on the disk.")

    curve = Curve(full)
    with pytest.raises(TuningFailed, match="No space"):
        searched(tmp_path, curve, Search(trials=5))
    assert curve.begun == 1


def test_a_metric_that_the_task_does_not_have_is_named_with_those_it_has(tmp_path: Path) -> None:
    with pytest.raises(TuningFailed, match=r"no metric 'beauty' to search by\. This task has: loss, f1\."):
        searched(tmp_path, Curve(), Search(trials=1, metric="beauty"))


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"learning_rte": [1]}, "'learning_rte' is no hyperparameter. There are: trainable, "),
        ({"learning_rate": {"low": 1e-3, "high": 1e-5}}, "'learning_rate' has a low of 0.001 above its high of 1e-05"),
        ({"learning_rate": {"low": 0, "high": 1, "log": True}}, "is logarithmic, so low must be above 0"),
        ({"learning_rate": {"low": 1}}, "is a range of two numbers, low and high"),
        ({"learning_rate": {"low": 1, "high": 2, "step": 1}}, "unknown key 'step'; a range has low, high"),
        ({"learning_rate": 1e-3}, 'is a list of choices, like [8, 16], or a range, like {"low"'),
        ({"learning_rate": []}, "has no choices; give at least one"),
        ({"learning_rate": [-1]}, "'learning_rate' can't be -1: "),
        ({"batch_size": {"low": 1.5, "high": 8}}, "'batch_size' takes whole numbers, not 1.5"),
        ({"batch_size": {"low": 8, "high": 512}}, "'batch_size' can't be 512: "),
        ({"optimizer": {"low": 1, "high": 2}}, "'optimizer' has no range, for it is no number"),
        ({"lora.rank": [0]}, "'lora.rank' can't be 0: "),
        ({"learning_rate": [0.1], "learning_rate_multiplier": [1]}, "is searched beside learning_rate_multiplier"),
    ],
)
def test_a_wrong_space_is_refused_with_what_would_be_right(space: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        space_of(Search(space=space), Hyperparameters(), task="dialogue")
    assert message in refused.value.message
    assert refused.value.param == f"tuning.search.space.{next(iter(space))}"


def test_the_default_space_leaves_what_is_given_as_it_is() -> None:
    given = Hyperparameters(learning_rate=1e-4, batch_size=4)
    space = space_of(Search(), given, task="dialogue")
    assert space.keys() == {"learning_rate", "n_epochs"}
    assert space_of(Search(), Hyperparameters(trainable="head"), task="text_classification").keys() == {
        "learning_rate_multiplier",
        "batch_size",
    }


def test_a_trials_values_go_where_they_belong() -> None:
    options = applied(Hyperparameters(lora=Lora(alpha=32)), {"lora.rank": 4, "learning_rate": 0.5})
    assert (options.lora.rank, options.lora.alpha, options.learning_rate) == (4, 32, 0.5)
