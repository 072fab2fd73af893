"""Audits of a project's models: what clients can do, and the handler of the queue's jobs that do them.

An audit whose process dies is done again from its beginning: the same texts, and nothing was shown yet.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from zhuli.core.cancelling import being_cancelled
from zhuli.core.clock import Clock
from zhuli.core.errors import LeaseLost, ZhuliError
from zhuli.core.ids import new_id
from zhuli.safety.audits import card
from zhuli.safety.audits.asking import Asking, check_labels, language_for
from zhuli.store.database import Database
from zhuli.store.jobs import Job
from zhuli.store.safety import audits
from zhuli.types.safety.audit import Audit, AuditCreate, AuditError, AuditReport

log = logging.getLogger(__name__)

WAITS = (1.0, 10.0)
"""Seconds before an audit is begun again in which a question failed."""

EXPLAINED = 3
"""Changed texts of an axis that are explained."""


class Audits:
    """Makes audits for clients, and does them for the worker. Made once."""

    def __init__(self, database: Database, asking: Asking, clock: Clock, *, max_attempts: int) -> None:
        self._database = database
        self._asking = asking
        self._clock = clock
        self._max_attempts = max_attempts
        self._going: dict[str, asyncio.Task[None]] = {}

    async def create(self, project: str, body: AuditCreate) -> Audit:
        """A queued audit; NotFound and InvalidRequest say what is wrong with it."""
        check_labels(body)
        await self._asking.check(project, body.model, chats=body.pairs is not None)
        made = Audit(
            id=new_id("audit"),
            created_at=int(self._clock.now()),
            model=body.model,
            language=language_for(body),
            request=body,
        )
        return await self._database.run(audits.create, project, made)

    async def handle(self, job: Job) -> None:
        """Do the audit; CancelledError puts it back, at a server's end."""
        going = self._going[job.key] = asyncio.create_task(self._do(job))
        try:
            await going
        except asyncio.CancelledError:
            if being_cancelled():
                raise
            with suppress(LeaseLost):
                await self._database.run(audits.take_up, job)  # deleted: its job goes too
        finally:
            going.cancel()
            self._going.pop(job.key, None)

    async def give_up(self, job: Job, message: str) -> None:
        """The handler broke: the audit has failed."""
        with suppress(LeaseLost):
            taken = await self._database.run(audits.take_up, job)
            if taken is not None:
                await self._fail(job, taken[1], AuditError(code="server_error", message=message))

    async def stopped(self, keys: list[str]) -> list[str]:
        """Which of these audits were deleted."""
        return await self._database.run(audits.gone, keys)

    def interrupt(self, key: str) -> None:
        """Stop working on the audit."""
        if (going := self._going.get(key)) is not None:
            going.cancel()

    async def _do(self, job: Job) -> None:
        with suppress(LeaseLost):
            taken = await self._database.run(audits.take_up, job)
            if taken is None:
                return
            project, audit = taken
            if job.deaths >= self._max_attempts:
                text = f"The audit was given up: {self._max_attempts} attempts took their worker down."
                await self._fail(job, audit, AuditError(code="server_error", message=text))
                return
            try:
                report = await self._patiently(project, audit)
            except ZhuliError as error:
                await self._fail(job, audit, AuditError(code=error.code or "server_error", message=error.message))
                return
            ended = audit.model_copy(
                update={"status": "completed", "completed_at": int(self._clock.now()), "report": report}
            )
            folder = self._asking.folder(project, audit.model)
            if folder is not None:
                await asyncio.to_thread(card.write, folder, ended)
            await self._database.run(audits.end, job, ended)

    async def _patiently(self, project: str, audit: Audit) -> AuditReport:
        """A model, or a child, that can't answer now is asked again: an audit is hundreds of questions, and one may fail."""
        for wait in WAITS:
            try:
                return await self._report(project, audit)
            except ZhuliError as error:
                if error.status < 500:
                    raise
                log.warning("The audit '%s' begins again, for a question failed: %s", audit.id, error.message)
            await self._clock.sleep(wait)
        return await self._report(project, audit)

    async def _fail(self, job: Job, audit: Audit, error: AuditError) -> None:
        failed = audit.model_copy(update={"status": "failed", "completed_at": int(self._clock.now()), "error": error})
        await self._database.run(audits.end, job, failed)

    async def _report(self, project: str, audit: Audit) -> AuditReport:
        from zhuli.safety.audits import auditing, pairs  # numpy, which a server starts without
        from zhuli.safety.audits.swaps import MESSAGES, axes_of

        terms = audit.request
        report = AuditReport(axes=[], passed=None, reasons=[])
        if terms.asks_of_people:
            report = await auditing.asked(partial(self._asking.labels, project, audit.model), terms, audit.language)
        if terms.pairs is not None:
            ask = partial(self._asking.answers, project, audit.model)
            report.pairs = await pairs.chosen(ask, terms.pairs, audit.language)
            report = auditing.with_pairs(report, terms.bounds)
        if terms.explain:
            texts: Sequence[str] = terms.texts or MESSAGES[audit.language]
            swaps = {axis.name: axis.groups for axis in axes_of(audit.language, terms.axes, terms.lists)}
            for one in report.axes:
                for changed in one.examples[:EXPLAINED]:
                    group = auditing.rarest(changed)
                    said = swaps[one.axis][group](changed.text, list(texts).index(changed.text))
                    explanation = await self._asking.explained(project, audit.model, said)
                    changed.explanation = None if explanation is None else {"group": group, "text": said, **explanation}
        return report
