"""Times of day as they are said in Chinese. Works on plain text; day_parts tells morning from evening."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from zhuli.understanding.language.numbers.chinese_numbers import AMOUNT, amount
from zhuli.understanding.language.spans import Span
from zhuli.understanding.language.times.day_parts import CHINESE_PART, Part, clock, part_named

_SMALL = "(?:[0-9]{1,2}|[零一二两三四五六七八九十]{1,3})"
_COUNTED = "[个位人名桌间份张只条辆件杯碗晚天岁大]"
"""Behind a number that counts, and tells no minutes: 七点三个人."""

_DAYS = "今明后"
"""With these a part of the day tells the day as well, and its characters are the date's: 今晚8点."""

_BEHIND_DAY = "(?<=周[一二三四五六日天1-7])|(?<=星期[一二三四五六日天1-7])|(?<=礼拜[一二三四五六日天1-7])"
_TIME = re.compile(
    rf"(?:(?P<part>{CHINESE_PART})(?:的|大概|大约|差不多|约|,| ){{0,2}})?(?P<before>差(?P<less>{_SMALL}分|"
    rf"[一三]刻)(?:钟)?(?:到)?)?"
    rf"(?P<hour>(?:{_BEHIND_DAY}|(?<![0-9.零一二两三四五六七八九十第])(?<!周)(?<!星期)(?<!礼拜)){_SMALL})"
    rf"(?:(?P<mark>点|时(?![间候段节]))"
    rf"(?:(?P<quarter>半|[一三]刻)|差(?P<short>{_SMALL}分|[一三]刻)|(?P<minute>(?:零|过)?{_SMALL})(?:分|(?!{_COUNTED}))(?!以|钟|"
    rf"[0-9.点]))?(?P<sharp>钟|整)?"
    r"|:(?P<figures>[0-5][0-9])(?![0-9:]))"
)
_NO_TIME = re.compile("建议|要求|意见|原因|理由|内容|问题|菜|餐|分?以[上下内]")
_NAMED = re.compile(f"正午|午夜|中午(?!好|饭|餐|的?(?:{_SMALL})[点时:])")
_LATER = re.compile(
    rf"(?:(?P<half>半)(?:个)?|(?P<count>{AMOUNT})个?(?P<more>半)?)(?P<unit>小时|钟头|分钟)(?:之后|以后|后)"
)
_JOINED = re.compile(" ?(?:到|至|和|或|或者|-) ?")


def find_chinese_times(text: str, now: datetime, part: Part | None) -> Iterator[Span]:
    """Readings of the rules. part: of the day, that the text is about; a range has it from its first time. Values: "HH:MM"."""
    said: Part | None = None
    behind = 0
    for match in _TIME.finditer(text):
        joined = _JOINED.fullmatch(text, behind, match.start()) is not None
        said = part_named(match["part"]) if match["part"] else said if joined else None
        behind = match.end()
        found = None if _is_no_time(match, text) else _time(match, said or part)
        if found is not None:
            says_day = (match["part"] or "")[:1] in _DAYS and match["part"]
            yield Span(match.start("hour") if says_day else match.start(), match.end(), found)
    for match in _NAMED.finditer(text):
        yield Span(match.start(), match.end(), "00:00" if match[0] == "午夜" else "12:00", match[0] != "中午")
    yield from _later(text, now)


def _is_no_time(match: re.Match[str], text: str) -> bool:
    """一点 is "a little" unless something says that it is one o'clock; 三点建议 are three suggestions."""
    if _NO_TIME.match(text, match.end()):
        return True
    exact = match["quarter"] or match["short"] or match["minute"] or match["sharp"] or match["figures"]
    if exact or match["hour"] != "一":
        return False
    if match["part"]:
        return len(match["part"]) < 2
    return match.start() > 0 and text[match.start() - 1] not in "在到于约订定从 ,"


def _time(match: re.Match[str], part: Part | None) -> str | None:
    minute = {"半": 30, "一刻": 15, "三刻": 45}.get(match["quarter"] or "", 0)
    said = (match["minute"] or match["figures"] or "").lstrip("过")
    if said:
        minute = int(amount(said.lstrip("零") or "零") or 0)
    hour = match["hour"]
    by_24 = match["figures"] is not None and match["part"] is None and len(hour) == 2
    found = clock(int(amount(hour) or 0), minute, "morning" if by_24 and hour[0] == "0" else part)
    less = _less(match["less"] or match["short"])
    if found is None or not less:
        return found
    return f"{datetime(2000, 1, 2, int(found[:2])) - timedelta(minutes=less):%H:%M}"


def _less(said: str | None) -> int:
    """Minutes of 差五分, 差一刻."""
    if not said:
        return 0
    return int(amount(said[:-1]) or 0) * (15 if said.endswith("刻") else 1) % 60


def _later(text: str, now: datetime) -> Iterator[Span]:
    for match in _LATER.finditer(text):
        count = 0.5 if match["half"] else amount(match["count"])
        if count is None:
            continue
        minutes = (count + (0.5 if match["more"] else 0)) * (1 if match["unit"] == "分钟" else 60)
        if minutes <= 24 * 60:
            yield Span(match.start(), match.end(), f"{now + timedelta(minutes=minutes):%H:%M}")
