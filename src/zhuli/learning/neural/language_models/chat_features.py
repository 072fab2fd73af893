"""Conversations as tokens, by the chat template of a model's tokenizer: prompts to answer, and rows to learn from.

What the assistant says is found by rendering the conversation up to there, without and with the message, so that any
template will do. Knows nothing of how a conversation is checked (neural.conversations) or learned (neural.language_model).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2.exceptions import TemplateError

from zhuli.types.learning.example import BadExample

IGNORED = -100
"""The label of a token that is not learned: what PyTorch's cross entropy leaves out."""

PLAIN_TEMPLATE = (
    "{% for message in messages %}### {{ message['role'] | capitalize }}:\n{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}\n\n{% endfor %}"
    "{% if add_generation_prompt %}### Assistant:\n{% endif %}"
)
"""For models that were never taught to chat, which have no template of their own."""

_PROBE = [{"role": "user", "content": "?"}]
_PROBE_TOOL = {"type": "function", "function": {"name": "probe", "description": "", "parameters": {"type": "object"}}}

Messages = Sequence[dict[str, Any]]
Tools = Sequence[dict[str, Any]]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Row:
    """labels: of each token itself or IGNORED, not shifted. cut: whether something of the conversation was left out."""

    input_ids: list[int]
    labels: list[int]
    cut: bool = False


class Chats:
    """A tokenizer that chats. max_length: tokens of a row or prompt; longer conversations lose their oldest turns."""

    def __init__(self, tokenizer: Any, *, max_length: int) -> None:
        self.tokenizer = tokenizer
        self.max_length = max_length
        if not tokenizer.chat_template:
            tokenizer.chat_template = PLAIN_TEMPLATE
        self._special = frozenset(tokenizer.all_special_ids) | frozenset(tokenizer.added_tokens_decoder)
        self.knows_tools = self._rendered(_PROBE, [_PROBE_TOOL]) != self._rendered(_PROBE)
        """Whether the template says anything of tools; otherwise they must be told in a message."""

    def stops(self) -> list[int]:
        """The tokens that end an answer: the tokenizer's end of text, and what the template puts behind an answer."""
        answered = [*_PROBE, {"role": "assistant", "content": "!"}]
        last = next(token for token in reversed(self.rows(answered, [1])[0].labels) if token != IGNORED)
        ends = {self.tokenizer.eos_token_id} | ({last} if last in self._special else set())
        return sorted(ends - {None})

    def prompt(self, messages: Messages, tools: Tools = (), *, most: int | None = None) -> list[int]:
        """Everything up to where the assistant speaks, at most `most` tokens (None: max_length)."""
        most = most or self.max_length
        while True:
            tokens = self._tokens(self._rendered(messages, tools, prompt=True))
            shorter = without_oldest_turn(messages)
            if len(tokens) <= most or shorter is None:
                return tokens[-most:]
            messages = shorter

    def rows(self, messages: Messages, learn: Sequence[int], tools: Tools = ()) -> list[Row]:
        """One row that learns the messages of these numbers; one for each where the template forgets what was said before.

        None where all of them had to be dropped.
        """
        given = messages
        while True:
            rows = self._rows(messages, learn, tools)
            shorter = without_oldest_turn(messages)
            if shorter is None or all(len(row.input_ids) <= self.max_length for row in rows):
                return [_cut(row, self.max_length, already=messages is not given) for row in rows]
            dropped = len(messages) - len(shorter)
            # What the model is told at the beginning stays, so the numbers of later messages move down.
            kept = [number - dropped for number in learn if messages[number] is shorter[number - dropped]]
            messages, learn = shorter, kept

    def _rows(self, messages: Messages, learn: Sequence[int], tools: Tools) -> list[Row]:
        whole = self._rendered(messages, tools)
        spans: list[Span] = []
        apart: list[Row] = []
        for number in learn:
            before = self._rendered(messages[:number], tools, prompt=True)
            after = self._rendered(messages[: number + 1], tools)
            span = (_agreement(before, after), len(after))
            if whole.startswith(after):
                spans.append(span)
            else:
                apart.append(self._row(after, [span]))
        return [*apart, *([self._row(whole, spans)] if spans else [])]

    def _row(self, text: str, spans: Sequence[Span]) -> Row:
        """Tokens that end within a span are learned, up to the special token that ends the answer."""
        read = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        tokens: list[int] = read["input_ids"]
        labels = [IGNORED] * len(tokens)
        for begin, end in spans:
            inside = [at for at, (_, stop) in enumerate(read["offset_mapping"]) if begin < stop <= end]
            ends = [at for at in inside if tokens[at] in self._special]
            for at in inside:
                labels[at] = tokens[at] if not ends or at <= ends[-1] else IGNORED
        return Row(tokens, labels)

    def _tokens(self, text: str) -> list[int]:
        tokens: list[int] = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return tokens

    def _rendered(self, messages: Messages, tools: Tools = (), *, prompt: bool = False) -> str:
        given = [_for_template(message) for message in messages]
        try:
            text: str = self.tokenizer.apply_chat_template(
                given, tools=list(tools) or None, tokenize=False, add_generation_prompt=prompt
            )
        except TemplateError as error:
            raise BadExample(f"The base's chat template refuses this conversation: {error}") from error
        return text


def without_oldest_turn(messages: Messages) -> Messages | None:
    """A turn is what follows a user's message up to the next; None when only one is left. System messages in front stay."""
    told = next((at for at, message in enumerate(messages) if message["role"] != "system"), len(messages))
    asked = [at for at, message in enumerate(messages) if message["role"] == "user" and at > told]
    return [*messages[:told], *messages[asked[0] :]] if asked else None


def _agreement(first: str, second: str) -> int:
    """How many letters both begin with."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(first), len(second)))


def _cut(row: Row, most: int, *, already: bool) -> Row:
    return Row(row.input_ids[-most:], row.labels[-most:], already or len(row.input_ids) > most)


def _for_template(message: dict[str, Any]) -> dict[str, Any]:
    """As Hugging Face's templates want it: arguments of calls as objects, no weights."""
    given = {key: value for key, value in message.items() if key != "weight"}
    if calls := message.get("tool_calls"):
        given["tool_calls"] = [
            {**call, "function": {**call["function"], "arguments": json.loads(call["function"]["arguments"])}}
            for call in calls
        ]
    return given
