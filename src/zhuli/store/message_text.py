"""The text of a message, as it is kept: what all of its text blocks say, a line between them."""

from collections.abc import Sequence
from typing import Any


def text_of(content: Sequence[dict[str, Any]]) -> str:
    """content: the message's blocks as JSON; pictures say nothing."""
    return "\n".join(block["text"]["value"] for block in content if block["type"] == "text")
