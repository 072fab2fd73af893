"""A tuning as it lies in its folder: spec.json says what is tuned on what and how, events.jsonl what has happened.

The folder is all that the training child knows, so that anybody can run it again by hand: `zhuli tune FOLDER`.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from zhuli.types.learning.hyperparameters import Hyperparameters, Search, TaskName, Workers

SPEC = "spec.json"
EVENTS = "events.jsonl"
MODEL = "model"
"""The finished model's folder inside the tuning's folder; it stands whole or not at all."""

TASK = "task.json"
"""In a model's folder: which task it is for, its base, and what the task must know beside the weights."""

DataFormat = Literal["auto", "jsonl", "json", "csv", "tsv", "conll", "squad", "rasa", "parquet"]


class Source(BaseModel):
    """A data file. path: relative to the tuning's folder, or absolute. columns: the task's field → the file's column."""

    model_config = ConfigDict(extra="forbid")

    path: str
    format: DataFormat = "auto"
    columns: dict[str, str] = Field(default_factory=dict)


class Base(BaseModel):
    """What is tuned. path: a Hugging Face folder or a tuned model's; without it, `name` is looked up in the models file."""

    model_config = ConfigDict(extra="forbid")

    name: str
    path: str | None = None


class Spec(BaseModel):
    """Everything that a tuning needs. Without validation or test data, parts of the training data are held out."""

    model_config = ConfigDict(extra="forbid")

    task: TaskName
    base: Base
    train: Source
    validation: Source | None = None
    test: Source | None = None
    validation_share: float = Field(0.1, ge=0, lt=1)
    test_share: float = Field(0.1, ge=0, lt=1)
    hyperparameters: Hyperparameters = Field(default_factory=Hyperparameters)
    search: Search | None = None
    workers: Workers | None = None
    language: str | None = Field(None, description="Of the data, like zh; None: seen from the data.")
    seed: int = 0
    threads: int = Field(0, description="Of the processor; 0: one for each core.")
    data_dir: str = Field("data", description="Where bases are made ready.")
    models_file: str | None = None
    name: str = Field("", description="The tuned model's name, ft:…; it goes into the card.")


EventKind = Literal[
    "message", "metrics", "status", "checkpoint", "report", "succeeded", "failed", "cancelled", "paused"
]


class TuningEvent(BaseModel):
    """An entry of events.jsonl. number: 1, 2, 3 … without gaps, also over several attempts. at: Unix seconds.

    data, by kind: metrics {step, total_steps, train_loss, train_accuracy?, valid_loss?, learning_rate, …};
    checkpoint {step, path, metrics}; report {…} what evaluation found, before and after; failed {code, param};
    succeeded {trained_tokens}. The last of succeeded, failed, cancelled and paused says how the attempt ended.
    """

    number: int
    at: float
    kind: EventKind
    level: Literal["info", "warn", "error"] = "info"
    message: str
    data: dict[str, Any] = Field(default_factory=dict)
