"""The understanders of a process: prepared once for each version of a domain, shared by who asks, the oldest dropped."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from zhuli.core.errors import BackendError, InvalidRequest, Unavailable
from zhuli.core.hints import Hints
from zhuli.models.catalog import Catalog
from zhuli.ports import Services
from zhuli.store.opening import open_database
from zhuli.types.learning.prediction import PredictionCreate, PredictionList
from zhuli.types.understanding.domain import Domain, DomainFields, DomainReport
from zhuli.types.understanding.understanding import DialogueState, Reading
from zhuli.understanding.dialogue.loaded_understanders import LoadedUnderstanders

PROJECT = "default"
COUNTED = f"{__name__}:Counted"


class Counted:
    """An understander that says how often it was prepared, and waits or fails when it is told to."""

    prepared: ClassVar[list[str]] = []
    open: ClassVar[asyncio.Event]
    fails: ClassVar[bool]
    report: DomainReport | None = None

    def __init__(self, domain: DomainFields, services: Services) -> None:
        assert isinstance(domain, Domain)
        self.name = f"{domain.id}-{domain.version}"
        self.folder = services.folder

    async def prepare(self) -> None:
        self.prepared.append(self.name)
        await self.open.wait()
        if self.fails:
            raise BackendError("The embedder is not there.")
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "learned").write_text(self.name)
        self.report = DomainReport(learned=True)

    async def read(self, texts: Sequence[str], state: DialogueState) -> list[Reading]:
        return [Reading([], 0.0, 0.5) for _ in texts]


@pytest.fixture
async def understanders(tmp_path: Path) -> LoadedUnderstanders:
    """Of two understanders at most."""
    Counted.prepared.clear()
    Counted.open, Counted.fails = asyncio.Event(), False
    Counted.open.set()
    return LoadedUnderstanders(
        folder=tmp_path / "understanding",
        database=open_database(f"sqlite:///{tmp_path / 'zhuli.db'}", Hints()),
        catalog=Catalog.load(None, tmp_path),
        answer=no_model,
        most=2,
        plugins=[COUNTED],
    )


async def no_model(project: str, body: PredictionCreate) -> PredictionList:
    raise AssertionError("no tuned model is asked here")


def domain(name: str = "dom_a", version: int = 1, *, understander: str = COUNTED) -> Domain:
    return Domain.model_validate(
        {"id": name, "created_at": 0, "version": version, "understander": {"type": understander}}
    )


async def test_a_domain_is_prepared_once_for_all_who_ask_at_once_or_later(understanders: LoadedUnderstanders) -> None:
    Counted.open.clear()
    asked = [asyncio.create_task(understanders.of(PROJECT, domain())) for _ in range(5)]
    await asyncio.sleep(0)
    Counted.open.set()
    first, *others = await asyncio.gather(*asked)
    assert all(other is first for other in [*others, await understanders.of(PROJECT, domain())])
    assert Counted.prepared == ["dom_a-1"]


async def test_a_caller_that_goes_away_does_not_stop_the_preparing(understanders: LoadedUnderstanders) -> None:
    Counted.open.clear()
    caller = asyncio.create_task(understanders.of(PROJECT, domain()))
    await asyncio.sleep(0.01)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    Counted.open.set()
    assert (await understanders.of(PROJECT, domain())).report is not None
    assert Counted.prepared == ["dom_a-1"]


async def test_a_failure_reaches_all_who_wait_and_is_tried_again_by_the_next(
    understanders: LoadedUnderstanders,
) -> None:
    Counted.fails = True
    failures = await asyncio.gather(*(understanders.of(PROJECT, domain()) for _ in range(3)), return_exceptions=True)
    assert [str(failure) for failure in failures] == ["The embedder is not there."] * 3
    assert Counted.prepared == ["dom_a-1"]
    Counted.fails = False
    assert (await understanders.of(PROJECT, domain())).report is not None


async def test_of_too_many_the_one_that_was_asked_longest_ago_goes(understanders: LoadedUnderstanders) -> None:
    for name in ("dom_a", "dom_b", "dom_a", "dom_c", "dom_a", "dom_b"):
        await understanders.of(PROJECT, domain(name))
    assert Counted.prepared == ["dom_a-1", "dom_b-1", "dom_c-1", "dom_b-1"]


async def test_a_new_version_takes_the_place_of_the_old_one(understanders: LoadedUnderstanders) -> None:
    await understanders.of(PROJECT, domain("dom_b"))
    await understanders.of(PROJECT, domain(version=1))
    await understanders.of(PROJECT, domain(version=2))
    await understanders.of(PROJECT, domain("dom_b"))
    assert Counted.prepared == ["dom_b-1", "dom_a-1", "dom_a-2"]


async def test_what_is_being_prepared_is_never_dropped(understanders: LoadedUnderstanders) -> None:
    Counted.open.clear()
    asked = [asyncio.create_task(understanders.of(PROJECT, domain(f"dom_{number}"))) for number in range(5)]
    await asyncio.sleep(0.01)
    Counted.open.set()
    assert len({id(one) for one in await asyncio.gather(*asked)}) == 5
    assert len(Counted.prepared) == 5


async def test_what_was_learned_for_a_deleted_domain_goes(understanders: LoadedUnderstanders, tmp_path: Path) -> None:
    await understanders.of(PROJECT, domain())
    folder = tmp_path / "understanding" / "dom_a"
    assert (folder / "learned").read_text() == "dom_a-1"
    await understanders.forget("dom_a")
    assert not folder.exists()
    await understanders.forget("dom_never_seen")


async def test_stopping_ends_what_is_being_prepared(understanders: LoadedUnderstanders) -> None:
    Counted.open.clear()
    asked = asyncio.create_task(understanders.of(PROJECT, domain()))
    await asyncio.sleep(0.01)
    await understanders.aclose()
    with pytest.raises(Unavailable):
        await asked


@pytest.mark.parametrize(
    "name",
    ["no_such_plugin", "os:system", "this:d", "tests.units.understanding.dialogue.test_loaded_understanders:Other"],
)
async def test_a_client_can_not_have_just_anything_imported(understanders: LoadedUnderstanders, name: str) -> None:
    with pytest.raises(InvalidRequest, match="There is no understander") as caught:
        await understanders.of(PROJECT, domain(understander=name))
    assert caught.value.param == "understander.type"
    assert "few_shot" in caught.value.message or "llm" in caught.value.message
