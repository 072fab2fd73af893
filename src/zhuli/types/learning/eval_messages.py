"""Messages of evaluations: what a model or a judge is asked, with references like {{ item.question }} in them."""

from typing import Annotated, Any, Literal

from pydantic import Field, Tag

from zhuli.types.wire import Request, by_shape, by_type, most, optional


class EvalText(Request):
    """Text of a message, as given in an array of contents."""

    type: Literal["input_text", "output_text"]
    text: str


class EvalImage(Request):
    """An image by its URL, which may be a data URL."""

    type: Literal["input_image"]
    image_url: str
    detail: str | None = optional()


class EvalAudio(Request):
    """Sound in base64, for models that hear."""

    type: Literal["input_audio"]
    input_audio: dict[str, Any]


EvalPart = Annotated[
    Annotated[str, Tag("~string")]
    | Annotated[EvalText, Tag("~input_text")]
    | Annotated[EvalText, Tag("~output_text")]
    | Annotated[EvalImage, Tag("~input_image")]
    | Annotated[EvalAudio, Tag("~input_audio")],
    by_type(otherwise="~string"),
]

EvalContent = Annotated[
    Annotated[Annotated[list[EvalPart], most(256)], Tag("~array")] | Annotated[EvalPart, Tag("~part")],
    by_shape({list: "~array"}, otherwise="~part"),
]


class EvalMessage(Request):
    """A message of a template. content: a text, a part, or several parts."""

    role: Literal["user", "assistant", "system", "developer"]
    content: EvalContent
    type: Literal["message"] | None = optional()


EvalMessages = Annotated[list[EvalMessage], Field(min_length=1, max_length=256)]
