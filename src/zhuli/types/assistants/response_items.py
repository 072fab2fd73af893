"""What a response or a conversation is given: items as the Responses API has them, in all forms that clients send.

A message may come without its type; what a server once gave comes back with ids, status and annotations, or stripped of them.
Keys that mean nothing here are let through, so that every replayed history is taken.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from zhuli.types.wire import by_shape, by_type

MAX_ITEM_TEXT = 10_485_760
"""Characters of a text in an item, as the API has it."""

LongText = Annotated[str, Field(max_length=MAX_ITEM_TEXT)]


class _Open(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class InputText(_Open):
    """A text that was said: `text` and `summary_text` are other names of it."""

    type: Literal["input_text", "output_text", "text", "summary_text"]
    text: LongText


class InputRefusal(_Open):
    """What a model said instead of an answer."""

    type: Literal["refusal"]
    refusal: LongText


class InputImage(_Open):
    """An image by its URL, or by the id of an uploaded file."""

    type: Literal["input_image"]
    image_url: Annotated[str, Field(min_length=1)] | None = None
    file_id: str | None = None
    detail: Literal["auto", "low", "high", "original"] | None = None


class InputFile(_Open):
    """A file. Models don't read files here: it is refused with what would be right."""

    type: Literal["input_file"]


Part = Annotated[
    Annotated[InputText, Tag("~input_text")]
    | Annotated[InputText, Tag("~output_text")]
    | Annotated[InputText, Tag("~text")]
    | Annotated[InputText, Tag("~summary_text")]
    | Annotated[InputRefusal, Tag("~refusal")]
    | Annotated[InputImage, Tag("~input_image")]
    | Annotated[InputFile, Tag("~input_file")],
    by_type(),
]
Content = Annotated[
    Annotated[LongText, Tag("~string")] | Annotated[list[Part], Tag("~array")],
    by_shape({list: "~array"}, otherwise="~string"),
]


class InputMessage(_Open):
    """A message of anybody's."""

    type: Literal["message"] | None = None
    role: Literal["user", "assistant", "system", "developer"]
    content: Content


class InputCall(_Open):
    """A call of a function, as a model made it. arguments: JSON as the model wrote it."""

    type: Literal["function_call"]
    call_id: Annotated[str, Field(min_length=1, max_length=64)]
    name: Annotated[str, Field(min_length=1, max_length=128)]
    arguments: LongText
    namespace: str | None = None


class InputCallOutput(_Open):
    """What a call gave: a text, or parts."""

    type: Literal["function_call_output", "custom_tool_call_output"]
    call_id: Annotated[str, Field(min_length=1, max_length=64)]
    output: Content


class InputReference(_Open):
    """An item that is stored here, by its id."""

    type: Literal["item_reference"] | None = None
    id: Annotated[str, Field(min_length=1, max_length=128)]


class OtherItem(BaseModel):
    """Every other item by its type: it is kept as it is, and models read what of it is text for them."""

    model_config = ConfigDict(extra="allow", strict=True)

    type: Annotated[str, Field(max_length=64)]


_KNOWN = frozenset({"message", "function_call", "function_call_output", "custom_tool_call_output", "item_reference"})


def _tag(value: Any) -> str | None:
    """Without a type, what has a role is a message, and what has only an id a reference."""
    if isinstance(value, BaseModel):
        kind = getattr(value, "type", None) or ("message" if isinstance(value, InputMessage) else "item_reference")
    elif not isinstance(value, dict):
        return None
    else:
        kind = value.get("type")
        if kind is None:
            kind = "message" if "role" in value else "item_reference" if "id" in value else None
    if not isinstance(kind, str):
        return None
    return f"~{kind}" if kind in _KNOWN else "~other"


InputItem = Annotated[
    Annotated[InputMessage, Tag("~message")]
    | Annotated[InputCall, Tag("~function_call")]
    | Annotated[InputCallOutput, Tag("~function_call_output")]
    | Annotated[InputCallOutput, Tag("~custom_tool_call_output")]
    | Annotated[InputReference, Tag("~item_reference")]
    | Annotated[OtherItem, Tag("~other")],
    Discriminator(_tag),
]
