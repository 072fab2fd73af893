"""What a client gives a response or a conversation, as it is kept: messages of a thread, and items beside them. Pure.

Messages of users and assistants are the thread's own. What a thread has no messages for (a system's words, outputs of calls,
what is replayed of other conversations) is kept as an item, in its place among them. Everything gets an id of ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zhuli.core.errors import InvalidRequest
from zhuli.core.ids import new_id
from zhuli.types.assistants.message import (
    ImageFile,
    ImageFileBlock,
    ImageUrl,
    ImageUrlBlock,
    Message,
    RefusalBlock,
    Text,
    TextBlock,
)
from zhuli.types.assistants.response_items import (
    Content,
    InputCall,
    InputCallOutput,
    InputFile,
    InputImage,
    InputItem,
    InputMessage,
    InputRefusal,
    InputText,
    OtherItem,
)

_PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "reasoning": "rs",
    "file_search_call": "fs",
    "code_interpreter_call": "ci",
    "web_search_call": "ws",
    "image_generation_call": "ig",
    "mcp_call": "mcp",
    "mcp_list_tools": "mcpl",
    "mcp_approval_request": "mcpr",
    "compaction": "cmp",
}


@dataclass(frozen=True, slots=True)
class KeptItem:
    """An item that is no message of the thread. body: with its id, as it is shown."""

    id: str
    body: dict[str, Any]


Kept = Message | KeptItem


def kept(item: InputItem, thread_id: str, now: int, *, param: str) -> Kept:
    """The item as it is kept; InvalidRequest for what models can't read here. param: where it stands in the request."""
    match item:
        case InputMessage(role="user" | "assistant" as role):
            return Message(
                id=new_id("msg"),
                created_at=now,
                completed_at=now,
                thread_id=thread_id,
                role=role,
                content=_blocks(item.content, f"{param}.content"),
            )
        case InputMessage():
            return _item(
                "message", role=item.role, status="completed", content=_texts(item.content, f"{param}.content")
            )
        case InputCall():
            return _item(
                "function_call", call_id=item.call_id, name=item.name, arguments=item.arguments, status="completed"
            )
        case InputCallOutput():
            output = item.output if isinstance(item.output, str) else _texts(item.output, f"{param}.output")
            return _item(item.type, call_id=item.call_id, output=output, status="completed")
        case OtherItem():
            return _other(item.model_dump(mode="json"))
    raise InvalidRequest(f"Invalid '{param}': a reference can't be kept.", param=param, code="invalid_value")


def answered(items: Sequence[InputItem]) -> list[str]:
    """The calls whose outputs are among the items."""
    return [item.call_id for item in items if isinstance(item, InputCallOutput)]


def called(items: Sequence[InputItem]) -> list[str]:
    """The calls among the items."""
    others = [getattr(item, "call_id", None) for item in items if getattr(item, "type", None) == "custom_tool_call"]
    return [*(item.call_id for item in items if isinstance(item, InputCall)), *(str(id_) for id_ in others if id_)]


def _item(kind: str, **fields: Any) -> KeptItem:
    id_ = new_id(_PREFIXES.get(kind, "item"))
    return KeptItem(id_, {"id": id_, "type": kind, **fields})


def _other(given: dict[str, Any]) -> KeptItem:
    """What a client replays, without what is null; reasoning always has a summary, if an empty one."""
    fields = {key: value for key, value in given.items() if value is not None and key not in ("id", "type")}
    if given["type"] == "reasoning":
        fields.setdefault("summary", [])
    return _item(given["type"], **fields)


def _blocks(content: Content, param: str) -> list[Any]:
    if isinstance(content, str):
        return [TextBlock(text=Text(value=content))]
    return [_block(part, f"{param}[{n}]") for n, part in enumerate(content)]


def _block(part: Any, param: str) -> Any:
    match part:
        case InputText():
            return TextBlock(text=Text(value=part.text))
        case InputRefusal():
            return RefusalBlock(refusal=part.refusal)
        case InputImage():
            detail = part.detail if part.detail in ("low", "high") else "auto"
            if (part.image_url is None) == (part.file_id is None):
                raise InvalidRequest(
                    f"Missing mutually exclusive parameters: '{param}'. Ensure you are providing exactly one of: 'file_id' or "
                    "'image_url'.",
                    param=param,
                    code="missing_mutually_exclusive_parameters",
                )
            if part.file_id is not None:
                return ImageFileBlock(type="image_file", image_file=ImageFile(file_id=part.file_id, detail=detail))
            return ImageUrlBlock(type="image_url", image_url=ImageUrl(url=part.image_url or "", detail=detail))
    raise _no_file(param)


def _texts(content: Content, param: str) -> list[dict[str, Any]]:
    """Parts where only texts may be: of a system's message, and of a call's output."""
    if isinstance(content, str):
        return [{"type": "input_text", "text": content}]
    texts: list[dict[str, Any]] = []
    for n, part in enumerate(content):
        if isinstance(part, InputFile):
            raise _no_file(f"{param}[{n}]")
        if not isinstance(part, InputText):
            raise InvalidRequest(
                f"Invalid '{param}[{n}]': only texts are read here. Give the image in a message of the user's.",
                param=f"{param}[{n}]",
                code="unsupported_value",
            )
        texts.append({"type": "input_text", "text": part.text})
    return texts


def _no_file(param: str) -> InvalidRequest:
    return InvalidRequest(
        f"Invalid '{param}': models read no files here. Upload the file, add it to a vector store, and give the response the "
        "tool 'file_search' with that store.",
        param=param,
        code="unsupported_value",
    )
