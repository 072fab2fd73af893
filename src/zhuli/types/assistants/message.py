"""The Message, its content blocks in both directions, and its streamed deltas."""

from typing import Annotated, Any, Literal

from pydantic import Field, Tag

from zhuli.types.assistants.tools import AttachmentTool
from zhuli.types.understanding.understanding import MessageUnderstanding
from zhuli.types.wire import Metadata, Request, Wire, by_shape, by_type, optional

MAX_TEXT = 256_000
"""Characters of a message's text; the original's limit."""

MOST_MESSAGES = 1000
"""Messages that a request may bring to a thread: one transaction of some tens of milliseconds. Threads hold any number."""


class ImageFile(Request):
    """An uploaded image by its file's id. detail: how closely the model looks."""

    file_id: str
    detail: Literal["auto", "low", "high"] = "auto"


class ImageFileBlock(Request):
    """A block of a message's content that is an uploaded image."""

    type: Literal["image_file"]
    image_file: ImageFile


class ImageUrl(Request):
    """An image elsewhere: its URL, http(s) or data."""

    url: str = Field(min_length=1)
    detail: Literal["auto", "low", "high"] = "auto"


class ImageUrlBlock(Request):
    """A block of a message's content that is an image elsewhere."""

    type: Literal["image_url"]
    image_url: ImageUrl


class TextInput(Request):
    """Text as a client sends it: a string, where the object that comes back has value and annotations."""

    type: Literal["text"]
    text: str = Field(max_length=MAX_TEXT)


InputBlock = Annotated[
    Annotated[ImageFileBlock, Tag("~image_file")]
    | Annotated[ImageUrlBlock, Tag("~image_url")]
    | Annotated[TextInput, Tag("~text")],
    by_type(),
]
InputContent = Annotated[
    Annotated[Annotated[str, Field(max_length=MAX_TEXT)], Tag("~string")]
    | Annotated[Annotated[list[InputBlock], Field(min_length=1)], Tag("~array")],
    by_shape({list: "~array"}, otherwise="~string"),
]


class Attachment(Request):
    """A file of a message, and the tools that may use it."""

    file_id: str | None = optional()
    tools: list[AttachmentTool] | None = optional()


class MessageCreate(Request):
    """A message as a client sends it: text, or a list of blocks."""

    role: Literal["user", "assistant"]
    content: InputContent
    attachments: list[Attachment] | None = None
    metadata: Metadata | None = None


class MessageModify(Request):
    """`content` is our addition: it replaces the message's content."""

    metadata: Metadata | None = None
    content: InputContent | None = None


class FileCitation(Wire):
    """`quote` is what of the file the text before the marker rests on."""

    file_id: str
    quote: str = ""


class FileCitationAnnotation(Wire):
    """A citation in a text. start_index, end_index: the marker's place in it, in characters; text: the marker."""

    type: Literal["file_citation"] = "file_citation"
    text: str
    file_citation: FileCitation
    start_index: int
    end_index: int


class FilePath(Wire):
    """A file that a tool made, by its id."""

    file_id: str


class FilePathAnnotation(Wire):
    """A place in a text that stands for a file which a tool made; indexes as of a citation."""

    type: Literal["file_path"] = "file_path"
    text: str
    file_path: FilePath
    start_index: int
    end_index: int


class Text(Wire):
    """A text and what is marked in it."""

    value: str
    annotations: list[FileCitationAnnotation | FilePathAnnotation] = []


class TextBlock(Wire):
    """A block of a message's content that is text."""

    type: Literal["text"] = "text"
    text: Text


class RefusalBlock(Wire):
    """A block of a message's content in which the model says that it will not answer."""

    type: Literal["refusal"] = "refusal"
    refusal: str


Block = Annotated[
    Annotated[TextBlock, Tag("~text")]
    | Annotated[RefusalBlock, Tag("~refusal")]
    | Annotated[ImageFileBlock, Tag("~image_file")]
    | Annotated[ImageUrlBlock, Tag("~image_url")],
    by_type(),
]

IncompleteReason = Literal["content_filter", "max_tokens", "run_cancelled", "run_expired", "run_failed"]


class MessageIncompleteDetails(Wire):
    """Why a message of a model breaks off."""

    reason: IncompleteReason


class Message(Wire):
    """A message of a thread. A model's has run_id and assistant_id, and grows while it is in_progress."""

    id: str
    object: Literal["thread.message"] = "thread.message"
    created_at: int
    thread_id: str
    status: Literal["in_progress", "incomplete", "completed"] = "completed"
    incomplete_details: MessageIncompleteDetails | None = None
    completed_at: int | None = None
    incomplete_at: int | None = None
    role: Literal["user", "assistant"]
    content: list[Block] = []
    assistant_id: str | None = None
    run_id: str | None = None
    attachments: list[Attachment] | None = []
    metadata: dict[str, Any] = {}
    understanding: MessageUnderstanding | None = optional()


def blocks_of(content: str | list[Any]) -> list[Any]:
    """The content blocks that a client's content becomes."""
    if isinstance(content, str):
        return [TextBlock(text=Text(value=content))]
    return [TextBlock(text=Text(value=block.text)) if isinstance(block, TextInput) else block for block in content]
