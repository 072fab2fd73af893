"""Dates and times as people say them. It is Monday, 2026-11-23, 10:05."""

from datetime import datetime

import pytest

from zhuli.understanding.language.plain_text import plain
from zhuli.understanding.language.times.dates import find_dates
from zhuli.understanding.language.times.times import find_times

NOW = datetime(2026, 11, 23, 10, 5)


def dates(text: str) -> list[tuple[str, str]]:
    return [(text[span.start : span.end], span.value) for span in find_dates(plain(text), NOW.date())]


def times(text: str) -> list[str]:
    return [span.value for span in find_times(plain(text), NOW)]


@pytest.mark.parametrize(
    ("text", "said", "day"),
    [
        ("on March 5th please", "March 5th", "2027-03-05"),
        ("the 5th of march", "the 5th of march", "2027-03-05"),
        ("December 24th, 2026", "December 24th, 2026", "2026-12-24"),
        ("it's the 2nd of July 1980", "the 2nd of July 1980", "1980-07-02"),
        ("born on March 3rd, 1999", "March 3rd, 1999", "1999-03-03"),
        ("他是1980年7月2号生的", "1980年7月2号", "1980-07-02"),
        ("a table tonite", "tonite", "2026-11-23"),
        ("march twenty first", "march twenty first", "2027-03-21"),
        ("the 30th of this month", "the 30th of this month", "2026-11-30"),
        ("TOMMOROW!!", "TOMMOROW", "2026-11-24"),
        ("um the day after tomorrow", "the day after tomorrow", "2026-11-25"),
        ("Tuesday", "Tuesday", "2026-11-24"),
        ("monday", "monday", "2026-11-30"),
        ("this monday", "this monday", "2026-11-23"),
        ("next Tuesday", "next Tuesday", "2026-12-01"),
        ("thursday next week", "thursday next week", "2026-12-03"),
        ("last tuesday", "last tuesday", "2026-11-17"),
        ("on tues at 7", "tues", "2026-11-24"),
        ("Friday the 27th", "Friday the 27th", "2026-11-27"),
        ("see you on the 6th", "the 6th", "2026-12-06"),
        ("in three days", "in three days", "2026-11-26"),
        ("in 2 weeks", "in 2 weeks", "2026-12-07"),
        ("a week from Friday", "a week from Friday", "2026-12-04"),
        ("this weekend", "this weekend", "2026-11-28"),
        ("new year's day", "new year's day", "2027-01-01"),
        ("Feb 29", "Feb 29", "2028-02-29"),
        ("5/3", "5/3", "2027-05-03"),
        ("13/3", "13/3", "2027-03-13"),
        ("3/5/2027", "3/5/2027", "2027-03-05"),
        ("2026-12-01", "2026-12-01", "2026-12-01"),
        ("5.12.2026", "5.12.2026", "2026-12-05"),
        ("３月５日", "３月５日", "2027-03-05"),
        ("三月五号", "三月五号", "2027-03-05"),
        ("2026年12月1号", "2026年12月1号", "2026-12-01"),
        ("明年3月5日", "明年3月5日", "2027-03-05"),
        ("下个月5号", "下个月5号", "2026-12-05"),
        ("订5号的", "5号", "2026-12-05"),
        ("明天下午三点", "明天", "2026-11-24"),
        ("明晚八点", "明晚", "2026-11-24"),
        ("大后天", "大后天", "2026-11-26"),
        ("下周二", "下周二", "2026-12-01"),
        ("下下週五", "下下週五", "2026-12-11"),
        ("这周五", "这周五", "2026-11-27"),
        ("星期天", "星期天", "2026-11-29"),
        ("下周末", "下周末", "2026-12-05"),
        ("三天后", "三天后", "2026-11-26"),
        ("两个星期后", "两个星期后", "2026-12-07"),
        ("元旦", "元旦", "2027-01-01"),
        ("国庆节", "国庆节", "2027-10-01"),
    ],
)
def test_a_day_is_reckoned_from_today(text: str, said: str, day: str) -> None:
    assert dates(text)[:1] == ([(said, day)] if said else [])


@pytest.mark.parametrize(
    "text",
    ["2nd floor", "the 2nd one", "I sat in the sun", "may I have two", "february 30", "in 999999999 days", "24/7",
     "4/5 stars", "5号楼", "10号线", "next week", "in March", "下周", "99/99", "春节"],
)  # fmt: skip
def test_what_names_no_day_is_no_date(text: str) -> None:
    assert dates(text) == []


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("March 5 to 8", ["2027-03-05", "2027-03-08"]),
        ("from the 5th to the 8th of March", ["2027-03-05", "2027-03-08"]),
        ("3月5号到8号", ["2027-03-05", "2027-03-08"]),
        ("Friday or Saturday", ["2026-11-27", "2026-11-28"]),
        ("from Monday to Friday", ["2026-11-30", "2026-12-04"]),
        ("next Friday till Sunday", ["2026-12-04", "2026-12-06"]),
        ("December 30th until Saturday", ["2026-12-30", "2027-01-02"]),
        ("从周一到周五", ["2026-11-30", "2026-12-04"]),
        ("下周六至星期天", ["2026-12-05", "2026-12-06"]),
    ],
)
def test_a_range_gives_its_first_and_its_last_day(text: str, days: list[str]) -> None:
    assert [day for _, day in dates(text)] == days


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("7pm", ["19:00"]),
        ("7:30 p.m.", ["19:30"]),
        ("7.30PM", ["19:30"]),
        ("table for two tonite 8.15", ["20:15"]),
        ("saturday 7.45 for the two of us", ["19:45"]),
        ("seven thirty pm", ["19:30"]),
        ("half past seven", ["19:30"]),
        ("quarter to eight in the evening", ["19:45"]),
        ("ten to five", ["16:50"]),
        ("19:30", ["19:30"]),
        ("07:30", ["07:30"]),
        ("noon", ["12:00"]),
        ("at midnight", ["00:00"]),
        ("12 am", ["00:00"]),
        ("12 pm", ["12:00"]),
        ("twelve in the afternoon", ["12:00"]),
        ('5 o"clock in the evening', ["17:00"]),
        ("evening 5", ["17:00"]),
        ("at 7", ["19:00"]),
        ("good morning, at 7 please", ["19:00"]),
        ("tomorrow morning at 9", ["09:00"]),
        ("tonight at 8 in Frisco", ["20:00"]),
        ("dinner around 8ish", ["20:00"]),
        ("7-9pm", ["19:00", "21:00"]),
        ("from 11 to 1pm", ["11:00", "13:00"]),
        ("in half an hour", ["10:35"]),
        ("晚上七点半", ["19:30"]),
        ("下午３点", ["15:00"]),
        ("七點一刻", ["19:15"]),
        ("三点零五", ["15:05"]),
        ("差一刻八点", ["07:45"]),
        ("八点差五分", ["07:55"]),
        ("中午十二点", ["12:00"]),
        ("凌晨两点", ["02:00"]),
        ("晚上12点", ["00:00"]),
        ("早上8:30", ["08:30"]),
        ("下午2点到4点", ["14:00", "16:00"]),
        ("明早9点", ["09:00"]),
        ("一点半", ["13:30"]),
        ("一个半小时后", ["11:35"]),
    ],
)
def test_a_time_is_of_the_clock_with_24_hours(text: str, found: list[str]) -> None:
    assert times(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "at 7 places",
        "2 tickets",
        "25:00",
        "便宜一点",
        "早一点",
        "4.5分以上",
        "四点五分以上",
        "有三点建议",
        "两小时",
        "good evening",
    ],
)
def test_what_names_no_hour_is_no_time(text: str) -> None:
    assert times(text) == []
