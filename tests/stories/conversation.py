"""A conversation written from outside: what a user says, and what must hold after each turn, in meaning and not in words.

They stand in outside/, a folder for each domain with `domain.yml` and parts: those who mend look at `dev.yml` and `fresh.yml`
only, not at `held.yml`, `last.yml` and `blind.yml`. An expectation is what a sensible clerk would understand; where two readings
are sensible `either` has both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict

FOLDER = Path(__file__).parent / "outside"
PARTS = ("dev", "held", "fresh", "last", "blind")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Expected(Strict):
    """What must hold after a turn; what is not named may be anything. calls: {} for none."""

    form: Annotated[str | None, BeforeValidator(lambda form: None if form == "null" else form)] = None
    slots: dict[str, str] = {}
    asks: str | None = None
    confirms: bool | None = None
    calls: dict[str, dict[str, str]] | None = None
    says: str | None = None
    cancelled: bool | None = None
    hand_over: bool | None = None
    either: list["Expected"] = []


class Turn(Strict):
    user: str
    expect: Expected


class Conversation(Strict):
    """domain: its folder's name. now: the time at which all of it is said, in the domain's own time zone."""

    name: str
    language: Literal["en", "zh"]
    domain: str
    part: Literal["dev", "held", "fresh", "last", "blind"]
    now: datetime
    turns: list[Turn]

    @property
    def id(self) -> str:
        return f"{self.domain}: {self.name}"


@dataclass(frozen=True)
class Difference:
    """The first turn of a conversation that went otherwise, and what was otherwise."""

    turn: int
    user: str
    why: list[str]


def conversations(*parts: str) -> Iterator[Conversation]:
    """Those of these parts, by domain."""
    for path in sorted(FOLDER.glob("*/*.yml")):
        if path.stem not in parts:
            continue
        told = yaml.load(path.read_text(), Loader=yaml.CBaseLoader)
        for one in told["conversations"]:
            yield Conversation(**one, domain=path.parent.name, part=path.stem, now=told["now"])


def domain_of(name: str) -> str:
    """The YAML of the domain in this folder."""
    return (FOLDER / name / "domain.yml").read_text()
