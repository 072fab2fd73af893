"""What a model says to a text in an audit, and how it is asked."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple


class Said(NamedTuple):
    """A model's label for one text, and how sure it is."""

    label: str
    score: float = 1.0


Labels = Callable[[Sequence[str]], Awaitable[list[Said]]]
"""What a model says to each of several texts, in their order."""
