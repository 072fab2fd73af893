"""task.json in a tuned model's folder: which task it is for, what it was made of, and what the task must know.

The weights beside it are the task's to write and to read. Imports nothing heavy.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from zhuli.core.errors import ConfigurationError
from zhuli.types.learning.hyperparameters import Hyperparameters
from zhuli.types.learning.tuning import TASK, Base


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """state: a Task's, beside its weights. language: of the data that it was tuned on, if that was known."""

    task: str
    base: Base
    options: Hyperparameters
    state: dict[str, Any]
    language: str | None = None


def is_one(folder: Path) -> bool:
    """Whether this is the folder of a tuned model."""
    return (folder / TASK).is_file()


def write(folder: Path, model: ModelFolder) -> None:
    content = {
        "task": model.task,
        "base": model.base.model_dump(),
        "options": model.options.model_dump(mode="json"),
        "state": model.state,
        "language": model.language,
    }
    text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
    (folder / TASK).write_text(text + "\n", encoding="utf-8")


def read(folder: Path) -> ModelFolder:
    """ConfigurationError if the folder has no tuned model."""
    try:
        content = json.loads((folder / TASK).read_text(encoding="utf-8"))
        return ModelFolder(
            task=content["task"],
            base=Base.model_validate(content["base"]),
            options=Hyperparameters.model_validate(content["options"]),
            state=content["state"],
            language=content.get("language"),
        )
    except FileNotFoundError as error:
        raise ConfigurationError(f"{folder} is no tuned model: it has no {TASK}.") from error
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise ConfigurationError(f"{folder / TASK} can't be read: {error}") from error
