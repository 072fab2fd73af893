"""Tests a domain: conversations are walked, and examples read that were not learned. Nothing of it is kept."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from zhuli.core.errors import InvalidRequest
from zhuli.core.ids import new_id
from zhuli.types.understanding.domain import Domain, DomainFields
from zhuli.types.understanding.domain_test import DomainTest, DomainTestCreate
from zhuli.types.understanding.understanding import DialogueState, Understanding
from zhuli.understanding.dialogue.understanding import Understandings
from zhuli.understanding.domains.testing.conversations import now_of, read_tests
from zhuli.understanding.domains.testing.examples import scored
from zhuli.understanding.domains.testing.walking import walk


async def run_tests(
    understandings: Understandings, project: str, fields: DomainFields, asked: DomainTestCreate
) -> DomainTest:
    """All that is asked for. InvalidRequest for a test that can't be read; failures of an understander are ZhuliErrors."""
    tests = [*asked.conversations, *read_tests(asked.files, fields)]
    now = _now(asked.now or now_of(asked.files), fields)
    result = DomainTest(conversations=len(tests))
    async with _Trial.of(understandings, project) as trial:
        if tests:
            domain = trial.version(fields)
            for test in tests:
                walked = await walk(
                    fields, test, lambda text, state: understandings.understand(project, domain, text, state, now=now)
                )
                result.turns += walked.turns
                result.right += walked.turns - len(walked.differences)
                result.conversations_right += not walked.differences
                result.differences += walked.differences
        if asked.folds > 1 or asked.holdout is not None:

            async def reads(taught: DomainFields, texts: Sequence[str]) -> list[Understanding]:
                version = trial.version(taught)
                return [await understandings.understand(project, version, text, DialogueState()) for text in texts]

            result.examples = await scored(fields, reads, folds=asked.folds, holdout=asked.holdout)
    return result


@dataclass
class _Trial:
    """A domain that is never saved: each version of it is what one part of the tests needs."""

    id: str
    number: int = 0

    @classmethod
    @asynccontextmanager
    async def of(cls, understandings: Understandings, project: str) -> AsyncGenerator["_Trial"]:
        trial = cls(new_id("dom"))
        try:
            yield trial
        finally:
            await understandings.forget(trial.id)

    def version(self, fields: DomainFields) -> Domain:
        self.number += 1
        own = {name: getattr(fields, name) for name in DomainFields.model_fields}
        return Domain(**own, id=self.id, created_at=0, version=self.number)


def _now(said: str | None, fields: DomainFields) -> float | None:
    """Seconds since 1970, of a time in the domain's time zone; None for now."""
    if said is None:
        return None
    try:
        there = datetime.fromisoformat(said)
    except ValueError as error:
        raise InvalidRequest(
            f"'{said}' is no time such as 2026-03-04T10:00:00.", param="now", code="invalid_value"
        ) from error
    return (there if there.tzinfo else there.replace(tzinfo=ZoneInfo(fields.timezone))).timestamp()
