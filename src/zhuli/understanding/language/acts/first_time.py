"""Whether somebody says that it is their first time, or that it is not: "never been here", "not my first visit", 没来过.

Also of a question: "Is it your first visit?" is answered with no by "I come here often". By words; anything else says nothing.
"""

import re

from zhuli.understanding.language.plain_text import plain

_NOT_FIRST = re.compile(
    r"\b(?:not|isn'?t|wasn'?t)\b[^,.;!?]{0,16}\bfirst (?:time|visit|stay|appointment|order)"
    r"|(?<!not )(?<!never )(?<!n't )\b(?:been|visited|stayed|ordered|was|come|came|eaten|shopped)\b(?! never)[^,.;!?]{0,24}"
    r"\b(?:before|often|again|regularly|already|last (?:week|month|year))\b|\b(?:a regular|returning|existing)\b"
    r"|(?:不是|并非)(?:我|我们)?(?:第一次|头一[次回]|初次)|(?<!没)(?<!没有)(?<!未)(?:来|去|住|看|买|用|订)过|常来|经常来|老(?:顾客|客户|患者|会员)"
)
_FIRST = re.compile(
    r"\b(?:first (?:time|visit|stay|appointment|order)|never (?:been|visited|stayed|ordered|eaten|shopped)|"
    r"(?:have not|haven'?t|not) (?:been|visited|stayed|ordered)[^,.;!?]{0,24}\b(?:before|yet|here)|"
    r"new (?:here|patient|customer|guest|client))\b"
    r"|第一次|头一[次回]|初次|(?:没有?|从?未)(?:来|去|住|看|买|用|订)过|新(?:客|顾客|客户|患者|会员)"
)


def first_time(text: str) -> bool | None:
    """True: the first time; False: not; None: it does not say."""
    read = plain(text)
    if _NOT_FIRST.search(read):
        return False
    return True if _FIRST.search(read) else None


def answered(question: str, answer: str) -> bool | None:
    """Whether the answer to such a question is yes or no; None where one of the two does not speak of it."""
    asked, said = first_time(question), first_time(answer)
    return None if asked is None or said is None else asked == said
