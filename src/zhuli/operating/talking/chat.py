"""Talk to a server in the terminal: streaming, colours, history. What is said goes through operating.conversation."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from html import escape as html
from pathlib import Path
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import NestedCompleter
from prompt_toolkit.formatted_text import HTML
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from rich.console import Console
from rich.markup import escape

from zhuli.core.errors import ZhuliError
from zhuli.operating.talking.conversation import Conversation
from zhuli.operating.talking.wrapping import Wrap

HELP = """\
/new            begin another conversation
/model [NAME]   who answers; without a name: who could
/history        what has been said
/help           this list
/quit           leave (or Ctrl-D)
Enter sends, Alt-Enter begins a new line, Ctrl-C stops an answer."""


async def chat(conversation: Conversation, *, model: str | None, thread: str | None, question: str | None) -> None:
    """Answer `question`, or what standard input has if it is not a terminal; otherwise talk until the user leaves."""
    console = Console(highlight=False)
    async with conversation:
        await conversation.begin(model, thread)
        if question is None and not sys.stdin.isatty():
            question = sys.stdin.read()
        if question is not None:
            await Answer(console, conversation).show(question)
        else:
            await Talk(console, conversation).go()


class Talk:
    """A session at a terminal."""

    def __init__(self, console: Console, conversation: Conversation) -> None:
        self._console = console
        self._conversation = conversation
        self._prompt = _prompt(conversation.models)

    async def go(self) -> None:
        """Until /quit or the end of input."""
        self._console.print(
            f"[bold]zhuli[/] · {escape(self._conversation.model)} · [dim]/help lists what you can do[/]"
        )
        while (line := await self._next_line()) is not None:
            try:
                if line.startswith("/"):
                    await self._command(*line[1:].split(maxsplit=1))
                else:
                    await Answer(self._console, self._conversation, self._output).show(line)
            except ZhuliError as error:
                self._console.print(escape(error.message), style="red")
        if self._conversation.thread is not None:
            self._console.print(
                f"To go on: zhuli chat --thread {self._conversation.thread}", style="dim", soft_wrap=True
            )

    async def _next_line(self) -> str | None:
        """What the user says; None when the user leaves. Ctrl-C at the prompt clears what was typed, as shells do."""
        while True:
            try:
                line = (
                    await self._prompt.prompt_async(HTML("<ansigreen><b>› </b></ansigreen>"), bottom_toolbar=self._bar)
                ).strip()
            except KeyboardInterrupt:
                continue
            except EOFError:
                return None
            if line in ("/quit", "/exit"):
                return None
            if line:
                return line

    async def _output(self) -> str:
        """What a function gives: JSON, or words; nothing is an empty object."""
        try:
            said = await self._prompt.prompt_async(HTML("<ansiyellow>its output › </ansiyellow>"))
        except (KeyboardInterrupt, EOFError):
            return "{}"
        return said.strip() or "{}"

    def _bar(self) -> HTML:
        return HTML(f" {html(self._conversation.model)} · Alt-Enter: new line · Ctrl-C: stop · /help")

    async def _command(self, name: str = "", argument: str | None = None) -> None:
        match name:
            case "new":
                self._conversation.begin_anew()
                self._console.print("A new conversation.", style="dim")
            case "model" if argument is None:
                self._console.print(", ".join(self._conversation.models), style="dim")
            case "model" if argument:
                self._conversation.model = argument
                self._console.print(f"{argument} answers from now on.", style="dim", markup=False)
            case "history":
                await self._history()
            case "help":
                self._console.print(HELP, style="dim", markup=False)
            case _:
                self._console.print(
                    f"There is no command /{name}. /help lists those there are.", style="red", markup=False
                )

    async def _history(self) -> None:
        for role, text in await self._conversation.messages():
            self._console.print("› " if role == "user" else "", style="bold green", end="")
            self._console.print(text, style="green" if role == "user" else None, markup=False)


class Answer:
    """One question and what comes back. output: asks the user for what a function gives."""

    def __init__(
        self, console: Console, conversation: Conversation, output: Callable[[], Awaitable[str]] | None = None
    ) -> None:
        self._output = output
        self._console = console
        self._conversation = conversation
        self._wrap = Wrap(console.width) if console.is_terminal else None
        self._stopping: asyncio.Task[None] | None = None

    async def show(self, question: str) -> None:
        """Print the answer as it comes. The first Ctrl-C asks the server to stop, the second does not wait for it."""
        streaming = asyncio.create_task(self._answer(question))
        with self._on_interrupt(streaming):
            try:
                await streaming
            except asyncio.CancelledError:
                if not self._stopping:
                    raise
        if self._stopping is not None:
            await self._stopping
            self._console.print("Stopped.", style="dim")
        elif self._console.is_terminal and (usage := self._conversation.usage):
            said = f"{usage['prompt_tokens']} + {usage['completion_tokens']} tokens"
            self._console.print(f"{self._conversation.model} · {said}", style="dim", markup=False)

    async def _answer(self, question: str) -> None:
        await self._stream(self._conversation.ask(question))
        while self._conversation.calls:
            outputs = await self._outputs()
            if outputs is None:
                await self._conversation.cancel()
                break
            await self._stream(self._conversation.answer_calls(outputs))
        await self._show_understood()

    async def _stream(self, pieces: AsyncGenerator[str, None]) -> None:
        waiting = self._console.status("", spinner="dots")
        waiting.start()
        try:
            async with aclosing(pieces) as answer:
                async for piece in answer:
                    waiting.stop()
                    self._write(self._wrap.feed(piece) if self._wrap else piece)
        finally:
            waiting.stop()
            self._write("\n")

    async def _outputs(self) -> list[str] | None:
        """What the functions give that the run waits for, as the user says it; None where there is nobody to ask."""
        outputs: list[str] = []
        for call in self._conversation.calls:
            self._console.print(f"calls {call.name}({call.arguments})", style="yellow", markup=False)
            if self._output is not None:
                outputs.append(await self._output())
        return outputs if self._output is not None else None

    async def _show_understood(self) -> None:
        """A line with what was understood and decided."""
        if (understood := await self._conversation.understood()) is None:
            return
        self._console.print(in_a_line(understood), style="dim", markup=False, soft_wrap=True)

    def _write(self, text: str) -> None:
        """Past rich, which would wrap each piece for itself."""
        self._console.file.write(text)
        self._console.file.flush()

    @contextmanager
    def _on_interrupt(self, streaming: asyncio.Task[None]) -> Iterator[None]:
        loop = asyncio.get_running_loop()

        def stop() -> None:
            if self._stopping is None:
                self._stopping = loop.create_task(self._conversation.cancel())
            else:
                streaming.cancel()

        loop.add_signal_handler(signal.SIGINT, stop)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)


def in_a_line(understood: dict[str, Any]) -> str:
    """An understanding: intents with their confidence, slots that were set, and what was decided."""
    intents = understood["intents"] or ([understood["intent"]] if understood["intent"] else [])
    named = ", ".join(f"{one['name']} {one['confidence']:.2f}" for one in intents) or "nothing understood"
    slots = ", ".join(f"{name}: {value}" for name, value in understood["slots"].items())
    decision = understood.get("decision") or {}
    decided = " ".join(str(decision[key]) for key in ("act", "slot", "function") if decision.get(key))
    return " · ".join(part for part in (named, slots, decided, understood["id"]) if part)


def _prompt(models: list[str]) -> PromptSession[str]:
    history = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "zhuli" / "chat_history"
    history.parent.mkdir(parents=True, exist_ok=True)
    commands = {"/new": None, "/model": dict.fromkeys(models), "/history": None, "/help": None, "/quit": None}
    return PromptSession(
        history=FileHistory(str(history)),
        auto_suggest=AutoSuggestFromHistory(),
        completer=NestedCompleter.from_nested_dict(commands),
        multiline=True,
        key_bindings=_keys(),
        reserve_space_for_menu=4,
    )


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _send(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys
