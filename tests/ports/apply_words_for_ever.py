"""Applies changes to an index of words until it is killed, from where it stands: `… apply_words_for_ever FOLDER`.

It says each time how far it is. What change number n is, and so what the index has after it, follows from n alone.
"""

import asyncio
import sys
from pathlib import Path

from zhuli.knowledge.retrieval.indexing.word_index import WordsIndex
from zhuli.types.knowledge.vectors import IndexChange, IndexedChunk

FILES = 7


def change(number: int) -> IndexChange:
    """A file comes, or comes anew with other chunks; every fifth change it leaves."""
    file = number * 3 % FILES + 1
    if number % 5 == 0:
        return IndexChange(number, file, None)
    texts = [f"everywhere only{number}of{place}" for place in range(number % 4 + 1)]
    return IndexChange(number, file, [IndexedChunk(number * 10 + at, text, "", b"") for at, text in enumerate(texts)])


def left(position: int) -> set[int]:
    """The chunks that there are after this change."""
    files = {told.file: told.chunks or () for told in map(change, range(1, position + 1))}
    return {chunk.seq for chunks in files.values() for chunk in chunks}


async def main(folder: str) -> None:
    index = WordsIndex(Path(folder))
    number = await index.position("vs_a")
    while True:
        number += 1
        await index.apply("vs_a", [change(number)], number)
        print(number, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
