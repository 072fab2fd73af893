"""What a message does as a whole, by its words: says yes or no, leaves, corrects, asks for a person. English and Chinese.

A yes or no counts at the beginning of a message, whatever follows ("Yes, and what's the address?"), other acts where they are
said plainly. Precise rather than complete: "can I get it with rice" is no yes, "no onions" no no, and "how do I cancel my card"
does not cancel. What an act answers is for who knows the dialogue to say.
"""

import re
from functools import lru_cache
from typing import Literal

from zhuli.understanding.language.acts import chinese_acts, english_acts
from zhuli.understanding.language.plain_text import MOST_CHARACTERS, plain

Said = Literal["affirm", "deny", "cancel", "correct", "handover"]

KEPT = 1024
"""Texts whose acts are remembered: several stations of a message ask for those of the same text."""

_FILLERS = re.compile(
    r"^(?:[\s,.!?…:;\"'()\-]|[^\w\s]|\b(?:um+|uh+|uhm|erm?|hm+|hmm+|well|oh|ah|so|ok so|hey|hi|hello|please|"
    r"嗯+|呃+|额|啊|哦|噢|唉|那个,|那,|嘿|喂)(?![a-z]))+"
)

_GREETING = re.compile(rf"\W*(?:(?:{english_acts.GREETING}|{chinese_acts.GREETING})\W*)+")


@lru_cache(KEPT)
def act_of(text: str) -> Said | None:
    """What the message does, the weightiest if it does several: fetch a person, leave, no, yes, or else only correct.

    "No, tomorrow" is a no that corrects: see correction(). Both languages are read, whatever the message's.
    """
    read = plain(text[:MOST_CHARACTERS])
    said = _without_fillers(read)
    if _plainly(english_acts.HANDOVER, read) or _plainly(chinese_acts.HANDOVER, read):
        return "handover"
    if _plainly(english_acts.CANCEL, said) or _plainly(chinese_acts.CANCEL, said):
        return "cancel"
    if english_acts.NO.match(said) or chinese_acts.NO.match(said):
        return "deny"
    if english_acts.YES.match(said) or chinese_acts.YES.match(said) or english_acts.PRAISE.match(said):
        return "affirm"
    return "correct" if correction(text) else None


def tells_to(text: str) -> bool:
    """Whether it says to do it, to the question whether it shall be done: "place the order", 快下单."""
    read = plain(text[:MOST_CHARACTERS])
    return english_acts.DO_IT.match(read) is not None or chinese_acts.DO_IT.match(read) is not None


@lru_cache(KEPT)
def correction(text: str) -> bool:
    """Whether the message takes back what was said or supposed, and puts something else: "no, tomorrow", 应该是周五.

    By its words alone: whether there is something to put instead is for who has its entities to say. Both languages are read.
    """
    read = plain(text[:MOST_CHARACTERS])
    said = _without_fillers(read)
    if english_acts.CORRECTION.search(read) or chinese_acts.CORRECTION.search(said):
        return True
    then = english_acts.NO_THEN.match(said)
    if then is None:
        return False
    return bool(re.search(r"\w", then["rest"])) and not english_acts.NOTHING_NEW.match(then["rest"])


_THANKING = re.compile(
    r"\W*(?:(?:many |much )?(?:thanks?|thx|ta|cheers|ty)(?: (?:you|a lot|so much|very much|mate|love|again))*|"
    r"much (?:appreciated|obliged)|"
    r"(?:真是|太)?(?:辛苦|麻烦)(?:了|啦|你|您|你们|您们){1,3}|(?:谢谢?|多谢|感谢|谢啦|谢了)(?:你|您|了|啦|啊|哈|老板|师傅){0,2})\W*"
)


_LOOKING_UP = re.compile(
    r"\W*(?:(?:hold on|hang on|wait|one (?:sec|second|moment|minute)|just a (?:sec|second|moment|minute)|"
    r"give me a (?:sec|second|moment|minute))\W+)?(?:please |just )?"
    r"(?:let me|(?:i(?:'ll| will|'d better)|(?:i )?(?:just )?(?:need|have|got|gotta|ought)(?: to)?|i'?ve got to)) (?:just )?"
    r"(?:check|ask|look|find out|think about|(?:talk|speak) to my|see what)\b[^,.;!?]*\W*"
    r"|\W*(?:(?:请|你|您)?(?:稍等|等等?)(?:我|我们)?(?:一下下?|一会儿?|会儿|下)?[,. ]*)?(?:让?我|我们)(?:先|去|得|要|再)?"
    r"(?:问|看|查|找|想|商量)(?:问|看|查|找|想|一下|一问|一看)[^,.;!?吗]*\W*",
)


def looks_up(text: str) -> bool:
    """Whether it says that the user first has to look, ask or think, and nothing else."""
    return _LOOKING_UP.fullmatch(plain(text[:MOST_CHARACTERS])) is not None


def only_thanks(text: str) -> bool:
    """Whether it is a thank you and nothing else."""
    return _THANKING.fullmatch(plain(text[:MOST_CHARACTERS])) is not None


def only_greets(text: str) -> bool:
    """Whether it is a greeting and nothing else."""
    return _GREETING.fullmatch(plain(text[:MOST_CHARACTERS])) is not None


def _without_fillers(read: str) -> str:
    """Without "um" and punctuation in front, unless there is nothing else (嗯)."""
    return _FILLERS.sub("", read, count=1) or read.strip(" ,.!…")


def _plainly(pattern: re.Pattern[str], read: str) -> bool:
    """Whether it is said, and not denied or only asked about."""
    before = (read[: match.start()] for match in pattern.finditer(read))
    return any(not (english_acts.ABOUT_IT.search(said) or chinese_acts.ABOUT_IT.search(said)) for said in before)
