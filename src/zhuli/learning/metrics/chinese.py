"""Chinese text cut into characters, and whatever else is in it into words: the unit in which Chinese answers are compared.

No segmenter decides what a word is, so the numbers do not depend on one (as in CMRC2018's evaluation script, and in ROUGE on
LCSTS, Hu et al. 2015).
"""

import re

_CHINESE = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_KANA = r"\u3040-\u30ff"
_SEGMENT = re.compile(rf"[{_CHINESE}{_KANA}]|[^\W_{_CHINESE}{_KANA}]+")
_CHARACTER = re.compile(rf"[{_CHINESE}]")


def has_chinese(text: str) -> bool:
    return _CHARACTER.search(text) is not None


def segments(text: str) -> list[str]:
    """Characters and lower-case words in order, without punctuation."""
    return _SEGMENT.findall(text.lower())
