"""Clause splitting: where a message may have several intents: "hi, book a table and what are your hours?".

It only proposes: whether the clauses have intents of their own is decided by what is understood of each (multi_intent).
"""

import re
from itertools import pairwise

from zhuli.types.understanding.domain import Language

MOST_CLAUSES = 4
"""Every clause costs an embedding; what comes behind the fourth stays with it."""

_OPENERS = (
    r"i|i'm|i'd|i'll|i've|we|we'd|you|he|she|they|it|there|that|what|what's|when|where|where's|which|who|whom|why|how|how's|is|are|do|does|did|can|could|"
    r"would|will|should|may|please|also|then|let|let's|tell|show|give|get|send|book|reserve|find|search|look|cancel|change|"
    r"order|buy|play|add|call|check|transfer|pay|remind|set|make|help|connect|put|turn|open|close|block|forget|thanks|thank"
)
_CLAUSE = rf"(?=(?:(?:please|also|then|now|just)\s+)?(?:{_OPENERS})\b)"
_GREETED = (
    r"^\s*(?:hi|hello|hey|thanks|thank you|ok|okay|yes|yeah|yep|no|nope|sure|great|good (?:morning|afternoon|evening))"
)
_BREAKS: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        rf"(?:(?<=[.!?;])\s+|\n+|{_GREETED}(?:\s+there)?\s*,\s*(?=\w)"
        rf"|,?\s+(?:and|but)\s+(?:also\s+)?{_CLAUSE}|,\s+(?:also|then|plus)\s+|,\s+{_CLAUSE})",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"(?<=[。！？；!?;])\s*|\n+|^(?:你好|您好|嗨|哈喽|早上好|晚上好|谢谢|好的?|是的|对|不)[，,、\s]+"
        r"|[，,、\s]+(?=(?:另外|还有|顺便|然后|同时|再|也|对了|麻烦|帮我?|请|我(?:还)?(?:想|要)|你们|什么|怎么|哪|有没有|能不能|可以))"
    ),
}
_EDGES = " \t\r\n,，、;；.。!！"


def split_clauses(text: str, language: Language | None) -> list[tuple[int, int]]:
    """[start, end) of each clause, in order, without the space and commas around it; the whole text alone if it is one."""
    breaks = [0, *(match.end() for match in _BREAKS[language or "en"].finditer(text)), len(text)]
    spans = [_trimmed(text, start, end) for start, end in pairwise(sorted(set(breaks)))]
    spans = [(start, end) for start, end in spans if start < end]
    if len(spans) > MOST_CLAUSES:
        spans = [*spans[: MOST_CLAUSES - 1], (spans[MOST_CLAUSES - 1][0], spans[-1][1])]
    return spans if len(spans) > 1 else [(0, len(text))]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A joining "and" at the end belongs to neither clause."""
    clause = text[start:end]
    clause = re.sub(r"(?:[\s,，、;]+(?:and|but|also|then|plus))+\s*$", "", clause, flags=re.IGNORECASE) or clause
    inner = clause.strip(_EDGES)
    at = start + clause.find(inner) if inner else start
    return at, at + len(inner)
