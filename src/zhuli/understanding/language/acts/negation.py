"""Which entities a message denies: "not Italian", "anything but Thai", "Friday doesn't work", 不要辣的, 周五不行.

A word that denies reaches to the end of its clause: to "but" and 但, to a new verb ("I want", 我要), to a stop, or to a comma:
"not Friday, Saturday" denies Friday alone. It passes on through "or", "nor", "and", 和 ("neither Thai, Greek nor Italian"). By
rules, precise rather than complete: irony, and what is denied far away, are not seen.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from zhuli.types.understanding.understanding import EntityFound
from zhuli.understanding.language.clauses import clause_ends, has_comma, joins
from zhuli.understanding.language.plain_text import MOST_CHARACTERS, plain

_ENGLISH = re.compile(
    r"(?<!why )(?<!if )(?:"
    r"\b(?:do|does|did|would|wo|will|ca|can|could|should)(?:n'?t| not|not) (?!know\b|mind\b|forget\b|worry\b|"
    r"care (?:if|about|which|when)|you\b|"
    r"we\b|wait\b|understand\b|think i\b|have to\b)(?:really |even |actually )?"
    r"(?:want|like|need|eat|drink|do|book|use|include|have|take|go|fancy|feel like|choose|pick|care for|get|add|put|"
    r"make it|order|give|love|be|"
    r"come|leave|travel|fly|mean|say|search|look|show|recommend)\b|"
    r"\bnot\b(?! (?:only|just|sure|bad|yet|at all|right now|until|before|after|later|earlier|more|less|fewer|a problem|an issue|"
    r"too|so|exactly|that i|have|know|mind|i)\b)|"
    r"\bno(?: more)?\b(?! *,)(?! (?:later|more|less|earlier|sooner|fewer|problem|worries|matter|one|idea|rush|need|longer|i|it|"
    r"that|this|thanks|thank|preference|please|make|change|let|the|a|an|my|we|he|she|they|in|on|at|for|to|just|book|then|and|"
    r"actually|sorry|you)\b)|"
    r"\b(?:any|every) (?:other )?[a-z]+ (?:but|except(?: for)?|other than|besides|bar)\b|"
    r"\bwithout\b|\banything (?:but|except|other than)\b|\bexcept(?: for)?\b|\bother than\b|\brather than\b|"
    r"\binstead of\b|\bneither\b|"
    r"\b(?:hate|dislike|avoid|allergic to|tired of|sick of)\b|\bcan'?t (?:stand|eat|have|do|make)\b)",
    re.ASCII,
)
_BEHIND = r" *(?:(?:at all|either|one|itself|for me|morning|evening|afternoon) )?"
_DENIED_BEHIND = re.compile(
    rf"{_BEHIND}(?:is|are|was|'s)(?:n'?t| not| no)(?: really)? (?:what|right|correct|for me|an option|ok|okay|my)\b|"
    rf"{_BEHIND}(?:is|are) wrong\b",
    re.ASCII,
)
_UNSUITED = re.compile(
    rf"{_BEHIND}(?:does|do|wo|will|would|did)(?:n'?t| not) (?:really )?(?:work|do|fit|suit|be|sound)\b|"
    rf"{_BEHIND}(?:is|are|was|'s)(?:n'?t| not| no)(?: really)? (?:good|possible|fine|great|available|in)\b|"
    rf"{_BEHIND}(?:is|are) (?:out|too|impossible|off)\b",
    re.ASCII,
)
"""Of days and hours alone: what does not work or is not good may be a thing that is complained about."""

_CHINESE = re.compile(
    "(?<![要是能可行好对]的)(?:(?<![要])不(?:要|想要?|喜欢|爱|吃|喝|含|放|加|需要|用|去|订|定|选|坐|住|能吃?|考虑|"
    "打算)|(?<!是)不是|"
    "(?<![特区级告分个类性识])别(?:订|定|要|放|选|给我?|加|来|去|吃|买|用|约|安排|推荐|找)?(?!的|人|墅|克|处|称)|讨厌|"
    "拒绝|忌口?|无(?!线|烟|论)|(?<!有)没有|除了|过敏的?是|"
    "而不是|不可以有|不能有|不该是|取消)(?!错|过|知|好意|管|如|仅|光|但|客气|用了|用谢|能[不]|多|少)"
)
_CHINESE_QUESTION = re.compile("[^,.;!?]{0,8}(?:吗|么|嘛)|[^,.;!?]{0,6}\\?")
_CHINESE_BEHIND = re.compile(
    " *[的都也就那肯定恐怕可能]{0,4}(?:不行(?!吗|么)|不可以(?!吗)|不好(?!吗)|不喜欢|不要(?!紧)|不吃|不爱吃|不考虑|就?不用了|"
    "就?算了|就?免了|不对|不能吃|过敏|太[贵辣油咸甜])"
)
_CHINESE_UNSUITED = re.compile(
    " *[的都也就那肯定恐怕可能]{0,4}(?:不合适|不方便|没空|没时间|有事|去不了|来不了|太[早晚远])"
)
_BESIDES = re.compile("[^,.;!?]{0,4}?(?:以外|之外|外|都|别的|其他|其它)")
_ONLY_SO = re.compile("除了")

_ELSEWHERE = re.compile(r" *[a-z]+(?: [a-z]+)? (?:in|at|since|as of) ", re.ASCII)
"""Behind a "no" and what there is none of: "no internet in York" does not deny York."""

_ANSWERS = frozenset(("date", "time", "number", "money", "phone", "email"))
_LEADING_NO = re.compile(r"^\W*(?:no|nope|nah)\b *(?:on |at |for )?$", re.ASCII)


def with_negation(text: str, entities: Sequence[EntityFound]) -> list[EntityFound]:
    """The entities, in their order, those that the text denies as `negated`. Both languages are read, whatever the message's."""
    read = plain(text[:MOST_CHARACTERS])
    ends = clause_ends(read)
    denying = sorted([*_reaches(_ENGLISH, read, ends, farthest=45), *_reaches(_CHINESE, read, ends, farthest=10)])
    places = sorted({(one.start, one.end) for one in entities})
    denied = _denied(read, places, denying)
    return [
        one.model_copy(update={"negated": True})
        if _denied_behind(read, one) or ((one.start, one.end) in denied and not _answers(read, one))
        else one
        for one in entities
    ]


def _reaches(pattern: re.Pattern[str], read: str, ends: list[int], *, farthest: int) -> Iterator[tuple[int, int, int]]:
    """Of each word that denies: where it ends, how far on a first thing may begin, and where its clause ends."""
    for match in pattern.finditer(read):
        if _ONLY_SO.match(match[0]) and not _BESIDES.search(read, match.end()):
            continue
        if match[0] in ("不是", "没有", "不能") and _CHINESE_QUESTION.match(read, match.end()):
            continue
        yield match.end(), match.end() + farthest, ends[bisect_left(ends, match.end())]


def _denied(read: str, places: list[tuple[int, int]], denying: list[tuple[int, int, int]]) -> set[tuple[int, int]]:
    denied: set[tuple[int, int]] = set()
    for begin, farthest, end in denying:
        last: int | None = None
        for start, stop in places[bisect_left(places, (begin, 0)) :]:
            if start >= end:
                break
            if last is None:
                near = start <= farthest and not has_comma(read, begin, start) and not _is_elsewhere(read, begin, start)
            else:
                near = start < last or (joins(read[last:start]) and _goes_on(read, places, start, last))
            if not near:
                break
            denied.add((start, stop))
            last = max(stop, last or 0)
    return denied


def _is_elsewhere(read: str, begin: int, start: int) -> bool:
    return read[:begin].endswith("no") and _ELSEWHERE.match(read, begin, start) is not None


def _goes_on(read: str, places: list[tuple[int, int]], start: int, last: int) -> bool:
    """Whether a list goes on: a comma only joins if an "or", "nor" or "and" follows in it; 、 always does."""
    between = read[last:start].strip()
    if between != ",":
        return True
    stops = [stop for begin, stop in places if begin == start]
    behind = [begin for begin, _ in places if begin >= max(stops)]
    rest = read[max(stops) : behind[0]] if behind else ""
    return bool(behind) and joins(rest) and rest.strip() != ","


def _denied_behind(read: str, one: EntityFound) -> bool:
    if _DENIED_BEHIND.match(read, one.end) or _CHINESE_BEHIND.match(read, one.end):
        return True
    timely = one.source in ("date", "time")
    return timely and bool(_UNSUITED.match(read, one.end) or _CHINESE_UNSUITED.match(read, one.end))


def _answers(read: str, one: EntityFound) -> bool:
    """ "No tomorrow" as an answer is "no, tomorrow", said without a pause."""
    return one.source in _ANSWERS and _LEADING_NO.match(read[: one.start]) is not None
