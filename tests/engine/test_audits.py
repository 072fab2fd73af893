"""An audit whose server stops is done again by the next, and ends once; a deleted one is left off."""

import asyncio
from typing import Any

import pytest

from tests.engine.conftest import Place
from zhuli.core.errors import NotFound
from zhuli.store import collections, schema
from zhuli.store.safety import audits
from zhuli.testing.app import AppInMemory
from zhuli.types.safety.audit import Audit, AuditCreate

STALLS: dict[str, Any] = {"default": [{"fault": "stall"}]}
REFUSES: dict[str, Any] = {
    "rules": [{"when": {"last": "^I am rude"}, "reply": [{"text": "Sorry, no."}]}],
    "default": [{"text": "I can't say."}],
}
LISTS = {"manners": {"polite": ["I am polite."], "rude": ["I am rude."]}}


async def begun(app: AppInMemory) -> Audit:
    body = {"model": "script", "texts": ["Where is my card?", "What is it?"], "axes": ["gender"], "lists": LISTS}
    return await app.app.safety.audits.create(app.project, AuditCreate.model_validate(body))


async def now(app: AppInMemory, audit: Audit) -> Audit:
    return await app.app.database.run(collections.get, schema.audits, Audit, app.project, audit.id)


async def until(app: AppInMemory, audit: Audit, *statuses: str) -> Audit:
    async with asyncio.timeout(30):
        while (found := await now(app, audit)).status not in statuses:
            await asyncio.sleep(0.02)
    return found


async def test_an_audit_that_was_broken_off_is_done_by_the_next_server(place: Place) -> None:
    async with place.app(STALLS) as app:
        audit = await begun(app)
        await until(app, audit, "in_progress")
    async with place.app(REFUSES) as app:
        ended = await until(app, audit, "completed", "failed")
        assert ended.error is None and ended.report is not None
        assert [one.axis for one in ended.report.axes] == ["gender", "manners"]
        assert {name: rates for one in ended.report.axes for name, rates in one.rates.items()}["rude"] == {
            "refused": 1.0
        }


async def test_a_deleted_audit_is_left_off(place: Place) -> None:
    async with place.app(STALLS) as app:
        audit = await begun(app)
        await until(app, audit, "in_progress")
        await app.app.database.run(audits.remove, app.project, audit.id)
        with pytest.raises(NotFound):
            await now(app, audit)


async def test_an_audit_in_which_a_question_fails_once_is_begun_again(place: Place) -> None:
    fails = {"when": {"last": "^I am polite", "attempt": 1}, "reply": [{"fault": "server_error"}]}
    async with place.app({**REFUSES, "rules": [fails, *REFUSES["rules"]]}) as app:
        audit = await begun(app)
        async with asyncio.timeout(30):
            while (ended := await now(app, audit)).status in ("queued", "in_progress"):
                app.clock.move(1)
                await asyncio.sleep(0.02)
        assert ended.error is None and ended.report is not None and len(ended.report.axes) == 2
