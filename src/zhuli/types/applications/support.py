"""Customer support: a desk, what is proposed for it, what is published, and what is handed over to people."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from zhuli.types.page import Page
from zhuli.types.understanding.domain import Language
from zhuli.types.wire import Integer, Metadata, Request, Wire, most

MOST_TEXT = 3_000_000
"""Characters of transcripts that a request may bring by itself; more come as a file."""

Format = Literal["auto", "jsonl", "csv", "zendesk", "intercom", "abcd", "crosswoz", "sgd"]
ProposalKind = Literal["intent", "answer", "article", "slot"]
ProposalStatus = Literal["proposed", "edited", "accepted", "rejected"]
TaskKind = Literal["import", "publish", "evaluation"]
TaskStatus = Literal["queued", "completed", "failed"]
HandoffStatus = Literal["open", "claimed", "answered", "returned"]
HandoffReason = Literal["unsure", "asked", "money", "health", "law", "anger", "rule"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

Id = Annotated[str, Field(min_length=1, max_length=64)]
Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\s\x00-\x1f{}\[\]()]+$")]
Title = Annotated[str, Field(min_length=1, max_length=256)]
Text = Annotated[str, Field(min_length=1, max_length=8_192)]
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class RiskRule(Request):
    """When a person must go on, whatever is known: name is one of the built-in money, health, law, anger, or a rule of your own.

    words: further words that say so; of a rule of your own, all of them. pattern: Python's `re`. off: the built-in rule is not
    kept.
    """

    name: Name
    words: Annotated[list[Annotated[str, Field(min_length=1, max_length=128)]], most(500)] = []
    pattern: Annotated[str, Field(max_length=1_000)] | None = None
    off: bool = False


class WorkingHours(Request):
    """When people answer: from and to of each day, in a time zone of the IANA database. message: what is said outside of them.

    {opens} in the message is when people are back.
    """

    timezone: Annotated[str, Field(max_length=64)] = "UTC"
    days: dict[Day, Annotated[list[Clock], Field(min_length=2, max_length=2)]]
    message: dict[Language, Text] = {}


class DeskCreate(Request):
    """A support desk. assistant: one that publishing sets up; null: publishing makes one. model: its chat model.

    operating_point: how certain a match must be to be answered by its template, from 0 to 1; null: chosen from the examples.
    embedder: which vectors; null: the one that suits the languages.
    """

    name: Title
    languages: Annotated[list[Language], most(2, least=1)] = ["en"]
    assistant: Id | None = None
    model: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    embedder: Annotated[str, Field(max_length=255)] | None = None
    risks: Annotated[list[RiskRule], most(100)] = []
    hours: WorkingHours | None = None
    operating_point: Annotated[float, Field(ge=0, le=1)] | None = None
    metadata: Metadata | None = None


class DeskModify(Request):
    """Each given field overwrites; null puts back what a new desk has."""

    name: Title | None = None
    languages: Annotated[list[Language], most(2, least=1)] | None = None
    assistant: Id | None = None
    model: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    embedder: Annotated[str, Field(max_length=255)] | None = None
    risks: Annotated[list[RiskRule], most(100)] | None = None
    hours: WorkingHours | None = None
    operating_point: Annotated[float, Field(ge=0, le=1)] | None = None
    metadata: Metadata | None = None


class Published(Wire):
    """A version of a desk: what was built of the accepted proposals. domain_version: of the domain."""

    version: int
    published_at: int
    task: str
    assistant: str
    domain: str
    domain_version: int
    vector_store: str | None
    file: str | None
    dataset: str
    proposals: int


class Desk(Wire):
    """published: the newest version."""

    id: str
    object: Literal["support.desk"] = "support.desk"
    created_at: int
    name: str
    languages: list[Language]
    assistant: str | None = None
    model: str | None = None
    embedder: str | None = None
    risks: list[RiskRule] = []
    hours: WorkingHours | None = None
    operating_point: float | None = None
    metadata: dict[str, str] = {}
    published: Published | None = None


class FromThreads(Request):
    """Our own threads: those named, or the newest ones."""

    ids: Annotated[list[Id], most(10_000)] | None = None
    newest: Annotated[Integer, Field(ge=1, le=100_000)] = 1_000


class ImportCreate(Request):
    """Transcripts: an uploaded file, a text, or our own threads. held_out: the share of dialogues that is kept for evaluation.

    mask: put words in the place of personal data. least: how many dialogues must have a matter for it to be proposed.
    """

    file: Id | None = None
    text: Annotated[str, Field(min_length=1, max_length=MOST_TEXT)] | None = None
    threads: FromThreads | None = None
    format: Format = "auto"
    mask: bool = True
    held_out: Annotated[float, Field(ge=0, le=1)] = 0.2
    least: Annotated[Integer, Field(ge=1, le=1_000)] = 3

    @model_validator(mode="after")
    def _has_one_source(self) -> "ImportCreate":
        if sum(one is not None for one in (self.file, self.text, self.threads)) != 1:
            raise ValueError("an import has one source: file, text or threads")
        return self


class PublishCreate(Request):
    """Build what was accepted. accept: also what is proposed and was met in so many dialogues at least; null: nothing else."""

    accept: Annotated[Integer, Field(ge=1)] | None = None


class EvaluationCreate(Request):
    """Replay dialogues that were held out. most: matters that are replayed. cost_of_contact: of one that a person answers."""

    most: Annotated[Integer, Field(ge=1, le=5_000)] = 500
    cost_of_contact: Annotated[float, Field(ge=0, le=1e6)] = 1.0


class SupportTask(Wire):
    """Work on a desk that takes long. progress: parts of it that are done, by name. error: once failed, what would be right."""

    id: str
    object: Literal["support.task"] = "support.task"
    created_at: int
    finished_at: int | None = None
    desk_id: str
    kind: TaskKind
    status: TaskStatus = "queued"
    request: dict[str, Any]
    progress: dict[str, int] = {}
    result: dict[str, Any] | None = None
    error: str | None = None


class Content(Request):
    """What a proposal says, by its kind.

    intent: examples, answer (the name of one), slots (names), labels (of transcripts' answers that are of it). answer: text,
    variants (as agents said it). article: title, text. slot: type, prompt.
    """

    description: Annotated[str, Field(max_length=1_000)] | None = None
    examples: Annotated[list[Text], most(1_000)] = []
    answer: Name | None = None
    slots: Annotated[list[Name], most(50)] = []
    labels: Annotated[list[Annotated[str, Field(min_length=1, max_length=256)]], most(100)] = []
    text: Text | None = None
    variants: Annotated[list[Text], most(100)] = []
    title: Title | None = None
    type: Literal["text", "number", "date", "time", "email", "phone", "money"] | None = None
    prompt: Annotated[str, Field(max_length=1_000)] | None = None


class ProposalCreate(Request):
    """A proposal of a person's own; it is accepted."""

    kind: ProposalKind
    name: Name
    content: Content


class ProposalModify(Request):
    """What a person makes of a proposal. content: in place of its own, all of it; with a status it is that, or else edited."""

    name: Name | None = None
    content: Content | None = None
    status: ProposalStatus | None = None


class Proposal(Wire):
    """What an import proposes. support: dialogues that have it. more: what later imports would add to one that a person touched.

    edited: whether a person changed what it says.
    """

    id: str
    object: Literal["support.proposal"] = "support.proposal"
    created_at: int
    desk_id: str
    kind: ProposalKind
    name: str
    status: ProposalStatus = "proposed"
    edited: bool = False
    support: int = 0
    content: Content
    more: list[str] = []
    origin: str
    version: int = 1


class SuggestedAnswer(Wire):
    """An answer for the agent: which, and how certain it is."""

    name: str
    text: str
    certainty: float


class Handoff(Wire):
    """A matter that a person goes on with. state: the dialogue's, as /v1/threads/{id}/state has it.

    run_id: the run that waits for the output of `handoff`, while it does; tool_call_id is found in it. opens_at: when people are
    back, where nobody was there.
    """

    id: str
    object: Literal["support.handoff"] = "support.handoff"
    created_at: int
    desk_id: str
    thread_id: str
    run_id: str
    message_id: str
    reason: HandoffReason
    why: str
    status: HandoffStatus = "open"
    question: str
    summary: str
    state: dict[str, Any]
    suggestions: list[SuggestedAnswer] = []
    agent: str | None = None
    claimed_at: int | None = None
    answer: str | None = None
    answered_at: int | None = None
    feedback: str | None = None
    opens_at: int | None = None


class HandoffClaim(Request):
    """agent: who takes it."""

    agent: Title


class HandoffAnswer(Request):
    """What the agent writes to the user. learn: it becomes a proposal, to be accepted like others."""

    agent: Title
    text: Text
    learn: bool = True


class HandoffReturn(Request):
    """Give it back: to the queue, or to the assistant, which then goes on."""

    agent: Title
    to: Literal["queue", "assistant"] = "queue"


class DeskList(Page[Desk]):
    """A page of desks."""


class TaskList(Page[SupportTask]):
    """A page of tasks."""


class ProposalList(Page[Proposal]):
    """A page of proposals."""


class HandoffList(Page[Handoff]):
    """A page of handoffs."""
