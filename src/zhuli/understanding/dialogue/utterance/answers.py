"""Whether a message answers what was asked: a bare value, a choice between intents, or rather a question of the user's own."""

import re
from collections.abc import Sequence
from itertools import pairwise

from zhuli.types.understanding.domain import DomainFields
from zhuli.understanding.dialogue.responses.responses import spoken
from zhuli.understanding.language.plain_text import plain
from zhuli.understanding.language.tokens import tokens

Place = tuple[int, int]
"""[start, end) of something in a message."""

_FILLERS = frozenset(
    "a an the at on in for to of by from until till with and or it is it's its that's i i'm i'd am we we'd my me you please "
    "make would like want need let let's us be should have go just about around maybe um uh er erm hm mm ah well so ok okay yes "
    "yeah yep no nope not sorry actually wait mean meant oh hmm prefer rather instead one too also say before earlier later "
    "thats o'clock o clock s m d ll t don".split()
) | frozenset("请我们要想是在就吧的了呢啊呀嗯哦额到去从和与给用把改成为换不对好行应该那说错大概左右位个")
_PLAIN = frozenset(
    "right correct sure fine great perfect good sounds absolutely of course thanks thank never mind cancel problem exactly "
    "do that this confirm confirmed ahead looks indeed definitely certainly cool alright all works wrong incorrect none y n "
    "neither nothing very quite so nice lovely yup nah really much".split()
) | frozenset("没有问题可以需确认谢用算取消呀嘛啦喔噢定订错")
"""With the fillers, what a yes or no may be made of."""

_LEAD = r"^\s*(?:(?:and|but|so|um|uh|ok|okay|hey|hi|hello|well|wait|sorry|actually|please),?\s+)*"
_ASKING = re.compile(
    _LEAD + r"(?:(?:(?:can|could|would) you (?:please )?)?tell me\b"
    r"|(?:what|what's|whats|when|where|where's|which|who|who's|whose|why|how|how's|do|does|did|is there|are there)\b)"
    r"|吗[？?]?$|什么|怎么|多少钱|哪[里儿个些]|几点[开关]|有没有|是不是|为啥|如何"
    r"|([^\W\d行可能好对要会])不\1|[了过完着]没有?[呀啊]?[？?]*$|(?<=..)(?<![要好对行可是能会])不[呀啊呢]?[？?]*$"
)
_RHETORICAL = re.compile(
    r"[,.!]? *(?:did(?:n'?t| not) i|have(?:n'?t| not) i) (?:just |already )?(?:say|said|tell|told|mention)[^,.;!?]*\?*"
    r"|[,.!]? *(?:我?刚才?|刚刚|之前|前面|我)?不是(?:都|已经|刚)?(?:跟你)?(?:说|讲|告诉)过?你?过?了[吗嘛么]?[?]*"
)
"""Asks nothing: who says so has said it already."""

_REQUESTING = re.compile(_LEAD + r"(?:can|could|would|will|may) (?:i|we|you)\b|能不能|可不可以|可以.{0,12}吗")
_POLITE = re.compile(_LEAD + r"(?:is|are|can|could|would|will|may|am)\b|[?？]\s*$|呢[？?]?$|能不能|可不可以")
_CANCELLING = re.compile(r"\b(?:cancel|drop|forget|skip)\b|取消|不要了|算了")
_UNWANTED = re.compile(
    r"\b(?:stop|undo|revoke|unsubscribe|don'?t|do not|no longer|no need|need(?:n'?t| not))\b"
    r"|不想|不要|不需要|不用|别(?![的人墅处])|停"
)
_NO_CANCELLING = re.compile(
    r"\b(?:do|did|would)(?:n't|nt| not)(?: \w+){0,3} cancel|\bnot cancel|(?:不要?|别|不想|没有?说要?)(?:给我|帮我|再)?取消"
)
_NAMING = re.compile(
    _LEAD
    + r"(?:(?:my|the|his|her|our) (?:full |last |first )?(?:sur)?name(?:'?s| is| would be)|call me|they call me|name:)\b"
    r"|^\W*(?:你好[,，\s]*)?(?:(?:我|他|她)(?:的名字)?叫|我姓|名字(?:叫|是)|姓名[是:：])"
)
_ORDINALS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(?:first|1st|former|one|1)\b|第[一1]|^1$|前者|前一个|^一$",
        r"\b(?:second|2nd|latter|two|2)\b|第[二2]|^2$|后者|后一个|^二$",
        r"\b(?:third|3rd|three|3)\b|第[三3]|^3$|^三$",
        r"\b(?:fourth|4th|four|4)\b|第[四4]|^4$|^四$",
        r"\b(?:fifth|5th|five|5)\b|第[五5]|^5$|^五$",
    )
)
_LAST = re.compile(r"\blast\b|最后")
_NAMED_BY_ALL = re.compile(r"\b(?:the\s+)?(first|second|third|fourth|fifth|last) (?:one|option|choice)\b")


def is_bare(text: str, start: int, end: int, values: Sequence[Place], *, wordless: bool = False) -> bool:
    """Whether [start, end) says little beside the values: an answer, not an intent of its own. wordless: nothing beside them."""
    words = [one for one in tokens(plain(text[start:end])) if one.text[0].isalnum()]
    left = [
        word
        for word in words
        if word.text not in _FILLERS and not any(at <= word.start + start < stop for at, stop in values)
    ]
    return bool(values) and len(left) <= (0 if wordless else max(1, (len(words) - len(left)) // 4))


def unsaid_words(read: str, start: int, end: int, values: Sequence[Place]) -> set[str]:
    """The words of [start, end) that are neither values nor fillers. read: plain text."""
    words = (one for one in tokens(read[start:end]) if one.text[0].isalnum() and one.text not in _FILLERS | _PLAIN)
    return {one.text for one in words if not any(at <= one.start + start < stop for at, stop in values)}


def only_says(text: str) -> bool:
    """Whether it is nothing but a yes, a no, a thank you or the like: no value, and no intent of its own."""
    return not any(one.text[0].isalnum() and one.text not in _PLAIN | _FILLERS for one in tokens(plain(text)))


def asks(text: str) -> bool:
    """Whether it wants to know something, and is no polite request: "could we sit outside" may be an answer."""
    return _ASKING.search(_RHETORICAL.sub("", plain(text))) is not None


def is_question(text: str) -> bool:
    return asks(text) or _POLITE.search(plain(text)) is not None


def requests(text: str) -> bool:
    """Whether it asks for something to be done: "can we make it seven?"."""
    return not asks(text) and _REQUESTING.search(plain(text)) is not None


def introduces(text: str) -> bool:
    """ "My name is Ann": whether it tells a name."""
    return _NAMING.match(plain(text)) is not None


def keeps(text: str) -> bool:
    """ "Don't cancel": the word for cancelling is there, and denied."""
    return _NO_CANCELLING.search(plain(text)) is not None


def cancelling(text: str) -> bool:
    """Whether it is about cancelling, stopping or not wanting something."""
    return _CANCELLING.search(plain(text)) is not None or _UNWANTED.search(plain(text)) is not None


def leaves(text: str, names: Sequence[str]) -> bool:
    """ "Cancel the taxi", where a taxi is what is being ordered. names: of the open form and its intent."""
    read = plain(text)
    if not _CANCELLING.search(read) or keeps(text) or is_question(text):
        return False
    return any(plain(spoken(name)) in read for name in names)


def chosen(domain: DomainFields, offered: Sequence[str], text: str, *, yes: bool | None) -> str | None:
    """Which of the offered intents the user picks: by its place, by its name or description, or by a yes (the first)."""
    read = plain(text).strip(" .!,")
    offered = [name for name in offered if any(intent.name == name for intent in domain.intents)]
    if found := by_place(offered, text):
        return found
    described = {intent.name: intent.description or "" for intent in domain.intents}
    shares = [(_shared(read, (spoken(name), described[name])), name) for name in offered]
    ranked = sorted(shares, key=lambda share: -share[0])
    clear = len(ranked) == 1 or any(first[0] > second[0] for first, second in list(pairwise(ranked))[:1])
    if ranked and clear and ranked[0][0] >= 0.5:
        return ranked[0][1]
    return offered[0] if yes and offered else None


def by_place(offered: Sequence[str], text: str) -> str | None:
    """ "The second one", and a bare number; "one" in a sentence is no number."""
    read = plain(text).strip(" .!,")
    if exact := _NAMED_BY_ALL.search(read):
        read = exact.group(1)
    if len(tokens(read)) > 4:
        return None
    if _LAST.search(read):
        return offered[-1] if offered else None
    return next((name for name, place in zip(offered, _ORDINALS, strict=False) if place.search(read)), None)


def _shared(read: str, names: Sequence[str]) -> float:
    """How much of what the user said is in one of the names, of words that count; 1 for a name that is said in full."""
    if any(name and plain(name) in read for name in names):
        return 1.0
    said = {one.text for one in tokens(read) if one.text[0].isalnum()} - _FILLERS
    known = [{one.text for one in tokens(plain(name))} for name in names]
    return max((len(said & words) / len(said) for words in known if said), default=0.0)
