"""A model that may be asked for. `base`, `task` and `job` are ours, and there for tuned models only."""

from typing import Literal

from zhuli.types.learning.hyperparameters import TaskName
from zhuli.types.wire import Wire, optional


class Model(Wire):
    """A model's name and owner. created: Unix seconds. leads_to: the model behind an alias."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str
    base: str | None = optional()
    task: TaskName | None = optional()
    job: str | None = optional()
    leads_to: str | None = optional()


class ModelList(Wire):
    """All models that the project may ask for."""

    object: Literal["list"] = "list"
    data: list[Model]
