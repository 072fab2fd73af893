"""What a request for predictions asks: whether its model does that, which inputs, how many labels. Pure."""

from typing import Any

from zhuli.core.errors import InvalidRequest
from zhuli.store.learning.tuned_models import TunedModel
from zhuli.types.learning.hyperparameters import TaskName
from zhuli.types.learning.prediction import PredictionCreate

MOST_INPUTS = 2048
"""In one request, as for embeddings."""

SCORED: tuple[TaskName, ...] = ("text_classification", "relation_extraction")
"""Tasks that give every label its score, of which top_k keeps the best."""
EXPLAINED: tuple[TaskName, ...] = ("text_classification", "token_classification", "relation_extraction")
WRITING: tuple[TaskName, ...] = ("translation", "summarization", "dialogue", "preference")
TALKING: tuple[TaskName, ...] = ("dialogue", "preference")


def check(model: TunedModel, body: PredictionCreate) -> TaskName:
    """The model's task; InvalidRequest says what it does not do."""
    task = model.task
    if task is None:
        raise InvalidRequest(
            f"The model '{body.model}' is a base: it can be tuned, and what comes of that can be asked.", param="model"
        )
    if task in TALKING and model.chat is not None:
        raise for_chat(body.model)
    if body.explain and task not in EXPLAINED:
        raise InvalidRequest(
            f"Answers of '{body.model}' can't be explained: its task is {task}. Tasks with explanations: "
            f"{', '.join(EXPLAINED)}.",
            param="explain",
        )
    if body.top_k is not None and task not in SCORED:
        raise InvalidRequest(
            f"'{body.model}' has no scores of labels to choose from: its task is {task}. 'top_k' is for "
            f"{' and '.join(SCORED)}.",
            param="top_k",
        )
    return task


def for_chat(name: str) -> InvalidRequest:
    """The error for a model that talks."""
    return InvalidRequest(
        f"The model '{name}' is a chat model: ask it by POST /v1/chat/completions or in a run. POST /v1/predictions is for "
        "models that were tuned for a task.",
        param="model",
    )


def inputs_of(given: Any) -> dict[str, Any]:
    """The inputs by the names that errors call them by; a list has several, anything else is one."""
    if not isinstance(given, list):
        return {"input": given}
    if not 0 < len(given) <= MOST_INPUTS:
        raise InvalidRequest(
            f"Invalid 'input': expected one input or a list of 1 to {MOST_INPUTS}, but got a list of {len(given)}.",
            param="input",
            code="empty_array" if not given else "array_above_max_length",
        )
    return {f"input[{index}]": one for index, one in enumerate(given)}


def best(output: Any, top_k: int | None) -> Any:
    """The first labels of an output, which are the best; pairs of entities have one each, and stay all."""
    scored = isinstance(output, list) and all(each.keys() == {"label", "score"} for each in output)
    return output[:top_k] if scored else output
