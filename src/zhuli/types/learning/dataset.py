"""Data sets: examples of one task with where each came from, their log, and versions that never change."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from zhuli.types.learning.hyperparameters import TaskName
from zhuli.types.page import Page
from zhuli.types.wire import EndUser, Integer, Metadata, Request, Wire, most

MOST_ENTRIES = 1_000
"""Entries of a log that a request may bring."""

EntryKind = Literal["add", "relabel", "remove"]
SourceKind = Literal["file", "feedback", "thread", "understanding", "weak", "api"]
TaskKind = Literal["import", "version", "label_noise", "weak_labels"]
TaskStatus = Literal["queued", "completed", "failed"]

Name = Annotated[str, Field(min_length=1, max_length=256)]
Id = Annotated[str, Field(min_length=1, max_length=64)]
ShareOfPart = Annotated[float, Field(ge=0, le=0.9)]


class DataSetCreate(Request):
    """A data set of a task. language: of its texts, like zh; null: told by their letters."""

    name: Name
    task: TaskName
    language: Annotated[str, Field(max_length=16)] | None = None
    metadata: Metadata | None = None


class DataSet(Wire):
    """What is known of a data set. What is in it, its log says; what of it may be learned from, its versions."""

    id: str
    object: Literal["dataset"] = "dataset"
    created_at: int
    name: str
    task: TaskName
    language: str | None = None
    metadata: dict[str, str] = {}


class Provenance(Request):
    """Where an example comes from: id of the file, feedback, thread or understanding. user: the end user who said it."""

    kind: SourceKind = "api"
    id: Id | None = None
    thread_id: Id | None = None
    user: EndUser | None = None
    reviewer: Name | None = None


class EntryCreate(Request):
    """A change: an example that is added, as docs/data-formats.md has it; one that is labelled anew; one that is removed."""

    kind: EntryKind
    record: dict[str, Any] | None = None
    example: Id | None = None
    label: Name | Annotated[list[Name], most(1_000)] | None = None
    thread_id: Id | None = None
    user: EndUser | None = None
    reviewer: Name | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> "EntryCreate":
        if self.kind == "add" and (self.record is None or self.example is not None or self.label is not None):
            raise ValueError("an entry of kind 'add' has a 'record', and no 'example' or 'label'")
        if self.kind != "add" and (self.example is None):
            raise ValueError(f"an entry of kind '{self.kind}' has an 'example': its id")
        if self.kind == "relabel" and (self.label is None) == (self.record is None):
            raise ValueError("an entry of kind 'relabel' has a 'label' or a whole 'record'")
        return self


class EntriesCreate(Request):
    """Changes in their order."""

    data: Annotated[list[EntryCreate], most(MOST_ENTRIES, least=1)]


class Entry(Wire):
    """An entry of a log. position: its place, which only rises. record: null of a removal, and of a user who was deleted."""

    object: Literal["dataset.entry"] = "dataset.entry"
    position: int
    kind: EntryKind
    example: str
    record: dict[str, Any] | None = None
    provenance: Provenance | None = None


class EntryList(Wire):
    """A page of a log, oldest first."""

    object: Literal["list"] = "list"
    data: list[Entry]
    has_more: bool


class FromFeedback(Request):
    """Feedback that was accepted or corrected."""

    target_types: (
        list[Literal["message", "run", "understanding", "prediction", "opinion_item", "recommendation"]] | None
    ) = None


class FromThreads(Request):
    """Conversations: those named, or the newest ones."""

    ids: Annotated[list[Id], most(10_000)] | None = None
    newest: Annotated[Integer, Field(ge=1, le=100_000)] = 1_000


class FromUnderstandings(Request):
    """What was understood with at least this confidence, newest first: the machine's word, which nobody has reviewed."""

    min_confidence: Annotated[float, Field(ge=0, le=1)] = 0.9
    newest: Annotated[Integer, Field(ge=1, le=100_000)] = 1_000


class ImportCreate(Request):
    """One source. mask: put words in the place of personal data; null: of what people said yes, of files no."""

    file: Id | None = None
    format: Literal["auto", "jsonl", "json", "csv", "tsv", "conll", "squad", "rasa", "parquet"] = "auto"
    columns: dict[str, str] = Field(default_factory=dict)
    feedback: FromFeedback | None = None
    threads: FromThreads | None = None
    understandings: FromUnderstandings | None = None
    mask: bool | None = None

    @model_validator(mode="after")
    def _has_one_source(self) -> "ImportCreate":
        if sum(one is not None for one in (self.file, self.feedback, self.threads, self.understandings)) != 1:
            raise ValueError("an import has one source: file, feedback, threads or understandings")
        return self


class Replay(Request):
    """Examples of an earlier version beside what is new since, so that it is not forgotten. share: theirs of the training."""

    version: Id
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5


class VersionCreate(Request):
    """How a version is made of the log. near: whether texts that are nearly the same count once.

    weak: whether weakly labelled examples are in. position: of the log; null: its end. seed: of the split, which keeps what
    earlier versions held out where it is.
    """

    validation_share: ShareOfPart = 0.1
    near: bool = True
    weak: bool = False
    mask: bool = False
    replay: Replay | None = None
    position: Annotated[Integer, Field(ge=0)] | None = None
    seed: Annotated[Integer, Field(ge=0, le=2**31 - 1)] = 0


class DataSetVersion(Wire):
    """A version. digest: SHA-256 of its content. position: of the log. report: what was left out and why, labels, parts.

    Only the deletion of an end user changes it: deleted_users counts those whose examples it had, and where its files had to be
    rewritten without them, redacted_at says when, redacted_digest is the digest of what is left, redacted_examples how many
    went. digest stays what it was. deleted_at: when its files were deleted; models that learned from it still name it.
    """

    id: str
    object: Literal["dataset.version"] = "dataset.version"
    created_at: int
    dataset_id: str
    digest: str
    position: int
    task: TaskName
    training_file: str
    validation_file: str | None
    manifest_file: str
    examples: int
    request: VersionCreate
    report: dict[str, Any]
    deleted_users: int = 0
    redacted_at: int | None = None
    redacted_digest: str | None = None
    redacted_examples: int = 0
    deleted_at: int | None = None


class LabelNoiseCreate(Request):
    """Look for wrong labels in a version. embedder: which vectors; null: the server's default."""

    version: Id
    embedder: Annotated[str, Field(max_length=255)] | None = None
    folds: Annotated[Integer, Field(ge=2, le=20)] = 5
    limit: Annotated[Integer, Field(ge=1, le=10_000)] = 100


class LabelRule(Request):
    """A vote for a label: of texts that have one of the words, or that the expression finds something in."""

    name: Name | None = None
    label: Name
    keywords: Annotated[list[Name], most(1_000)] | None = None
    pattern: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None

    @model_validator(mode="after")
    def _looks_for_something(self) -> "LabelRule":
        if (self.keywords is None) == (self.pattern is None):
            raise ValueError("a rule has 'keywords' or a 'pattern'")
        return self


class WeakLabelsCreate(Request):
    """Texts, or an uploaded file of them, a line each; who votes on them; how sure the votes together must be.

    add: put what is sure enough into the data set, as weakly labelled; otherwise only the report is made.
    """

    texts: Annotated[list[Annotated[str, Field(max_length=64_000)]], most(2_000, least=1)] | None = None
    file: Id | None = None
    rules: Annotated[list[LabelRule], most(500)] = []
    models: Annotated[list[Name], most(8)] = []
    min_probability: Annotated[float, Field(gt=0, le=1)] = 0.8
    add: bool = False

    @model_validator(mode="after")
    def _has_texts_and_voters(self) -> "WeakLabelsCreate":
        if (self.texts is None) == (self.file is None):
            raise ValueError("weak labels are for 'texts' or a 'file'")
        if not self.rules and not self.models:
            raise ValueError("somebody must vote: 'rules' or 'models'")
        return self


class DataSetTask(Wire):
    """Work on a data set that takes long. result: once completed, by kind; error: once failed, what would be right."""

    id: str
    object: Literal["dataset.task"] = "dataset.task"
    created_at: int
    finished_at: int | None = None
    dataset_id: str
    kind: TaskKind
    status: TaskStatus = "queued"
    request: dict[str, Any]
    version: str | None = None
    result: dict[str, Any] | None = None
    error: str | None = None


class DataSetDiff(Wire):
    """What is otherwise in `version` than in `against`: counts, labels, and the first hundred examples of each kind."""

    object: Literal["dataset.diff"] = "dataset.diff"
    version: str
    against: str
    counts: dict[str, int]
    labels: dict[str, int]
    added: list[dict[str, Any]]
    removed: list[dict[str, Any]]
    relabelled: list[dict[str, Any]]
    moved: list[dict[str, Any]]


class ModelSeen(Wire):
    """A model that learned from a version. saw_deleted_users: the version has examples of users who were deleted since."""

    model: str
    job: str
    saw_deleted_users: bool


class VersionLineage(Wire):
    """What a version came of, by kind of source, and what came of it."""

    object: Literal["dataset.lineage"] = "dataset.lineage"
    version: str
    sources: dict[str, list[str]]
    jobs: list[str]
    models: list[ModelSeen]


class Suggestion(Wire):
    """A text worth a label, and why: how unsure a classifier is of it, and how far it is from all that is labelled, 0 to 1."""

    text: str
    source: dict[str, Any]
    uncertainty: float
    novelty: float
    guess: str | None


class SuggestionList(Wire):
    """Best first; no two are nearly alike."""

    object: Literal["list"] = "list"
    data: list[Suggestion]
    looked_at: int


class DataSetDeleted(Wire):
    """The data set is gone, with its versions."""

    id: str
    object: Literal["dataset.deleted"] = "dataset.deleted"
    deleted: Literal[True] = True


class VersionDeleted(Wire):
    """The version's files are gone."""

    id: str
    object: Literal["dataset.version.deleted"] = "dataset.version.deleted"
    deleted: Literal[True] = True


class DataSetList(Page[DataSet]):
    """A page of data sets."""


class VersionList(Page[DataSetVersion]):
    """A page of versions."""


class TaskList(Page[DataSetTask]):
    """A page of tasks."""
