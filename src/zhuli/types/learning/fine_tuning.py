"""The fine-tuning API's objects. `task`, `tuning` and `progress` are ours; apps that know nothing of them need not."""

from typing import Annotated, Any, Literal

from pydantic import Field

from zhuli.types.learning.hyperparameters import Auto, Hyperparameters, Positive, Search, TaskName, Workers
from zhuli.types.learning.tuning import Base, DataFormat
from zhuli.types.wire import Integer, Metadata, Request, Wire, optional

JobStatus = Literal["validating_files", "queued", "running", "paused", "succeeded", "failed", "cancelled"]
ENDED: tuple[JobStatus, ...] = ("succeeded", "failed", "cancelled")

BatchSize = Annotated[Integer, Field(ge=1, le=256)] | Auto
Epochs = Annotated[Integer, Field(ge=1, le=50)] | Auto


class SupervisedHyperparameters(Request):
    """The API's three knobs; what is "auto" is settled by the data and the base."""

    batch_size: BatchSize = "auto"
    learning_rate_multiplier: Positive | Auto = "auto"
    n_epochs: Epochs = "auto"


class DpoHyperparameters(SupervisedHyperparameters):
    """The same for pairs of answers. beta: how strongly the model is held to the reference."""

    beta: Annotated[float, Field(gt=0, le=2)] | Auto = "auto"


class SupervisedMethod(Request):
    """Learning from targets."""

    hyperparameters: SupervisedHyperparameters = Field(default_factory=SupervisedHyperparameters)


class DpoMethod(Request):
    """Learning from pairs of a better and a worse answer."""

    hyperparameters: DpoHyperparameters = Field(default_factory=DpoHyperparameters)


class Method(Request):
    """What is learned from, with its hyperparameters; reinforcement is refused."""

    type: Literal["supervised", "dpo", "reinforcement"]
    supervised: SupervisedMethod | None = optional()
    dpo: DpoMethod | None = optional()
    reinforcement: dict[str, Any] | None = optional()


class Wandb(Request):
    """Where a training's numbers would be sent; taken and kept, and not used."""

    project: str
    name: str | None = None
    entity: str | None = None
    tags: list[str] = Field(default_factory=list)


class Integration(Request):
    """What else is told of a training."""

    type: Literal["wandb"]
    wandb: Wandb


class Tuning(Request):
    """What the original has no word for. columns: the task's field → the file's column. format: of the data files."""

    hyperparameters: Hyperparameters | None = None
    search: Search | None = None
    workers: Workers | None = None
    test_file: str | None = None
    validation_share: float = Field(0.1, ge=0, lt=1)
    test_share: float = Field(0.1, ge=0, lt=1)
    format: DataFormat = "auto"
    columns: dict[str, str] = Field(default_factory=dict)
    language: str | None = None


class FineTuningJobCreate(Request):
    """A base, data by the ids of files, and how to tune. `task`, `tuning` and `dataset_version` are our additions.

    dataset_version: of a data set, whose files and task these are then.
    """

    model: str
    training_file: str | None = None
    dataset_version: str | None = None
    validation_file: str | None = None
    suffix: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    seed: Annotated[Integer, Field(ge=0, le=2**31 - 1)] | None = None
    hyperparameters: SupervisedHyperparameters | None = None
    method: Method | None = None
    integrations: Annotated[list[Integration], Field(max_length=5)] | None = None
    metadata: Metadata | None = None
    task: TaskName | Auto = "auto"
    tuning: Tuning = Field(default_factory=Tuning)


class JobError(Wire):
    """Why a job has failed: a code, what is wrong and what would be right, the parameter that it is about."""

    code: str
    message: str
    param: str | None


class FineTuningJob(Wire):
    """As clients see it. report: numbers before and after, once it has succeeded."""

    id: str
    object: Literal["fine_tuning.job"] = "fine_tuning.job"
    created_at: int
    error: JobError | None = None
    fine_tuned_model: str | None = None
    finished_at: int | None = None
    hyperparameters: SupervisedHyperparameters | DpoHyperparameters
    model: str
    organization_id: str
    result_files: list[str] = Field(default_factory=list)
    status: JobStatus
    trained_tokens: int | None = None
    training_file: str
    validation_file: str | None = None
    integrations: list[Integration] | None = None
    seed: int
    estimated_finish: int | None = None
    method: Method
    metadata: Metadata | None = None
    task: TaskName
    tuning: Tuning
    report: dict[str, Any] | None = None


class FineTuningRecord(FineTuningJob):
    """A job as it is kept. name: what its model will be called. base: what is tuned, under the name of its first base.

    knobs: the hyperparameters of all places together. filenames: of the training, validation and test file, by these words.
    started_at: when the child was first told to train. served_by: the model whose server takes the adapter.
    furthest: the last step that it got to. moved_in: how many deaths of processes count no more, for it got further since.
    """

    name: str
    base: Base
    root: str
    knobs: Hyperparameters
    filenames: dict[str, str]
    started_at: int | None = None
    served_by: str | None = None
    furthest: int = 0
    moved_in: int = 0

    def shown(self) -> FineTuningJob:
        """The job as clients see it."""
        return FineTuningJob.model_validate_json(self.model_dump_json(include=set(FineTuningJob.model_fields)))


class FineTuningEvent(Wire):
    """A line of the training's events.jsonl; `data` has its numbers."""

    id: str
    object: Literal["fine_tuning.job.event"] = "fine_tuning.job.event"
    created_at: int
    level: Literal["info", "warn", "error"]
    message: str
    type: Literal["message", "metrics"] = "message"
    data: dict[str, Any] = Field(default_factory=dict)


class FineTuningCheckpoint(Wire):
    """A model of an earlier epoch, which answers under its name as the finished one does."""

    id: str
    object: Literal["fine_tuning.job.checkpoint"] = "fine_tuning.job.checkpoint"
    created_at: int
    fine_tuned_model_checkpoint: str
    fine_tuning_job_id: str
    metrics: dict[str, float]
    step_number: int
