"""Parts of the day, which tell whether "at 7" is in the morning or in the evening. Works on plain text.

An hour without any hint is read as people say it who make appointments: 1 to 7 is after noon, 8 to 12 before it, or noon. Two
figures with a nought in front (07:30) and hours above 12 are of the clock with 24 hours.
"""

import re
from typing import Literal

Half = Literal["morning", "noon", "evening", "night"]

_WORDS: dict[str, Half] = {
    "morning": "morning", "breakfast": "morning", "noon": "noon", "lunch": "noon", "lunchtime": "noon", "afternoon": "evening",
    "evening": "evening", "tonight": "evening", "dinner": "evening", "supper": "evening", "night": "night", "drinks": "evening",
    "凌晨": "night", "清晨": "morning", "早上": "morning", "早晨": "morning", "上午": "morning", "明早": "morning", "今早": "morning",
    "早餐": "morning", "中午": "noon", "午饭": "noon", "午餐": "noon", "下午": "evening", "傍晚": "evening", "晚上": "evening",
    "今晚": "evening", "明晚": "evening", "后晚": "evening", "晚饭": "evening", "晚餐": "evening", "夜里": "night", "半夜": "night",
    "深夜": "night", "夜晚": "evening", "早": "morning", "晚": "evening",
}  # fmt: skip

CHINESE_PART = "凌晨|清晨|早上|早晨|上午|[今明]早|中午|下午|傍晚|晚上|[今明后]晚|夜里|半夜|深夜|夜晚|早|晚"

_ANY = re.compile(
    r"\b(?:morning|breakfast|noon|lunch|lunchtime|afternoon|evening|tonight|dinner|supper|drinks)\b(?!,)|"
    r"清晨|早上|早晨|上午|[今明]早|早餐|中午|午饭|午餐|下午|傍晚|晚上|[今明后]晚|晚饭|晚餐",
    re.ASCII,
)
_GREETING = re.compile(r"\bgood (?:morning|afternoon|evening|night)\b|(?:早上|中午|下午|晚上)好", re.ASCII)


def half_named(words: str) -> Half | None:
    """Of a word for a part of the day: "evening", 下午."""
    return _WORDS.get(words)


def half_of(text: str) -> Half | None:
    """The part of the day that a text is about, if it names exactly one; greetings ("good morning") name none."""
    found = {_WORDS[word] for word in _ANY.findall(_GREETING.sub("", text))}
    return found.pop() if len(found) == 1 else None


def clock(hour: int, minute: int, half: Half | None) -> str | None:
    """ "HH:MM" of an hour by the clock with 12 or 24 hours; None where there is no such time."""
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        return None
    return f"{_hour(hour, half) % 24:02}:{minute:02}"


def _hour(hour: int, half: Half | None) -> int:
    if hour > 12 or hour == 0:
        return hour
    match half:
        case "morning":
            return hour % 12
        case "noon":
            return hour + 12 if hour < 5 else hour
        case "evening":
            return 24 if hour == 12 else hour + 12 if hour > 3 or hour >= 1 else hour
        case "night":
            return hour % 12 if hour == 12 or hour < 6 else hour + 12
        case None:
            return hour + 12 if hour < 8 else hour
