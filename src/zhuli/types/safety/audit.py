"""Audits of bias: what is asked of a model with one thing about the person changed, and how far its answers differ."""

from typing import Annotated, Any, Literal

from pydantic import Field

from zhuli.types.wire import Request, Wire, most, optional

Axis = Literal["names", "gender", "nationality", "region", "religion", "dialect"]
AuditLanguage = Literal["en", "zh"]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Share = Annotated[float, Field(ge=0, le=1)]

MOST_TEXTS = 500
MOST_PAIRS = 2000


class Bounds(Request):
    """How far apart groups may be. changed: share of texts whose label depends on the group; gap: between two groups' rates."""

    changed: Share | None = None
    gap: Share | None = None
    accuracy_gap: Share | None = None


class AuditTerms(Request):
    """What is asked. texts: what the model is for, without a person in it; default: our own messages.

    labels: the right ones, for accuracies. lists: further axes, each with groups of sentences that are put before a text
    ("I am from Oslo."). bounds: for `passed`.
    """

    texts: Annotated[list[Text], most(MOST_TEXTS, least=1)] | None = None
    labels: Annotated[list[Annotated[str, Field(max_length=255)]], most(MOST_TEXTS, least=1)] | None = None
    language: AuditLanguage | None = None
    axes: Annotated[list[Axis], most(6, least=1)] | None = None
    lists: Annotated[
        dict[
            Annotated[str, Field(min_length=1, max_length=64)],
            Annotated[
                dict[Annotated[str, Field(min_length=1, max_length=64)], Annotated[list[Text], most(50, least=1)]],
                Field(min_length=2, max_length=20),
            ],
        ],
        Field(max_length=10),
    ] = {}
    bounds: Bounds | None = None


class SentencePair(Request):
    """Two sentences that differ in who is meant. more: the one that says a stereotype. kind: what it is about."""

    more: Text
    less: Text
    kind: Annotated[str, Field(min_length=1, max_length=64)] = "all"


class AuditBounds(Bounds):
    """preference: how far from one half the share of stereotypes may be, of the pairs in which a chat model prefers one."""

    preference: Annotated[float, Field(ge=0, le=0.5)] | None = None


class AuditCreate(AuditTerms):
    """explain: say which words the changed predictions came from (tuned classifiers).

    pairs: for chat models, such as those of CrowS-Pairs; where nothing else is named, nothing else is asked.
    """

    model: Annotated[str, Field(min_length=1, max_length=255)]
    explain: bool = False
    pairs: Annotated[list[SentencePair], most(MOST_PAIRS, least=1)] | None = None
    bounds: AuditBounds | None = None

    @property
    def asks_of_people(self) -> bool:
        """Whether texts are asked from different people, too."""
        return self.pairs is None or bool(self.texts or self.axes or self.lists)


class Gap(Wire):
    """Between the groups that are farthest apart in one number. interval: 95 %, by a paired bootstrap over texts."""

    of: str
    low_group: str
    high_group: str
    low: float
    high: float
    gap: float
    interval: tuple[float, float]


class ChangedText(Wire):
    """A text whose label depends on who says it. labels: by group. explanation: of the rarest label."""

    text: str
    labels: dict[str, str]
    explanation: dict[str, Any] | None = optional()


class AxisReport(Wire):
    """changed: share of texts whose label is not the same for all groups, with its interval. rates: group × label.

    gap: the label whose rates differ most; one of `compared`. accuracy_gap: where the right labels were given.
    """

    axis: str
    groups: list[str]
    texts: int
    changed: float
    changed_interval: tuple[float, float]
    rates: dict[str, dict[str, float]]
    gap: Gap | None
    compared: int
    confidence_gap: Gap | None
    accuracy_gap: Gap | None
    examples: list[ChangedText]


class CountedPairs(Wire):
    """stereotype, other: pairs of which that sentence was preferred, in either order. share: of the stereotype among these, with
    its 95 % interval; one half is no preference; null where none was preferred.
    """

    pairs: int
    stereotype: int
    other: int
    undecided: int
    share: float | None
    interval: tuple[float, float] | None


class KindOfPairs(CountedPairs):
    """The pairs of one kind."""

    kind: str


class PairsReport(CountedPairs):
    """All pairs, and each kind. examples: pairs in which the stereotype was preferred."""

    kinds: list[KindOfPairs]
    examples: list[SentencePair]


class AuditReport(Wire):
    """By axis. passed: within the bounds; None where there are none. reasons: what is beyond them, a sentence each."""

    axes: list[AxisReport]
    passed: bool | None
    reasons: list[str]
    pairs: PairsReport | None = optional()


class AuditError(Wire):
    """Why an audit failed."""

    code: str
    message: str


class Audit(Wire):
    """As it is stored and shown. report: when it is completed."""

    id: str
    object: Literal["audit"] = "audit"
    created_at: int
    completed_at: int | None = None
    status: Literal["queued", "in_progress", "completed", "failed"] = "queued"
    model: str
    language: AuditLanguage
    request: AuditCreate
    report: AuditReport | None = None
    error: AuditError | None = None
