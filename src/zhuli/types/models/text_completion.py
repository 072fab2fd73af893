"""Texts that a model goes on with: the request, which may have several, and the answers. Unknown parameters are passed on."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from zhuli.types.assistants.assistant import Model, Temperature, TopP
from zhuli.types.models.chat import ChatUsage, Loose, Penalty, Stop, StreamOptions
from zhuli.types.wire import WHOLE_EACH, Integer, TokenNumber, Wire, most

MOST_ANSWERS = 128
"""Of all prompts together."""

USUAL_TOKENS = 16
"""Of an answer where the request does not say, as in the original."""

_Text = Annotated[str, Field(min_length=1)]
_Texts = Annotated[list[_Text], most(MOST_ANSWERS, least=1)]
_Tokens = Annotated[list[TokenNumber], Field(min_length=1, fail_fast=True), WHOLE_EACH]
_TokenLists = Annotated[list[_Tokens], most(MOST_ANSWERS, least=1)]


def _shape(value: Any) -> str:
    """A list is of what its first element is."""
    if not isinstance(value, list):
        return "~string"
    first = value[0] if value else ""
    if isinstance(first, list):
        return "~lists"
    return "~tokens" if isinstance(first, int | float) and not isinstance(first, bool) else "~strings"


Prompt = Annotated[
    Annotated[_Text, Tag("~string")]
    | Annotated[_Texts, Tag("~strings")]
    | Annotated[_Tokens, Tag("~tokens")]
    | Annotated[_TokenLists, Tag("~lists")],
    Discriminator(_shape),
]


class TextRequest(Loose):
    """Prompts to go on with: a text, a list of them, or tokens. n: answers for each; best_of may not be more."""

    model: Model
    prompt: Prompt
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Integer | None = Field(default=None, ge=1)
    temperature: Temperature | None = None
    top_p: TopP | None = None
    n: Integer | None = Field(default=None, ge=1, le=MOST_ANSWERS)
    best_of: Integer | None = Field(default=None, ge=1, le=20)
    stop: Stop | None = None
    seed: Integer | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: Integer | None = Field(default=None, ge=0, le=5)
    echo: bool | None = None
    suffix: str | None = None
    user: str | None = None


class TextLogprobs(Wire):
    """A token at each place of the lists. text_offset: where it begins, in characters of prompt and answer."""

    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]]
    text_offset: list[int]


class TextChoice(Wire):
    """One answer to one prompt; index counts answers of all prompts."""

    text: str
    index: int
    logprobs: TextLogprobs | None = None
    finish_reason: Literal["stop", "length", "content_filter"]


class TextCompletion(Wire):
    """The answers, prompt by prompt."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int
    model: str
    choices: list[TextChoice]
    usage: ChatUsage


def passed_on(body: TextRequest) -> dict[str, Any]:
    """The parameters that go to the backend as they are; logprobs in the form of chats."""
    names = ("stop", "seed", "presence_penalty", "frequency_penalty", "logit_bias", "user")
    known = {name: getattr(body, name) for name in names}
    if body.logprobs is not None:
        known |= {"logprobs": True, "top_logprobs": body.logprobs}
    return {name: value for name, value in {**known, **(body.model_extra or {})}.items() if value is not None}
