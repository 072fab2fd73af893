"""One reading of a text for all rules: lower case, half width, plain marks; every character stays where it was.

`plain(text)` has the length of `text`, so that offsets in one are offsets in the other. Nothing is joined, split or dropped:
emoji, combining marks and unknown scripts are left as they are.
"""

import unicodedata
from functools import lru_cache

MOST_CHARACTERS = 2_000
"""Of a message that rules look at: what is longer is no turn of a dialogue, and would hold up others."""

_MARKS = str.maketrans(
    {"。": ".", "’": "'", "‘": "'", "´": "'", "`": "'", "“": '"', "”": '"', "～": "-", "~": "-", "〜": "-"}
)
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−－"), "-")
_SIMPLIFIED = str.maketrans(
    "兩點週號後個萬億錢塊時間這裡裏兒樣還過對嗎轉麼們從來請訂換應該說錯誤幾點幫給沒壞聽話當開雙禮聖誕節國慶勞動俩仨",
    "两点周号后个万亿钱块时间这里里儿样还过对吗转么们从来请订换应该说错误几点帮给没坏听话当开双礼圣诞节国庆劳动两三",
)
"""Traditional characters that the rules name, for whoever writes them; and 俩 and 仨, which count as 两个 and 三个 do."""


class _Folding(dict[int, str]):
    """What each character is read as; made when it is first seen, and kept for the basic plane (65,536 at most)."""

    def __missing__(self, code: int) -> str:
        folded = _folded(chr(code))
        if code < 0x10000:
            self[code] = folded
        return folded


def plain(text: str) -> str:
    """`text` for rules: as long as it, character for character."""
    return _kept(text) if len(text) <= MOST_CHARACTERS else text.translate(_FOLDING)


@lru_cache(1024)
def _kept(text: str) -> str:
    """Every rule asks for the same message anew."""
    return text.translate(_FOLDING)


def half_width(text: str) -> str:
    """`text` with letters, figures and signs of full width as they are in ASCII; as long as it, and in its own case."""
    return text.translate(_HALF_WIDTH)


def without_pictures(text: str) -> str:
    """`text` with blanks for emoji and other pictures: models that were tuned without them lose the words beside."""
    return "".join(" " if _is_picture(character) else character for character in text)


def _is_picture(character: str) -> bool:
    """A symbol from the technical ones on, a skin tone, or what joins and styles pictures."""
    joins = character in "\u200d\ufe0e\ufe0f" or "\U0001f3fb" <= character <= "\U0001f3ff"
    return joins or (character >= "\u2300" and unicodedata.category(character) == "So")


def _folded(character: str) -> str:
    """Compatibility form, without accents, in lower case, where that is one character."""
    if character.isspace():
        return " "
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    decomposed = unicodedata.normalize("NFKD", character.translate(_MARKS).translate(_DASHES))
    base = decomposed[0] if all(unicodedata.combining(mark) for mark in decomposed[1:]) else character
    lowered = base.translate(_SIMPLIFIED).lower()
    if len(lowered) != 1:
        return character
    return lowered.translate(_MARKS).translate(_DASHES)


_FOLDING = _Folding()
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
