"""Parts of the day, which tell whether "at 7" is in the morning or in the evening. Works on plain text.

An hour without any hint is read as people say it who make appointments: 1 to 7 is after noon, 8 to 12 before it, or noon. Two
figures with a nought in front (07:30) and hours above 12 are of the clock with 24 hours.
"""

import re
from typing import Literal

Part = Literal["morning", "noon", "afternoon", "evening", "night"]

_NAMES: dict[Part, str] = {
    "morning": "morning breakfast 清晨 早上 早晨 上午 明早 今早 早 早餐",
    "noon": "noon lunch lunchtime 中午 午饭 午餐",
    "afternoon": "afternoon 下午",
    "evening": "evening tonight tonite 2nite dinner supper drinks 傍晚 晚上 今晚 明晚 后晚 晚饭 晚餐 夜晚 晚",
    "night": "night 凌晨 夜里 半夜 深夜",
}
_WORDS = {word: part for part, words in _NAMES.items() for word in words.split()}

CHINESE_PART = "凌晨|清晨|早上|早晨|上午|[今明]早|中午|下午|傍晚|晚上|[今明后]晚|夜里|半夜|深夜|夜晚|早|晚"
"""What may stand before an hour in Chinese."""

_ANY = re.compile(
    r"\b(?:morning|breakfast|noon|lunch|lunchtime|afternoon|evening|tonight|tonite|2nite|dinner|supper|drinks)\b|"
    r"清晨|早上|早晨|上午|[今明]早|早餐|中午|午饭|午餐|下午|傍晚|晚上|[今明后]晚|晚饭|晚餐",
    re.ASCII,
)
_GREETING = re.compile(r"\bgood (?:morning|afternoon|evening|night)\b|(?:早上|中午|下午|晚上)好", re.ASCII)


def part_named(words: str) -> Part | None:
    """Of a word for a part of the day: "evening", 下午."""
    return _WORDS.get(words)


def part_of(text: str) -> Part | None:
    """The part of the day that a text is about, if it names exactly one; greetings ("good morning") name none."""
    found = {_WORDS[word] for word in _ANY.findall(_GREETING.sub("", text))}
    return found.pop() if len(found) == 1 else None


def clock(hour: int, minute: int, part: Part | None) -> str | None:
    """The time, "HH:MM", of an hour by the clock with 12 or 24 hours; None where there is no such time."""
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        return None
    return f"{_by_24(hour, part) % 24:02}:{minute:02}"


def _by_24(hour: int, part: Part | None) -> int:
    """Twelve is noon but for the night; small hours of the evening and the night are past midnight."""
    if hour > 12 or hour == 0:
        return hour
    late = {
        None: hour < 8,
        "morning": False,
        "noon": hour < 5,
        "afternoon": True,
        "evening": hour > 3,
        "night": hour > 5,
    }[part]
    if hour == 12:
        return 24 if part in ("morning", "evening", "night") else 12
    return hour + 12 if late else hour
