"""Watching the traffic of models in service: a window at a time, in a thread, beside the serving.

The first messages that a model answers after its alias was moved to it are the reference; what comes later is held against them,
window by window, until one fires. Then somebody has to act: the next model begins anew.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from zhuli.core.clock import Clock
from zhuli.core.errors import NotFound
from zhuli.core.ids import new_id
from zhuli.learning.retuning import sentences
from zhuli.store.database import Database
from zhuli.store.learning import retuning, served, tuned_models
from zhuli.store.learning.served import Served, Window
from zhuli.types.learning.drift import Calibration, Drift, LabelShift, NewGroup, NewMessage
from zhuli.types.learning.retuning import Decision, DriftTerms

if TYPE_CHECKING:
    from zhuli.learning.drift.sample import Sample
    from zhuli.learning.drift.windows import Reference

SHOWN = 50
"""New messages that an alert names."""

LOOKED_THROUGH = 1_000
"""Of the newest messages, those among which new ones are looked for."""

_REMEMBERED = 64
"""References that are kept in memory."""


class DriftWatch:
    """Made once for a process; several may watch the same aliases."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._references: OrderedDict[tuple[str, str, int], Reference] = OrderedDict()
        self._missing: dict[tuple[str, str], int] = {}

    async def heard(self, project: str, alias: str, number: int) -> None:
        """So many more messages were answered: look, if a window may be full now."""
        left = self._missing.get((project, alias), 0) - number
        if left > 0:
            self._missing[project, alias] = left
        else:
            await self.look(project, alias)

    def forget(self) -> None:
        """Something was decided, or an alias has moved: what is missing until the next window may be otherwise."""
        self._missing.clear()

    async def look(self, project: str, alias: str) -> bool:
        """Look at every window that is full by now; whether one fired."""
        terms = await self._terms(project, alias)
        try:
            found = await self._database.run(tuned_models.alias, project, alias)
        except NotFound:
            return False
        since, moved = await self._database.run(retuning.moved_at, project, alias)
        while True:
            windows = await self._database.run(served.windows, project, alias, since)
            if any(window.fired for window in windows):
                self._missing[project, alias] = served.KEPT  # nothing is looked at until the alias moves
                return True
            wanted = terms.window if windows else terms.reference
            last = windows[-1].last if windows else 0
            rows = await self._database.run(
                served.answered, project, alias, found.model, after=last, from_time=moved, most=wanted
            )
            if len(rows) < wanted:
                self._missing[project, alias] = wanted - len(rows)
                return False
            if not windows:
                reference = Window(-1, rows[0].seq, rows[-1].seq, False, None)
                await self._database.run(served.add_window, project, alias, since, reference)
                continue
            await self._look_at(project, alias, found.model, since, windows, rows, terms)

    async def report(self, project: str, alias: str) -> Drift:
        """What is known of the drift of the alias's model now."""
        terms = await self._terms(project, alias)
        found = await self._database.run(tuned_models.alias, project, alias)
        since, moved = await self._database.run(retuning.moved_at, project, alias)
        windows = await self._database.run(served.windows, project, alias, since)
        checks = [window.check for window in windows if window.check is not None]
        fired = next((window for window in windows if window.fired), None)
        report = Drift(
            alias=alias,
            model=found.model,
            status="gathering" if not windows else "drifted" if fired else "quiet",
            alpha=terms.alpha,
            season=terms.season,
            windows=checks,
            calibration=await self._calibration(project, alias, found.model),
        )
        if not windows:
            return report
        before = await self._rows(project, alias, found.model, windows[0])
        start = windows[max(0, fired.number - 2)].last if fired else windows[max(0, len(windows) - 4)].last
        lately = await self._database.run(
            served.answered, project, alias, found.model, after=start, from_time=moved, most=LOOKED_THROUGH
        )
        if not lately:
            return report
        groups, messages, shifts = await asyncio.to_thread(_news, before, lately, terms)
        return report.model_copy(
            update={"labels": shifts, **({"groups": groups, "messages": messages} if fired else {})}
        )

    async def _calibration(self, project: str, alias: str, model: str) -> Calibration | None:
        judged = await self._database.run(served.judged, project, alias, model)
        if not judged:
            return None
        from zhuli.learning.drift.calibration import calibration  # NumPy

        return calibration([sure for sure, _ in judged], [float(right) for _, right in judged])

    async def _look_at(
        self,
        project: str,
        alias: str,
        model: str,
        since: int,
        windows: Sequence[Window],
        rows: Sequence[Served],
        terms: DriftTerms,
    ) -> None:
        key = (project, alias, since)
        before: list[Served] = []
        if key not in self._references:
            before = await self._rows(project, alias, model, windows[0])
        earlier = [await self._rows(project, alias, model, window) for window in windows[1:][-3:]]
        number = windows[-1].number + 1
        check = await asyncio.to_thread(self._checked, key, before, [*earlier, rows], number, terms)
        window = Window(number, rows[0].seq, rows[-1].seq, check.fired, check)
        decision = None
        if check.fired:
            before = before or await self._rows(project, alias, model, windows[0])
            groups, messages, _ = await asyncio.to_thread(_news, before, [*(earlier[-1:] or [[]])[0], *rows], terms)
            tests = [test.name for test in check.tests if test.fired]
            decision = Decision(
                id=new_id("dec"),
                alias=alias,
                candidate=None,
                kind="drifted",
                by="policy",
                created_at=int(self._clock.now()),
                sentence=sentences.drifted(
                    (number + 1) * terms.window, list(tests), [each.name for each in groups[:5]]
                ),
                numbers={
                    "model": model,
                    "check": check.model_dump(),
                    "groups": [each.model_dump() for each in groups[:5]],
                    "messages": [each.model_dump() for each in messages],
                },
            )
        await self._database.run(_record, project, alias, since, window, decision)

    def _checked(
        self,
        key: tuple[str, str, int],
        before: Sequence[Served],
        windows: Sequence[Sequence[Served]],
        number: int,
        terms: DriftTerms,
    ) -> Any:
        from threadpoolctl import threadpool_limits

        from zhuli.learning.drift.windows import Plan, Reference, check

        with threadpool_limits(1):  # beside the serving, whose processors these are
            if key not in self._references:
                self._references[key] = Reference(_sample(before, terms))
                while len(self._references) > _REMEMBERED:
                    self._references.popitem(last=False)
            plan = Plan(window=terms.window, season=terms.season, alpha=terms.alpha)
            samples = [_sample(rows, terms) for rows in windows]
            return check(self._references[key], samples, number=number, plan=plan)

    async def _rows(self, project: str, alias: str, model: str, window: Window) -> list[Served]:
        most = 10 * LOOKED_THROUGH
        return await self._database.run(
            served.answered, project, alias, model, after=window.first - 1, until=window.last, most=most
        )

    async def _terms(self, project: str, alias: str) -> DriftTerms:
        try:
            return (await self._database.run(retuning.policy, project, alias)).drift
        except NotFound:
            return DriftTerms()


def _record(
    connection: Connection, project: str, alias: str, since: int, window: Window, decision: Decision | None
) -> None:
    if served.add_window(connection, project, alias, since, window) and decision is not None:
        retuning.decide(connection, project, decision)


def _sample(rows: Sequence[Served], terms: DriftTerms) -> "Sample":
    import numpy as np

    from zhuli.learning.drift.sample import Sample

    sure = np.array([1.0 if row.confidence is None else row.confidence for row in rows])
    return Sample(
        _vectors(rows), [row.label or "" for row in rows], sure, (sure < terms.outside_below).astype(np.float32)
    )


def _vectors(rows: Sequence[Served]) -> Any:
    """messages × width, each of length 1; None unless all have one of the same width."""
    import numpy as np

    if len({len(row.vector or b"") for row in rows}) != 1 or not rows[0].vector:
        return None
    found = np.frombuffer(b"".join(row.vector or b"" for row in rows), "<f2").reshape(len(rows), -1).astype(np.float32)
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)


def _news(
    before: Sequence[Served], lately: Sequence[Served], terms: DriftTerms
) -> tuple[list[NewGroup], list[NewMessage], list[LabelShift]]:
    """Groups of what is new, its messages, the newest of kind first, and how labels have shifted."""
    from zhuli.learning.drift import labels, naming, novelty

    shifts = labels.shifts([row.label or "" for row in before], [row.label or "" for row in lately])
    old, new = _vectors(before), _vectors(lately)
    if old is None or new is None or old.shape[1] != new.shape[1]:
        unsure = sorted(lately, key=lambda row: row.confidence if row.confidence is not None else 1.0)
        return [], [_message(row) for row in unsure[:SHOWN]], shifts
    places = novelty.new_ones(new, old)
    members = [places[group] for group in novelty.groups(new[places], old)] if len(places) else []
    texts = [[lately[place].text or "" for place in group] for group in members]
    words = naming.names(texts, [row.text or "" for row in before])
    groups = [
        NewGroup(
            name=" ".join(telling) or f"group {number}",
            words=telling,
            messages=len(group),
            share=len(group) / len(lately),
            examples=[text for text in said if text][:5],
            ids=[lately[place].prediction_id or "" for place in group],
        )
        for number, (group, telling, said) in enumerate(zip(members, words, texts, strict=True), start=1)
    ]
    return groups, [_message(lately[place]) for place in places[:SHOWN]], shifts


def _message(row: Served) -> NewMessage:
    return NewMessage(id=row.prediction_id, text=row.text, label=row.label, confidence=row.confidence, at=int(row.at))
