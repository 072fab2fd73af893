"""Drift of a model in service: what is kept of its answers is looked at window by window, and an alarm names what is new."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zhuli.learning.feedback.giving import FeedbackCommands
from zhuli.learning.jobs.aliases import Aliases
from zhuli.learning.retuning.commands import RetuningCommands
from zhuli.learning.retuning.serving import Serving
from zhuli.learning.retuning.watching import DriftWatch
from zhuli.models.catalog import Catalog
from zhuli.store import migrate
from zhuli.store.database import Database
from zhuli.store.learning import retuning, tuned_models
from zhuli.store.learning.served import Served
from zhuli.store.learning.tuned_models import TunedModel
from zhuli.store.projects import DEFAULT_PROJECT as PROJECT
from zhuli.store.projects import ensure_default
from zhuli.testing.clock import ManualClock
from zhuli.types.learning.feedback import FeedbackCreate
from zhuli.types.learning.retuning import PolicyCreate

MODEL, ALIAS = "ft:minilm:default::one", "intents"


async def test_an_alarm_names_the_messages_that_are_new(database: Database, tmp_path: Path) -> None:
    clock, catalog = ManualClock(), Catalog.load(None, tmp_path)
    await database.run(migrate.upgrade)
    await database.run(ensure_default, now=clock.now())
    model = TunedModel(name=MODEL, project=PROJECT, base="minilm", task="text_classification", folder="t", created_at=0)
    await database.run(tuned_models.add, model)
    await Aliases(database, catalog, clock).move(PROJECT, ALIAS, MODEL)
    terms = {"window": 40, "reference": 100, "season": 10, "keep_texts": True}
    await RetuningCommands(database, catalog, clock).set_policy(
        PROJECT, ALIAS, PolicyCreate.model_validate({"drift": terms})
    )
    serving, watch = Serving(database, catalog), DriftWatch(database, clock)
    dice = np.random.default_rng(0)
    middles = dice.normal(size=(4, 16))

    async def served(number: int, *, new: bool) -> None:
        for place in range(number):
            code = 3 if new and place % 2 else int(dice.integers(0, 3))
            vector = (middles[code] + dice.normal(scale=0.3, size=16)).astype("<f2").tobytes()
            text = "my parcel was stolen" if code == 3 else "where is my card"
            serving.note(
                Served(
                    PROJECT,
                    ALIAS,
                    MODEL,
                    "champion",
                    clock.now(),
                    0.01,
                    f"label {code % 3}",
                    0.9,
                    text=text,
                    vector=vector,
                )
            )
        assert await serving.flush() == {(PROJECT, ALIAS): number}

    await served(60, new=False)
    assert not await watch.look(PROJECT, ALIAS)
    assert (await watch.report(PROJECT, ALIAS)).status == "gathering"
    await served(120, new=False)
    assert not await watch.look(PROJECT, ALIAS)
    quiet = await watch.report(PROJECT, ALIAS)
    assert quiet.status == "quiet" and len(quiet.windows) == 2 and not quiet.messages
    await served(40, new=True)
    assert await watch.look(PROJECT, ALIAS) and await DriftWatch(database, clock).look(PROJECT, ALIAS)
    drifted = await watch.report(PROJECT, ALIAS)
    assert drifted.status == "drifted" and "parcel" in drifted.groups[0].words
    assert all(message.text == "my parcel was stolen" for message in drifted.messages[:10])
    decision = await database.run(retuning.last_of_kind, PROJECT, ALIAS, ["drifted"])
    assert decision is not None and "parcel" in decision.sentence.en and "漂移" in decision.sentence.zh


async def test_feedback_says_whether_the_model_is_as_right_as_it_is_sure(database: Database, tmp_path: Path) -> None:
    clock, catalog = ManualClock(), Catalog.load(None, tmp_path)
    await database.run(migrate.upgrade)
    await database.run(ensure_default, now=clock.now())
    model = TunedModel(name=MODEL, project=PROJECT, base="minilm", task="text_classification", folder="t", created_at=0)
    await database.run(tuned_models.add, model)
    await Aliases(database, catalog, clock).move(PROJECT, ALIAS, MODEL)
    serving, watch, giving = Serving(database, catalog), DriftWatch(database, clock), FeedbackCommands(database, clock)
    for number in range(12):
        place = (PROJECT, ALIAS, MODEL, "champion", clock.now(), 0.01, "card", 0.9)
        serving.note(Served(*place, prediction_id=f"pred_{number}"))
    await serving.flush()
    assert (await watch.report(PROJECT, ALIAS)).calibration is None
    said: list[dict[str, Any]] = [
        *({"verdict": "up"} for _ in range(4)),
        {"correction": {"label": "card"}},
        *({"verdict": "down"} for _ in range(3)),
        {"correction": {"label": "loan"}},
        {"verdict": "up", "correction": {"label": "loan"}},
        {"comment": "hm"},
        {"source": "signal", "signal": "copied"},
    ]
    for number, words in enumerate(said):
        target = {"type": "prediction", "id": f"pred_{number}"}
        context = {"model": MODEL, "task": "text_classification", "input": "?", "output": [{"label": "card"}]}
        body = FeedbackCreate.model_validate({"target": target, "context": context, **words})
        await giving.give(PROJECT, body)
    found = (await watch.report(PROJECT, ALIAS)).calibration
    assert found is not None and (found.number, found.correct) == (10, 0.5)
    assert found.confidence == pytest.approx(0.9) and found.error == pytest.approx(0.4) and found.z < -3
