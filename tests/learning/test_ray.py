"""Ray on this machine: two workers learn what one learns, and two trials run at once. Each test starts a cluster of its own."""

import functools
import pickle
import time
from pathlib import Path

import numpy as np
import pytest

from tests.harness.later import later
from tests.learning.small_sentences import WORDS
from zhuli.learning.training.control import Control, Stopped
from zhuli.learning.training.event_log import EventLog, events
from zhuli.learning.training.failures import TuningFailed
from zhuli.types.learning.hyperparameters import Hyperparameters, Search, Workers

with later:
    from tests.learning.test_search import Curve
    from tests.learning.work_for_ray import learn
    from zhuli.learning.training.distributed.ray_cluster import control_of, parent
    from zhuli.learning.training.distributed.ray_workers import Raised, train_on_workers
    from zhuli.learning.training.searching.search import search
    from zhuli.testing.tiny_models import tiny_encoder

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")  # of its own parts, when they are imported


def test_two_workers_learn_what_one_learns(tmp_path: Path) -> None:
    base = tiny_encoder(tmp_path / "base", words=WORDS)
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    alone, losses = learn(base, event_log=EventLog(tmp_path / "one"), control=Control())
    work = functools.partial(learn, base)
    two = tmp_path / "two"
    together, same_losses = train_on_workers(
        Workers(number=2), work, folder=two, event_log=EventLog(two), control=Control()
    )
    assert same_losses == pytest.approx(losses, abs=1e-5)
    assert alone.keys() == together.keys()
    for name, weight in alone.items():
        assert np.abs(together[name] - weight).max() <= 1e-5, name
    told = [event.data["step"] for event in events(two) if event.kind == "metrics"]
    assert told == sorted(set(told)) and told[-1] == len(losses)


def test_trials_at_once_are_those_of_one_search(tmp_path: Path) -> None:
    found = search(
        Search(trials=3, parallel=2),
        Hyperparameters(),
        Curve(),
        task="text_classification",
        metric="f1",
        folder=tmp_path,
        seed=3,
        event_log=EventLog(tmp_path),
        control=Control(),
    )
    assert [trial["number"] for trial in found.trials] == [1, 2, 3]
    assert {"learning_rate_multiplier": 1.0, "batch_size": 16, "n_epochs": 4} in [
        trial["params"] for trial in found.trials
    ]
    assert len({str(trial["params"]) for trial in found.trials}) == 3
    assert found.best == max(trial["value"] for trial in found.trials)
    assert len([event for event in events(tmp_path) if event.message.startswith("Trial ")]) == 3


def test_a_worker_hears_what_the_parent_asks_and_the_parent_tells_what_the_worker_did(tmp_path: Path) -> None:
    (tmp_path / "tuning").mkdir()
    shared, asked = tmp_path / "workers", Control()
    event_log = EventLog(tmp_path / "tuning")
    with parent(shared, event_log=event_log, control=asked), control_of(shared) as heard:
        EventLog(shared).write("metrics", "Step 1/2: training loss=0.50", step=1)
        asked.ask("pause")
        while heard.wanted is None:  # pytest's timeout ends it if it is never heard
            time.sleep(0.01)
    assert heard.wanted == "pause"
    assert [(event.kind, event.data) for event in events(tmp_path / "tuning")] == [("metrics", {"step": 1})]


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (["paused"], Stopped),
        (["failed", "diverged", "The loss is no number any more.", "hyperparameters"], TuningFailed),
    ],
)
def test_what_a_worker_raises_is_the_same_on_the_other_side(raised: list[str], kind: type[Exception]) -> None:
    travelled = pickle.loads(pickle.dumps(Raised(*raised)))
    again = travelled.again()
    assert type(again) is kind
    if isinstance(again, TuningFailed):
        assert (again.code, again.message, again.param) == travelled.args[1:]
