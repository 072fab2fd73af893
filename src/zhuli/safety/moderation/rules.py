"""What patterns tell of harm: threats, self-harm, sexual words. For these no labelled data may be used here, so there are rules.

They find what is said in so many words, in English and Chinese, and nothing else: who writes around them is not found, and who
quotes them is. A rule's score is SURE or 0.
"""

import re
from typing import Final

SURE: Final = 0.9

_ME = r"(?:my\s?self|me)"
_WILL = r"(?:i'?ll|i will|i am going to|i'?m going to|i'?m gonna|im gonna|imma|gonna|we'?ll|we will|i want to|i wanna|let'?s)"
_YOU = r"(?:you|u|ya|him|her|them|your (?:family|kids?|mother|wife|husband|children)|those (?:people|bastards)|these people)"
_KILL = r"(?:kill|murder|stab|shoot|strangle|behead|burn|bury|hang|break|smash|beat|bash|execute|exterminate)"
_WISH = (
    r"(?:want to|wanna|going to|gonna|will|about to|plan to|planning to|thinking of|thinking about|decided to|need to)"
)
_END = (
    rf"(?:kill(?:ing)? {_ME}|hang(?:ing)? {_ME}|cut(?:ting)? {_ME}|hurt(?:ing)? {_ME}|end(?:ing)? my (?:own )?life|"
    r"commit(?:ting)? suicide|take my own life|end it all|die(?! (?:of|from|with|for|to|laughing|when|every|hard|alone)))"
)

_RULES: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (
        ("harassment", "harassment/threatening", "violence"),
        rf"\b{_WILL} (?:\w+ )?{_KILL} (?:the \w+ out of )?{_YOU}\b(?! (?:know|later|some|a (?:beer|coffee|drink)))"
        r"|\byou(?:'?re| are) (?:a )?dead (?:man|meat)\b|\bi'?ll find you and\b"
        r"|\bdeserves? to (?:be (?:shot|killed|hanged)|die)\b"
        r"|\bi know where you live\b"
        r"|(?:弄死|杀了|砍死|打死|捅死|宰了|干掉|掐死|做掉|整死|烧死)(?:你|他|她|它们|他们|她们|你们|这些人|那些人)(?!的心)"
        r"|小心(?:你的?)?(?:狗命|全家)|杀你?全家|让你(?:不得好死|死无全尸)|迟早(?:弄|整)死",
    ),
    (
        ("self-harm", "self-harm/intent"),
        rf"\b(?:i|i'?m|im|i am|i'?ve been|ive been) (?:really |just |now )?{_WISH} {_END}"
        r"|\bi (?:wish|wished) i (?:was|were) dead\b|\bi(?:'?d| would) (?:rather|better) be dead\b|\bi(?: a|')?m suicidal\b"
        r"|\bi (?:do not|don'?t|dont) want to (?:live|be alive|exist|wake up)\b(?! (?:in|with|here|there|near|at|on))"
        r"|\b(?:no reason|nothing) (?:left )?to live for\b|\bno reason to (?:live|go on living)\b"
        r"|我(?:真的?|就|好|都|只)?(?:想|要|打算|准备|决定)(?:去)?(?:自杀|自残|自尽|轻生|割腕|跳楼|上吊|去死|结束(?:自己的?|我的?)?生命)"
        r"|(?:不想|不愿(?:意)?)(?:再)?活(?:了|下去|着)|活不下去了?|我(?:真的?|好)?想死(?!你|他|她|它|我|我们|你们)(?:了|$|[，。！!,.])"
        r"|活着(?:真|也|还)?(?:没|有什么)(?:意思|意义)|死了(?:算了|一了百了)",
    ),
    (
        ("self-harm", "self-harm/instructions"),
        r"\b(?:how|best way|easiest way|painless(?:ly)? way|ways?) (?:do i |can i |should i |do you |can you |to )?"
        r"(?:painlessly )?(?:kill (?:myself|yourself)|commit suicide|hang (?:myself|yourself)|overdose|cut (?:myself|my wrists?))"
        r"|\bhow many (?:pills|tablets) .{0,30}\b(?:to die|to kill|lethal|overdose)"
        r"|(?:怎么|怎样|如何|用什么(?:方法|药)).{0,6}(?:自杀|割腕|上吊|死得|死(?:才|最)?(?:不痛|没有痛苦|快))|自杀(?:的)?(?:方法|方式|教程)|"
        r"吃多少.{0,8}(?:会死|能死|致死)",
    ),
    (
        ("harassment", "self-harm"),
        r"\b(?:go )?(?:kill|hang) (?:yourself|yourselves|urself)\b(?! laughing)|\bkys\b|\bgo die\b"
        r"|(?:怎么|为什么|为啥|咋)(?:还)?不(?:去)?死|去死吧|(?:赶紧|快|滚)去死|你(?:去|该)死",
    ),
    (
        ("sexual",),
        r"\b(?:porn\w*|blow ?jobs?|hand ?jobs?|nudes|hentai|cumshot|suck my (?:dick|cock)|send (?:me )?nudes?|sex ?chat|"
        r"escort service|cock|pussy|horny|fuck me|masturbat\w+|orgasm)\b"
        r"|色情|裸聊|裸照|约炮|操逼|做爱|口交|自慰|手淫|黄片|毛片|援交|嫖娼|一夜情|性虐|内射|淫荡|发骚|高潮迭起",
    ),
)

_MINORS = re.compile(
    r"\b(?:child(?:ren)?|kids?|minors?|under ?age|preteens?|school ?girls?|school ?boys?"
    r"|(?:[1-9]|1[0-7])[- ]?(?:yo|years?[- ]old))\b"
    r"|未成年|幼女|幼童|儿童|小学生|初中生|女童|男童|萝莉",
    re.IGNORECASE,
)
_COMPILED = tuple((categories, re.compile(pattern, re.IGNORECASE)) for categories, pattern in _RULES)

JUDGED_BY_RULE: Final = frozenset({category for categories, _ in _RULES for category in categories} | {"sexual/minors"})


def scores(text: str) -> dict[str, float]:
    """SURE for each category that a pattern tells of a cleaned text."""
    found = {category: SURE for categories, pattern in _COMPILED if pattern.search(text) for category in categories}
    if "sexual" in found and _MINORS.search(text):
        found["sexual/minors"] = SURE
    return found


def words(text: str, category: str) -> list[str]:
    """What in a cleaned text the patterns of a category are about."""
    return [found[0] for categories, pattern in _COMPILED if category in categories if (found := pattern.search(text))]
