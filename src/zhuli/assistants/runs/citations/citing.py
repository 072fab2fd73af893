"""Citations in an answer while it comes: text goes in piece by piece, and comes out with valid markers only. Pure.

A marker that the model writes is held back until it is whole; then it is taken in our form, or left out when it names
nothing. Where the model wrote none, a sentence that was taken from a passage gets the passage's marker behind it. Nothing
else is held back but the space between sentences. Code between ``` is left as it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from zhuli.assistants.runs.citations.alignment import Alignment
from zhuli.assistants.runs.citations.passages import mark
from zhuli.assistants.runs.citations.sentences import CLOSERS, ENOUGH, HARD, stops, substance
from zhuli.types.assistants.step import FileSearchResult

Place = tuple[int, int]
"""Which search of the run, and which of its results."""

_MARKER = re.compile(
    r"【 ?(?P<a>\d{1,4}) ?[:：] ?(?P<b>\d{1,4}) ?(?:†[^】\n]{0,60})?】"
    r"|【 ?(?P<alone>\d{1,4}) ?†[^】\n]{0,60}】"
    r"|\[ ?(?P<c>\d{1,4}) ?[:：] ?(?P<d>\d{1,4}) ?†[^\]\n]{0,60}\]"
)
"""As models write it: our form, the same in ASCII brackets, without the word, or with the result's number alone."""

_BEGUN = re.compile(
    r"【 ?(?:\d{1,4} ?(?:[:：] ?(?:\d{1,4} ?)?)?(?:(?<=[\d ])†[^】\n]{0,60})?)?"
    r"|\[ ?(?:\d{1,4} ?(?:[:：] ?(?:\d{1,4} ?(?:†[^\]\n]{0,60})?)?)?)?"
)
_FENCE = "```"
_QUOTE = 400
_LONGEST = 1_000
"""Characters of a sentence that are looked at, its last ones: a text may go on without an end to any."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A marker as it stands in the text, and what it points at."""

    marker: str
    file_id: str
    quote: str


CitedPiece = str | Citation


class Citer:
    """For one message. `sources` are the results that may be cited; `alignment` was made from their texts, in order."""

    def __init__(self, sources: Mapping[Place, FileSearchResult], alignment: Alignment) -> None:
        self._sources = sources
        self._places = list(sources)
        self._alignment = alignment
        self._out: list[CitedPiece] = []
        self._shown: list[str] = []  # what follows the last of _out
        self._held = ""  # what may be the beginning of a marker or of a fence
        self._sentence = ""  # what the sentence has so far
        self._substance = 0
        self._gap: str | None = None  # the space behind a sentence's end, while it is open who comes next
        self._in_code = False
        self._behind_fence = False  # further ticks are of the same fence, whichever piece brings them
        self._model_cites = False
        self._cited = False
        self._is_data: bool | None = None  # a JSON object, which a marker would break; None before the first letter

    def feed(self, text: str) -> list[CitedPiece]:
        """What can be shown now."""
        self._held += text
        self._read(at_end=False)
        return self._taken()

    def close(self) -> list[CitedPiece]:
        """The rest."""
        self._read(at_end=True)
        if not self._in_code:
            self._end_sentence()
        return self._taken()

    def _taken(self) -> list[CitedPiece]:
        self._join()
        out, self._out = self._out, []
        return out

    def _join(self) -> None:
        if self._shown:
            self._out.append("".join(self._shown))
            self._shown.clear()

    def _read(self, *, at_end: bool) -> None:
        position, text = 0, self._held
        while position < len(text):
            letter = text[position]
            if letter == "`" and self._behind_fence:
                self._show(letter)
                position += 1
                continue
            self._behind_fence = False
            if letter == "`":
                end = _run_of(text, position, "`")
                if end == len(text) and end - position < len(_FENCE) and not at_end:
                    break
                self._ticks(text[position:end])
                position = end
            elif letter in "【[" and not self._in_code:
                found = _MARKER.match(text, position)
                if found:
                    self._marker(found)
                    position = found.end()
                elif not at_end and _may_become(text, position):
                    break
                else:
                    self._letter(letter)
                    position += 1
            else:
                self._letter(letter)
                position += 1
        self._held = text[position:]

    def _ticks(self, ticks: str) -> None:
        if len(ticks) >= len(_FENCE):
            if not self._in_code:
                self._end_sentence()
            self._in_code = not self._in_code
            self._behind_fence = True
            self._show(ticks)
            return
        for tick in ticks:
            self._letter(tick)

    def _letter(self, letter: str) -> None:
        """One character of the text: it belongs to the sentence, or shows that the sentence is over."""
        if self._in_code:
            self._show(letter)
            return
        if self._is_data is None and not letter.isspace():
            self._is_data = letter == "{"
        if self._gap is not None:
            if letter.isspace():
                self._gap += letter
                if len(self._gap) > _LONGEST:
                    self._end_sentence()
                return
            if not self._gap and letter in CLOSERS:
                self._add(letter)
                return
            if self._is_over():
                self._end_sentence()
            else:
                self._close_gap()
        if letter == "\n":
            self._gap = letter
            return
        self._add(letter)
        if letter in HARD or letter == ".":
            self._gap = ""

    def _is_over(self) -> bool:
        """Whether what looked like a sentence's end is one, now that something follows."""
        gap = self._gap or ""
        ended = self._sentence.rstrip(CLOSERS)
        if "\n" in gap:
            return True
        if not gap and ended.endswith((".", "!", "?")):
            return False
        if self._substance < ENOUGH:
            return False
        if ended.endswith((".", "!", "?")):
            return not ended.endswith(".") or stops(ended[:-1])
        return True

    def _close_gap(self) -> None:
        gap, self._gap = self._gap or "", None
        self._add(gap)

    def _end_sentence(self) -> None:
        """Cite what the sentence was taken from, unless the model does; then show the space behind it."""
        sentence, gap = self._sentence, self._gap or ""
        self._sentence, self._gap, self._substance = "", None, 0
        if not (self._cited or self._model_cites or self._is_data or _states_nothing(sentence)):
            support = self._alignment.find(sentence)
            if support is not None:
                self._cite(self._places[support.passage], support.quote)
        self._cited = False
        self._show(gap)

    def _marker(self, found: re.Match[str]) -> None:
        """A marker that the model wrote: behind the sentence that it ends, or within it."""
        search = int(found["a"] or found["c"] or (self._places[-1][0] if self._places else 0))
        place = (search, int(found["b"] or found["d"] or found["alone"]))
        if place not in self._sources:
            if "†" not in found.group():  # 【12:30】 is a time or a verse as likely as a marker
                for letter in found.group():
                    self._letter(letter)
            return
        self._model_cites = self._cited = True
        support = self._alignment.best(self._sentence)
        in_place = support is not None and self._places[support.passage] == place
        quote = support.quote if in_place and support is not None else self._sources[place].text[:_QUOTE]
        if self._gap is not None:  # the sentence's space goes before the marker, as the model wrote it
            gap, self._gap = self._gap, ""
            self._show(gap)
        self._cite(place, quote)

    def _cite(self, place: Place, quote: str) -> None:
        self._join()
        self._out.append(Citation(mark(*place), self._sources[place].file_id, quote))

    def _add(self, text: str) -> None:
        self._substance += substance(text)
        self._sentence = (self._sentence + text)[-_LONGEST:]
        self._show(text)

    def _show(self, text: str) -> None:
        if text:
            self._shown.append(text)


def _may_become(text: str, position: int) -> bool:
    """Whether what begins here and is not over yet can still become a marker."""
    begun = _BEGUN.match(text, position)
    return begun is not None and begun.end() == len(text)


def _run_of(text: str, position: int, letter: str) -> int:
    end = position
    while end < len(text) and text[end] == letter:
        end += 1
    return end


def _states_nothing(sentence: str) -> bool:
    """Headings and rows of tables, which a marker would break; questions, often the user's own said again."""
    return sentence.lstrip().startswith(("#", "|")) or sentence.rstrip(CLOSERS + " ").endswith(("?", "？"))
