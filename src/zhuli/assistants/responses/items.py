"""Messages and steps as items of the Responses API. Pure; the same function for streams, responses and conversations.

A message is an item of its own id. A call of a step is an item whose id is made of the step's; where the client submitted
its output to the run, that is an item behind it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from zhuli.assistants.responses.ids import call_item_id

Item = dict[str, Any]
Names = Mapping[str, str]
"""Names of files, by their ids."""


def of_message(message: Mapping[str, Any], names: Names) -> Item:
    """A message of a thread. What a dead attempt began to say, and another said again, has no content."""
    details = message["incomplete_details"]
    taken_back = details is not None and details["reason"] == "run_failed"
    parts = [] if taken_back else content_of(message["role"], message["content"], names)
    return {
        "id": message["id"],
        "type": "message",
        "status": message["status"],
        "role": message["role"],
        "content": parts,
    }


def content_of(role: str, blocks: Sequence[Mapping[str, Any]], names: Names) -> list[Item]:
    """Blocks of a message's content as parts of an item's."""
    return [part for block in blocks if (part := _part(role, block, names)) is not None]


def _part(role: str, block: Mapping[str, Any], names: Names) -> Item | None:
    match block["type"]:
        case "text" if role == "assistant":
            return output_text(block["text"], names)
        case "text":
            return {"type": "input_text", "text": block["text"]["value"]}
        case "refusal":
            return {"type": "refusal", "refusal": block["refusal"]}
        case _ if role == "assistant":
            return None  # an item of a model's has no pictures
        case "image_url":
            url, detail = block["image_url"]["url"], block["image_url"]["detail"]
            return {"type": "input_image", "image_url": url, "file_id": None, "detail": detail}
        case _:
            file = block["image_file"]
            return {"type": "input_image", "image_url": None, "file_id": file["file_id"], "detail": file["detail"]}


def output_text(text: Mapping[str, Any], names: Names) -> Item:
    """A text with its citations: its markers are cut out, and an annotation has the place where its marker stood."""
    value, annotations, begin, plain = text["value"], [], 0, ""
    for note in sorted(text["annotations"], key=lambda note: int(note["start_index"])):
        plain += value[begin : note["start_index"]]
        begin = max(begin, note["end_index"])
        annotations.append(annotation(note, len(plain), names))
    return {"type": "output_text", "text": plain + value[begin:], "annotations": annotations, "logprobs": []}


def annotation(note: Mapping[str, Any], index: int, names: Names) -> Item:
    """A citation, or a file that a tool made. index: where it stands in the text without markers."""
    file_id = note[note["type"]]["file_id"]
    if note["type"] == "file_path":
        return {"type": "file_path", "file_id": file_id, "index": index}
    return {"type": "file_citation", "file_id": file_id, "index": index, "filename": names.get(file_id, file_id)}


def of_step(step: Mapping[str, Any], *, results: bool, outputs: bool, cut: bool = False) -> list[Item]:
    """The calls of a step, then the outputs that the client submitted.

    results: with what file searches found. outputs: whether submitted outputs are items. cut: whether the model was stopped
    while it wrote the calls.
    """
    calls = step["step_details"].get("tool_calls") or ()
    status = "incomplete" if cut else _STATUS[step["status"]]
    items = [of_call(step["id"], place, call, status=status, results=results) for place, call in enumerate(calls)]
    if outputs:
        items += [
            {
                "id": call_item_id("function_call_output", step["id"], place),
                "type": "function_call_output",
                "call_id": call["id"],
                "output": call["function"]["output"],
                "status": "completed",
            }
            for place, call in enumerate(calls)
            if call["type"] == "function" and call["function"]["output"] is not None
        ]
    return items


_STATUS = {
    "in_progress": "completed",  # its calls are said; what is open is their outputs
    "completed": "completed",
    "cancelled": "incomplete",
    "failed": "incomplete",
    "expired": "incomplete",
}


def of_call(step_id: str, place: int, call: Mapping[str, Any], *, status: str, results: bool = False) -> Item:
    """A call of a step. A call of one of the server's own tools looks like one that a remote server answered."""
    if call["type"] == "function":
        function = call["function"]
        return {
            "id": call_item_id("function_call", step_id, place),
            "type": "function_call",
            "call_id": call["id"],
            "name": function["name"],
            "arguments": function["arguments"],
            "status": status,
        }
    if call["type"] == "file_search":
        search = call["file_search"]
        found = [_result(result) for result in search.get("results") or ()] if results else None
        return {
            "id": call_item_id("file_search_call", step_id, place),
            "type": "file_search_call",
            "status": status,
            "queries": search.get("queries") or [],
            "results": found,
        }
    body = call.get(call["type"]) or {}
    return {
        "id": call_item_id("mcp_call", step_id, place),
        "type": "mcp_call",
        "server_label": call["type"],
        "name": body.get("name") or call["type"],
        "arguments": body.get("arguments") or "",
        "output": body.get("output"),
        "error": None,
        "approval_request_id": None,
        "status": status,
    }


def _result(result: Mapping[str, Any]) -> Item:
    text = "".join(part["text"] for part in result.get("content") or ())
    return {
        "file_id": result["file_id"],
        "filename": result["file_name"],
        "score": result["score"],
        "text": text,
        "attributes": {},
    }


def names_in(step: Mapping[str, Any]) -> dict[str, str]:
    """Names of the files in which a step's searches found something."""
    calls = step["step_details"].get("tool_calls") or ()
    return {
        result["file_id"]: result["file_name"]
        for call in calls
        if call["type"] == "file_search"
        for result in call["file_search"].get("results") or ()
    }


def output_of(
    messages: Mapping[str, Mapping[str, Any]], steps: Sequence[Mapping[str, Any]], *, cut: bool, results: bool
) -> list[Item]:
    """The items that a run made, in order. messages: its messages by their ids. cut: whether a budget ended it."""
    names: dict[str, str] = {}
    items: list[Item] = []
    for place, step in enumerate(steps):
        names |= names_in(step)
        details = step["step_details"]
        if step["type"] == "message_creation":
            message = messages.get(details["message_creation"]["message_id"])
            items += [] if message is None else [of_message(message, names)]
        else:
            items += of_step(step, results=results, outputs=False, cut=cut and place == len(steps) - 1)
    return items
