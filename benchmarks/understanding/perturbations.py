"""Noise as users make it, seeded: a text with its entities goes in, the noisy text and where the entities are now come out.

Each kind is a function from a text to edits that do not overlap; applying them moves the entities along. The same seed, kind and
text give the same noise, whatever else is perturbed. Nothing here is used for learning.

typos: 4 in 100 letters become the key beside, are swapped, dropped or doubled; of Chinese, characters are swapped, dropped,
doubled, or become one that sounds alike. many typos: 10 in 100. lower, upper, mixed case: all letters small, all capital, each by
a coin. emoji: one to three, between words or at the end. speech: fillers before one word in eight, no punctuation, no capitals,
numbers below 100 in words, half of what sounds alike taken for it. half: the first 50 to 80 in 100 of the words; an entity is
kept whole or cut off whole. mixed languages: of the words outside entities that a small list has, four in five in the other
language.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.understanding.edits import Edit, Span, applied
from benchmarks.understanding.noise_words import EMOJI, FILLERS, IN_THE_OTHER, KEYS_BESIDE, SOUNDS_LIKE
from zhuli.types.understanding.domain import Language

FEW, MANY = 0.04, 0.1
FILLED, MISHEARD, SAID_OTHERWISE = 0.125, 0.5, 0.8
SHORTEST, LONGEST = 0.5, 0.8

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_PUNCTUATION = re.compile(r"[^\w\s'’%$€£¥+-]")
_NUMBER = re.compile(r"(?<![\d.,:])\d{1,2}(?![\d.,:]*\d)")
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_DIGITS = "零一二三四五六七八九"


@dataclass(frozen=True, slots=True)
class Given:
    """A text that is to be perturbed."""

    text: str
    spans: Sequence[Span]
    language: Language

    def free(self, place: int) -> bool:
        """Whether something may be put in there: not inside an entity."""
        return not any(span.start < place < span.end for span in self.spans)

    def outside(self, start: int, end: int) -> bool:
        return all(end <= span.start or span.end <= start for span in self.spans)

    def gaps(self) -> list[int]:
        """Places between words, the end among them: of Chinese, between any characters."""
        found = re.finditer(r"(?<=\S)(?=\S)" if self.language == "zh" else r"(?<=\s)(?=\S)", self.text)
        return [place for match in found if self.free(place := match.start())]


Noise = Callable[[Given, random.Random], list[Edit]]


def perturbed(
    text: str, kind: str, *, seed: int, language: Language, spans: Sequence[Span] = ()
) -> tuple[str, list[Span]]:
    """The text with this kind of noise, and its entities where they are now; those that were cut off are gone."""
    edits = KINDS[kind](Given(text, spans, language), random.Random(f"{seed} {kind} {text}"))
    return applied(text, edits, spans)


def _typos(rate: float) -> Noise:
    def make(given: Given, drawn: random.Random) -> list[Edit]:
        slip = _slip_chinese if given.language == "zh" else _slip
        edits: list[Edit] = []
        for place, character in enumerate(given.text):
            if (edits and place < edits[-1].end) or not character.isalpha() or drawn.random() >= rate:
                continue
            edits.append(slip(given.text, place, drawn))
        return edits

    return make


def _slip(text: str, place: int, drawn: random.Random) -> Edit:
    character, after = text[place], text[place + 1 : place + 2]
    how = drawn.choice(("beside", "swap", "drop", "double"))
    if how == "swap" and after.isalpha():
        return Edit(place, place + 2, after + character)
    if how == "drop":
        return Edit(place, place + 1, "")
    if how == "double":
        return Edit(place, place + 1, 2 * character)
    beside = drawn.choice(KEYS_BESIDE.get(character.lower(), character.lower()))
    return Edit(place, place + 1, beside.upper() if character.isupper() else beside)


def _slip_chinese(text: str, place: int, drawn: random.Random) -> Edit:
    character, after = text[place], text[place + 1 : place + 2]
    if (alike := SOUNDS_LIKE["zh"].get(character)) and drawn.random() < MISHEARD:
        return Edit(place, place + 1, alike)
    how = drawn.choice(("swap", "drop", "double"))
    if how == "swap" and after.isalpha():
        return Edit(place, place + 2, after + character)
    return Edit(place, place + 1, "" if how == "drop" else 2 * character)


def _lower(given: Given, drawn: random.Random) -> list[Edit]:
    return _cased(given.text, str.lower)


def _upper(given: Given, drawn: random.Random) -> list[Edit]:
    return _cased(given.text, str.upper)


def _mixed_case(given: Given, drawn: random.Random) -> list[Edit]:
    return _cased(given.text, lambda character: drawn.choice((character.lower(), character.upper())))


def _cased(text: str, change: Callable[[str], str]) -> list[Edit]:
    """Characters whose other case is several stay as they are."""
    changed = ((place, change(character)) for place, character in enumerate(text))
    return [Edit(place, place + 1, new) for place, new in changed if len(new) == 1 and new != text[place]]


def _emoji(given: Given, drawn: random.Random) -> list[Edit]:
    places = [*given.gaps(), len(given.text)]
    chosen = sorted(drawn.sample(places, min(drawn.randint(1, 3), len(places))))
    faces = [face for face in EMOJI if face.isprintable()]
    space = "" if given.language == "zh" else " "
    return [
        Edit(place, place, f"{space}{face}" if place == len(given.text) else f"{face}{space}")
        for place in chosen
        for face in [drawn.choice(faces)]
    ]


def _speech(given: Given, drawn: random.Random) -> list[Edit]:
    """Where two changes meet, the first counts."""
    fillers = [
        Edit(place, place, _filler(given.language, drawn))
        for place in [0, *given.gaps()]
        if drawn.random() < _filled(given)
    ]
    numbers = [
        Edit(match.start(), match.end(), _in_words(int(match[0]), given.language))
        for match in _NUMBER.finditer(given.text)
    ]
    misheard = [edit for edit in _alike(given) if drawn.random() < MISHEARD]
    silent = [Edit(match.start(), match.end(), "") for match in _PUNCTUATION.finditer(given.text)]
    edits = list(_apart([*fillers, *numbers, *misheard, *silent]))
    changed = {place for edit in edits for place in range(edit.start, edit.end)}
    small = [edit for edit in _cased(given.text, str.lower) if edit.start not in changed]
    return sorted([*edits, *small], key=lambda edit: (edit.start, edit.end))


def _filled(given: Given) -> float:
    """Chinese has about two characters to a word."""
    return FILLED / 2 if given.language == "zh" else FILLED


def _filler(language: Language, drawn: random.Random) -> str:
    return drawn.choice(FILLERS[language]) + ("" if language == "zh" else " ")


def _alike(given: Given) -> Iterator[Edit]:
    """Words, or Chinese characters, outside entities, that sound like others."""
    pattern = re.compile(".") if given.language == "zh" else _WORD
    for match in pattern.finditer(given.text):
        alike = SOUNDS_LIKE[given.language].get(match[0].lower())
        if alike and given.outside(match.start(), match.end()):
            yield Edit(match.start(), match.end(), alike)


def _apart(edits: Sequence[Edit]) -> Iterator[Edit]:
    """In order, without those that overlap an earlier one of the list."""
    kept: list[Edit] = []
    for edit in edits:
        if all(edit.end <= other.start or other.end <= edit.start for other in kept):
            kept.append(edit)
    yield from sorted(kept, key=lambda edit: (edit.start, edit.end))


def _in_words(number: int, language: Language) -> str:
    tens, ones = divmod(number, 10)
    if language == "zh":
        return (
            (_DIGITS[tens] if tens > 1 else "") + ("十" if tens else "") + (_DIGITS[ones] if ones or not tens else "")
        )
    if number < 20:
        return _ONES.split()[number]
    return _TENS.split()[tens - 2] + (f" {_ONES.split()[ones]}" if ones else "")


def _half(given: Given, drawn: random.Random) -> list[Edit]:
    places = given.gaps()
    if len(places) < 2:
        return []
    keep = drawn.uniform(SHORTEST, LONGEST)
    place = places[max(0, round(keep * (len(places) + 1)) - 1)]
    return [Edit(place - len(given.text[:place]) + len(given.text[:place].rstrip()), len(given.text), "")]


def _mixed_languages(given: Given, drawn: random.Random) -> list[Edit]:
    words, space = IN_THE_OTHER[given.language], ""
    pattern = _WORD
    if given.language == "zh":
        pattern, space = re.compile("|".join(sorted(map(re.escape, words), key=len, reverse=True))), " "
    return [
        Edit(match.start(), match.end(), f"{space}{words[match[0].lower()]}{space}")
        for match in pattern.finditer(given.text)
        if match[0].lower() in words and given.outside(match.start(), match.end()) and drawn.random() < SAID_OTHERWISE
    ]


KINDS: Mapping[str, Noise] = {
    "typos": _typos(FEW),
    "many typos": _typos(MANY),
    "lower": _lower,
    "upper": _upper,
    "mixed case": _mixed_case,
    "emoji": _emoji,
    "speech": _speech,
    "half": _half,
    "mixed languages": _mixed_languages,
}

CASES = ("lower", "upper", "mixed case")
"""Kinds that do nothing to Chinese."""


def kinds_for(language: Language) -> list[str]:
    return [kind for kind in KINDS if language != "zh" or kind not in CASES]
