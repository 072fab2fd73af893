"""Where the tokens of an encoder's row stand in the texts that they were made of.

Tasks make rows without it, as learning has no use for it; here it is found again for what is explained.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from zhuli.learning.neural.encoders.word_pieces import WordPieces
from zhuli.types.learning.example import Feature

Place = tuple[int, int]
"""First character and the one behind the last; (0, 0) for tokens that stand nowhere: marks and prefixes."""

NOWHERE: Place = (0, 0)


def of_texts(tokenizer: Any, texts: Sequence[str], *, prefix: str, length: int) -> list[list[Place]]:
    """For each of one or two texts that are read as one row, the places of all the row's tokens in it."""
    said = tokenizer(prefix + texts[0], *texts[1:], truncation=True, max_length=length, return_offsets_mapping=True)
    owners = said.sequence_ids(0)
    shifts = [len(prefix), *(0 for _ in texts[1:])]
    return [
        [
            (max(start - shift, 0), max(end - shift, 0)) if owner == number else NOWHERE
            for owner, (start, end) in zip(owners, said["offset_mapping"], strict=True)
        ]
        for number, shift in enumerate(shifts)
    ]


def of_words(tokenizer: Any, text: str, words: Sequence[Place], row: Feature) -> list[Place]:
    """Of a row that has the pieces of these words in order, marks among them, and of long texts only a part."""
    pieces = WordPieces(tokenizer).read(text, words)
    found = [NOWHERE] * len(row["input_ids"])
    for first, at, size in SequenceMatcher(None, pieces.ids, row["input_ids"], autojunk=False).get_matching_blocks():
        for offset in range(size):
            start, end = words[pieces.words[first + offset]]
            found[at + offset] = (start, end)
    return found
