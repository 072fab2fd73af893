"""What a request for an eval or a run asks, checked before anything is kept: names, references, models. Pure."""

from collections.abc import Sequence

from zhuli.core.errors import InvalidRequest
from zhuli.learning.evals import templates
from zhuli.learning.evals.grading import texts
from zhuli.learning.evals.templates import ASSISTANT
from zhuli.types.learning.eval_sources import (
    CompletionsSource,
    DataSource,
    ItemReference,
    StoredCompletions,
    StoredThreads,
)
from zhuli.types.learning.eval_sources import ResponsesSource as Responses
from zhuli.types.learning.evals import Eval
from zhuli.types.learning.graders import Grader, LabelModel, PythonGrader, ScoreModel, StringCheck, TextSimilarity


def check_criteria(criteria: Sequence[Grader]) -> None:
    """InvalidRequest names the criterion that can't be, and what would be right."""
    names: set[str] = set()
    for number, grader in enumerate(criteria):
        param = f"testing_criteria[{number}]"
        if grader.name in names:
            text = f"Invalid '{param}.name': another criterion is called '{grader.name}', too."
            raise InvalidRequest(text, param=f"{param}.name", code="duplicate_name")
        names.add(grader.name)
        _check(grader, param)


def _check(grader: Grader, param: str) -> None:
    match grader:
        case PythonGrader():
            raise InvalidRequest(
                f"Invalid '{param}.type': this server runs no programs of clients, so there is no python grader. Use "
                "string_check, text_similarity, label_model or score_model.",
                param=f"{param}.type",
                code="unsupported_value",
            )
        case StringCheck() | TextSimilarity():
            templates.check(grader.input, f"{param}.input")
            templates.check(grader.reference, f"{param}.reference")
            if isinstance(grader, TextSimilarity):
                texts.check_installed(grader.evaluation_metric, f"{param}.evaluation_metric")
        case LabelModel():
            templates.check_messages(grader.input, f"{param}.input")
            if unknown := sorted(set(grader.passing_labels) - set(grader.labels)):
                text = f"Invalid '{param}.passing_labels': '{unknown[0]}' is not one of 'labels'."
                raise InvalidRequest(text, param=f"{param}.passing_labels", code="invalid_value")
        case ScoreModel():
            templates.check_messages(grader.input, f"{param}.input")
            low, high = grader.bounds()
            if not low < high:
                text = f"Invalid '{param}.range': expected [lowest, highest], but got [{low:g}, {high:g}]."
                raise InvalidRequest(text, param=f"{param}.range", code="invalid_value")


def judges_of(criteria: Sequence[Grader]) -> list[tuple[str, str]]:
    """(parameter, model) of each criterion that asks a chat model."""
    return [
        (f"testing_criteria[{number}].model", grader.model)
        for number, grader in enumerate(criteria)
        if isinstance(grader, LabelModel | ScoreModel)
    ]


def check_source(of: Eval, source: DataSource) -> None:
    """InvalidRequest where a run's data source does not fit together, or not to its eval."""
    if isinstance(source, Responses):
        raise InvalidRequest(
            "Invalid 'data_source.type': this server has no Responses API. Use 'completions', which asks a model or an "
            "assistant, or 'jsonl', which grades answers that are there.",
            param="data_source.type",
            code="unsupported_value",
        )
    logged = of.data_source_config.type != "custom"
    stored = isinstance(source.source, StoredCompletions)
    answered = stored or isinstance(source.source, StoredThreads)
    if logged != stored:
        right = "stored_completions" if logged else "file_content, file_id, dataset_version or threads"
        raise InvalidRequest(
            f"Invalid 'data_source.source.type': an eval whose data_source_config is '{of.data_source_config.type}' takes "
            f"items from {right}.",
            param="data_source.source.type",
            code="invalid_value",
        )
    if isinstance(source, CompletionsSource):
        _check_asked(source, answered=answered)


def _check_asked(source: CompletionsSource, *, answered: bool) -> None:
    """answered: whether the items have answers already, and what was asked."""
    if source.model is None and not answered:
        raise _missing("data_source.model", "who is asked: a chat model, a tuned model, or an assistant by its id")
    if source.model is not None and source.input_messages is None and not answered:
        raise _missing("data_source.input_messages", "what is asked about each item")
    if isinstance(source.source, StoredThreads) and source.source.history == "replayed":
        _check_replayed(source)
    if isinstance(source.input_messages, ItemReference):
        reference = source.input_messages.item_reference
        templates.check_reference(templates.bare(reference), "data_source.input_messages.item_reference", ("item",))
    elif source.input_messages is not None:
        templates.check_messages(source.input_messages.template, "data_source.input_messages.template", ("item",))


def _check_replayed(source: CompletionsSource) -> None:
    param = "data_source.source.history"
    if source.model is None or not source.model.startswith(ASSISTANT) or source.input_messages is not None:
        text = f"Invalid '{param}': 'replayed' is for an assistant as data_source.model, and without input_messages: it is "
        raise InvalidRequest(f"{text}asked what the thread's user said, message by message.", param=param)


def _missing(param: str, what: str) -> InvalidRequest:
    text = f"Missing required parameter: '{param}' ({what})."
    return InvalidRequest(text, param=param, code="missing_required_parameter")
