"""Words as a tokenizer's pieces, each piece of one word only, and the marks that a model wants around a text.

Whole texts given to a tokenizer of the SentencePiece kind come back in pieces over several Chinese characters, which nobody
could label or cut an answer from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zhuli.learning.neural.encoders.words import Span

_SPACE = "▁"
"""What SentencePiece writes for a space."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """ids: of all words' pieces in order. words: for each piece, the number of its word."""

    ids: list[int]
    words: list[int]


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands before, between and behind texts. types: token types of both texts, None for models without them."""

    before: list[int]
    between: list[int]
    behind: list[int]
    types: bool

    def one(self, ids: Sequence[int]) -> list[int]:
        return [*self.before, *ids, *self.behind]

    def two(self, first: Sequence[int], second: Sequence[int]) -> tuple[list[int], list[int]]:
        """The row, and its token types."""
        head = [*self.before, *first, *self.between]
        tail = [*second, *self.behind]
        return [*head, *tail], [0] * len(head) + [1] * len(tail)


class WordPieces:
    """A tokenizer that is asked for words one by one and remembers them."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._known: dict[tuple[str, bool], list[int]] = {}
        self.frame = _frame(tokenizer)

    def read(self, text: str, spans: Sequence[Span]) -> Pieces:
        """Every word has at least one piece."""
        ids: list[int] = []
        words: list[int] = []
        for number, (start, end) in enumerate(spans):
            own = self._of(text[start:end], start == 0 or text[start - 1].isspace())
            ids += own
            words += [number] * len(own)
        return Pieces(ids, words)

    def _of(self, word: str, spaced: bool) -> list[int]:
        found = self._known.get((word, spaced))
        if found is None:
            found = self._known[word, spaced] = self._asked(word, spaced) or [self._tokenizer.unk_token_id or 0]
        return found

    def _asked(self, word: str, spaced: bool) -> list[int]:
        """SentencePiece puts a space before every text; here it goes unless one is there."""
        given = f" {word}" if spaced else word
        ids: list[int] = self._tokenizer.encode(given, add_special_tokens=False)
        first = self._tokenizer.convert_ids_to_tokens(ids[0]) if ids else ""
        if spaced or not first.startswith(_SPACE):
            return ids
        if first == _SPACE:
            return ids[1:]
        bare = self._tokenizer.convert_tokens_to_ids(first[1:])
        return ids if bare in (None, self._tokenizer.unk_token_id) else [bare, *ids[1:]]


def _frame(tokenizer: Any) -> Frame:
    """Found by looking at what it puts around two texts."""
    said = tokenizer("a", "a", return_special_tokens_mask=True, return_token_type_ids=True)
    ids, marks = said["input_ids"], said["special_tokens_mask"]
    own = [place for place, mark in enumerate(marks) if not mark]
    first_end = next((place for place in range(own[0], len(ids)) if marks[place]), own[0] + 1)
    second = next((place for place in own if place > first_end), own[-1])
    behind = next((place for place in range(second, len(ids)) if marks[place]), len(ids))
    types = 1 in (said.get("token_type_ids") or [])
    return Frame(ids[: own[0]], ids[first_end:second], ids[behind:], types)
