"""Cut a document into chunks that overlap: pure, deterministic, in time linear in its length.

A chunk ends at the end of a section, block, sentence, line or word, whichever comes first in this list and leaves the
chunk reasonably full; never within a character as readers see it, unless that alone has more tokens than a chunk may
have. A chunk that follows the end of a section begins with the new one; any other repeats the end of the one before.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from zhuli.knowledge.retrieval.chunking.graphemes import boundaries, is_boundary
from zhuli.knowledge.retrieval.chunking.tokenizer import Ruler
from zhuli.types.knowledge.document import LEVELS, SEPARATOR, Block, Chunk, text_of

_CJK = r"\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"

# Where sentences, lines and words end. Latin sentences end before a space and what is no small letter or digit:
# "e.g. this" goes on, and so does "fig. 3".
_CJK_END = r"[\u3002\uff01\uff1f\uff1b\u2026]+[\u201d\u2019\u300d\u300f\uff09\u300b\u3011)\]\"']*"
_SENTENCE = re.compile(rf"[.!?\u2026]+[\"'\u201d\u2019\u00bb)\]]*(?=\s+[^\sa-z0-9])|{_CJK_END}")
_SPACES = re.compile(r"\s+")
_LINE = re.compile(r"(?<=\S)(?=[^\S\n]*\n)")
_NO_START = r"\s\u3001\u3002\uff0c\uff01\uff1f\uff1b\uff1a\u201d\u300d\uff09"
_WORD = re.compile(rf"(?<=\S)(?=\s)|(?<=[{_CJK}\u3001\u3002\uff0c\uff1a])(?=[^{_NO_START}])")

# How full a chunk must be, by characters, to end there: at the end of a section or a block, and then of these. In prose a
# line's end is but where it was wrapped; in tables and code lines are what counts.
_FULL_SECTION, _FULL_BLOCK = 0.4, 0.6
_PROSE = ((_SENTENCE, 0.5), (_LINE, 0.6), (_WORD, 0.8))
_ROWS = ((_LINE, 0.5), (_WORD, 0.8))

_NEAR = 256
"""Where nothing else offers itself, a boundary between characters is looked for this near."""

_HEADING_LENGTH = 120
_ROW_LENGTH = 240
"""Characters of a heading, or of a table's first row, that travel with each of its chunks."""


def cut(blocks: Sequence[Block], *, max_tokens: int = 800, overlap: int = 400) -> list[Chunk]:
    """The chunks of text_of(blocks), in order, none of more than max_tokens.

    overlap: tokens that a chunk repeats of the one before, at most half of max_tokens. Every character that is not a
    space is in some chunk; each chunk begins and ends with one.
    """
    document = _Document(list(blocks))
    return [document.chunk(start, end) for start, end in document.spans(max_tokens, overlap)]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a block stands: its first character, and the headings above and in it."""

    start: int
    block: Block
    headings: tuple[str, ...]


class _Document:
    def __init__(self, blocks: list[Block]) -> None:
        self._text = text_of(blocks)
        self._ruler = Ruler(self._text)
        self._places = list(_places(blocks))
        self._starts = [place.start for place in self._places]

    def spans(self, max_tokens: int, overlap: int) -> Iterator[tuple[int, int]]:
        start, end = self._first_character(0), 0
        while start < len(self._text):
            end = self._end(start, end, max_tokens)
            yield start, self._without_spaces(start, end)
            start = self._next_start(start, end, max_tokens, overlap)

    def chunk(self, start: int, end: int) -> Chunk:
        place = self._places[self._block_at(start)]
        tokens = self._ruler.between(start, end)
        return Chunk(self._text[start:end], start, end, tokens, _section(place, start), place.block.page)

    def _end(self, start: int, floor: int, max_tokens: int) -> int:
        """The end of the chunk that begins at `start`; beyond `floor`, where the last one ended."""
        limit = self._ruler.reach(start, max_tokens)
        if self._first_character(limit) == len(self._text):
            return len(self._text)
        floor = max(start, floor)
        limit = max(limit, floor + 1)
        for end in self._ends(start, floor, limit):
            if self._ruler.between(start, self._without_spaces(start, end)) <= max_tokens:
                return end
        return limit

    def _ends(self, start: int, floor: int, limit: int) -> Iterator[int]:
        """Where a chunk might well end, best first."""

        def at_least(share: float) -> int:
            return max(floor, start + int(share * (limit - start)))

        yield from self._block_ends(at_least(_FULL_SECTION), limit, sections=True)
        yield from self._block_ends(at_least(_FULL_BLOCK), limit, sections=False)
        for pattern, share in self._patterns(limit):
            lowest = at_least(share)
            found = [match.end() for match in pattern.finditer(self._text, lowest, limit + 1)]
            yield from (end for end in reversed(found) if lowest < end <= limit and is_boundary(self._text, end))
        yield from reversed(boundaries(self._text, max(floor + 1, limit - _NEAR), limit))

    def _block_ends(self, lowest: int, limit: int, *, sections: bool) -> Iterator[int]:
        """Ends of blocks, last first: of those before a heading, or of those that are no headings themselves."""
        for index in range(self._block_at(limit), 0, -1):
            end = self._starts[index] - len(SEPARATOR)
            if end <= lowest:
                return
            before, after = self._places[index - 1].block, self._places[index].block
            if before.kind != "heading" and (after.kind == "heading" or not sections):
                yield self._starts[index]

    def _next_start(self, start: int, end: int, max_tokens: int, overlap: int) -> int:
        """Where the chunk behind text[start:end] begins: up to `overlap` tokens before its end, less if it is short."""
        fresh = self._first_character(end)
        if fresh == len(self._text) or self._begins_section(fresh):
            return fresh
        tokens = self._ruler.between(start, end)
        shared = min(overlap, tokens * overlap // max_tokens)
        if shared == 0:
            return fresh
        earliest = self._ruler.reach_back(end, shared, after=start)
        begin = self._start_near(max(earliest, start + 1), end)
        return fresh if begin is None else begin

    def _start_near(self, earliest: int, end: int) -> int | None:
        """The first start of a block, sentence, line or word soon after `earliest`, or of a character."""
        latest = earliest + (end - earliest) // 2
        block = self._block_at(earliest) + 1
        if block < len(self._starts) and earliest <= self._starts[block] <= latest:
            return self._first_character(self._starts[block])
        for pattern, _ in self._patterns(earliest):
            for match in pattern.finditer(self._text, earliest, latest):
                begin = self._first_character(match.end())
                if begin <= latest and is_boundary(self._text, begin):
                    return begin
        characters = boundaries(self._text, earliest, min(end - 1, earliest + _NEAR))
        return self._first_character(characters[0]) if characters else None

    def _patterns(self, position: int) -> tuple[tuple[re.Pattern[str], float], ...]:
        """Ends to look for around `position`, best first, each with how full a chunk must be for it."""
        return _PROSE if self._places[self._block_at(position)].block.kind in ("text", "heading") else _ROWS

    def _begins_section(self, position: int) -> bool:
        place = self._places[self._block_at(position)]
        return place.block.kind == "heading" and place.start == position

    def _block_at(self, position: int) -> int:
        return max(0, bisect_right(self._starts, position) - 1)

    def _first_character(self, position: int) -> int:
        """The next place from `position` on that is no space; a space that carries an accent is none."""
        found = _SPACES.match(self._text, position)
        behind = found.end() if found else position
        return behind if behind == position or is_boundary(self._text, behind) else behind - 1

    def _without_spaces(self, start: int, end: int) -> int:
        """`end`, moved before the spaces there."""
        last = start + len(self._text[start:end].rstrip())
        return last if last == end or is_boundary(self._text, last) else last + 1


def _places(blocks: list[Block]) -> Iterator[_Place]:
    position = 0
    above: list[tuple[int, str]] = []
    for block in blocks:
        if block.kind == "heading":
            above = [(level, title) for level, title in above if level < block.level]
            above.append((block.level, _line(block.text, _HEADING_LENGTH)))
        yield _Place(position, block, tuple(title for _, title in above))
        position += len(block.text) + len(SEPARATOR)


def _section(place: _Place, start: int) -> str:
    """The headings; and within a table its first row, which says what the columns are."""
    parts = list(place.headings)
    if place.block.kind == "table":
        row, _, rest = place.block.text.partition("\n")
        if rest and start > place.start + len(row):
            parts.append(_line(row, _ROW_LENGTH))
    return LEVELS.join(part for part in parts if part)


def _line(text: str, most: int) -> str:
    """The text on one line, and not too long."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    return line[: boundaries(line, 0, most - 1)[-1]].rstrip() + "…"
