"""What a request for a fine-tuning job means: which base, which task, which hyperparameters. Refuses what can't be."""

import random
import re
from collections.abc import Sequence
from pathlib import Path

from zhuli import registry
from zhuli.core.errors import InvalidRequest
from zhuli.models import bases
from zhuli.models.bases import Kind
from zhuli.models.catalog import Catalog
from zhuli.types.learning.fine_tuning import (
    DpoHyperparameters,
    DpoMethod,
    FineTuningJobCreate,
    Method,
    SupervisedHyperparameters,
    SupervisedMethod,
)
from zhuli.types.learning.hyperparameters import LOCAL_CLUSTER, Hyperparameters, TaskName, Workers
from zhuli.types.learning.tuning import Base

_WRITING: tuple[TaskName, ...] = ("translation", "summarization", "dialogue", "preference")
"""Tasks whose answer is a text that the model writes."""

_LABELLING: tuple[TaskName, ...] = (
    "text_classification",
    "token_classification",
    "relation_extraction",
    "question_answering",
)


def base_of(catalog: Catalog, project: str, model: str, *, models_file: Path | None) -> tuple[Base, str]:
    """What is tuned, and the name of its first base; aliases are followed. InvalidRequest names what could be tuned."""
    known = bases.names(models_file)
    name = catalog.tuned.target(model, project)
    if name in known:
        return Base(name=name), name
    if (tuned := catalog.tuned.model(name, project)) is not None:
        return Base(name=name, path=str(catalog.tuned.data_dir / tuned.folder)), tuned.base
    if (entry := catalog.resolve(name)) is not None and entry.name in known:
        return Base(name=entry.name), entry.name
    names = [*known, *(other.name for other in catalog.tuned.models.values() if other.project == project)]
    raise InvalidRequest(
        f"The model '{model}' can't be fine-tuned or does not exist. Models that can: {', '.join(names)}; others with "
        "[bases.NAME] in the models file.",
        param="model",
        code="model_not_found",
    )


def method_of(body: FineTuningJobCreate) -> Method:
    """How it is tuned, with every hyperparameter of the original's; those of the deprecated place are taken up."""
    method = body.method or Method(type="dpo" if body.task == "preference" else "supervised")
    if method.type == "reinforcement":
        raise InvalidRequest(
            "Reinforcement fine-tuning is not done here. Use a method of type 'supervised' with examples, or 'dpo' with "
            "pairs of a preferred and a non-preferred output.",
            param="method.type",
            code="unsupported_method",
        )
    old = {} if body.hyperparameters is None else body.hyperparameters.model_dump(exclude_unset=True)
    if method.type == "dpo":
        given = {} if method.dpo is None else method.dpo.hyperparameters.model_dump(exclude_unset=True)
        return Method(type="dpo", dpo=DpoMethod(hyperparameters=DpoHyperparameters(**{**old, **given})))
    given = {} if method.supervised is None else method.supervised.hyperparameters.model_dump(exclude_unset=True)
    hyperparameters = SupervisedHyperparameters(**{**old, **given})
    return Method(type="supervised", supervised=SupervisedMethod(hyperparameters=hyperparameters))


def shown_knobs(method: Method) -> SupervisedHyperparameters | DpoHyperparameters:
    """The hyperparameters of the method."""
    if method.dpo is not None:
        return method.dpo.hyperparameters
    assert method.supervised is not None
    return method.supervised.hyperparameters


def knobs_of(body: FineTuningJobCreate, method: Method, *, served: bool) -> Hyperparameters:
    """All hyperparameters together: `tuning.hyperparameters` before the method's. served: as an adapter, by its server."""
    given = {key: value for key, value in shown_knobs(method).model_dump().items() if value != "auto"}
    own = body.tuning.hyperparameters or Hyperparameters()
    knobs = own.model_copy(update={key: value for key, value in given.items() if key not in own.model_fields_set})
    if not served:
        return knobs
    if knobs.trainable not in ("auto", "lora"):
        raise InvalidRequest(
            f"Tuned models on '{body.model}' are served as LoRA adapters, so 'trainable' must be 'lora' or 'auto'.",
            param="tuning.hyperparameters.trainable",
            code="invalid_value",
        )
    return knobs.model_copy(update={"trainable": "lora", "lora": knobs.lora.model_copy(update={"merge": False})})


def check_task(task: TaskName, method: Method, kind: Kind | None, *, base: str) -> None:
    """InvalidRequest if there is no such task, or method, task and base do not go together."""
    if task not in (known := registry.names("tasks")):
        supported = ", ".join(f"'{name}'" for name in ["auto", *known])
        text = f"Invalid value: '{task[:200]}'. Supported values are: {supported}."
        raise InvalidRequest(text, param="task", code="invalid_value")
    if (method.type == "dpo") != (task == "preference"):
        text = (
            f"A method of type '{method.type}' does not go with the task '{task}'. The task 'preference' needs 'dpo'."
        )
        raise InvalidRequest(text, param="method.type", code="invalid_value")
    if kind == "encoder" and task in _WRITING:
        raise _other_base(task, base, "an encoder writes no texts. Tune a language model, like smollm2")
    if kind in ("language_model", "seq2seq") and task in _LABELLING:
        raise _other_base(task, base, "a language model gives no labels. Tune an encoder, like minilm or e5-small")


def check_workers(workers: Workers | None) -> None:
    """InvalidRequest for a cluster of the client's own: it would be given the data, and asked to run code of ours."""
    if workers is not None and workers.address != LOCAL_CLUSTER:
        raise InvalidRequest(
            f"Invalid 'tuning.workers.address': over the API it is '{LOCAL_CLUSTER}' only. Whoever runs the server chooses "
            "another cluster, by the variable RAY_ADDRESS.",
            param="tuning.workers.address",
            code="invalid_value",
        )


def _other_base(task: TaskName, base: str, what: str) -> InvalidRequest:
    return InvalidRequest(f"The model '{base}' can't learn the task '{task}': {what}.", param="model")


def unclear_task(filename: str) -> InvalidRequest:
    """The error for a file that does not say what it is for."""
    names: Sequence[str] = [*_LABELLING, *_WRITING]
    return InvalidRequest(
        f"What '{filename}' is for can't be seen from its first record. Say it by 'task': {', '.join(names)}.",
        param="task",
        code="missing_required_parameter",
    )


def new_seed() -> int:
    """A seed for a job whose request has none: 31 bits."""
    return random.randrange(2**31)


def slug(text: str) -> str:
    """Fit to be a part of a model's name, whose parts are separated by colons."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-")
