"""How one turn of a run ended, and the run with it. Nothing else says it: no flags, no status strings passed around."""

from dataclasses import dataclass
from typing import Literal

from zhuli.core.errors import RunErrorCode
from zhuli.types.assistants.step import FunctionToolCall


@dataclass(frozen=True, slots=True)
class Finished:
    """The assistant has answered."""


@dataclass(frozen=True, slots=True)
class NeedsTools:
    """The server must run tools of its own; then the client its functions, if there are any, or the model goes on."""


@dataclass(frozen=True, slots=True)
class NeedsClient:
    """The client must run these functions and submit what they return."""

    calls: list[FunctionToolCall]


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A budget is used up."""

    reason: Literal["max_completion_tokens", "max_prompt_tokens"]


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The client cancelled."""


@dataclass(frozen=True, slots=True)
class Expired:
    """Not done by expires_at."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It can't be done; `message` says why, to the person who can change it. `filtered`: the model's provider refused."""

    code: RunErrorCode
    message: str
    filtered: bool = False


Outcome = Finished | NeedsTools | NeedsClient | Incomplete | Cancelled | Expired | Failed
End = Incomplete | Cancelled | Expired | Failed
"""Outcomes that leave something unfinished."""
