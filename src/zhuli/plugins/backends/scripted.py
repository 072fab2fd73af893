"""A backend that answers from a script file: for tests of zhuli, and of apps that are built on it.

The first rule whose `when` holds for a prompt gives the reply: pieces, with delays, tool calls and faults where
the script has them; docs/models.md describes the format. It has no model and understands nothing but the script.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from zhuli.core.errors import BackendError, ConfigurationError
from zhuli.core.ids import new_id
from zhuli.core.tokens import estimate
from zhuli.types.models.generation import Ability, ChatMessage, Delta, Finish, GenerationRequest, ToolCallDelta, Usage

SETTINGS = ("script", "record", "context_window", "abilities")

Piece = dict[str, Any]


class Plugin:
    """Settings: `script` (a JSON file, or the script itself), `record` (a file that every request is appended to)."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        if unknown := sorted(settings.keys() - set(SETTINGS)):
            raise ConfigurationError(f"Model '{name}': unknown setting '{unknown[0]}'. Known: {', '.join(SETTINGS)}.")
        if "script" not in settings:
            raise ConfigurationError(f"Model '{name}': the setting 'script' is missing. A JSON file with rules.")
        self.context_window: int = settings.get("context_window", 32_768)
        self.abilities = frozenset[Ability](settings.get("abilities", ()))
        self._script = read_script(settings["script"])
        self._record = Path(settings["record"]) if "record" in settings else None
        self._matches: Counter[tuple[int, bytes]] = Counter()

    async def start(self) -> None:
        """Nothing to load."""

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Delta, None]:
        if self._record:
            _append(self._record, request)
        reply = _Reply(request)
        for piece in self._choose(request):
            for _ in range(piece.get("repeat", 1)):
                if delay := piece.get("delay"):
                    await asyncio.sleep(delay)
                if "fault" in piece:
                    await _fail(piece["fault"])
                for delta in reply.play(piece):
                    yield delta
                if reply.full:
                    break
        yield reply.last()

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [estimate(text) for text in texts]

    async def aclose(self) -> None:
        """Nothing to free."""

    def _choose(self, request: GenerationRequest) -> Sequence[Piece]:
        for number, rule in enumerate(self._script.rules):
            if rule.matches(request) and self._is_its_turn(number, rule, request):
                return rule.reply
        if self._script.default is None:
            raise BackendError("No rule of the script matches this prompt, and the script has no default.")
        return self._script.default

    def _is_its_turn(self, number: int, rule: "Rule", request: GenerationRequest) -> bool:
        if rule.attempt is None:
            return True
        prompt = (number, orjson.dumps(request.messages))
        self._matches[prompt] += 1
        return self._matches[prompt] == rule.attempt


class _Reply:
    """One answer while it is played: what has been said, and whether it may go on."""

    def __init__(self, request: GenerationRequest) -> None:
        self.full = False
        """Whether max_tokens words have been said."""
        self._request = request
        self._words_left = request.max_tokens
        self._said: list[str] = []
        self._calls = 0
        self._finish: Finish | None = None
        self._usage: Usage | None = None

    def play(self, piece: Piece) -> list[Delta]:
        if self.full:
            return []
        if "text" in piece:
            return self._text(piece["text"])
        if "tool_call" in piece:
            return self._tool_call(piece["tool_call"])
        if "usage" in piece:
            self._usage = Usage(**piece["usage"])
        self._finish = piece.get("finish", self._finish)
        self._said += [piece[kind] for kind in ("reasoning", "refusal") if kind in piece]
        if "reasoning" in piece:
            return [Delta(reasoning=piece["reasoning"])]
        return [Delta(refusal=piece["refusal"])] if "refusal" in piece else []

    def last(self) -> Delta:
        finish: Finish = "length" if self.full else self._finish or ("tool_calls" if self._calls else "stop")
        prompt = sum(estimate(text_of(message)) for message in self._request.messages)
        counted = Usage(prompt=prompt, completion=estimate("".join(self._said)))
        return Delta(finish=finish, usage=self._usage or counted)

    def _text(self, text: str) -> list[Delta]:
        messages = self._request.messages
        if "{" in text:
            text = text.replace("{n}", str(len(messages))).replace("{last}", text_of(messages[-1]) if messages else "")
        if self._words_left is not None:
            text = self._bounded(text, self._words_left)
            self._words_left -= len(text.split())
        self._said.append(text)
        return [Delta(text=text, logprobs=self._logprobs(text))] if text else []

    def _logprobs(self, text: str) -> tuple[dict[str, Any], ...]:
        """Every piece is a token, as likely as any other."""
        if not self._request.extra.get("logprobs"):
            return ()
        token = {"token": text, "logprob": -0.5, "bytes": list(text.encode())}
        tops = [token] if self._request.extra.get("top_logprobs") else []
        return ({**token, "top_logprobs": tops},)

    def _bounded(self, text: str, most: int) -> str:
        words = list(re.finditer(r"\S+", text))
        if len(words) <= most:
            return text
        self.full = True
        return text[: words[most - 1].end()] if most else ""

    def _tool_call(self, call: dict[str, Any]) -> list[Delta]:
        custom = "input" in call
        arguments = call["input"] if custom else call.get("arguments", {})
        if not isinstance(arguments, str):
            arguments = orjson.dumps(arguments).decode()
        self._said.append(arguments)
        index, self._calls = self._calls, self._calls + 1
        first, *more = _fragments(arguments, call.get("pieces", 1))
        id_ = call.get("id") or new_id("call")
        begin = ToolCallDelta(index, id=id_, name=call["name"], arguments=first, custom=custom)
        rest = (ToolCallDelta(index, arguments=piece, custom=custom) for piece in more)
        return [Delta(tool_calls=(piece,)) for piece in (begin, *rest)]


@dataclass(frozen=True, slots=True)
class Rule:
    """A reply and what a prompt must be like to get it; None means that it does not matter."""

    reply: Sequence[Piece]
    last: re.Pattern[str] | None = None
    role: str | None = None
    any: re.Pattern[str] | None = None
    tools: bool | None = None
    choice: str | None = None
    attempt: int | None = None

    def matches(self, request: GenerationRequest) -> bool:
        """Whether all conditions hold, but for `attempt`, which needs a memory."""
        last: ChatMessage = request.messages[-1] if request.messages else {}
        return (
            (self.tools is None or self.tools == bool(request.tools))
            and (self.choice is None or self.choice == request.tool_choice)
            and (self.role is None or self.role == last.get("role"))
            and (self.last is None or self.last.search(text_of(last)) is not None)
            and (self.any is None or any(self.any.search(text_of(message)) for message in request.messages))
        )


@dataclass(frozen=True, slots=True)
class Script:
    rules: Sequence[Rule]
    default: Sequence[Piece] | None


def read_script(source: str | Path | dict[str, Any]) -> Script:
    """The script in a file, or in `source` itself; ConfigurationError names the place of a mistake."""
    place = "script" if isinstance(source, dict) else Path(source).name
    script = source if isinstance(source, dict) else _load(Path(source))
    _expect(isinstance(script, dict), place, 'must be an object like {"rules": […], "default": […]}')
    _expect_keys(script, {"rules", "default"}, place)
    rules = script.get("rules", [])
    _expect(isinstance(rules, list), f"{place}: rules", "must be a list")
    default = script.get("default")
    return Script(
        [_rule(rule, f"{place}: rules[{number}]") for number, rule in enumerate(rules)],
        None if default is None else _pieces(default, f"{place}: default"),
    )


def text_of(message: ChatMessage) -> str:
    """The text of a message, its parts joined."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or "" for part in content if part.get("type") == "text")


def _load(path: Path) -> Any:
    try:
        return orjson.loads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"The script {path} can't be read: {error.strerror}.") from error
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"The script {path} is not JSON: {error}.") from error


def _rule(rule: Any, place: str) -> Rule:
    _expect(isinstance(rule, dict) and "reply" in rule, place, 'must be an object like {"when": {…}, "reply": […]}')
    _expect_keys(rule, {"when", "reply"}, place)
    when = rule.get("when", {})
    _expect(isinstance(when, dict), f"{place}.when", "must be an object")
    _expect_keys(when, {"last", "role", "any", "tools", "choice", "attempt"}, f"{place}.when")
    _expect(when.get("role") in {None, "user", "tool", "assistant", "system"}, f"{place}.when.role", "is no role")
    _expect(isinstance(when.get("tools", True), bool), f"{place}.when.tools", "must be true or false")
    _expect(when.get("choice") in {None, "none", "auto", "required"}, f"{place}.when.choice", "is no tool choice")
    _expect(_counts(when.get("attempt", 1)), f"{place}.when.attempt", "must be a number from 1")
    patterns = {key: _pattern(when[key], f"{place}.when.{key}") for key in ("last", "any") if key in when}
    return Rule(_pieces(rule["reply"], f"{place}.reply"), **{**when, **patterns})


def _pattern(pattern: Any, place: str) -> re.Pattern[str]:
    _expect(isinstance(pattern, str), place, "must be a regular expression")
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ConfigurationError(f"{place} is no regular expression: {error}.") from error


def _pieces(pieces: Any, place: str) -> list[Piece]:
    _expect(isinstance(pieces, list), place, "must be a list of pieces")
    for number, piece in enumerate(pieces):
        _check_piece(piece, f"{place}[{number}]")
    return list(pieces)


def _check_piece(piece: Any, place: str) -> None:
    _expect(isinstance(piece, dict), place, 'must be a piece like {"text": "…"}')
    _expect_keys(piece, {*_CHECKS, "delay", "repeat"}, place)
    kinds = [kind for kind in piece if kind in _CHECKS]
    _expect(len(kinds) == 1 or (not kinds and "delay" in piece), place, f"must have one of {', '.join(_CHECKS)}")
    delay = piece.get("delay", 0)
    _expect(isinstance(delay, int | float) and delay >= 0, f"{place}.delay", "must be seconds")
    _expect("repeat" not in piece or "text" in piece, f"{place}.repeat", "goes with text only")
    _expect(_counts(piece.get("repeat", 1)), f"{place}.repeat", "must be a number from 1")
    for kind in kinds:
        is_right, expected = _CHECKS[kind]
        _expect(is_right(piece[kind]), f"{place}.{kind}", expected)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_tool_call(call: Any) -> bool:
    return (
        isinstance(call, dict)
        and call.keys() <= {"id", "name", "arguments", "input", "pieces"}
        and isinstance(call.get("name"), str)
        and isinstance(call.get("arguments", {}), dict | str)
        and isinstance(call.get("input", ""), str)
        and _counts(call.get("pieces", 1))
    )


def _is_usage(usage: Any) -> bool:
    known = {"prompt", "completion", "cached", "reasoning"}
    return (
        isinstance(usage, dict)
        and {"prompt", "completion"} <= usage.keys() <= known
        and all(map(_is_count, usage.values()))
    )


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _counts(value: Any) -> bool:
    return _is_count(value) and value >= 1


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "text": (_is_text, "must be text"),
    "reasoning": (_is_text, "must be text"),
    "refusal": (_is_text, "must be text"),
    "tool_call": (
        _is_tool_call,
        'must be like {"name": "f", "arguments": {…}}, with "id" and "pieces" (from 1) if wanted',
    ),
    "fault": (
        lambda fault: fault == "stall" or fault in _FAULTS,
        "must be one of refuse, rate_limit, server_error, stall, cut, bug",
    ),
    "usage": (_is_usage, 'must be like {"prompt": 1, "completion": 2}'),
    "finish": (lambda finish: finish in {"stop", "length", "tool_calls", "content_filter"}, "is no finish reason"),
}
"""The kinds of pieces: what each must look like."""


def _expect(condition: bool, place: str, expected: str) -> None:
    if not condition:
        raise ConfigurationError(f"{place} {expected}.")


def _expect_keys(value: dict[str, Any], known: set[str], place: str) -> None:
    if unknown := sorted(value.keys() - known):
        raise ConfigurationError(f"{place}: unknown key '{unknown[0]}'. Known: {', '.join(sorted(known))}.")


async def _fail(fault: str) -> None:
    if fault == "stall":
        await asyncio.Event().wait()
    raise _FAULTS[fault]()


_FAULTS: dict[str, Callable[[], Exception]] = {
    "refuse": lambda: BackendError("The scripted model refuses the connection."),
    "rate_limit": lambda: BackendError("The scripted model has no capacity left.", run_code="rate_limit_exceeded"),
    "server_error": lambda: BackendError("The scripted model answered 500."),
    "cut": lambda: BackendError("The scripted model cut the stream before its answer was complete."),
    "bug": lambda: RuntimeError("A bug in the scripted model."),
}


def _fragments(text: str, count: int) -> list[str]:
    """`text` in `count` pieces of about the same length; fewer if it is short."""
    size = max(1, -(-len(text) // count))
    return [text[start : start + size] for start in range(0, len(text), size)] or [""]


def _append(path: Path, request: GenerationRequest) -> None:
    # Written before the answer, so that a test finds it however the answer ends.
    with path.open("ab") as file:
        file.write(orjson.dumps(request) + b"\n")
