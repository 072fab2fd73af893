"""The regular expressions of a message: what takes too long is told, and ends with who asked."""

import asyncio
import threading
from typing import Any

import pytest

from zhuli.core.clock import SystemClock
from zhuli.core.telemetry import Telemetry
from zhuli.types.understanding.domain import Domain
from zhuli.types.understanding.understanding import DialogueState, Reading
from zhuli.understanding.dialogue.understanding import Understandings
from zhuli.understanding.language.entity_extraction import patterns

SLOW = [rf"({letters}|a|aa)+$" for letters in ("b" * count for count in range(1, 200))]
TEXT = "a" * 1000 + "!"


class NothingRead:
    """An understander that finds no intent."""

    async def of(self, project: str, domain: Domain) -> "NothingRead":
        return self

    async def read(self, texts: list[str], state: DialogueState) -> list[Reading]:
        return [Reading([], 0.0, 0.5) for _ in texts]


@pytest.fixture
def understandings() -> Understandings:
    understanders: Any = NothingRead()
    return Understandings(understanders, SystemClock(), Telemetry())


def domain_of(*entities: dict[str, Any]) -> Domain:
    given = [{"kind": "regex", **entity} for entity in entities]
    return Domain.model_validate({"id": "dom_1", "created_at": 0, "entities": given})


async def test_entities_whose_expressions_took_too_long_are_named(
    understandings: Understandings, caplog: pytest.LogCaptureFixture
) -> None:
    domain = domain_of({"name": "quick", "patterns": ["!"]}, {"name": "slow", "patterns": SLOW})
    understood = await understandings.understand("default", domain, TEXT, DialogueState())
    assert [entity.entity for entity in understood.entities] == ["quick"]
    (told,) = [reason for reason in understood.reasons if "Regular expressions" in reason]
    assert "'slow'" in told
    assert "'quick'" not in told
    assert "dom_1" in caplog.text


async def test_expressions_end_with_who_asked(understandings: Understandings, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, made = threading.Event(), list[patterns.SearchTime]()

    class Watched(patterns.SearchTime):
        def __init__(self) -> None:
            super().__init__(3600)
            made.append(self)

        def spent_on(self, pattern: str) -> Any:
            begun.set()
            return super().spent_on(pattern)

    monkeypatch.setattr("zhuli.understanding.dialogue.understanding.SearchTime", Watched)
    domain = domain_of({"name": "slow", "patterns": SLOW * 25})
    asking = asyncio.create_task(understandings.understand("default", domain, TEXT, DialogueState()))
    await asyncio.to_thread(begun.wait)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert made[0].is_over, "the thread has minutes of work left otherwise, and a server that stops waits for it"
