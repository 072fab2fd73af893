"""A token estimate for models whose tokenizer is not at hand. Not exact: it errs on the large side for English."""

import re

_WIDE = re.compile(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")

MESSAGE_OVERHEAD = 4
"""Tokens that a chat template adds around one message; 4 is OpenAI's published figure for its own chat format
(cookbook, "How to count tokens with tiktoken": 3 a message and 1 for the role)."""


def estimate(text: str) -> int:
    """Tokens of `text`: one for each wide (CJK) character and one for each 3.5 other characters, rounded up."""
    return -(-sevenths(text) // 7)


def sevenths(text: str) -> int:
    """The same in sevenths of a token, not rounded, so that the counts of pieces add up."""
    wide = 0 if text.isascii() else len(_WIDE.findall(text))
    return 7 * wide + 2 * (len(text) - wide)
