"""What became of a matter that was replayed. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """outcome: answered, asked, searched or handed_over. ranked: its intents' answers in order. certainty: of the best intent.

    free: whether it may be answered at all: no risk, nobody asked for a person, and the likeliest intent has a template.
    """

    question: str
    outcome: str
    ranked: tuple[str, ...]
    certainty: float
    free: bool
