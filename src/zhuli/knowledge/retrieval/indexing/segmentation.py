"""Cuts text into the words that BM25 counts, the same way for what is searched and for what is asked.

Text is normalised (NFKC: full-width letters and digits become ordinary ones), lower-cased and freed of accents; English
endings are cut off (Snowball). Chinese has no spaces: jieba's search mode gives words and the shorter words inside them.
Codes and identifiers count whole and in parts: E-1042 is e-1042, e and 1042. Traditional characters are left as they are:
they don't meet simplified ones here, only in the vectors.
"""

import re
import unicodedata
from functools import cache
from typing import Any

LONGEST = 64
"""Words of more bytes are left out: they are encoded data, not language."""

_HAN = re.compile(
    r"[\u2e80-\u2fdf\u3005-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]+"
)
_CODE = re.compile(r"(?a:\w+(?:[-./:@+#]\w+)+|\w*_\w+)")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def words(text: str) -> list[str]:
    """The words of `text`, one for each time they occur; codes come after their parts."""
    text = unicodedata.normalize("NFKC", text)
    found: list[str] = []
    start = 0
    for run in _HAN.finditer(text):
        found += _spaced(text[start : run.start()])
        found += _jieba().cut_for_search(run.group())
        start = run.end()
    found += _spaced(text[start:])
    return found


def _spaced(text: str) -> list[str]:
    """Words of text whose words have something between them."""
    if not text or text.isspace():
        return []
    parts: list[str] = _analyzer().analyze(_HUMP.sub(" ", text))
    return parts + [code.lower() for code in _CODE.findall(text) if len(code) <= LONGEST]


@cache
def _jieba() -> Any:
    import rjieba  # reads its dictionary, which takes 0.2 s

    return rjieba


@cache
def _analyzer() -> Any:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    return (
        TextAnalyzerBuilder(Tokenizer.simple())
        .filter(Filter.lowercase())
        .filter(Filter.ascii_fold())
        .filter(Filter.remove_long(LONGEST))
        .filter(Filter.stemmer("english"))
        .build()
    )
