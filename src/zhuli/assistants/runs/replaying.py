"""A whole assistant asked about an item of an evaluation: a run on a thread of its own, which is deleted when it is read.

The thread's id comes from the key, so that an item whose worker died is not asked twice: its run is followed to its end.
Implements learning.evals.targets.AskAssistant.
"""

import hashlib
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection

from zhuli.assistants.runs.commands import RunCommands
from zhuli.assistants.runs.follow import follow
from zhuli.core.errors import BackendError, NotFound
from zhuli.core.hints import Hints
from zhuli.learning.evals.targets import Answered
from zhuli.store import collections, schema
from zhuli.store.assistants import threads
from zhuli.store.database import Database
from zhuli.store.learning import conversations
from zhuli.types.assistants.assistant import Assistant
from zhuli.types.assistants.message import Message
from zhuli.types.assistants.run import Run, RunCreate
from zhuli.types.assistants.step import RunStep
from zhuli.types.assistants.thread import ThreadCreate
from zhuli.types.learning.eval_runs import SampleUsage
from zhuli.types.page import PageParams
from zhuli.types.refusals import refusal_of

_IDLE_SECONDS = 15.0
_ALL = PageParams(limit=1000, order="asc")
_LONGEST_HISTORY = 1000


class Replaying:
    """Made once."""

    def __init__(self, database: Database, hints: Hints, commands: RunCommands) -> None:
        self._database = database
        self._hints = hints
        self._commands = commands

    async def check(self, project: str, assistant: str) -> None:
        """NotFound where the project has no such assistant."""
        await self._database.run(collections.get, schema.assistants, Assistant, project, assistant)

    async def __call__(
        self, project: str, assistant: str, key: str, messages: list[dict[str, Any]], *, each: bool = False
    ) -> Answered:
        """What the assistant answers to the last message; system messages are added to its instructions.

        each: the user's messages are said one after the other, and every one is answered. An assistant that waits for the
        outputs of its client's functions has answered by calling them. BackendError where a run ends in any other way.
        """
        thread, body, later = _bodies(assistant, key, messages, each=each)
        thread_id = _thread(project, key)
        run = await self._commands.create_once(project, thread_id, thread, body)
        answers = [await self._answer(project, run, assistant)]
        begun = await self._database.run(_number_of_runs, project, thread_id)
        for number, more in enumerate(later, 2):
            if answers[-1].finish_reason == "tool_calls":
                break
            # After a crash some of these runs are there already, and the newest was followed above.
            if number > begun:
                run = await self._commands.create(project, thread_id, more)
                answers.append(await self._answer(project, run, assistant))
        turns = await self._database.run(_turns, project, thread_id)
        await self.forget(project, key)
        return _together(answers, messages, turns if each else [])

    async def _answer(self, project: str, run: Run, assistant: str) -> Answered:
        async for _ in follow(self._database, self._hints, run.id, after=0, idle=_IDLE_SECONDS):
            pass
        run, said, steps = await self._database.run(_read, project, run.id)
        if run.status not in ("completed", "incomplete", "requires_action"):
            await self._database.run(threads.delete_thread, project, run.thread_id)
            why = run.last_error.message if run.last_error is not None else f"its run is {run.status}"
            raise BackendError(f"The assistant {assistant} did not answer: {why}")
        return _answered(run, said, steps)

    async def forget(self, project: str, key: str) -> None:
        """Delete the thread, and its run with it."""
        with suppress(NotFound):
            await self._database.run(threads.delete_thread, project, _thread(project, key))


def _thread(project: str, key: str) -> str:
    return f"thread_{hashlib.sha256(f'{project}/{key}'.encode()).hexdigest()[:24]}"


def _bodies(
    assistant: str, key: str, messages: list[dict[str, Any]], *, each: bool
) -> tuple[ThreadCreate, RunCreate, list[RunCreate]]:
    """The thread, its first run, and the runs that follow; InvalidRequest where a message is none that a thread takes."""
    told = [str(one.get("content") or "") for one in messages if one["role"] in ("system", "developer")]
    said = [
        {"role": one["role"], "content": one.get("content") or ""}
        for one in messages
        if one["role"] in ("user", "assistant")
    ][-_LONGEST_HISTORY:]
    first, later = (said[:1], said[1:]) if each else (said, [])
    thread = {"messages": first, "metadata": {conversations.EVAL_MARK: key.partition("/")[0]}}
    run: dict[str, Any] = {"assistant_id": assistant, "additional_instructions": "\n".join(told) or None}
    try:
        runs = [RunCreate.model_validate({**run, "additional_messages": [one]}) for one in later]
        return ThreadCreate.model_validate(thread), RunCreate.model_validate(run), runs
    except ValidationError as error:
        raise refusal_of(error, "input_messages") from None


def _number_of_runs(connection: Connection, project: str, thread_id: str) -> int:
    return len(collections.page(connection, schema.runs, Run, project, _ALL, {"thread_id": thread_id}).data)


def _turns(connection: Connection, project: str, thread_id: str) -> list[dict[str, Any]]:
    return [dict(turn) for turn in conversations.turns(connection, project, thread_id)]


def _together(answers: list[Answered], asked: list[dict[str, Any]], turns: list[dict[str, Any]]) -> Answered:
    """The last answer with the usage of all."""
    usages = [answer.usage for answer in answers]
    usage = SampleUsage(
        prompt_tokens=sum(each.prompt_tokens for each in usages),
        completion_tokens=sum(each.completion_tokens for each in usages),
        total_tokens=sum(each.total_tokens for each in usages),
    )
    return replace(answers[-1], input=asked, usage=usage, turns=turns)


def _read(connection: Connection, project: str, run_id: str) -> tuple[Run, list[Message], list[RunStep]]:
    of_run = {"run_id": run_id}
    run = collections.get(connection, schema.runs, Run, project, run_id)
    messages = collections.page(connection, schema.messages, Message, project, _ALL, of_run)
    steps = collections.page(connection, schema.run_steps, RunStep, project, _ALL, of_run)
    return run, messages.data, steps.data


def _answered(run: Run, said: list[Message], steps: list[RunStep]) -> Answered:
    texts = [
        block["text"]["value"]
        for message in said
        for block in message.model_dump(mode="json")["content"]
        if block["type"] == "text"
    ]
    calls = [call for step in steps for call in step.model_dump(mode="json")["step_details"].get("tool_calls", ())]
    usage = run.usage
    finish = {"completed": "stop", "incomplete": "length"}.get(run.status, "tool_calls")
    return Answered(
        input=[],
        text="\n".join(texts),
        model=run.model,
        usage=SampleUsage(
            prompt_tokens=usage.prompt_tokens if usage else 0,
            completion_tokens=usage.completion_tokens if usage else 0,
            total_tokens=usage.total_tokens if usage else 0,
        ),
        finish_reason=finish,
        tool_calls=calls,
    )
