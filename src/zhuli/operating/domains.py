"""`zhuli domains check, import, export`: domains in files, and directly in the database beside a running server or without one.

A server learns what was imported when it is first asked to understand by it.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zhuli.core.clock import SystemClock
from zhuli.core.errors import ConfigurationError, Unavailable
from zhuli.operating.in_database import in_project
from zhuli.settings import Settings
from zhuli.store import collections
from zhuli.store.schema import domains
from zhuli.store.understanding import domains as store
from zhuli.types.understanding.domain import Domain, DomainFields, Finding
from zhuli.understanding.domains.checks.checking import check as findings_of
from zhuli.understanding.domains.checks.checking import refuse_errors
from zhuli.understanding.domains.checks.findings import summed_up
from zhuli.understanding.domains.rasa import project
from zhuli.understanding.domains.rasa.yaml_files import is_of_tests
from zhuli.understanding.domains.saving import new_domain, next_version
from zhuli.understanding.domains.yaml.reading import line_of
from zhuli.understanding.domains.yaml.reading import read as read_yaml
from zhuli.understanding.domains.yaml.writing import dump

_RASA = re.compile(r"^(?:version|nlu|rules|stories)[ \t]*:", re.MULTILINE)
"""What a file of Rasa's has, and a domain's does not."""

_OF_PROJECT = (".yml", ".yaml", ".md", ".json")
"""How names of files end that a project may consist of."""

MOST_CHARACTERS = 4_000_000
"""Of a file that is looked at; larger ones in a project's folder are something else."""


@dataclass(frozen=True, slots=True)
class Found:
    """A domain from files. notes: what another format's files have that is not in it. lines: of the YAML."""

    fields: DomainFields
    notes: list[Finding] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)


def read(path: Path) -> Found:
    """A domain's YAML, or the files of a Rasa project; InvalidRequest or ConfigurationError says what is wrong."""
    if path.is_dir():
        return Found(*project.read(_project_files(path)))
    text = _text(path)
    if _RASA.search(text):
        return Found(*project.read({path.name: text}))
    found = read_yaml(text)
    return Found(found.fields, lines=found.lines)


def check(found: Found) -> tuple[list[str], bool]:
    """What was found, a line each, and whether the domain can be saved."""
    report = findings_of(found.fields)
    notes = summed_up(found.notes)
    said = [*notes, *(_said(finding, found.lines) for finding in report.findings)]
    sound = not any(finding.level == "error" for finding in report.findings)
    counts = (
        f"{len(found.fields.intents)} intents with {report.examples} examples, {len(found.fields.entities)} entities"
    )
    return [*said, f"{counts}: {'it can be saved' if sound else 'it can not be saved like this'}."], sound


async def save(settings: Settings, fields: DomainFields, *, over: str | None, project: str) -> str:
    """Save it as a new domain, or as the next version of `over`; gives the id."""
    report = findings_of(fields, plugins=settings.understander_plugins)
    refuse_errors(report)
    async with in_project(settings, project) as (database, project_id):
        if over is None:
            made = new_domain(fields, report, now=int(SystemClock().now()))
            await database.run(collections.insert, domains, project_id, made)
            return made.id
        before = await database.run(collections.get, domains, Domain, project_id, over)
        if not await database.run(store.change, project_id, next_version(before, fields, report)):
            raise Unavailable(f"Somebody else has changed {over} just now. Look at it, and try again.")
        return over


async def load(settings: Settings, domain_id: str, *, project: str) -> Domain:
    """The domain as it is in the database."""
    async with in_project(settings, project) as (database, project_id):
        return await database.run(collections.get, domains, Domain, project_id, domain_id)


def write_notes(notes: Sequence[Finding], to: Path) -> None:
    """What was not taken over, a line each; ConfigurationError where the file can't be written."""
    try:
        to.write_text("".join(f"{note.code}\t{note.where}\t{note.message}\n" for note in notes), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{to} can't be written: {error}.") from error


def write(fields: DomainFields, to: Path | None) -> None:
    """As YAML into the file, or to standard output; ConfigurationError where the file can't be written."""
    if to is None:
        sys.stdout.write(dump(fields))
        return
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(dump(fields), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{to} can't be written: {error}.") from error


def _project_files(folder: Path) -> dict[str, str]:
    """Texts by name; the importer leaves alone what is no file of a project's."""
    try:
        found = [file for file in sorted(folder.rglob("*")) if file.suffix.lower() in _OF_PROJECT and file.is_file()]
        small = [file for file in found if file.stat().st_size <= MOST_CHARACTERS]
        names = {str(file.relative_to(folder)): file for file in small}
    except OSError as error:  # such as a folder in it that may not be read
        raise ConfigurationError(f"{folder} can't be read: {error}.") from error
    return {name: _text(file) for name, file in names.items() if not is_of_tests(name)}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} can't be read: {error}.") from error


def _said(finding: Finding, lines: dict[str, int]) -> str:
    line = line_of(lines, finding.where)
    where = finding.where if line is None else f"line {line}, {finding.where}"
    return f"{finding.level}: {where}: {finding.message}"
