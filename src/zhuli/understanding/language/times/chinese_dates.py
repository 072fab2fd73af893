"""Dates as they are said in Chinese. Works on plain text; days are reckoned by calendar_days.

Not found: spans without a day (下周), and feasts of the moon's calendar but those around its new year (中秋).
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date

from zhuli.understanding.language.numbers.chinese_numbers import amount
from zhuli.understanding.language.spans import Span
from zhuli.understanding.language.times import calendar_days as days
from zhuli.understanding.language.times.date_rules import Read, days_in

_AHEAD = {"大后天": 3, "后天": 2, "明天": 1, "明日": 1, "明儿": 1, "今天": 0, "今日": 0, "今儿": 0, "昨天": -1, "昨日": -1,
          "大前天": -3, "前天": -2, "今晚": 0, "今早": 0, "今夜": 0, "明晚": 1, "明早": 1, "昨晚": -1, "后晚": 2}  # fmt: skip
_FEASTS = {"元旦": (1, 1), "情人节": (2, 14), "妇女节": (3, 8), "愚人节": (4, 1), "劳动节": (5, 1), "五一": (5, 1),
           "儿童节": (6, 1), "六一": (6, 1), "教师节": (9, 10), "国庆节?": (10, 1), "十一假期": (10, 1), "万圣节": (10, 31),
           "双十一": (11, 11), "平安夜": (12, 24), "圣诞节?": (12, 25), "跨年夜?": (12, 31)}  # fmt: skip
_NEW_YEARS = ("2026-02-17", "2027-02-06", "2028-01-26", "2029-02-13", "2030-02-03", "2031-01-23", "2032-02-11", "2033-01-31",
              "2034-02-19", "2035-02-08", "2036-01-28")  # fmt: skip
"""First days of the year by the moon's calendar, as China's calendar has them."""

_WEEKDAYS = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6, "末": 5} | {
    str(n): n - 1 for n in range(1, 8)
}
_NUMBER = "[0-9]{1,2}|[一二三四五六七八九十]{1,3}"
_YEAR = "(?:(?P<year>[0-9]{4}|[0-9]{2}(?=年)|[零〇一二三四五六七八九]{4})年|(?P<which>今年|明年|后年))?"
_NO_DAY = "(?![楼线店门厅桌院馆口机座车房铺台馆院柜窗坑栋单位])"
"""Behind 5号 when it is a day, and not a building, a line or a table."""


def find_chinese_dates(text: str, today: date) -> Iterator[Span]:
    """Every reading of every rule; they may overlap. Values are "YYYY-MM-DD"."""
    for match in _UP_TO.finditer(text):
        first = _month_day(match, today)
        last = first and days.coming(first, first.month, _number(match["last"]))
        if last:
            yield Span(match.start("last"), match.end(), last.isoformat())
    for pattern, read, certain in _RULES:
        yield from days_in(text, pattern, read, today, certain=certain)


def _number(said: str) -> int:
    return int(amount(said) or 0)


def _month_day(match: re.Match[str], today: date) -> date | None:
    month, day = _number(match["month"]), _number(match["day"])
    if match["year"]:
        return days.day_of(_number(match["year"]), month, day)
    if match["which"]:
        return days.day_of(today.year + ["今年", "明年", "后年"].index(match["which"]), month, day)
    return days.coming(today, month, day)


def _day_of_month(match: re.Match[str], today: date) -> date | None:
    if not match["which"]:
        return days.coming_day(today, _number(match["day"]))
    return days.day_of(*days.in_months(today, match["which"].count("下")), _number(match["day"]))


def _weekday(match: re.Match[str], today: date) -> date | None:
    said, which = match["day"], match["which"] or ""
    weekday = _WEEKDAYS[said]
    if which.startswith(("下", "上")):
        return days.weekday_in(today, weekday, weeks=which.count("下") - which.count("上"))
    if said == "末":
        return days.weekend(today, weeks=0)
    return days.this_weekday(today, weekday) if which else days.coming_weekday(today, weekday)


def _after(match: re.Match[str], today: date) -> date | None:
    count = amount(match["count"])
    weeks = match["unit"] in ("周", "星期", "礼拜")
    return None if count is None else days.shifted(today, count * (7 if weeks else 1))


def _ahead(match: re.Match[str], today: date) -> date | None:
    return days.shifted(today, _AHEAD[match[0]])


def _edge_of_month(match: re.Match[str], today: date) -> date | None:
    """月底 is the last day of this month, 月初 the first of the next one to begin."""
    first = match["end"] == "初"
    ahead = 1 if (match["which"] or "").startswith("下") or (first and not match["which"]) else 0
    year, month = days.in_months(today, ahead)
    return days.day_of(year, month, 1 if first else monthrange(year, month)[1])


def _new_year(match: re.Match[str], today: date) -> date | None:
    """Feasts around the new year of the moon's calendar, as far as its days are listed."""
    said = match["moon"]
    ahead = -1 if said.startswith(("除夕", "年三十")) else 14 if said.startswith(("元宵", "正月十五")) else 0
    found = (days.shifted(date.fromisoformat(day), ahead) for day in _NEW_YEARS)
    return next((day for day in found if day is not None and day >= today), None)


def _feast(match: re.Match[str], today: date) -> date | None:
    month, day = next(when for name, when in _FEASTS.items() if re.fullmatch(name, match["feast"]))
    return days.day_of(today.year + 1, month, day) if match["next"] else days.coming(today, month, day)


_RULES: list[tuple[re.Pattern[str], Read, bool]] = [
    (re.compile(
        rf"{_YEAR}(?P<month>{_NUMBER})月份?(?:的)?(?P<day>{_NUMBER})(?:日|号|(?![0-9十个天年]))"
    ), _month_day, True),
    (re.compile(rf"(?P<which>这个月|本月|当月|下个?月)(?:的)?(?P<day>{_NUMBER})[号日]"), _day_of_month, True),
    (re.compile(rf"(?<![0-9月年一二三四五六七八九十第])(?P<which>)(?P<day>{_NUMBER})号{_NO_DAY}"), _day_of_month, False),
    (re.compile(
        "(?P<which>下+个?|上+个?|这个?|本|当)?(?:周|星期|礼拜)(?:的)?(?P<day>[一二三四五六日天末]|"
        "[1-7](?![0-9]))(?![年岁]|天内)"
    ),
     _weekday, True),
    (re.compile(
        "(?P<count>[0-9]{1,4}|[一二两三四五六七八九十百]{1,4})个?(?P<unit>天|日|周|星期|礼拜)(?:之后|以后|后)"
    ), _after, True),
    (re.compile("|".join(_AHEAD)), _ahead, True),
    (re.compile("(?P<which>这个|本|下个?)?月(?P<end>底|末|初)"), _edge_of_month, False),
    (re.compile("(?:大年|农历)?(?P<moon>除夕夜?|年三十|大年初一|正月初一|元宵节?|正月十五)(?![路街道广场大])"), _new_year, True),
    (re.compile(f"(?P<next>明年)?(?P<feast>{'|'.join(_FEASTS)})(?![路街道广场大])"), _feast, True),
]  # fmt: skip
_UP_TO = re.compile(rf"{_YEAR}(?P<month>{_NUMBER})月(?P<day>{_NUMBER})[日号]? ?[到至和-] ?(?P<last>{_NUMBER})[日号]")
