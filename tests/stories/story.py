"""A story: what a user says turn by turn, and what must be said, called and known after every turn. It runs nothing.

Stories stand in the YAML files beside this one, many to a file; docs of the fields are those of the classes. Days in them
are relative: `<+1>` is tomorrow, `<wed+1>` the Wednesday of next week, `<03-05>` the next fifth of March.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

FOLDER = Path(__file__).parent
DOMAINS = FOLDER.parent / "samples" / "dialogue"

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = re.compile(r"<(?:\+(?P<days>\d+)|(?P<weekday>[a-z]{3})\+(?P<weeks>\d)|(?P<month>\d\d)-(?P<day>\d\d))>")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Known(Strict):
    """The thread's state after a turn. intent, language: looked at where they are said, the others always.

    slots: all that have a value; asked: a slot, "confirm", or the intents offered.
    """

    intent: str | None = None
    language: Literal["en", "zh"] | None = None
    slots: dict[str, Any] = {}
    form: str | None = None
    topics: list[str] = []
    asked: str | list[str] | None = None
    handed_over: bool = False


class Turn(Strict):
    """user: the message; None: the thread is given back to the assistant, and nothing is said.

    reply: the exact answer, or parts that it has in this order. call: the function that the run must call with exactly these
    arguments; output: what it is given. searched: knowledge was searched. told: what the model reads in its prompt.
    """

    user: str | None = None
    reply: str | list[str] = []
    call: str | None = None
    arguments: dict[str, Any] = {}
    output: str | None = None
    searched: bool = False
    told: list[str] = []
    state: Known


class Story(Strict):
    """source: where its sentences come from. shows: what it covers. knowledge: texts in a vector store of the thread."""

    name: str
    source: str
    shows: list[str]
    domain: str = ""
    streamed: bool = False
    storages: list[Literal["sqlite", "postgres"]] = ["sqlite"]
    knowledge: list[str] = []
    turns: list[Turn]


def stories(today: date) -> Iterator[Story]:
    """Every story, with the days that are meant today."""
    for path in sorted(FOLDER.glob("*.yml")):
        for story in _dated(yaml.load(path.read_text(), Loader=yaml.CSafeLoader), today):
            yield Story.model_validate({"domain": path.stem, **story})


def _dated(told: Any, today: date) -> Any:
    if isinstance(told, dict):
        return {key: _dated(value, today) for key, value in told.items()}
    if isinstance(told, list):
        return [_dated(value, today) for value in told]
    return DAY.sub(lambda found: _day(found, today).isoformat(), told) if isinstance(told, str) else told


def _day(found: re.Match[str], today: date) -> date:
    if found["days"]:
        return today + timedelta(int(found["days"]))
    if found["weekday"]:
        monday = today - timedelta(today.weekday())
        return monday + timedelta(weeks=int(found["weeks"]), days=WEEKDAYS.index(found["weekday"]))
    this_year = date(today.year, int(found["month"]), int(found["day"]))
    return this_year if this_year >= today else this_year.replace(year=today.year + 1)
