"""What of an answer is the value: names without the words that introduce them, and of several numbers the one that counts.

"My name is Ann" and "John please" are Ann and John; of 再加一碗，一共三碗 the three are meant, of 十来斤，就算5公斤 the five.
"""

import re
from collections.abc import Collection, Sequence

from zhuli.types.understanding.understanding import EntityFound
from zhuli.understanding.language.plain_text import plain

_LEADS = re.compile(
    r"^\W*(?:(?:um+|uh+|er+m?|oh|ok(?:ay)?|well|so|yes|yeah|yep|sure|right|hi|hello|ah|just|please)\b[ ,.]*)*"
    r"(?:(?:(?:my|the|her|his|our) (?:full |last |first )?(?:sur)?name(?:'?s| is| would be| will be)|name(?:'?s| is|:)|"
    r"it'?s(?: called)?|it is(?: called)?|it should be|this is|i'?m|i am|call me|they call me|that would be|that'?s|"
    r"(?:put|book|write|make|place|reserve) (?:it|that|me)?(?: down)? ?(?:under|as|for|to|in the name of)|"
    r"under(?: the name(?: of)?)?|in the name of|for|to|(?:please )?send it to|make it out to|the name)\b[ :,]*)?"
)
_CHINESE_LEADS = re.compile(
    r"^\W*(?:嗯+|哦|好的?|那|就|额|呃)?[,. ]*"
    r"(?:(?:我|他|她|名字|姓名|入住人|收款人|联系人|收件人|户名)?(?:的?名字|姓名)?(?:叫做?|是|姓(?!名)|写|就写|填|登记|[:：])|"
    r"(?:转|汇|打|寄|送|发)?给|叫|写)?[,. ]*"
)
_WISHES = re.compile(
    r"^\W*(?:(?:um+|uh+|oh|ok(?:ay)?|well|so|yes|yeah|sure|maybe|perhaps)\b[ ,.]*)*"
    r"(?:(?:i|we)(?: would|'d|'m| am| will|'ll)?(?: really| also| just| mostly| usually| think i(?:'d| would))? "
    r"(?:like|want|love|prefer|need|enjoy|"
    r"looking for|interested in|in the mood for|thinking(?: of| about)?|feel like|hoping for|craving)"
    r"(?: to (?:see|watch|hear|listen to|eat|have|get|try|find|go to|play))?|"
    r"(?:something|anything|one|some)(?: that'?s| that is)?(?: like| in| from| by)?|"
    r"(?:how|what) about|let'?s (?:do|go with|try|say)|"
    r"(?:can|could) you (?:find|get|play|show)(?: me)?|find me|preferably|make it)\b"
    r"[ ,:]*(?:(?:a|an|the|some|any|something)\b[ ]*)?(?:(?:kind|type|genre|style)s? of )?(?:good |nice )?"
)
_MOST_WISHED = 4
"""Words of a value behind a wish; more are a sentence that is best taken as it stands."""

_TRAILS = re.compile(
    r"(?:[ ,]+(?:please|pls|plz|thanks|thank you|thx|cheers|ta|i think|i guess))+[.! ]*$|"
    r"[,. ]*(?:吧|谢谢你?|就行了?|就好了?|好了|就可以)+[.! ]*$"
)
_OR = re.compile(r"\W*(?:or|或者?|要么|还是)(?: (?:else|maybe|perhaps|on|at))*\W*")
_NUMBERS = ("number", "money")
_TOTAL_BEFORE = re.compile(
    r"(?:一共|总共|共计|合计|加起来|total(?: of)?|altogether|all in all|that makes|so that'?s)\W*$"
)
_TOTAL_BEHIND = re.compile(r"\W*(?:\w+ )?(?:in total|altogether|all together|in all|total)\b")
_SETTLES_BEFORE = re.compile(r"(?:就算|就按|算作|算|就|call it|say|let'?s say|make it)\W*$")
_MORE_BEFORE = re.compile(r"(?:再多?|多|另外?)[加来要]?\W*$|\banother\W*$")
_MORE_BEHIND = re.compile(r" more\b| extra\b")
"""Of a number that is added, beside the one that it comes to: 再多一份，四份."""
_ROUGH_BEFORE = re.compile(r"(?:大概|大约|差不多|可能|roughly|about|around|maybe|approximately)\W*$")
_ROUGH_BEHIND = re.compile(r"[来多几]|-?ish\b| or so\b")


def stated(text: str, *, of: str = "") -> str:
    """The words without what introduces them and what is only polite; all of them if nothing else is left.

    of: what is asked for, in words: "comedy movies" is comedy where the genre of a movie was asked for.
    """
    read = plain(text)
    wish = _WISHES.match(read)
    if wish and len(wished := _without_noun(text[wish.end() :].strip(" ,.!?"), of).split()) <= _MOST_WISHED and wished:
        return stated(" ".join(wished), of=of)
    leads, trail = (_LEADS.match(read), _CHINESE_LEADS.match(read)), _TRAILS.search(read)
    start, end = max(lead.end() if lead else 0 for lead in leads), trail.start() if trail else len(text)
    return _without_noun(text[start:end].strip(" ,.!?，。！？"), of) or text


def _without_noun(said: str, of: str) -> str:
    """Without a last word that only names what was asked for."""
    nouns = {word.removesuffix("s") for word in re.findall(r"[a-z]{4,}", of.lower())}
    words = said.split()
    while len(words) > 1 and words[-1].lower().strip(".,!").removesuffix("s") in nouns:
        words.pop()
    return " ".join(words) if len(words) < len(said.split()) else said


def weightiest(text: str, mentions: Sequence[EntityFound], *, alone: Collection[str]) -> list[EntityFound]:
    """The mentions without numbers that another of the same entity settles: a total, or what is exact beside a guess.

    alone: entities that only one slot waits for; numbers of others may well be for two slots.
    """
    read = plain(text)
    weights = [_weight(read, one) for one in mentions]
    best = {one.entity: -1 for one in mentions}
    for one, weight in zip(mentions, weights, strict=True):
        best[one.entity] = max(best[one.entity], weight)
    kept = zip(mentions, weights, strict=True)
    return [
        one
        for one, weight in kept
        if one.source not in _NUMBERS
        or one.entity not in alone
        or weight == best[one.entity]
        or best[one.entity] == 0 <= weight
    ]


def without_alternatives(text: str, mentions: Sequence[EntityFound]) -> list[EntityFound]:
    """Without days and hours that are only another choice: of "tomorrow or Friday" the second is no day for another slot."""
    read = plain(text)
    spans = {(one.start, one.end): one.source for one in mentions if one.source in ("date", "time")}
    others = {
        place
        for place, source in spans.items()
        for before in spans
        if before[1] <= place[0] and spans[before] == source and _OR.fullmatch(read[before[1] : place[0]])
    }
    return [one for one in mentions if (one.start, one.end) not in others]


def _weight(read: str, one: EntityFound) -> int:
    before = read[max(0, one.start - 16) : one.start]
    if _TOTAL_BEFORE.search(before) or _TOTAL_BEHIND.match(read, one.end):
        return 2
    if _MORE_BEFORE.search(before) or _MORE_BEHIND.match(read, one.end):
        return -1
    if _ROUGH_BEHIND.match(read, one.end) or _ROUGH_BEFORE.search(before):
        return -1
    return 1 if _SETTLES_BEFORE.search(before) else 0
