"""Names for groups of messages: the words that are frequent in one and rare in the others. Pure.

Class-based tf-idf (Grootendorst 2022, BERTopic, section 3.3). Chinese is cut into pairs of characters: no dictionary is
needed, and two characters are what most words have.
"""

import re
from collections import Counter
from collections.abc import Sequence
from math import log

_WORD = re.compile(r"[a-z][a-z']+|[\u3400-\u9fff]+")
_COMMON = frozenset(
    "a about after all am an and any are as at be because been being but by can can't cannot could did didn't do does "
    "doesn't don't for from get got had has have haven't hello help hi how i i'd i'll i'm i've if in into is isn't it "
    "it's its just know let like made make may me might must my need no not now of on one or our out please should so "
    "some tell than thank thanks that the their them then there these they this to too up us use want was wasn't way "
    "we were what what's when where which while who why will with won't would yes you your".split()
)
_COMMON_PAIRS = frozenset(
    "我的 你的 什么 怎么 可以 请问 一下 这个 那个 我要 我想 想要 有没 没有 吗我 你好 您好 帮我 能不 不能".split()
)


def words(text: str) -> list[str]:
    """The words of a text that may tell what it is about: English ones, and pairs of Chinese characters."""
    found: list[str] = []
    for run in _WORD.findall(text.lower()):
        if run[0] < "\u3400":
            found += [run] if run not in _COMMON else []
        else:
            pairs = [run[at : at + 2] for at in range(len(run) - 1)] or [run]
            found += [pair for pair in pairs if pair not in _COMMON_PAIRS]
    return found


def names(groups: Sequence[Sequence[str]], others: Sequence[str] = (), *, most: int = 4) -> list[list[str]]:
    """For each group of texts its most telling words, the best first. others: texts of no group, to be told from."""
    counted = [Counter(word for text in texts for word in set(words(text))) for texts in groups]
    background = Counter(word for text in others for word in set(words(text)))
    everywhere = sum(counted, start=Counter(background))
    mean = sum(everywhere.values()) / (len(counted) + 1) or 1.0

    def weight(word: str, times: int, total: int) -> float:
        return times / total * log(1 + mean / everywhere[word])

    return [
        sorted(counts, key=lambda word: (-weight(word, counts[word], sum(counts.values())), word))[:most]
        for counts in counted
    ]
