"""What a number counts, told by the word behind it: the 3 of "3 nights" belongs to an entity called nights, if there is one."""

import re
from collections.abc import Sequence

_GROUPS = [
    words.split()
    for words in (
        "people person persons guest guests ppl pax party diner diners passenger passengers attendee attendees of 人 位 名",
        "adult adults 成人 大人",
        "child children kid kids 孩 儿童 小孩",
        "night nights 晚 夜",
        "day days 天 日",
        "week weeks 周 星期",
        "month months 月",
        "year years 年",
        "hour hours hr hrs 小时 钟头",
        "minute minutes min mins 分钟",
        "room rooms bedroom bedrooms 间 房",
        "ticket tickets seat seats 张 票 座",
        "bag bags luggage suitcase suitcases 件 行李",
        "star stars 星",
        "table tables 桌 张",
        "car cars taxi taxis cab cabs vehicle vehicles 辆 车",
    )
]
"""Words for the same; "of" as in "4 of us"."""

_BEHIND = re.compile(
    r"[ -]?(?:(?:small|large|double|single|twin|more|full|checked|extra|additional|other) )?(?P<english>[a-z]+)"
    r"|个?(?P<chinese>[\u4e00-\u9fff]{1,2})",
    re.ASCII,
)


def takes(name: str, text: str, end: int, *, names: Sequence[str]) -> bool:
    """Whether the number that ends there can be of the entity or slot `name`, one of `names` that wait for numbers.

    Not if the noun behind it names another of them alone, nor if both say what they count, and it is not the same: a table
    (一张桌子) is nothing for 人数.
    """
    match = _BEHIND.match(text, end)
    counted = _groups_of(match["english"] or match["chinese"]) if match else set()
    if not counted:
        return True
    fitting = [other for other in names if _named(other) & counted]
    if fitting:
        return name in fitting
    return not _named(name)


def _groups_of(noun: str) -> set[int]:
    """The places of the groups that a noun is of, in Chinese one that begins with a word of them."""
    if noun.isascii():
        return {place for place, group in enumerate(_GROUPS) if noun in group}
    return {place for place, group in enumerate(_GROUPS) if any(noun.startswith(word) for word in group)}


def _named(name: str) -> set[int]:
    """The places of the groups that an entity's name says, such as party_size, num_rooms or 房间数."""
    parts = set(re.split(r"[\s_\-.]+", name.lower()))
    return {
        place
        for place, group in enumerate(_GROUPS)
        if any(word in parts or (not word.isascii() and word in name) for word in group)
    }
