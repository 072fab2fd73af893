"""Which language the data is in, as far as it matters for measuring: Chinese, or English, or something else."""

import re
from collections.abc import Iterable

_CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_ENGLISH = re.compile(r"[A-Za-z]")
_LETTER = re.compile(r"[^\W\d_]")

MANY = 0.3
"""Share of letters that are Chinese, or kana, from which on a text is Chinese, or Japanese; English words in it are usual."""


def chinese_share(texts: Iterable[str]) -> float:
    """Of all letters, how many are Chinese characters: 0 to 1."""
    letters = chinese = 0
    for text in texts:
        letters += len(_LETTER.findall(text))
        chinese += len(_CHINESE.findall(text))
    return chinese / letters if letters else 0.0


def language_of(texts: Iterable[str]) -> str:
    """zh, ja, en, or "other"; en for every text whose letters are nearly all of the English alphabet."""
    whole = " ".join(texts)
    letters = len(_LETTER.findall(whole)) or 1
    if len(_KANA.findall(whole)) >= MANY / 3 * letters:
        return "ja"
    if len(_CHINESE.findall(whole)) >= MANY * letters:
        return "zh"
    return "en" if len(_ENGLISH.findall(whole)) >= 0.95 * letters else "other"
