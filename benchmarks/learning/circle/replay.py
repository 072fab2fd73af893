"""How often drift is seen where there is none, and how soon where there is: the same traffic, watched again in other orders.

Each run deals the messages in another order, notes them as served under an alias of its own, and lets the product's watch look:
its windows, its tests, its store. First nothing changes for a season; then a share of the messages is new from some place on.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.progress import track

from benchmarks.learning.circle.recorded import Recorded
from zhuli.core.clock import SystemClock
from zhuli.core.hints import Hints
from zhuli.learning.jobs.aliases import Aliases
from zhuli.learning.retuning.commands import RetuningCommands
from zhuli.learning.retuning.serving import Serving
from zhuli.learning.retuning.watching import DriftWatch
from zhuli.models.catalog import Catalog
from zhuli.store import migrate
from zhuli.store.learning import tuned_models
from zhuli.store.learning.served import Served
from zhuli.store.learning.tuned_models import TunedModel
from zhuli.store.opening import open_database
from zhuli.store.projects import DEFAULT_PROJECT as PROJECT
from zhuli.store.projects import ensure_default
from zhuli.types.learning.retuning import PolicyCreate


def replayed(old: Sequence[Recorded], new: Sequence[Recorded], runs: int, *, window: int, share: float) -> None:
    """Print what came of it. old, new: of kinds that the model knows, and of others. share: of new ones, in the second half."""
    asyncio.run(_replayed(old, new, runs, window=window, share=share))


async def _replayed(old: Sequence[Recorded], new: Sequence[Recorded], runs: int, *, window: int, share: float) -> None:
    reference = 150
    season = min(20, (len(old) - reference) // window)
    with tempfile.TemporaryDirectory() as folder:
        watch = await _Watch.made(Path(folder), {"window": window, "reference": reference, "season": season})
        began = time.process_time()
        quiet = [await watch.run(_dealt(old, seed, reference + season * window)) for seed in track(range(runs))]
        fired = sum(each is not None for each in quiet)
        print(f"{runs} runs without a change, {season} windows of {window} messages each: drift was seen in {fired}")
        print(f"  {(time.process_time() - began) / runs / season * 1000:.1f} ms of processor time a window")
        before = reference + 4 * window
        changed = [
            await watch.run([*_dealt(old, runs + seed, before), *_mixed(old, new, seed, share)])
            for seed in track(range(runs))
        ]
    early = sum(each is not None and each <= before for each in changed)
    found = sorted(each - before for each in changed if each is not None and each > before)
    half, most = (found[int(part * (len(found) - 1))] for part in (0.5, 0.9))
    print(
        f"{runs} runs in which {share:.0%} are new from message {before + 1} on: drift was seen before that in {early},"
    )
    print(
        f"  after it in {len(found)}: half of these within {half} messages, nine in ten within {most}, all within {found[-1]}"
    )


def _dealt(said: Sequence[Recorded], seed: int, number: int) -> list[Recorded]:
    return random.Random(seed).sample(said, number)


def _mixed(old: Sequence[Recorded], new: Sequence[Recorded], seed: int, share: float) -> Iterator[Recorded]:
    dice = random.Random(seed)
    for _ in range(2_000):
        yield dice.choice(new if dice.random() < share else old)


class _Watch:
    """The product's, over a database of its own."""

    def __init__(self, database: Any, catalog: Catalog, terms: dict[str, int]) -> None:
        clock = SystemClock()
        self._database, self._clock, self._terms = database, clock, terms
        self._serving, self._drift = Serving(database, catalog), DriftWatch(database, clock)
        self._aliases = Aliases(database, catalog, clock)
        self._commands = RetuningCommands(database, catalog, clock)
        self._runs = 0

    @classmethod
    async def made(cls, folder: Path, terms: dict[str, int]) -> "_Watch":
        database = open_database(f"sqlite:///{folder}/watch.db", Hints())
        await database.run(migrate.upgrade)
        await database.run(ensure_default, now=0.0)
        model = TunedModel(name="ft:m", project=PROJECT, base="m", task="text_classification", folder="m", created_at=0)
        await database.run(tuned_models.add, model)
        return cls(database, Catalog.load(None, folder), terms)

    async def run(self, messages: Sequence[Recorded]) -> int | None:
        """After how many messages drift was seen; None if it was not."""
        self._runs += 1
        alias = f"run-{self._runs}"
        await self._aliases.move(PROJECT, alias, "ft:m")
        await self._commands.set_policy(PROJECT, alias, PolicyCreate.model_validate({"drift": self._terms}))
        step = self._terms["window"]
        for end in range(step, len(messages) + 1, step):
            for each in messages[end - step : end]:
                at = self._clock.now()
                said = Served(PROJECT, alias, "ft:m", "champion", at, 0.01, each.said, each.score, vector=each.vector)
                self._serving.note(said)
            await self._serving.flush()
            if await self._drift.look(PROJECT, alias):
                return end
        return None
