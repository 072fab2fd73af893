"""What a client can do to domains: save, change, delete. A domain is checked before it is saved, and learned when it is.

Learning goes on behind the answer if it takes longer than a client likes to wait; its findings are kept with the domain.
"""

import asyncio
import logging
from collections.abc import Collection
from typing import Any

from zhuli.core.clock import Clock
from zhuli.core.errors import InvalidRequest, ZhuliError
from zhuli.core.ids import new_id
from zhuli.store import collections
from zhuli.store.database import Database
from zhuli.store.schema import domains
from zhuli.store.understanding import domains as store
from zhuli.store.understanding import understandings
from zhuli.types.understanding.domain import Domain, DomainFields, DomainReport, ExampleCreate, Finding
from zhuli.types.understanding.domain_test import DomainTest, DomainTestCreate
from zhuli.types.understanding.understanding import Understanding
from zhuli.understanding.dialogue.understanding import Understandings
from zhuli.understanding.domains.checks.checking import check, refuse_errors
from zhuli.understanding.domains.checks.findings import error
from zhuli.understanding.domains.corrections import corrected, example_of, found_marks, given_marks
from zhuli.understanding.domains.testing.testing import run_tests
from zhuli.understanding.language.entity_extraction.patterns import CHECK_SECONDS, SearchTime

log = logging.getLogger(__name__)

LEARNING_SECONDS = 5.0
"""For which a client waits, so that an answer mostly says how well the domain can be learned."""

LEARNING = "learning"
"""The code of the finding that a domain could not be learned."""


def new_domain(fields: DomainFields, report: DomainReport, *, now: int) -> Domain:
    """A domain that is not saved yet."""
    return Domain(**_fields_of(fields), id=new_id("dom"), created_at=now, report=report)


def next_version(before: Domain, fields: DomainFields, report: DomainReport) -> Domain:
    """The domain with these fields in place of its own."""
    version = before.version + 1
    return Domain(**_fields_of(fields), id=before.id, created_at=before.created_at, version=version, report=report)


class Domains:
    """Each method gives the domain as it is after it. plugins: the setting understander_plugins."""

    def __init__(
        self, database: Database, understandings: Understandings, clock: Clock, *, plugins: Collection[str]
    ) -> None:
        self._database = database
        self._understandings = understandings
        self._clock = clock
        self._plugins = plugins
        self._learning: dict[tuple[str, int], asyncio.Task[DomainReport]] = {}

    async def create(self, project: str, fields: DomainFields, *, also: Collection[Finding] = ()) -> Domain:
        """also: findings of reading it from another format, which its report begins with."""
        report = await self.check(fields)
        refuse_errors(report)
        report = report.model_copy(update={"findings": [*also, *report.findings]})
        domain = new_domain(fields, report, now=int(self._clock.now()))
        await self._database.run(store.insert, project, domain)
        return await self._learned(project, domain)

    async def modify(self, project: str, domain_id: str, given: DomainFields) -> Domain:
        """Overwrite the fields that are given."""
        while True:
            before = await self.get(project, domain_id)
            fields = DomainFields(
                **(_fields_of(before) | {name: getattr(given, name) for name in given.model_fields_set})
            )
            report = await self.check(fields)
            refuse_errors(report)
            domain = next_version(before, fields, report)
            if await self._database.run(store.change, project, domain):
                return await self._learned(project, domain)

    async def add_example(self, project: str, domain_id: str, given: ExampleCreate) -> Domain:
        """The next version, in which what was said is an example of what was meant; the same one where it is that already."""
        understood = await self._understood(project, given)
        while True:
            before = await self.get(project, domain_id)
            fields = _fields_of(before)
            changed = _with_example(before, given, understood)
            named = {name: getattr(changed, name) for name in changed.model_fields_set}
            if all(fields[name] == value for name, value in named.items()):
                return before
            report = await self.check(after := DomainFields(**(fields | named)))
            refuse_errors(report)
            domain = next_version(before, after, report)
            if await self._database.run(store.change, project, domain):
                return await self._learned(project, domain)

    async def get(self, project: str, domain_id: str) -> Domain:
        """The domain as it is, or NotFound."""
        return await self._database.run(collections.get, domains, Domain, project, domain_id)

    async def report(self, project: str, domain_id: str) -> DomainReport:
        """What is known about the domain; what is not learned yet is begun to be."""
        domain = await self.get(project, domain_id)
        return (domain if domain.report.learned else await self._learned(project, domain)).report

    async def remove(self, project: str, domain_id: str) -> None:
        """Delete the domain and what was learned for it; what was understood by it stays with the messages."""
        await self._database.run(store.remove, project, domain_id)
        for key in [key for key in self._learning if key[0] == domain_id]:
            self._learning[key].cancel()
        await self._understandings.forget(domain_id)

    async def check(self, fields: DomainFields) -> DomainReport:
        """What is found without learning; nothing is saved."""
        search_time = SearchTime(CHECK_SECONDS)
        try:
            return await asyncio.to_thread(check, fields, plugins=self._plugins, search_time=search_time)
        finally:
            search_time.stop()  # who asked may be gone

    async def test(self, project: str, domain_id: str, asked: DomainTestCreate) -> DomainTest:
        """What comes of conversations and examples by the domain as it is saved; nothing of it is kept."""
        return await run_tests(self._understandings, project, await self.get(project, domain_id), asked)

    async def aclose(self) -> None:
        """Learn no more; what was not learned is learned when it is asked for."""
        tasks = list(self._learning.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _understood(self, project: str, given: ExampleCreate) -> Understanding | None:
        """What was understood of the message that is named, or None; InvalidRequest where neither it nor a text is given."""
        if (given.understanding is None) == (given.text is None):
            message = "Send 'understanding', the id at a message, or 'text', and not both."
            raise InvalidRequest(message, param="text", code="invalid_value")
        if given.understanding is None:
            return None
        return await self._database.run(understandings.get, project, given.understanding)

    async def _learned(self, project: str, domain: Domain) -> Domain:
        """The domain with the report of learning, if that ends soon; it goes on otherwise, and when the client goes away."""
        key = (domain.id, domain.version)
        if key not in self._learning:
            self._learning[key] = asyncio.create_task(self._learn(project, domain))
            self._learning[key].add_done_callback(lambda _: self._learning.pop(key, None))
        task = self._learning[key]
        await asyncio.wait([task], timeout=LEARNING_SECONDS)
        if not task.done() or task.cancelled():
            return domain
        return domain.model_copy(update={"report": task.result()})

    async def _learn(self, project: str, domain: Domain) -> DomainReport:
        """Both reports in one, which is kept."""
        checked = domain.report
        kept = [finding for finding in checked.findings if finding.code != LEARNING]
        try:
            learned = await self._understandings.prepare(project, domain)
        except ZhuliError as failure:
            found = checked.model_copy(update={"findings": [_failed(failure.message), *kept]})
        except Exception:  # a plugin may be anybody's, and the domain is saved
            log.exception("The domain %s can't be learned", domain.id)
            found = checked.model_copy(update={"findings": [_failed("It broke; the server's log says how."), *kept]})
        else:
            found = learned.model_copy(update={"findings": [*kept, *learned.findings], "examples": checked.examples})
        await self._database.run(store.report, project, domain, found)
        return found


def _with_example(domain: Domain, given: ExampleCreate, understood: Understanding | None) -> DomainFields:
    """The fields that change."""
    text = understood.text if understood else given.text or ""
    if given.entities is not None:
        marks = given_marks(domain, text, given.entities)
    else:
        marks = found_marks(domain, understood.entities) if understood else []
    return corrected(domain, given.intent, example_of(text, marks))


def _failed(why: str) -> Finding:
    return error(
        LEARNING, "understander", f"The domain could not be learned, and will be tried again when asked. {why}"
    )


def _fields_of(domain: DomainFields) -> dict[str, Any]:
    """What a client says of it."""
    return {name: getattr(domain, name) for name in DomainFields.model_fields}
