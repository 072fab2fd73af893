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
        "table tables 桌",
    )
]
"""Words for the same; "of" as in "4 of us"."""

_BEHIND = re.compile(
    r"[ -]?(?:(?:small|large|double|single|twin|more|full) )?(?P<english>[a-z]+)|个?(?P<chinese>[\u4e00-\u9fff]{1,2})",
    re.ASCII,
)


def counted_by(text: str, end: int, names: Sequence[str]) -> str | None:
    """The one of the entities whose name says what the number that ends there counts; None if there is none, or several."""
    match = _BEHIND.match(text, end)
    if match is None:
        return None
    noun = match["english"] or match["chinese"]
    fitting = [name for name in names if _names(name, noun)]
    return fitting[0] if len(fitting) == 1 else None


def _names(name: str, noun: str) -> bool:
    """Whether an entity's name, such as party_size, num_rooms or 房间数, has the noun or another word for it."""
    parts = set(re.split(r"[\s_\-.]+", name.lower()))
    if noun.isascii():
        words = next((group for group in _GROUPS if noun in group), [noun])
        return any(word in parts or (not word.isascii() and word in name) for word in words)
    groups = [group for group in _GROUPS if any(noun.startswith(word) for word in group)]
    return any(word in parts or (not word.isascii() and word in name) for group in groups for word in group)
