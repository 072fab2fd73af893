"""Which slices a text belongs to by itself: its language and its length. Pure.

What else a text belongs to (topic, source) whoever has it knows. Lengths have fixed bounds, so that a slice means the same
in every comparison: a unit is a word, of Chinese a character.
"""

import re

_KANA = re.compile(r"[\u3040-\u30ff]")
_LATIN = re.compile(r"[A-Za-z]")

SHORT, LONG = 8, 24
"""A short text has at most SHORT units, a long one more than LONG."""


def language_of(text: str) -> str:
    """ "zh", "ja" or "en" by the script alone (any Latin letters count as "en"), "other" where there is none of these."""
    from zhuli.learning.metrics.chinese import has_chinese

    if _KANA.search(text):
        return "ja"
    if has_chinese(text):
        return "zh"
    return "en" if _LATIN.search(text) else "other"


def length_of(text: str) -> str:
    """ "short", "medium" or "long"."""
    from zhuli.learning.metrics.chinese import segments

    units = len(segments(text))
    return "short" if units <= SHORT else "medium" if units <= LONG else "long"


def slices_of(text: str, **known: str | None) -> dict[str, str]:
    """Language and length of the text, and what is known beside (topic, source, a language that somebody named)."""
    found = {"language": language_of(text), "length": length_of(text)}
    return {**found, **{dimension: value for dimension, value in known.items() if value}}
