"""`zhuli domains test`: conversations of files walked through a domain, and its examples read, without a server."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from zhuli.core.clock import SystemClock
from zhuli.core.errors import ConfigurationError, Unavailable
from zhuli.core.telemetry import Telemetry
from zhuli.models.catalog import Catalog
from zhuli.operating.domains import read
from zhuli.operating.in_database import in_project
from zhuli.settings import Settings
from zhuli.types.learning.prediction import PredictionCreate, PredictionList
from zhuli.types.understanding.domain_test import DomainTest, DomainTestCreate, ExampleScores
from zhuli.understanding.dialogue.loaded_understanders import LoadedUnderstanders
from zhuli.understanding.dialogue.understanding import Understandings
from zhuli.understanding.domains.checks.checking import check, refuse_errors
from zhuli.understanding.domains.rasa.yaml_files import is_of_tests
from zhuli.understanding.domains.testing.testing import run_tests

MOST_SHOWN = 20
"""Confusions, and the weakest intents."""


async def test(settings: Settings, path: Path, tests: list[Path], *, folds: int, holdout: float | None) -> DomainTest:
    """path: a domain, or a Rasa project, whose own test stories are walked unless `tests` names others."""
    fields = read(path).fields
    refuse_errors(check(fields, plugins=settings.understander_plugins))
    files = _files(tests) if tests else _of_project(path)
    async with in_project(settings, "default") as (database, project):
        catalog = Catalog.load(settings.models, settings.data_dir)
        loaded = LoadedUnderstanders(
            folder=settings.data_dir / "understanding",
            database=database,
            catalog=catalog,
            answer=_no_predictions,
            most=settings.understanders,
            plugins=settings.understander_plugins,
        )
        async with _closing(Understandings(loaded, SystemClock(), Telemetry()), catalog) as understandings:
            asked = DomainTestCreate(files=files, folds=folds, holdout=holdout)
            return await run_tests(understandings, project, fields, asked)


def lines_of(result: DomainTest) -> list[str]:
    """For people: what went otherwise, one by one, then the counts."""
    said = [
        f"{one.conversation}, turn {one.turn}, '{one.user}': "
        f"{one.what} should be {one.expected!r}, it is {one.found!r}. {one.why}"
        for one in result.differences
    ]
    if result.conversations:
        share = result.right / result.turns if result.turns else 0.0
        said.append(
            f"{result.conversations_right} of {result.conversations} conversations and {result.right} of {result.turns} "
            f"turns ({share:.1%}) go as expected."
        )
    return [*said, *(_of_examples(result.examples) if result.examples else [])]


def _of_examples(scores: ExampleScores) -> list[str]:
    said = [f"{scores.accuracy:.1%} of {scores.examples} examples that were not learned have their intent."]
    weakest = sorted(scores.intents, key=lambda one: one.f1)[:MOST_SHOWN]
    said += [f"  intent {one.name}: F1 {one.f1:.2f} of {one.support}" for one in weakest if one.f1 < 1]
    said += [
        f"  entity {one.name}: precision {one.precision:.2f}, recall {one.recall:.2f}, F1 {one.f1:.2f} of {one.support}"
        for one in scores.entities
    ]
    return said + [
        f"  {one.count} of '{one.intent}' taken for '{one.taken_for}', such as '{one.example}'"
        for one in scores.confusions[:MOST_SHOWN]
    ]


def _files(paths: list[Path]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in paths:
        for file in sorted(path.rglob("*.y*ml")) if path.is_dir() else [path]:
            found[str(file)] = _text(file)
    return found


def _of_project(folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        return {}
    files = [file for file in sorted(folder.rglob("*.y*ml")) if is_of_tests(str(file.relative_to(folder)))]
    hidden = [file for file in files if any(part.startswith(".") for part in file.relative_to(folder).parts)]
    return {str(file.relative_to(folder)): _text(file) for file in files if file not in hidden}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} can't be read: {error}.") from error


@asynccontextmanager
async def _closing(understandings: Understandings, catalog: Catalog) -> AsyncGenerator[Understandings]:
    try:
        yield understandings
    finally:
        await understandings.aclose()
        await catalog.aclose()


async def _no_predictions(project: str, asked: PredictionCreate) -> PredictionList:
    raise Unavailable("Tuned models are asked through a server: POST /v1/domains/ID/test.")
