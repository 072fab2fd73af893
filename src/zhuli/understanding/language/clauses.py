"""Where what is denied ends: the marks and words that end a clause, in English and Chinese. Works on plain text."""

import re

_STOPS = re.compile(
    r"[.;!?\n]+(?=\s|$|[\u4e00-\u9fff])|"
    r"\b(?:but|however|though|although|instead|because|except that)\b|"
    r"\b(?:i'?d|i'?ll|i would|i want|i need|i like|i prefer|we want|we need|we'?d|we'?ll|give me|get me|find me|"
    r"show me|book|let's|lets|"
    r"make it|make that|change|switch|how about|what about|try|rather|prefer|please find|just)\b|"
    r"[。;!?]|但是?|不过|可是|而是|换成?|改成?|改为|改到|还是|我要|我想|就要|就订|想要|给我|帮我|来[个份点]|应该|"
    r"(?<!不)是(?!不)|(?<=[的了,])要"
)
_CHAIN = re.compile(r"^ *(?:,|、|or|nor|and|或者?|和|跟|以及|还有|,? ?(?:or|nor|and)) *(?:any |the |on |也?不?要?)?$")
_COMMA = re.compile(r",(?![0-9]{3})")


def clause_ends(text: str) -> list[int]:
    """Where clauses end, in order, the end of the text last; commas do not end them."""
    return [*(match.start() for match in _STOPS.finditer(text)), len(text)]


def has_comma(text: str, start: int, end: int) -> bool:
    """Whether a comma separates the two places."""
    return _COMMA.search(text, start, end) is not None


def joins(between: str) -> bool:
    """Whether what stands between two things makes a list of them: "or", "nor", 和, 、."""
    return _CHAIN.match(between) is not None
