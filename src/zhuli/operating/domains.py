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
from zhuli.operating.project_files import files_of, is_archive, text_of
from zhuli.settings import Settings
from zhuli.store import collections
from zhuli.store.schema import domains
from zhuli.store.understanding import domains as store
from zhuli.types.understanding.domain import Domain, DomainFields, Finding
from zhuli.understanding.domains.checks.checking import check as findings_of
from zhuli.understanding.domains.checks.checking import refuse_errors
from zhuli.understanding.domains.checks.findings import summed_up
from zhuli.understanding.domains.importing import format_of, is_export, read_files
from zhuli.understanding.domains.saving import new_domain, next_version
from zhuli.understanding.domains.yaml.reading import line_of
from zhuli.understanding.domains.yaml.reading import read as read_yaml
from zhuli.understanding.domains.yaml.writing import dump

_RASA = re.compile(r"^(?:version|nlu|stories)[ \t]*:|^[ \t]*-[ \t]+rule[ \t]*:", re.MULTILINE)
"""What a file of Rasa's has, and a domain's does not: both have `rules:`, and only Rasa's have names."""


@dataclass(frozen=True, slots=True)
class Found:
    """A domain from files. notes: what another format's files have that is not in it. lines: of the YAML."""

    fields: DomainFields
    notes: list[Finding] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)


def read(path: Path) -> Found:
    """A domain's YAML, or a project's files, folder or archive; InvalidRequest or ConfigurationError says what is wrong."""
    if path.is_dir() or is_archive(path):
        return _imported(files_of(path))
    text = text_of(path)
    if path.suffix.lower() == ".md" or is_export(text) or _RASA.search(text):
        return _imported({path.name: text})
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
    write_text(dump(fields), to)


def write_text(text: str, to: Path | None) -> None:
    """Into the file, or to standard output; ConfigurationError where the file can't be written."""
    if to is None:
        sys.stdout.write(text)
        return
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{to} can't be written: {error}.") from error


def _imported(files: dict[str, str]) -> Found:
    return Found(*read_files(files, format_of(files)))


def _said(finding: Finding, lines: dict[str, int]) -> str:
    line = line_of(lines, finding.where)
    where = finding.where if line is None else f"line {line}, {finding.where}"
    return f"{finding.level}: {where}: {finding.message}"
