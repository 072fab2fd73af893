"""A stored conversation as items: each answer of the assistant with all that was said before it. Pure."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Literal

Turn = dict[str, str]
"""{"role": user|assistant, "content"}, with "id" where it is stored"""


def lines(
    thread_id: str, said: Sequence[Turn], *, turns: Literal["all", "last"], replayed: bool
) -> list[dict[str, Any]]:
    """{"item": {"thread_id", "message_id", "turn", "input", "reference"}, "sample"} of each answer, or of the last.

    message_id: of the stored answer, which is the sample. turn: of the answers, from 0. replayed: the input has only what the
    user said, for the assistant is to answer all of it.
    """
    found = list(_answers(said))
    chosen = found if turns == "all" else found[-1:]
    return [
        {
            "item": {
                "thread_id": thread_id,
                "message_id": message_id,
                "turn": number,
                "input": [each for each in before if not replayed or each["role"] == "user"],
                "reference": answer,
            },
            "sample": {
                "model": "",
                "output_text": answer,
                "turns": [*before, {"role": "assistant", "content": answer}],
            },
        }
        for number, before, answer, message_id in chosen
    ]


def _answers(said: Sequence[Turn]) -> Iterator[tuple[int, list[Turn], str, str | None]]:
    """(number, what was said before, the answer, its last message's id); an assistant's messages in a row are one answer."""
    before: list[Turn] = []
    number = 0
    for role, together in groupby(said, key=lambda turn: turn["role"]):
        turns = list(together)
        if role == "assistant" and any(turn["role"] == "user" for turn in before):
            yield number, list(before), "\n".join(turn["content"] for turn in turns), turns[-1].get("id")
            number += 1
        before += [{"role": turn["role"], "content": turn["content"]} for turn in turns]
