"""What people say of answers: feedback, its reviews, and what the reviews come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from zhuli.types.page import Page
from zhuli.types.wire import EndUser, Integer, Request, Wire, most, optional

TargetType = Literal["message", "run", "understanding", "prediction", "opinion_item", "recommendation"]
Source = Literal["end_user", "reviewer", "signal"]
State = Literal["new", "accepted", "corrected", "rejected"]
Verdict = Literal["up", "down"]
Signal = Literal["rephrased", "handed_over", "abandoned", "copied", "cancelled"]

MOST_AT_ONCE = 1_000
"""Pieces of feedback in a batch."""

Name = Annotated[str, Field(min_length=1, max_length=256)]
Text = Annotated[str, Field(max_length=64_000)]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a signal suggests, and how much it counts beside a person's word, from 0 to 1."""

    verdict: Verdict
    weight: float


SIGNALS: Mapping[Signal, Suggestion] = MappingProxyType(
    {
        "handed_over": Suggestion("down", 0.7),
        "rephrased": Suggestion("down", 0.6),
        "cancelled": Suggestion("down", 0.5),
        "copied": Suggestion("up", 0.4),
        "abandoned": Suggestion("down", 0.3),
    }
)
"""Rules of thumb: a request for a person is nearly a complaint; who leaves may have what they wanted. A reviewer decides."""


class FeedbackTarget(Request):
    """What it is about, by its id."""

    type: TargetType
    id: Annotated[str, Field(min_length=1, max_length=64)]


class Span(Request):
    """A stretch of a text that has a label: characters [start, end)."""

    start: Annotated[Integer, Field(ge=0)]
    end: Annotated[Integer, Field(ge=1)]
    label: Name

    @model_validator(mode="after")
    def _goes_forward(self) -> "Span":
        if self.end <= self.start:
            raise ValueError("'end' must be greater than 'start'")
        return self


class Correction(Request):
    """What would have been right; at least one of them. entities and spans: stretches of the text that was read."""

    text: Text | None = None
    intent: Name | None = None
    entities: Annotated[list[Span], most(1_000)] | None = None
    slots: Annotated[dict[str, Any], Field(max_length=1_000)] | None = None
    label: Name | Annotated[list[Name], most(1_000)] | None = None
    spans: Annotated[list[Span], most(1_000)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "Correction":
        if not self.model_fields_set or all(value is None for value in self.said().values()):
            raise ValueError("a correction has at least one of text, intent, entities, slots, label, spans")
        return self

    def said(self) -> dict[str, Any]:
        """Its fields that are not null."""
        return {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}


class FeedbackContext(Request):
    """What was asked and answered, as it was then. A prediction's is given with the feedback, unless it was stored."""

    model: Annotated[str, Field(max_length=255)] | None = None
    task: Annotated[str, Field(max_length=64)] | None = None
    input: Any = None
    output: Any = None
    thread_id: Annotated[str, Field(max_length=64)] | None = None
    run_id: Annotated[str, Field(max_length=64)] | None = None
    message_id: Annotated[str, Field(max_length=64)] | None = None


class FeedbackCreate(Request):
    """One piece of feedback. key: the client's own name for it, so that it is there once, however often it is sent.

    weight: from 0 to 1; of signals it is the house's own. context: of predictions that were not stored.
    """

    target: FeedbackTarget
    verdict: Verdict | None = None
    grade: Annotated[Integer, Field(ge=1, le=5)] | None = None
    correction: Correction | None = None
    labels: Annotated[list[Name], most(64)] = []
    comment: Text | None = None
    user: EndUser | None = None
    source: Source = "end_user"
    signal: Signal | None = None
    weight: Annotated[float, Field(ge=0, le=1)] | None = None
    context: FeedbackContext | None = None
    key: Annotated[str, Field(min_length=1, max_length=128)] | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> "FeedbackCreate":
        said = (self.verdict, self.grade, self.correction, self.labels, self.comment)
        if self.source == "signal":
            if self.signal is None:
                raise ValueError(f"a signal says which by 'signal': {', '.join(SIGNALS)}")
            if any(said) or self.weight is not None:
                raise ValueError(
                    "a signal is a suggestion: it has no verdict, grade, correction, labels, comment, weight"
                )
        elif self.signal is not None:
            raise ValueError("'signal' is for feedback whose source is 'signal'")
        elif not any(said):
            raise ValueError("feedback has at least one of verdict, grade, correction, labels, comment")
        if self.context is not None and self.target.type != "prediction":
            raise ValueError("'context' is for predictions; of all others it is known here")
        return self


class FeedbackBatch(Request):
    """Several at once: all of them are taken, or none."""

    data: Annotated[list[FeedbackCreate], most(MOST_AT_ONCE, least=1)]


class FeedbackImport(Request):
    """A file of feedback, by its id: CSV or JSON Lines."""

    file: str
    format: Literal["auto", "csv", "jsonl"] = "auto"


class ReviewCreate(Request):
    """A person's word on a piece of feedback. correction: of state corrected. final: it ends a disagreement."""

    state: Literal["accepted", "corrected", "rejected"]
    reviewer: Name
    correction: Correction | None = None
    comment: Text | None = None
    final: bool = False

    @model_validator(mode="after")
    def _corrects_when_it_says_so(self) -> "ReviewCreate":
        if (self.state == "corrected") != (self.correction is not None):
            raise ValueError("a review with the state 'corrected', and only that, has a correction")
        return self


class Review(Wire):
    """A review as it was given. at: seconds since 1970."""

    id: str
    object: Literal["feedback.review"] = "feedback.review"
    reviewer: str
    state: Literal["accepted", "corrected", "rejected"]
    correction: Correction | None = None
    comment: str | None = None
    final: bool = False
    at: int


class FeedbackLineage(Wire):
    """What came of a piece of feedback: examples, versions of data sets, jobs, models."""

    examples: list[str] = []
    versions: list[str] = []
    jobs: list[str] = []
    models: list[str] = []


class Feedback(Wire):
    """A piece of feedback, folded with its reviews. state: of the last review that counts, "new" without one.

    disagreement: the newest words of two reviewers differ, and none of them is final; then nothing is learned from it.
    suggests: what a signal speaks for.
    """

    id: str
    object: Literal["feedback"] = "feedback"
    created_at: int
    target: FeedbackTarget
    verdict: Verdict | None = None
    grade: int | None = None
    correction: Correction | None = None
    labels: list[str] = []
    comment: str | None = None
    user: str | None = None
    source: Source
    signal: Signal | None = None
    suggests: Verdict | None = None
    weight: float = 1.0
    state: State = "new"
    disagreement: bool = False
    reviews: list[Review] = []
    context: FeedbackContext | None = None
    key: str | None = None
    lineage: FeedbackLineage | None = optional()

    def reviewed(self, review: Review) -> "Feedback":
        """The same with one more review."""
        reviews = [*self.reviews, review]
        state, disagreement = folded(reviews)
        return self.model_copy(update={"reviews": reviews, "state": state, "disagreement": disagreement})

    def agreed_correction(self) -> Correction | None:
        """What is right by those who reviewed it; without a review that corrects, what the giver said."""
        if self.state == "corrected":
            return next(review.correction for review in reversed(self.reviews) if review.state == "corrected")
        return self.correction if self.state == "accepted" else None

    def says_right(self, label: str | None) -> bool | None:
        """Whether the label that was answered is right by it; None where it says nothing of that."""
        if self.disagreement or self.state == "rejected":
            return None
        correction = self.agreed_correction() or self.correction
        wanted = (correction.label or correction.intent) if correction is not None else None
        if isinstance(wanted, str):
            return wanted == label
        return None if self.verdict is None else self.verdict == "up"


def folded(reviews: Sequence[Review]) -> tuple[State, bool]:
    """The state that reviews come to, in order, and whether reviewers disagree. A final one counts alone, until the next."""
    final = next((review for review in reversed(reviews) if review.final), None)
    if final is not None:
        return final.state, False
    newest = {review.reviewer: review for review in reviews}
    words = {_word(review) for review in newest.values()}
    return (reviews[-1].state if reviews else "new"), len(words) > 1


def _word(review: Review) -> str:
    """What a review says, to be held against another's."""
    said = review.correction.model_dump_json(exclude_none=True) if review.correction is not None else ""
    return f"{review.state} {said}"


class FeedbackList(Page[Feedback]):
    """A page of feedback."""


class ImportFault(Wire):
    """What is wrong with a line of a file, counted from 1."""

    line: int
    message: str


class FeedbackImported(Wire):
    """What came of an import. repeated: lines that were here already. faults: the first hundred lines that were not taken."""

    object: Literal["feedback.import"] = "feedback.import"
    added: int = 0
    repeated: int = 0
    refused: int = 0
    faults: list[ImportFault] = []


class PairAgreement(Wire):
    """How far two reviewers say the same of what both reviewed. kappa: Cohen's, null where it is not defined."""

    reviewers: list[str]
    items: int
    agreement: float
    kappa: float | None


class Agreement(Wire):
    """Of every two reviewers; of more than fifty reviewers, those with the most reviews."""

    object: Literal["feedback.agreement"] = "feedback.agreement"
    data: list[PairAgreement]
    disagreements: int
