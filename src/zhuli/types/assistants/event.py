"""An entry of a run's log: named as on the wire, its data the wire's JSON."""

from dataclasses import dataclass
from typing import Any

RESTS = frozenset(
    f"thread.run.{status}"
    for status in ("completed", "incomplete", "failed", "cancelled", "expired", "requires_action")
)
"""Events after which a run has ended or waits for the client."""

DELTAS = frozenset({"thread.message.delta", "thread.run.step.delta"})

TURN_ENDED = "zhuli.turn.ended"
"""Ours, not sent to clients: a model call is over, with what it used."""

TURN_ABANDONED = "zhuli.turn.abandoned"
"""Ours, not sent to clients: the process died within a turn that had already finished messages; no model reads them again."""

STEP_CALLED = "zhuli.step.called"
"""Ours, not sent to clients: the model has said all calls of a tool step, which now waits for their outputs. Again with
each output of a tool of the server that is not to be made twice."""

TOOLS_BEGUN = "zhuli.tools.begun"
"""Ours, not sent to clients: tools of the server that are not to be called twice are being called. The data is a step_id
and `calls`, their places in the step."""

UNDERSTOOD = "zhuli.understood"
"""Ours, not sent to clients: what a message was understood as, and what was decided. The data is an
Understanding, and `shown`: whether the message carries it."""

GUARDED = "zhuli.guarded"
"""Ours, not sent to clients: what a guard decided; the data is a GuardDecision, and it is added to the run's `guarded`."""

RUN_MODIFIED = "zhuli.run.modified"
"""Ours, not sent to clients: the client changed the run's metadata."""


@dataclass(frozen=True, slots=True)
class RunEvent:
    """`sequence` orders the events of one run, beginning with 1; `data` is JSON."""

    sequence: int
    name: str
    data: bytes

    @property
    def on_the_wire(self) -> bool:
        """Whether clients are sent it; events of ours have names that begin with "zhuli."."""
        return not self.name.startswith("zhuli.")


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be recorded: an event's name, and the object or the fields that it brings.

    For `thread.run.*` the fields to change in the run; for everything else the whole data of the event.
    """

    name: str
    data: dict[str, Any]
