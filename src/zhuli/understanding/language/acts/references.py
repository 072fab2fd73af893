"""What a message refers to without saying it: "the same day", "that hotel", "there", 还是那家, 上次那个.

Only words that point to an earlier value of the dialogue; "it" and "that" alone, which may be anything, are left out, and so is
"there is". Which value is meant is for who knows the dialogue to say.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from zhuli.understanding.language.plain_text import MOST_CHARACTERS, plain
from zhuli.understanding.language.spans import Span, apart

About = Literal["date", "time", "place", "person", "thing", "all"]
Which = Literal["same", "that", "there", "last"]


@dataclass(frozen=True, slots=True)
class Reference:
    """text stands at [start, end). about: what kind of value; "all": everything as it was.

    which: "same" as the present one, "that" one that was spoken of, "there" the place that was, "last" one of an earlier time.
    """

    text: str
    start: int
    end: int
    about: About
    which: Which


_ENGLISH_NOUNS: dict[About, str] = {
    "date": "dates?|days?|evening|morning|afternoon|night|weekend",
    "time": "times?|hour|o'clock",
    "person": "person|doctor|dentist|stylist|therapist|guy|man|woman|lady|driver|agent|name|contact|guest|passenger|recipient",
    "place": "places?|hotels?|restaurants?|city|town|locations?|address|branch|spot|theat(?:er|re)|cinema|venue|airport|station|"
    "stop|area|neighborhood|store|shop|bar|cafe|salon|clinic|museum|park|destination|country|house|apartment",
    "thing": "one|ones|thing|item|movie|film|song|show|concert|event|flight|bus|train|car|ride|room|table|type|kind|price|size|"
    "colou?r|dish|order|account|amount|number|ticket|seat|class|album|appointment|booking|reservation|cuisine|food",
}
_CHINESE_NOUNS: dict[About, str] = {
    "date": "日子|日期|天|日",
    "time": "时间|时候|点钟|钟点|时刻",
    "person": "医生|大夫|师傅|司机|客人|理发师|联系人|老师|先生|女士|人",
    "place": "地方|地点|地址|酒店|宾馆|饭店|餐馆|餐厅|饭馆|馆子|景点|城市|影院|电影院|机场|车站|公园|医院|诊所|位置|商场|家店|店|"
    "家",
    "thing": "道菜|价格|航班|车次|房间|房型|电影|套餐|数量|人数|号码|账户|手机号|"
    "电话|预订|订单|个|样|部|首|张|间|辆|种|歌|菜",
}


def _one_of(nouns: dict[About, str]) -> str:
    return "|".join(f"(?P<{about}>{words})" for about, words in nouns.items())


_NOUN, _NAME = _one_of(_ENGLISH_NOUNS), f"一?[个家间位部天所座种]?(?:{_one_of(_CHINESE_NOUNS)})"
_BEFORE = r"(?:before|earlier|usual|yesterday|last (?:week|month|year))"
_EARLIER_ONE = r"(?:(?:the )?(?:last|previous|first|other|earlier) (?:time|one|booking|reservation|order))"
_EARLIER = "上次|上回|之前|以前|刚才|原来|前面|先前|刚刚"
_STILL = "(?:还是|就|还要|就要|就选|就订|仍然?|依然)?"

_RULES: list[tuple[re.Pattern[str], Which]] = [
    (
        re.compile(
            rf"\b(?:the |that |this |at |on )*(?:very )?same (?:exact )?(?:{_NOUN})\b"
            rf"(?: (?:as|like) (?:{_EARLIER_ONE}|{_BEFORE}))?",
            re.ASCII,
        ),
        "same",
    ),
    (re.compile(rf"\b(?:that|those|said) (?:same )?(?:{_NOUN})\b", re.ASCII), "that"),
    (
        re.compile(
            rf"\bthe (?:last|previous|earlier|former|other|usual|prior) (?:{_NOUN})\b(?! (?:of|in|on)\b)", re.ASCII
        ),
        "last",
    ),
    (re.compile(rf"[跟和与]?(?:{_EARLIER})?的?(?:同样的?|相同的?|一样的?|同一?){_NAME}"), "same"),
    (
        re.compile(
            rf"{_STILL}(?:{_EARLIER}|老|上一)(?:说的|订的|定的|选的|去的|提到的|推荐的|住的|吃的|那|的){{0,2}}那?{_NAME}"
        ),
        "last",
    ),
    (re.compile(rf"{_STILL}[那这]{_NAME}(?!气|么)"), "that"),
]
_ALL = [
    re.compile(
        r"\b(?:the |exactly the )?(?:same(?: thing| again| details| everything)?|just) (?:as|like) "
        rf"(?:{_EARLIER_ONE}|before|earlier|usual|always)\b|\b(?:like|as) (?:the )?last time\b|\b(?:the )?same again\b|"
        r"\b(?:the |my )usual\b(?= *(?:$|[.,!?]|please))|\b(?:all|everything) the same\b|\bthe same\b(?= *(?:$|[.,!?]|please))",
        re.ASCII,
    ),
    re.compile(
        f"(?:跟|和|与|同|像|按照?)(?:{_EARLIER})的?(?:一样|相同|那样|来)?|老样子|老规矩|照旧|其[他它]的?都?(?:不变|一样)"
    ),
]
_THERE = [
    re.compile(
        r"(?<!is )(?<!are )(?<!was )(?<!were )(?<!'s )(?<!hi )(?<!hey )(?<!hello )(?<!isn't )(?<!aren't )(?<!will )(?<!would )"
        r"(?<!has )(?<!if )(?<!think )(?<!know )(?<![a-z])(?:over |in |to |at |from |near |around )?there\b"
        r"(?!'?s\b| (?:is|are|was|were|be|will|would|has|have|been|a|an|any|should|isn't|aren't|seems|might|must|could|can|may|"
        r"exists?)\b)",
        re.ASCII,
    ),
    re.compile("(?<![你您我他她们])(?:在|去|到|从|还是|就)?(?:那里|那儿|那边)(?!的话)"),
]
_WHOM = [
    re.compile(r"\bhim\b|\bher(?= *(?:$|[,.!?]|again\b|another\b|some\b|an?\b|[0-9£$€]))", re.ASCII),
    re.compile("(?<=给)[他她](?![们的妈爸家老])|(?<=找)[他她](?![们的妈爸家老])"),
]
"""A person who was spoken of: "send him another 50", 再给她转两百."""

_DESCRIBED = re.compile(r"that (?:one|time|day)(?= (?:that|which|who|with|where|when|has)\b)", re.ASCII)
"""What is only now said: "that one with a view"."""


def references(text: str) -> list[Reference]:
    """The references of a message in their order, without overlaps, the longest of them. Both languages are read."""
    read = plain(text[:MOST_CHARACTERS])
    return [span.value for span in apart(Span(one.start, one.end, one) for one in _found(text, read))]


def _found(text: str, read: str) -> Iterator[Reference]:
    """Every reading of every rule; "all" first, as of those that are as long apart() keeps the first."""
    for pattern in _ALL:
        for match in pattern.finditer(read):
            yield Reference(text[match.start() : match.end()], match.start(), match.end(), "all", "same")
    for pattern in _THERE:
        for match in pattern.finditer(read):
            yield Reference(text[match.start() : match.end()], match.start(), match.end(), "place", "there")
    for pattern in _WHOM:
        for match in pattern.finditer(read):
            yield Reference(text[match.start() : match.end()], match.start(), match.end(), "person", "that")
    for pattern, which in _RULES:
        for match in pattern.finditer(read):
            about = next(about for about in _ENGLISH_NOUNS if match[about])
            if not _DESCRIBED.match(read, match.start()):
                yield Reference(text[match.start() : match.end()], match.start(), match.end(), about, which)
