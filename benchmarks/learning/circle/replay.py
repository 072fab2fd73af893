"""How often drift is seen where there is none, and how soon where there is: the same traffic, watched again in other orders.

What the model in service says to each message is asked once, with its vector, as the prediction child does it. Each run deals the
messages in another order, notes them as served under an alias of its own, and lets the product's watch look: its windows, its
tests, its store. First nothing changes for a season; then a share of the messages is new from some place on.
"""

import asyncio
import json
import random
import sqlite3
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.progress import track

from benchmarks.learning.circle.corpora import Corpus
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

Said = tuple[str, float, bytes]
"""Label, confidence, vector."""


def replayed(data_dir: Path, model: str, of: Corpus, runs: int, *, window: int, share: float) -> None:
    """Print what came of it. share: of new messages, in the second half."""
    asyncio.run(_replayed(data_dir, model, of, runs, window=window, share=share))


async def _replayed(data_dir: Path, model: str, of: Corpus, runs: int, *, window: int, share: float) -> None:
    old, new = (_answers(data_dir, model, of, new=new) for new in (False, True))
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


def _answers(data_dir: Path, model: str, of: Corpus, *, new: bool) -> list[Said]:
    """What the model says to messages that it has not learned."""
    from zhuli.learning.predicting.opened import OpenedModel  # torch

    with sqlite3.connect(data_dir / "zhuli.db") as connection:
        (body,) = connection.execute("SELECT body FROM tuned_models WHERE name = ?", (model,)).fetchone()
    rows = of.part([*of.traffic, *of.fixed, *of.unseen], new=new)
    opened = OpenedModel(data_dir / json.loads(body)["folder"])
    found: list[Said] = []
    for start in range(0, len(rows), 32):
        for answer in opened.answer([text for text, _ in rows[start : start + 32]], explain=False):
            found.append((answer["output"][0]["label"], answer["output"][0]["score"], b64decode(answer["vector"])))
    return found


def _dealt(said: Sequence[Said], seed: int, number: int) -> list[Said]:
    return random.Random(seed).sample(said, number)


def _mixed(old: Sequence[Said], new: Sequence[Said], seed: int, share: float) -> Iterator[Said]:
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

    async def run(self, messages: Sequence[Said]) -> int | None:
        """After how many messages drift was seen; None if it was not."""
        self._runs += 1
        alias = f"run-{self._runs}"
        await self._aliases.move(PROJECT, alias, "ft:m")
        await self._commands.set_policy(PROJECT, alias, PolicyCreate.model_validate({"drift": self._terms}))
        step = self._terms["window"]
        for end in range(step, len(messages) + 1, step):
            for label, confidence, vector in messages[end - step : end]:
                at = self._clock.now()
                said = Served(PROJECT, alias, "ft:m", "champion", at, 0.01, label, confidence, vector=vector)
                self._serving.note(said)
            await self._serving.flush()
            if await self._drift.look(PROJECT, alias):
                return end
        return None
