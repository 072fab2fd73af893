"""Which of the languages that are understood a message is in. Tells English from Chinese, and nothing else.

Each letter of an English word counts 0.5, of a word that sentences are made of ("the", "want") 3; each Han character 3, of those
that sentences are made of (我, 要, 吗) 6: so names and borrowed words in a sentence of the other language do not turn it ("帮我订
Hilton 酒店", "I want 火锅"). The greater sum wins.

"ok", "7pm", "wifi" and emoji are no evidence: up to two English words without one of those that make sentences leave the language
as it was. Nor are Japanese (kana) and other scripts.
"""

import re
from collections.abc import Sequence

from zhuli.types.understanding.domain import Language
from zhuli.understanding.language.plain_text import MOST_CHARACTERS, plain

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?", re.ASCII)
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af]")
_KANA = re.compile("[\u3040-\u30fa\u30fc-\u30ff]")
_ADDRESS = re.compile(r"\S+@\S+|https?://\S+|www\.\S+")

_ENGLISH = frozenset(
    """
    i i'm i'd i'll i've me my we us our you your he she it its it's they them a an the this that these those there is
    are was were be am do does did don't doesn't didn't dont can can't could will won't would should have has had not to
    for of in on at by with from and or but if so what when where who why how which want need like please any some let's
    make get give tell find show book
    """.split()
)
_CHINESE = frozenset("我你您他她它们的了吗呢吧啊是不要在有和也都就这那哪什么怎请帮给想能可会还到从把被去")


def language_of(text: str, allowed: Sequence[Language], before: Language | None) -> Language | None:
    """The language of a message, one of those allowed. before: of the earlier ones, which stays where there is no evidence.

    None: not known, and nothing was before; or a language that is not allowed, and the one before is none that is.
    """
    text = text[:MOST_CHARACTERS]
    read = _ADDRESS.sub(" ", plain(text))
    words = _WORD.findall(read)
    han = [] if _KANA.search(text) else _HAN.findall(read)
    known = sum(len(word) for word in words if word in _ENGLISH)
    english = 3.0 * known + 0.5 * sum(len(word) for word in words if word not in _ENGLISH)
    chinese = 3.0 * len(han) + 3.0 * sum(character in _CHINESE for character in han)
    sentence = len(words) > 2 or (len(words) == 2 and known > 0)
    if not sentence and not han:
        english = english if before not in allowed else 0.0
    found: Language | None = None
    if english or chinese:
        found = "en" if english > chinese else "zh"
    if found in allowed:
        return found
    return before if before in allowed else None
