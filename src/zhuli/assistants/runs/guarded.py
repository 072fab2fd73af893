"""What a run's guards let through: a user's message before a model reads it, an answer sentence by sentence before it is shown.

What an answer says is held back until its sentence has ended and is judged, so nobody sees what is blocked. Who judges is given
by the composition root. Calls of tools are not judged.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from zhuli.assistants.runs.citations.sentences import CLOSERS, HARD, stops
from zhuli.assistants.runs.history import Item, text_of
from zhuli.types.models.generation import ChatMessage, Delta, GenerationRequest, Usage
from zhuli.types.safety.guard import GuardDecision, GuardRules, Guards, Verdict, Where

LONGEST: Final = 600
"""Characters that are held back at most: then a text without sentences is judged as far as it has come."""

Noted = Callable[[GuardDecision], Awaitable[object]]


class Judge(Protocol):
    """safety.guarding.Guarding, as app gives it."""

    async def judge(self, project: str, text: str, rules: GuardRules, guards: Guards, *, before: str = "") -> Verdict:
        """What to do with the text. before: what stood just before it, and was let through."""

    def mask(self, text: str) -> str:
        """The text without personal data."""


@dataclass(frozen=True, slots=True)
class RunGuards:
    """Of one run. note: records a decision, before what follows from it. now: Unix seconds."""

    guards: Guards
    project: str
    judge: Judge
    note: Noted
    now: Callable[[], float]

    async def of_input(self, items: Sequence[Item]) -> list[Delta] | None:
        """What is answered in place of the model to what the user has written since the last answer; None where it may."""
        rules, text = self.guards.input, newest_words(items)
        if rules is None or not text.strip():
            return None
        verdict = await self.judge.judge(self.project, text, rules, self.guards)
        await self._note("input", verdict)
        return [*_instead(verdict), Delta(finish="stop", usage=Usage(0, 0))] if verdict.stops else None

    def masked(self, request: GenerationRequest) -> GenerationRequest:
        """The request without personal data in users' messages, where the guard of the input masks."""
        if self.guards.input is None or self.guards.input.personal_data != "mask":
            return request
        return replace(request, messages=[self._without_data(message) for message in request.messages])

    async def of_output(self, speaking: AsyncGenerator[Delta, None]) -> AsyncGenerator[Delta, None]:
        """The answer as it may be shown: each sentence after it was judged; nothing of the model's behind one that may not."""
        rules = self.guards.output
        held = before = ""
        async with aclosing(speaking) as deltas:
            async for delta in deltas:
                held += delta.text
                ends = delta.finish is not None or bool(delta.tool_calls)
                while rules is not None and held and (cut := ready(held) or (len(held) if ends else 0)):
                    verdict = await self.judge.judge(self.project, held[:cut], rules, self.guards, before=before)
                    await self._note("output", verdict)
                    if verdict.stops:
                        for instead in _instead(verdict, shown=bool(before)):
                            yield instead
                        yield Delta(finish="stop")
                        return
                    yield Delta(text=verdict.text)
                    before, held = held[:cut], held[cut:]
                if rest := _without_text(delta):
                    yield rest

    def _without_data(self, message: ChatMessage) -> ChatMessage:
        content: Any = message.get("content")
        if message["role"] != "user" or content is None:
            return message
        if isinstance(content, str):
            return {**message, "content": self.judge.mask(content)}
        return {
            **message,
            "content": [
                {**part, "text": self.judge.mask(part["text"])} if part.get("type") == "text" else part
                for part in content
            ],
        }

    async def _note(self, where: Where, verdict: Verdict) -> None:
        if verdict.action is not None:
            await self.note(
                GuardDecision(
                    where=where,
                    action=verdict.action,
                    categories=verdict.categories,
                    personal_data=list(verdict.personal_data),
                    at=int(self.now()),
                )
            )


def newest_words(items: Sequence[Item]) -> str:
    """What users have written behind the last answer, or call."""
    waiting: list[ChatMessage] = []
    for item in reversed(items):
        if not item.is_message or item.messages[-1]["role"] != "user":
            break
        waiting = [*item.messages, *waiting]
    return text_of(waiting)


def ready(held: str) -> int:
    """Up to where the text may be judged while more may come: behind its first sentence, if it has surely ended; 0: not yet."""
    for at in range(len(held)):
        behind = _behind(held, at + 1)
        if held[at] in HARD and (behind < len(held) or held[at] == "\n"):
            return behind
        if held[at] == "." and behind < len(held) and held[behind].isspace() and stops(held[:at].rsplit("\n", 1)[-1]):
            return behind
    if len(held) < LONGEST:
        return 0
    return held.rfind(" ") + 1 or len(held)


def _behind(held: str, at: int) -> int:
    while at < len(held) and held[at] in CLOSERS:
        at += 1
    return at


def _instead(verdict: Verdict, *, shown: bool = False) -> list[Delta]:
    """Blocked: the content of a refusal. Handed over: a text, behind what was shown."""
    if verdict.action == "block":
        return [Delta(refusal=verdict.says)]
    return [Delta(text=f"\n\n{verdict.says}" if shown else verdict.says)]


def _without_text(delta: Delta) -> Delta | None:
    rest = replace(delta, text="", logprobs=())
    return None if rest == Delta() else rest
