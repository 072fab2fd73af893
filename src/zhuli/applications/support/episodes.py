"""Dialogues cut into episodes: a matter, what was asked about it, and the answer that ended it. Pure.

A user's turn opens a matter. What an agent asks back, and the user's reply to that, belong to it. The last answer before the user
thanks, leaves or asks about something else is the one that ended it; an answer that the user is not content with did not.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from zhuli.applications.support.transcripts import AGENT, USER, Dialogue, Turn

_CLOSING: Final = re.compile(
    r"(?i)(?:ok(?:ay)?|great|good|perfect|awesome|alright|all right|wonderful|nice|cool|yes|"
    r"yeah|yep|sure|no|nope|well|and|"
    r"that(?:'s| is| was| will be)? (?:all|it|everything|great|good|perfect|fine|right)|"
    r"thanks?(?: you)?(?: so much| a lot| very much)?|"
    r"thx|ty|bye|goodbye|good ?bye|see you|cheers|take care|have a (?:good|great|nice) \w+|you too|"
    r"i(?:'m| am) (?:good|fine|done|all set)|"
    r"hi|hello|hey|good (?:morning|afternoon|evening)|there|for (?:your|the|all your) help|that works|sounds good|got it|i see|"
    r"(?:that )?(?:will|would) be all|nothing else|have a good one|very much|so much|much|please|"
    r"again|then|for now|i need)"
    r"|(?:好的?|嗯+|谢谢|多谢|感谢|非常|你|您|了|再见|拜拜|不客气|没有了|没了|不用了?|明白|知道|是的?|对|行|可以|哦|噢|那|就|这样|吧|啊|哈|你好|您好|麻烦|辛苦|没问题|ok|太好)"
)
"""What ends a matter, or opens a dialogue, and asks nothing."""

_NOT_CONTENT: Final = re.compile(
    r"(?i)\b(?:still|doesn'?t (?:work|help)|didn'?t (?:work|help)|not (?:working|helpful|what)|"
    r"that'?s not|already (?:tried|did)|same (?:error|problem|issue)|wrong)\b"
    r"|还是(?:不|没)|没用|不行|不对|不是这|没解决|试过了"
)
_ASKS_BACK: Final = re.compile(
    r"(?i)\b(?:(?:may|can|could) i (?:have|get|ask|know)|do you (?:have|want|know|prefer)|"
    r"(?:can|could|would) you (?:please )?(?:tell|give|provide|confirm|share|send|verify)|"
    r"please (?:provide|confirm|give|tell|enter|share)|"
    r"i(?:'ll| will)? (?:just )?need (?:your|the|to (?:know|verify)))\b"
    r"|\b(?:what(?:'s| is| are| was)|which|when|where|who|how (?:many|much|long|old))\b[^.!?]*\?\s*$"
    r"|(?:^|[.!?]\s)\W*(?:(?:and|ok(?:ay)?|so|sure|great)\b\W*)?(?:what(?:'s| is| are| was) (?:your|the)|which|"
    r"(?:when|where) (?:did|do|is|are|was|were|would|will)|who (?:is|was|are)|how (?:many|much|long|old))\b[^.!?]*$"
    r"|(?:请问|请提供|请告诉|麻烦提供|能否提供|您的).*(?:什么|哪|多少|几|吗|呢|号码?|姓名)?[?？]$|请提供"
)
"""Words such as "where" stand in answers, too ("it says where it is"): they ask before "?", or first in the last sentence."""

_ANYTHING_ELSE: Final = re.compile(
    r"(?i)\b(?:anything else|something else|any other|else (?:i|that i) can|other questions?)\b"
    r"|(?P<chinese>还有(?:什么|其他)|其他(?:需要|问题)|还需要)"
)
_SENTENCE_ENDS: Final = ".!?。！？"
_FILLER: Final = re.compile(
    r"(?i)(?:hi|hello|hey|thanks?|thank you|ok(?:ay)?|sure|of course|great|perfect|one moment|"
    r"hold on|please|wait|let me (?:check|see|look)(?: (?:that|this|it|into|for you|up))*|"
    r"how (?:can|may) i (?:help|assist)(?: you)?(?: today)?|you(?:'re| are) welcome|my pleasure|"
    r"no problem|have a (?:good|great|nice) \w+|"
    r"bye|goodbye|welcome|good (?:morning|afternoon|evening)|a moment|just a \w+|for (?:that|waiting|"
    r"contacting us)|i see|got it|so much|there|too|you)"
    r"|(?:好的?|您好|你好|请稍等|稍等|不客气|谢谢|再见|祝您|生活愉快|愉快|旅途|玩得|开心|没问题|嗯|不用谢|不用客气|欢迎|请问|有什么|可以|帮|您|您的|的|吗)"
)
"""What only greets, puts off or leaves."""

_BETWEEN: Final = re.compile(r"\W*")
_LONGEST_PHRASE: Final = 64
_MOST_PHRASES: Final = 200
"""Characters of a text that may be nothing but such phrases."""

MOST_PAIRS = 200
"""Of a dialogue."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What an agent asked back, and what the user said to it."""

    question: str
    reply: str


@dataclass(frozen=True, slots=True)
class Pair:
    """question: the user's words that opened the matter. before: the last that was said before. answer: what ended it.

    label: which kind of answer that is, where the transcripts say so.
    """

    question: str
    answer: str
    before: str = ""
    asks: tuple[Ask, ...] = ()
    label: str | None = None


@dataclass
class _Matter:
    question: str
    before: str
    answer: str | None = None
    asks: list[Ask] = field(default_factory=list)
    asked: str | None = None
    label: str | None = None


def pairs(dialogue: Dialogue) -> list[Pair]:
    """The matters of a dialogue that were answered, in their order."""
    return list(_closed(joined(dialogue.turns)))[:MOST_PAIRS]


def joined(turns: Sequence[Turn]) -> list[Turn]:
    """Turns of the same speaker in a row, as one."""
    found: list[Turn] = []
    for turn in turns:
        if found and found[-1].role == turn.role:
            found[-1] = Turn(turn.role, f"{found[-1].text} {turn.text}", _both(found[-1].label, turn.label))
        else:
            found.append(turn)
    return found


def _both(one: str | None, other: str | None) -> str | None:
    """The label of two turns as one: the parts of both, which are joined by plus signs."""
    if one is None or other is None:
        return one or other
    return "+".join(sorted({*one.split("+"), *other.split("+")}))


def masked(dialogue: Dialogue, mask: Callable[[str], str]) -> Dialogue:
    """The dialogue with personal data masked in every turn."""
    turns = tuple(Turn(turn.role, mask(turn.text), turn.label) for turn in dialogue.turns)
    return Dialogue(dialogue.id, turns, dialogue.user, dialogue.line)


def is_closing(text: str) -> bool:
    """Whether a user's words only thank, greet, agree or leave."""
    return _is_only(_CLOSING, text)


def asks_back(text: str) -> bool:
    """Whether an agent's words only ask for something."""
    said = without_offer(text)
    return len(said) < 240 and bool(_ASKS_BACK.search(said))


def without_offer(text: str) -> str:
    """The agent's words without the sentence "is there anything else?"; of a Chinese one, from the clause on that asks so."""
    kept, end = list[str](), 0
    for found in _ANYTHING_ELSE.finditer(text):
        if found.start() < end:
            continue
        marks = _SENTENCE_ENDS + "，," if found["chinese"] else _SENTENCE_ENDS
        kept.append(text[end : max(end, *(text.rfind(mark, end, found.start()) + 1 for mark in marks))])
        after = [place for mark in _SENTENCE_ENDS if (place := text.find(mark, found.end())) >= 0]
        end = min(after) + 1 if after else len(text)
    return "".join([*kept, text[end:]]).strip()


def _is_only(phrase: re.Pattern[str], text: str) -> bool:
    """Whether the text is phrases in a row and nothing else.

    A row as one expression would be tried in all the ways in which it can be cut, two to the power of its length; here each
    place is looked at once.
    """
    if len(text) > _MOST_PHRASES:
        return False
    ends = {_after(text, 0)}
    for place in range(len(text)):
        if place in ends and phrase.match(text, place):
            last = min(len(text), place + _LONGEST_PHRASE)
            ends.update(_after(text, end) for end in range(place + 1, last + 1) if phrase.fullmatch(text, place, end))
    return len(text) in ends and len(text) > _after(text, 0)


def _after(text: str, end: int) -> int:
    """Where the next phrase can begin."""
    between = _BETWEEN.match(text, end)
    return between.end() if between else end


def _closed(turns: Sequence[Turn]) -> Iterator[Pair]:
    matter: _Matter | None = None
    before = ""
    for turn in turns:
        if turn.role == USER:
            if matter is not None and matter.asked is not None:
                matter.asks.append(Ask(matter.asked, turn.text))
                matter.asked = None
            elif matter is not None and matter.answer is not None and _NOT_CONTENT.search(turn.text):
                pass  # the answer did not end it
            elif not is_closing(turn.text):
                if matter is not None and matter.answer is not None:
                    yield _pair(matter)
                matter = _Matter(turn.text, before)
            elif matter is not None and matter.answer is not None:
                yield _pair(matter)
                matter = None
        elif turn.role == AGENT and matter is not None:
            said = without_offer(turn.text)
            if said and not _is_only(_FILLER, said):
                if asks_back(said) and matter.answer is None:
                    matter.asked = said
                else:
                    matter.answer, matter.label = said, turn.label
        before = turn.text
    if matter is not None and matter.answer is not None:
        yield _pair(matter)


def _pair(matter: _Matter) -> Pair:
    return Pair(matter.question, matter.answer or "", matter.before, tuple(matter.asks), matter.label)
