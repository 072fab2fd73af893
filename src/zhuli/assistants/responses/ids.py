"""How the two APIs name the same thing: what stands behind the prefix is one. Pure."""

_PREFIXES = {"resp": "run", "conv": "thread"}

_CALLS = {"function_call": "fc", "file_search_call": "fs", "mcp_call": "mcp", "function_call_output": "fco"}
"""Prefixes of items that are calls of a step, and outputs of these."""


def response_id(run_id: str) -> str:
    """run_X → resp_X"""
    return f"resp_{_behind(run_id)}"


def run_id(response: str) -> str:
    """resp_X → run_X; an id of another form is nobody's."""
    return _other(response, "resp")


def conversation_id(thread_id: str) -> str:
    """thread_X → conv_X"""
    return f"conv_{_behind(thread_id)}"


def thread_id(conversation: str) -> str:
    """conv_X → thread_X, and thread_X as it is; an id of another form is nobody's."""
    return conversation if conversation.startswith("thread_") else _other(conversation, "conv")


def call_item_id(kind: str, step_id: str, place: int) -> str:
    """The id of an item that is the call at this place of a step, or its output: made of the step's, so it is always the same."""
    return f"{_CALLS[kind]}_{_behind(step_id)}_{place}"


def step_id(item: str) -> str | None:
    """The step in which the item is a call; None where it is none."""
    prefix, _, behind = item.partition("_")
    suffix, _, place = behind.rpartition("_")
    return f"step_{suffix}" if suffix and place.isdecimal() and prefix in _CALLS.values() else None


def _other(given: str, prefix: str) -> str:
    kind, _, behind = given.partition("_")
    return f"{_PREFIXES[prefix]}_{behind}" if kind == prefix else f"no {prefix}_: {given}"


def _behind(id_: str) -> str:
    return id_.partition("_")[2]
