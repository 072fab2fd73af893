"""What a run does about a decision of its domain's policy: what is said or called without the model. Pure, no I/O.

What the decision needs and the run does not have, like a function that it does not offer, is left to the model.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import orjson

from zhuli.core.ids import new_id
from zhuli.types.assistants.run import Run
from zhuli.types.assistants.tools import FileSearchTool, FunctionTool
from zhuli.types.models.generation import Delta, ToolCallDelta, Usage
from zhuli.types.understanding.domain import Domain
from zhuli.types.understanding.understanding import Decision, DialogueState
from zhuli.understanding.dialogue.responses.responses import after_call
from zhuli.understanding.dialogue.responses.state_prompt import state_prompt

FREE = Usage(0, 0)
"""What a turn without the model uses."""

_NOTHING_NEW = Decision(act="talk", why="There is no new message of the user's.")


@dataclass(frozen=True, slots=True)
class PolicyTurn:
    """What the run does, and the state in which it does so."""

    domain: Domain
    state: DialogueState
    decision: Decision

    @property
    def state_prompt(self) -> str:
        """What the model is told of the state."""
        return state_prompt(self.domain, self.state, self.decision)

    @property
    def searches(self) -> bool:
        """Whether the policy wants the run's vector stores searched before the model talks."""
        return self.decision.act == "search"


def possible(run: Run, decision: Decision | None) -> Decision:
    """The decision as this run can do it: where it lacks something, the model talks."""
    if decision is None:
        return _NOTHING_NEW
    lacking = lacks(run, decision)
    if lacking is None:
        return decision
    return Decision(act="talk", text=decision.text, instructions=decision.instructions, why=lacking)


def lacks(run: Run, decision: Decision) -> str | None:
    """What of the decision the run can't do."""
    match decision.act:
        case "talk":
            return None
        case "call":
            names = [decision.function, *(further.function for further in decision.also)]
            return next((lacking for name in names if (lacking := _lacks_function(run, name))), None)
        case "search":
            return None if _may_search(run) else "The run has no file_search to search with, so the model talks."
        case _:
            return "The run asks for JSON, so the model talks." if _wants_json(run) else None


def _lacks_function(run: Run, name: str | None) -> str | None:
    if run.tool_choice == "none":
        return "The run's tool_choice is 'none', so the model talks."
    if any(isinstance(tool, FunctionTool) and tool.function.name == name for tool in run.tools):
        return None
    return f"The run offers no function '{name}', so the model talks."


def _may_search(run: Run) -> bool:
    return run.tool_choice != "none" and any(isinstance(tool, FileSearchTool) for tool in run.tools)


def _wants_json(run: Run) -> bool:
    form = run.response_format
    return form is not None and not isinstance(form, str) and form.type != "text"


def reply(run: Run, by_policy: PolicyTurn, *, turns: int, output: str | None) -> list[Delta] | None:
    """What is said or called without the model, as a turn of it would come; None where the model is next.

    turns: how many the run has had. output: of the run's last function call.
    """
    decision = by_policy.decision
    if decision.act in ("talk", "search"):
        return None
    if decision.act != "call":
        return _saying(decision.text or "")
    if turns == 0:
        return _calling(decision)
    if turns > 1 or output is None or _wants_json(run):
        return None
    text = after_call(by_policy.domain, decision, by_policy.state, output)
    return None if text is None else _saying(text)


def _saying(text: str) -> list[Delta]:
    return [Delta(text=text), Delta(finish="stop", usage=FREE)]


def _calling(decision: Decision) -> list[Delta]:
    calls = [(decision.function, decision.arguments or {}), *((one.function, one.arguments) for one in decision.also)]
    deltas = tuple(
        ToolCallDelta(number, new_id("call"), function, orjson.dumps(arguments).decode())
        for number, (function, arguments) in enumerate(calls)
    )
    return [Delta(tool_calls=deltas), Delta(finish="tool_calls", usage=FREE)]


async def streamed(deltas: list[Delta]) -> AsyncGenerator[Delta, None]:
    """The deltas, one by one, as a backend gives them."""
    for delta in deltas:
        yield delta
