"""Numbers in a text, in digits and in English and Chinese words: how many, how far, which of a list.

Both languages are always read; their scripts keep them apart. Not found: articles ("a table", 一家餐馆), "one" that stands for a
thing ("that one"), numerals inside of Chinese names (八达岭), codes (CA1234), and what is not written like a number.
"""

import re
from collections.abc import Iterator

from zhuli.understanding.language.numbers.chinese_numbers import DIGITS, NUMERAL, amount, tidy
from zhuli.understanding.language.numbers.english_numbers import CARDINAL, ORDINAL, cardinal, ordinal
from zhuli.understanding.language.spans import Span, apart

_UNITS = (
    "ppl|pax|people|persons|guests|pcs|nights?|days?|weeks?|hours?|hrs?|h|minutes?|mins?|km|kg|g|cm|x|ish|st|nd|rd|th"
)
_DIGITS = re.compile(
    r"(?<![a-z0-9_/'])(?<![0-9][.:])(?:(?<![0-9\u4e00-\u9fff] )(?<![^\s(,])-)?"
    r"(?P<number>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,9})?|[0-9]{1,15}(?:\.[0-9]{1,9})?)"
    r"(?P<scale>[千万](?P<lower>[1-9])(?![0-9.个位多千百十])|[百千万亿]|k\b| ?(?:hundred|thousand|million|dozen)\b|"
    r" ?grand\b(?! [a-z]*s\b))?"
    rf"(?![0-9]|[.,:/][0-9]{{4,}}|[./:][0-9]|(?!(?:{_UNITS})\b)[a-z_])",
    re.ASCII,
)
_SCALES = {"百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000, "k": 1000, "hundred": 100, "thousand": 1000}
_SCALES |= {"million": 1_000_000, "dozen": 12, "grand": 1000}

_WORDS = re.compile(
    rf"\b(?:(?P<half>half a(?! million| thousand)|an?|{CARDINAL}) (?P<group>dozen|couple)(?: of\b)?|(?P<cardinal>{CARDINAL})"
    r"(?P<and_half> and a half\b)?(?P<scale> (?:thousand|million|grand)\b(?! [a-z]*s\b))?|"
    r"(?P<part>half|quarter) (?:a |of a )(?P<whole>thousand|million|dozen)\b)(?![a-z0-9_])"
    r"(?! (?:sec|second|moment|minute please)\b)",
    re.ASCII,
)
_NO_COUNT = re.compile(
    r"(?:\b(?:that|this|the|which|another|other|any|some|every|no|each|first|second|third|last|next|different|better|"
    r"cheaper|"
    r"good|nice|great|new|best|cheapest|cheap|closest|nearest|right|wrong|same)|[a-z]er|[a-z]est) $"
)
"""Before a "one" that stands for a thing."""

_NO_NOUN = re.compile(
    r" *(?:$|[.,!?;:)]|(?:in|for|at|near|nearby|with|without|that|which|who|please|and|on|to|from|by|of|where|is|as|or|"
    r"me|way|more|"
    r"around|close|next|there|here|instead|now|again|too|then|if|but|tomorrow|today|tonight)\b)|-",
    re.ASCII,
)
_COUNTS = re.compile(r"(?:\b(?:for|just|only|be|is|it's|of|make it|either|or|to) |^\W*|, *)$", re.ASCII)
"""Before a "one" that counts, though no noun follows."""

_HALF = re.compile(r"\bhalf (?=an? |of )", re.ASCII)
_ORDINALS = re.compile(
    rf"\bthe (?P<place>[0-9]{{1,3}}(?:st|nd|rd|th)|{ORDINAL})(?= (?:one|option|choice|result|item|hit|of (?:them|these|"
    rf"those))\b|$)",
    re.ASCII,
)

_COUNTED = (
    "个位名人间晚天夜张份杯只条本台辆次元分时号楼层岁瓶碗盒斤公里米年月周星日点度倍成件套双桌顿场节课道题页集部首"
    "把袋包箱颗根块片排座房室床票岁秒刻钟折%左以多来几"
)
"""What may follow a numeral that counts: measure words, 百分号, 左右, 以上."""

_CHINESE = re.compile(rf"(?<![\u4e00-\u9fffa-z0-9])第?(?P<alone>{NUMERAL}{{1,12}})(?![\u4e00-\u9fff])"
                      rf"|(?P<counted>{NUMERAL}{{1,12}}|[0-9]{{1,9}})(?P<half>个半|半)?(?=[{_COUNTED}]|小时|小孩)"
                      rf"|(?P<long>{NUMERAL}{{2,12}})")  # fmt: skip
_HALF_OF = re.compile(
    r"(?<![\u4e00-\u9fff0-9])半(?=[个天年份只斤碗杯盒打]|小时)|(?<=[要来点了订])半(?=[个天年份只斤碗杯盒打]|小时)"
)
_ARTICLE = re.compile(
    r"一(?:[家些起样直定般会切共下种款道口番边旦致律同步向]|点(?!半|钟|整|[0-9一二三四五十])|"
    r"个(?=[\u4e00-\u9fff])(?!人|小时|晚|月|星期|半))"
)
"""一 that counts nothing: 一家, 一些, 一起, 一个合适的."""

_NAMES = re.compile(
    r"[五四]道口|十三陵|千层|百货|百花|万达|三里屯|八达岭|百度|四季|十分|千万(?=[别不要])|万一|三明治|"
    r"[一二三四五六日]号线|百分之"
)


def find_numbers(text: str) -> list[Span]:
    """Numbers of a plain text, in order; whole ones are ints. Ordinals count where a list is meant: "the second one", 第三个."""
    return apart([*_in_digits(text), *_in_words(text), *_in_characters(text)])


def _in_digits(text: str) -> Iterator[Span]:
    for match in _DIGITS.finditer(text):
        number = float(match["number"].replace(",", ""))
        scale = _SCALES.get((match["scale"] or "").strip().rstrip("123456789"), 1)
        value = tidy(number * scale + int(match["lower"] or 0) * scale / 10)
        yield Span(match.start(), match.end(), -value if match[0].startswith("-") else value)


def _in_words(text: str) -> Iterator[Span]:
    for match in _WORDS.finditer(text):
        if match["part"]:
            yield Span(
                match.start(), match.end(), tidy(_SCALES[match["whole"]] / (2 if match["part"] == "half" else 4))
            )
        elif match["group"]:
            count = 0.5 if match["half"] == "half a" else cardinal(match["half"])
            yield Span(match.start(), match.end(), tidy(count * (12 if match["group"] == "dozen" else 2)))
        elif match["cardinal"] != "one" or _is_count(text, match.start(), match.end()):
            value = cardinal(match["cardinal"]) + (0.5 if match["and_half"] else 0)
            yield Span(match.start(), match.end(), tidy(value * _SCALES.get((match["scale"] or "").strip(), 1)))
    for match in _HALF.finditer(text):
        yield Span(match.start(), match.end() - 1, 0.5)
    for match in _ORDINALS.finditer(text):
        place = match["place"]
        value = int(place[:-2]) if place[0].isdigit() else ordinal(place)
        yield Span(match.start("place"), match.end("place"), value)


def _is_count(text: str, start: int, end: int) -> bool:
    """Whether a "one" counts, and does not stand for a thing: "one ticket", "for one", but not "find one in Oakland"."""
    before = text[max(start - 20, 0) : start]
    if _NO_COUNT.search(before) or text.startswith((" way", "-way", " more", " of "), end):
        return False
    return _NO_NOUN.match(text, end) is None or _COUNTS.search(before) is not None


def _in_characters(text: str) -> Iterator[Span]:
    names = [match.span() for match in _NAMES.finditer(text)]
    for match in _CHINESE.finditer(text):
        group = match.lastgroup if match.lastgroup != "half" else "counted"
        start, end = match.span(group or 0)
        if any(start < stop and begin < end for begin, stop in names) or _ARTICLE.match(text, start):
            continue
        yield from _values(text, start, end, half=match["half"])
    for match in _HALF_OF.finditer(text):
        yield Span(match.start(), match.end(), 0.5)


def _values(text: str, start: int, end: int, *, half: str | None) -> Iterator[Span]:
    """The number at [start, end); two for 两三(个)."""
    words = text[start:end]
    if len(words) == 2 and all(character in DIGITS for character in words):
        yield Span(start, start + 1, DIGITS[words[0]])
        yield Span(start + 1, end, DIGITS[words[1]])
        return
    value = amount(words)
    if value is not None:
        yield Span(start, end + len(half or ""), tidy(value + (0.5 if half else 0)))
