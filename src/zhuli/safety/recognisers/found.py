"""What recognisers of personal data find."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["credentials", "email", "resident_id", "iban", "card", "ssn", "ip", "phone", "account", "person"]


@dataclass(frozen=True, slots=True)
class Found:
    """A stretch of a text; start and end count characters, the end is the first behind it."""

    kind: Kind
    start: int
    end: int

    def overlaps(self, other: "Found") -> bool:
        """Whether the two have a character in common."""
        return self.start < other.end and other.start < self.end
