"""POST /v1/predictions: what a tuned model answers to one input or several, in the shapes of the Hugging Face pipelines."""

from typing import Annotated, Any, Literal

from pydantic import Field

from zhuli.types.wire import EndUser, Integer, Request, Wire, optional


class PredictionCreate(Request):
    """input: one or a list. top_k: of labels. explain: say which words the answer comes from, and which examples are near.

    store: keep what is asked and answered, for feedback on it; null: as the setting store_predictions says.
    user: whom it is for, in the client's words; of two models behind an alias one user is always answered by the same.
    """

    model: str
    input: Any
    explain: bool = False
    top_k: Annotated[Integer, Field(ge=1)] | None = None
    store: bool | None = None
    user: EndUser | None = None


class PredictionUsage(Wire):
    """Tokens of all inputs."""

    prompt_tokens: int
    total_tokens: int


class PredictionResult(Wire):
    """output: the pipeline's answer. explanation: {attributions, completeness_error, nearest_examples, …}. id: for feedback."""

    id: str
    index: int
    output: Any
    explanation: dict[str, Any] | None = optional()


class PredictionList(Wire):
    """An answer for each input, in their order."""

    object: Literal["list"] = "list"
    model: str
    task: str
    data: list[PredictionResult]
    usage: PredictionUsage
