"""Audits of bias: what is asked of a model with one thing about the person changed, and how far its answers differ."""

from typing import Annotated, Any, Literal

from pydantic import Field

from zhuli.types.wire import Request, Wire, most, optional

Axis = Literal["names", "gender", "nationality", "region", "religion", "dialect"]
AuditLanguage = Literal["en", "zh"]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Share = Annotated[float, Field(ge=0, le=1)]

MOST_TEXTS = 500


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


class AuditCreate(AuditTerms):
    """explain: say which words the changed predictions came from (tuned classifiers)."""

    model: Annotated[str, Field(min_length=1, max_length=255)]
    explain: bool = False


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


class AuditReport(Wire):
    """By axis. passed: within the bounds; None where there are none. reasons: what is beyond them, a sentence each."""

    axes: list[AxisReport]
    passed: bool | None
    reasons: list[str]


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
