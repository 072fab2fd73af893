"""What to say of a path or a method that is not served: what would be right, in words for who set the base URL. Pure."""

import re
from collections.abc import Callable, Sequence

from zhuli.core.errors import MethodNotAllowed, NotFound

IsServed = Callable[[str], bool]
"""Whether a path is served, by whatever method."""

_NO_SOUND = "This server neither hears nor speaks. Give the app another base URL for sound."
_NO_PICTURES = (
    "This server makes no pictures. Models that see get them as parts 'image_url' or 'image_file' of messages."
)
_KEYS = "Keys and projects are made on the server's machine: zhuli keys create --project NAME."
_SEARCH = "Use POST /v1/vector_stores/{vector_store_id}/search."
_CHAT = "Use POST /v1/chat/completions."
_OLLAMA = "Ollama's own API is not spoken here. Set the base URL to end with /v1, and use POST /v1/chat/completions."

_INSTEAD: tuple[tuple[str, str], ...] = (
    (r"(/v1)?/audio", _NO_SOUND),
    (r"(/v1)?/realtime", f"{_NO_SOUND} Answers are streamed with stream: true of runs and chat completions."),
    (r"(/v1)?/(images|videos)", _NO_PICTURES),
    (
        r"(/v1)?/batches",
        "There are no batches here. Send the requests one by one, some at a time: there is no limit per minute.",
    ),
    (
        r"(/v1)?/fine_tuning/alpha",
        "Graders are criteria of evals: POST /v1/evals. Tuning is by 'supervised' and 'dpo'.",
    ),
    (r"(/v1)?/fine-tunes", "Use POST /v1/fine_tuning/jobs."),
    (r"(/v1)?/engines", "Use GET /v1/models."),
    (r"(/v1)?/edits", _CHAT),
    (r"(/v1)?/messages", f"Anthropic's API is not spoken here. {_CHAT}"),
    (r"(/v1)?/(search|rerank)", _SEARCH),
    (r"(/v1)?/(organization|organizations|projects|admin)", _KEYS),
    (
        r"(/v1)?/assistants/[^/]+/files",
        "That was v1 of the API. Files go to vector stores: tool_resources.file_search.",
    ),
    (r"(/v1)?/threads/[^/]+/messages/[^/]+/files", "That was v1 of the API. See the message's 'attachments'."),
    (r"/api/(chat|generate|tags|show|embed|embeddings|version)", _OLLAMA),
)
"""Paths that clients ask for, and what they should ask for instead."""

_OTHERWISE = "What is served is listed at /docs."


def not_found(method: str, path: str, *, is_served: IsServed) -> NotFound:
    """The error for a path that nothing is served at."""
    return NotFound(f"Invalid URL ({method} {path}). {_advice(path, is_served)}")


def not_allowed(method: str, path: str, allowed: Sequence[str]) -> MethodNotAllowed:
    """The error for a path that is served, but not by this method."""
    text = f"Not allowed to {method} on {path}. Allowed: {', '.join(allowed)}."
    return MethodNotAllowed(text, code="method_not_supported")


def _advice(path: str, is_served: IsServed) -> str:
    right = re.sub(r"/{2,}", "/", path).rstrip("/")
    once = re.sub(r"^(/v1){2,}(?=/)", "/v1", right)
    if once != right and is_served(once):
        return f"/v1 stands in it twice. Use {once}: the base URL ends with /v1, and paths begin behind it."
    if once != path and is_served(once):
        return f"Use {once}, with single slashes and none at the end."
    if is_served(f"/v1{right}"):
        return f"Use /v1{right}: the base URL must end with /v1."
    if right in ("", "/v1"):
        return "The API is under /v1, like /v1/models; all that is served is listed at /docs."
    return next((text for pattern, text in _INSTEAD if re.match(f"{pattern}(/|$)", once)), _OTHERWISE)
