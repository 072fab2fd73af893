"""English numbers in words: patterns for other rules, and their values. Works on plain text (see plain_text)."""

import re

_ONES = {
    word: number
    for number, word in enumerate("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
                                  "fifteen sixteen seventeen eighteen nineteen".split())
}  # fmt: skip
_TENS = {
    word: 10 * number
    for number, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_ORDINAL_ENDS = {"first": "one", "second": "two", "third": "three", "fifth": "five", "eighth": "eight", "ninth": "nine",
                 "twelfth": "twelve"}  # fmt: skip

_UNIT = "|".join(sorted(_ONES, key=len, reverse=True))
_TEN = "|".join(_TENS)
_BELOW_100 = rf"(?:(?:{_TEN})(?:[ -](?:one|two|three|four|five|six|seven|eight|nine)\b)?|(?:{_UNIT}))"
_BELOW_1000 = rf"(?:(?:{_BELOW_100}|an?) hundred(?:(?: and)? {_BELOW_100}\b)?|{_BELOW_100})"
CARDINAL = rf"(?:(?:{_BELOW_1000}|an?) (?:thousand|million)(?:,?(?: and)? {_BELOW_1000}\b)?|{_BELOW_1000})"
"""A number in words, below a thousand million; put word boundaries around it."""

ORDINAL = (
    r"(?:(?:twenty|thirty)[ -](?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|first|second|third|fourth|fifth|"
    r"sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|"
    r"nineteenth|twentieth|thirtieth)"
)
"""An ordinal in words, below forty: of days, and of places in a list."""


def cardinal(words: str) -> int:
    """The value of what CARDINAL matches: "two hundred and five" is 205; an article counts as one."""
    total = current = 0
    for word in re.split(r"[ ,-]+", words):
        if word in _SCALES:
            current = max(current, 1) * _SCALES[word]
            if _SCALES[word] > 100:
                total, current = total + current, 0
        elif word != "and":
            current += _ONES.get(word, _TENS.get(word, 1))
    return total + current


def ordinal(words: str) -> int:
    """The value of what ORDINAL matches: "twenty first" is 21."""
    *tens, last = re.split(r"[ -]", words)
    stem = _ORDINAL_ENDS.get(last) or re.sub(r"ieth$", "y", last).removesuffix("th")
    return sum(_TENS[word] for word in tens) + _ONES.get(stem, _TENS.get(stem, 0))


def whole(digits_or_words: str) -> int:
    """The value of digits or of what CARDINAL matches."""
    return int(digits_or_words) if digits_or_words.isdigit() else cardinal(digits_or_words)
