"""Guards of an assistant: what is looked for in what users write and what is answered, what is done about it, what was done."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from zhuli.types.safety.moderation import Category
from zhuli.types.wire import Request, Wire, most, optional

Words = Annotated[str, Field(min_length=1, max_length=1000)]
Where = Literal["input", "output"]
Action = Literal["flag", "mask", "block", "hand_over"]


class GuardRules(Request):
    """moderation: what is done about language that the project's thresholds flag, in these categories (default: in all).

    personal_data: mask puts a word for it in its place. flag only notes.
    """

    moderation: Literal["flag", "block", "hand_over"] | None = None
    categories: Annotated[list[Category], most(20, least=1)] | None = None
    personal_data: Literal["flag", "mask", "block"] | None = None


class Guards(Request):
    """input: of users' messages, before a model reads them. output: of answers, before anybody sees them.

    refusal, handover: what is said, in place of the server's own English and Chinese sentences.
    """

    input: GuardRules | None = None
    output: GuardRules | None = None
    refusal: Words | None = None
    handover: Words | None = None


class GuardDecision(Wire):
    """What a guard did, in the order of a run. categories: flagged, with their scores. personal_data: kinds that were found."""

    where: Where
    action: Action
    categories: dict[str, float] = {}
    personal_data: list[str] = []
    message_id: str | None = optional()
    at: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one text. action: None where nothing was found. text: as it may go on. says: in its place, when it may not."""

    text: str
    action: Action | None = None
    says: str = ""
    categories: dict[str, float] = field(default_factory=dict)
    personal_data: tuple[str, ...] = ()

    @property
    def stops(self) -> bool:
        """Whether the text may not go on."""
        return self.action in ("block", "hand_over")
