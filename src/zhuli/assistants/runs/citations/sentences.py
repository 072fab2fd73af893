"""Where sentences end, in English and Chinese, in prose, lists and tables; also while the text is still coming. Pure.

Code is not told apart here: who reads a text as it comes (assistants/runs/citations/citing) skips it.
"""

import re

CLOSERS = "\"'”’」』）)】]》*_"
"""What may stand between a sentence's end mark and the sentence's end."""

HARD = "。！？!?；…\n"
"""Marks that always end a sentence; a full stop does not."""

ENOUGH = 12
"""Substance from which a sentence may be taken from somewhere."""

_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:[A-Za-z]|e\.g|i\.e|cf|vs|etc|al|approx|ca|no|nos|fig|figs|eq|dr|mr|mrs|ms|prof|st|jr|sr|inc|vol|pp?)$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^\W*\d{1,3}$")
_LETTERS = re.compile(r"\w")


def stops(before: str) -> bool:
    """Whether a full stop after `before` (the sentence so far) and before a space ends it."""
    return not (_ABBREVIATION.search(before) or _NUMBERED.match(before))


def has_substance(sentence: str) -> bool:
    """Whether there is enough to be taken from somewhere: 12 letters, of which a Chinese character counts for three."""
    return substance(sentence) >= ENOUGH


def substance(text: str) -> int:
    """Letters, of which a Chinese character counts for three."""
    return sum(3 if letter > "⺀" else 1 for letter in _LETTERS.findall(text))


def split(text: str) -> list[str]:
    """The sentences of a whole text, in order, without what lies between them."""
    sentences: list[str] = []
    start = 0
    for place in range(len(text)):
        if text[place] in HARD or (text[place] == "." and _stops_here(text, start, place)):
            end = place + 1
            while end < len(text) and text[end] in CLOSERS:
                end += 1
            if end > start:
                sentences.append(text[start:end].strip())
                start = end
    sentences.append(text[start:].strip())
    return [sentence for sentence in sentences if sentence]


def _stops_here(text: str, start: int, place: int) -> bool:
    end = place + 1
    while end < len(text) and text[end] in CLOSERS:
        end += 1
    return (end == len(text) or text[end].isspace()) and stops(text[start:place])
