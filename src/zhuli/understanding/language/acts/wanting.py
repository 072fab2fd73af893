"""Whether something that a message names is wanted: "with a receipt", "no receipt", 要发票, 不用开发票. Works on any text.

By the words right before and behind it, precise rather than complete: what is only named, or asked about, says nothing.
"""

import re

from zhuli.understanding.language.plain_text import plain

_UNWANTED = re.compile(
    r"\b(?:no|without|do(?:n'?t| not) (?:need|want))(?: an?| any| the)? ?$"
    "|(?:不(?:需?要|用|必|想要|需)|无需|没有?|别)(?:给我|给|开|带|有|加|再)*$"
)
_WANTED = re.compile(
    r"\b(?:with|need|want|add|plus|including|like)(?: an?| some| the)? ?$"
    "|(?<!不)(?<!需)(?:需要|想要|要|请|麻烦)(?:给我|给|帮我|开|带|有|加|个|一?张)*$"
)
_UNWANTED_BEHIND = re.compile("(?:就|都|可以)?(?:不用|不要|不需要|免)了?(?:开|带|加)?")
_ASKED = re.compile("[^,.;!?]{0,4}(?:吗|么|嘛|\\?)")
_REACH = 24


def wanted(text: str, start: int, end: int) -> bool | None:
    """Of what stands at [start, end); None: not said."""
    read = plain(text)
    before = read[max(0, start - _REACH) : start]
    if _ASKED.match(read, end):
        return None
    if _UNWANTED.search(before) or _UNWANTED_BEHIND.match(read, end):
        return False
    return True if _WANTED.search(before) else None
