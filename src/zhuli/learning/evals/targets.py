"""Who is asked about an item: a chat model, a tuned model of a task, or a whole assistant. Each gives an Answered."""

from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from zhuli.learning.evals import templates
from zhuli.learning.evals.templates import ASSISTANT, Names, TemplateError
from zhuli.learning.predicting.answering import Answering
from zhuli.models.catalog import Catalog, Entry
from zhuli.models.engines.completion import Answer
from zhuli.store.database import Database
from zhuli.types.learning.eval_runs import SampleUsage
from zhuli.types.learning.eval_sources import CompletionsSource, EvalSampling, ItemReference, StoredThreads
from zhuli.types.learning.prediction import PredictionCreate
from zhuli.types.models.generation import GenerationRequest, Usage


@dataclass(frozen=True, slots=True)
class Answered:
    """What was asked and said. output: of any shape, for grading; text: the same as a text. model: who is counted.

    turns: the conversation as {"role", "content"}, where there was one.
    """

    input: list[dict[str, Any]]
    text: str
    model: str
    usage: SampleUsage
    finish_reason: str = "stop"
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    output: Any = None
    turns: list[dict[str, Any]] = field(default_factory=list)


class AskAssistant(Protocol):
    """A whole assistant asked once on a thread of its own; what is asked twice under one key is asked once."""

    async def __call__(
        self, project: str, assistant: str, key: str, messages: list[dict[str, Any]], *, each: bool = False
    ) -> Answered:
        """each: the user's messages are said one after the other, and every one is answered; else only the last is."""

    async def check(self, project: str, assistant: str) -> None:
        """NotFound where the project has no such assistant."""

    async def forget(self, project: str, key: str) -> None:
        """Delete what is left of what was asked under the key; nothing is no error."""


@dataclass(slots=True)
class Targets:
    """Made once. assistants: given by the root when the wing of assistants is built; None before."""

    database: Database
    catalog: Catalog
    predictions: Answering
    assistants: AskAssistant | None = None

    async def check(self, project: str, model: str) -> None:
        """NotFound or InvalidRequest where nobody of this name can be asked."""
        if model.startswith(ASSISTANT):
            assert self.assistants is not None
            await self.assistants.check(project, model)
        elif not await self._predicts(project, model):
            await self.entry(project, model)

    async def entry(self, project: str, model: str) -> Entry:
        """The chat model of this name."""
        entry = self.catalog.resolve(model, project) or await self.database.run(
            self.catalog.resolve_now, model, project
        )
        if entry is None:
            raise self.catalog.not_found(model, project)
        return entry

    async def _predicts(self, project: str, model: str) -> bool:
        """Whether it is a tuned model that answers predictions and no chats."""
        if self.catalog.resolve(model, project) is not None:
            return False
        found = self.catalog.tuned.model(model, project)
        if found is None:
            await self.database.run(self.catalog.tuned.read)
            found = self.catalog.tuned.model(model, project)
        return found is not None and found.task is not None and self.catalog.resolve(model, project) is None

    async def ask(self, project: str, source: CompletionsSource, key: str, names: Names) -> Answered:
        """The answer to an item. key: the same whenever this item of this run is asked. TemplateError, ZhuliError."""
        assert source.model is not None
        if await self._predicts(project, source.model):
            return await self._predict(project, source, names)
        messages = _messages(source, names)
        if source.model.startswith(ASSISTANT):
            assert self.assistants is not None
            replayed = isinstance(source.source, StoredThreads) and source.source.history == "replayed"
            return await self.assistants(project, source.model, key, messages, each=replayed)
        entry = await self.entry(project, source.model)
        return await generate(entry, source.model, _request(messages, source.sampling_params or EvalSampling()))

    async def _predict(self, project: str, source: CompletionsSource, names: Names) -> Answered:
        asked = _input(source, names)
        body = PredictionCreate(model=source.model or "", input=[asked], store=False)
        answer = await self.predictions.answer(project, body)
        output, tokens = answer.data[0].output, answer.usage.total_tokens
        return Answered(
            input=[{"role": "user", "content": templates.as_text(asked)}],
            text=_said(output),
            model=source.model or "",
            usage=SampleUsage(prompt_tokens=tokens, total_tokens=tokens),
            output=output,
        )


async def generate(entry: Entry, model: str, request: GenerationRequest) -> Answered:
    """One answer of a chat model. Raises BackendError."""
    answer = Answer()
    async with aclosing(entry.backend.generate(request)) as deltas:
        async for delta in deltas:
            answer.add(delta)
    if answer.usage is None:
        read, said = await entry.backend.count_tokens([str(request.messages), answer.text])
        answer.usage = Usage(read, said)
    choice = answer.choice(0)
    message = choice.message.model_dump(mode="json")
    used = answer.usage
    return Answered(
        input=list(request.messages),
        text=message.get("content") or message.get("refusal") or "",
        model=model,
        usage=SampleUsage(
            prompt_tokens=used.prompt,
            completion_tokens=used.completion,
            total_tokens=used.prompt + used.completion,
            cached_tokens=used.cached,
        ),
        finish_reason=choice.finish_reason,
        tool_calls=message.get("tool_calls") or [],
    )


def _request(messages: list[dict[str, Any]], sampling: EvalSampling) -> GenerationRequest:
    given = sampling.model_dump(mode="json", exclude_none=True)
    return GenerationRequest(
        messages=[{**each, "role": "system"} if each["role"] == "developer" else each for each in messages],
        tools=given.get("tools", ()),
        response_format=given.get("response_format"),
        max_tokens=sampling.max_completion_tokens,
        temperature=1.0 if sampling.temperature is None else sampling.temperature,
        top_p=1.0 if sampling.top_p is None else sampling.top_p,
        reasoning_effort=sampling.reasoning_effort,
        extra={"seed": 42 if sampling.seed is None else sampling.seed},
    )


def _messages(source: CompletionsSource, names: Names) -> list[dict[str, Any]]:
    """What a chat model or an assistant is asked; without input_messages what stored completions were asked."""
    asked = source.input_messages
    if asked is not None and not isinstance(asked, ItemReference):
        return templates.messages(asked.template, names)
    reference = "item.input" if asked is None else templates.bare(asked.item_reference)
    found = templates.look_up(reference, names)
    if isinstance(found, str):
        return [{"role": "user", "content": found}]
    if isinstance(found, list) and found and all(isinstance(each, dict) and "role" in each for each in found):
        return found
    raise TemplateError(f"'{reference}' is neither a text nor a list of messages.")


def _input(source: CompletionsSource, names: Names) -> Any:
    """What a tuned model is asked: what the reference leads to, or the text of the last message of a template."""
    asked = source.input_messages
    if isinstance(asked, ItemReference):
        return templates.look_up(templates.bare(asked.item_reference), names)
    content = _messages(source, names)[-1]["content"]
    return content if isinstance(content, str) else templates.as_text(content)


_TEXTS = ("label", "answer", "translation_text", "summary_text", "generated_text")


def _said(output: Any) -> str:
    """The best label, the answer or the text of a prediction; of several entities all of it, as JSON."""
    first = output[0] if isinstance(output, list) and output else output
    if isinstance(first, dict):
        for name in _TEXTS:
            if isinstance(first.get(name), str) and "head" not in first:
                return str(first[name])
    return orjson.dumps(output).decode()
