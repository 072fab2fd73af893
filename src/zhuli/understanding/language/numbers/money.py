"""Sums of money in a text, as {"amount": number, "currency": ISO 4217}.

"$" alone is US dollars, "¥" is yuan unless yen are named: 元 and 块 are yuan. Of a range (50-100元, "$50 to 100") both sums are
found. Sums without a currency ("5k to Omar", 三千五) are for who knows that money is talked about; their currency is None. Not
found: pieces (两块蛋糕).
"""

import re
from collections.abc import Iterator

from zhuli.understanding.language.numbers.chinese_numbers import AMOUNT, DIGITS, amount, tidy
from zhuli.understanding.language.numbers.english_numbers import CARDINAL, cardinal
from zhuli.understanding.language.numbers.numbers import find_numbers
from zhuli.understanding.language.spans import Span, apart

_SIGNS = {"us$": "USD", "hk$": "HKD", "nt$": "TWD", "a$": "AUD", "c$": "CAD", "s$": "SGD", "cn¥": "CNY", "jp¥": "JPY", "$": "USD",
          "£": "GBP", "€": "EUR", "¥": "CNY", "₩": "KRW", "₹": "INR", "rmb": "CNY", "usd": "USD", "eur": "EUR", "gbp": "GBP",
          "cny": "CNY"}  # fmt: skip
_NAMES = {
    r"(?:us |american )?dollars?": "USD", "bucks?": "USD", "usd": "USD", r"(?:hong kong dollars?|hkd)": "HKD", "euros?": "EUR",
    "eur": "EUR", r"(?:pounds?(?: sterling)?|quid)": "GBP", "gbp": "GBP", r"(?:yuan|rmb|cny|kuai|renminbi)": "CNY",
    r"(?:japanese )?yen": "JPY", "jpy": "JPY", r"(?:australian dollars?|aud)": "AUD", r"(?:canadian dollars?|cad)": "CAD",
    r"(?:singapore dollars?|sgd)": "SGD", r"(?:rupees?|inr)": "INR", r"(?:swiss francs?|chf)": "CHF", r"(?:korean )?won": "KRW",
    r"twd|ntd": "TWD", "美元|美金|美刀|刀": "USD", "欧元": "EUR", "英镑": "GBP", "日元|日币|円": "JPY", "港币|港元": "HKD",
    "台币|新台币": "TWD", "韩元|韩币": "KRW", "人民币|块钱|元钱|块大洋|元人民币": "CNY",
}  # fmt: skip

_DIGITS = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,2})?|[0-9]{1,12}(?:\.[0-9]{1,2})?"
_SCALE = r"(?P<scale>k\b| ?(?:hundred|thousand|million|grand)\b|[百千万亿])?"
_SCALES = {"k": 1000, "hundred": 100, "thousand": 1000, "grand": 1000, "million": 1_000_000, "百": 100, "千": 1000, "万": 10_000,
           "亿": 100_000_000}  # fmt: skip
_TO = r" ?(?:-|to|and|or|到|至|和) ?"
_SIGN = "|".join(re.escape(sign) for sign in _SIGNS)
_SIGNED = re.compile(
    rf"(?<![a-z])(?P<sign>{_SIGN}) ?(?P<number>{_DIGITS}){_SCALE}(?![0-9])(?:{_TO}(?P<last>[0-9]{{1,9}})(?![0-9:]|"
    rf"[,.][0-9]| ?[a-z]))?"
)
_NAME = "|".join(f"(?:{name})" for name in sorted(_NAMES, key=len, reverse=True))
_NAMED = re.compile(
    rf"(?<![a-z0-9.,])(?:(?P<first>{_DIGITS}){_TO})?(?:(?P<number>{_DIGITS}){_SCALE}|(?P<words>\b{CARDINAL})|"
    rf"(?P<characters>{AMOUNT}))"
    rf" ?(?P<name>{_NAME})(?![a-z])"
)
_MORE = "[零]?[0-9一二三四五六七八九两]"
_YUAN = re.compile(
    rf"(?<![0-9.])(?:(?P<first>[0-9]{{1,7}}){_TO})?(?P<number>{AMOUNT})多?(?:元(?![旦素月宵])|块(?![\u4e00-\u9fff])|"
    rf"块(?=[钱零的吧左右以内之上下到和啊呢吗多就可行或一二三四五六七八九两]))"
    rf"(?:(?P<jiao>{_MORE})[毛角](?P<fen>[0-9一二三四五六七八九](?=分))?分?"
    rf"|(?<=块)(?P<bare>{_MORE})(?![0-9百千万个位人间十晚夜天斤份张次盒瓶杯碗只条件]))?(?:钱|人民币)?"
)
_JIAO = re.compile(
    "(?<![0-9一二三四五六七八九元块.])(?P<number>[0-9]{1,2}|[一二两三四五六七八九])(?P<unit>毛|角)(?:钱|"
    "(?![\u4e00-\u9fff]))"
)
_CENTS = re.compile(rf"(?<![a-z0-9.])(?P<number>[0-9]{{1,4}}|{CARDINAL}) ?(?:cents?|¢)(?![a-z])")

_NO_SUM_BEFORE = re.compile(
    r"(?:\b(?:card|account|number|no\.?|ending(?: in| with)?|room|line|order|code|pin|the)|#|号|尾号|末四位|第|[卡号]是?)\s*$"
)
_NO_SUM = re.compile(r"[0-9](?:st|nd|rd|th)$|^第")
_COUNTS = re.compile(
    r" ?(?!(?:to|for|from|on|at|by|in|and|or|please|pls|out|over|now|today|tomorrow|then|instead|is|more|off|into|per|via|"
    r"with|it|i|should|would|this|next|quid)\b)[a-z]{2,}|[-/:][0-9]|[个位人名张份天日月年号次点岁件条只斤公分家笔]",
    re.ASCII,
)


def find_money(text: str) -> list[Span]:
    """Sums in a plain text, in order; whole amounts are ints."""
    return apart([*_signed(text), *_named(text), *_yuan(text), *_small(text)])


def find_bare_sums(text: str) -> list[Span]:
    """Numbers that may be sums, though nobody said of what: none that counts something, is a place in a list or names a card."""
    return [
        span._replace(value=_sum(span.value, None), certain=False)
        for span in find_numbers(text)
        if span.value > 0
        and not _NO_SUM_BEFORE.search(text[: span.start])
        and not _NO_SUM.search(text[span.start : span.end])
        and not _COUNTS.match(text, span.end)
    ]


def _sum(number: float, currency: str | None) -> dict[str, float | str | None]:
    return {"amount": tidy(number), "currency": currency}


def _scaled(match: re.Match[str]) -> float:
    return float(match["number"].replace(",", "")) * _SCALES.get((match["scale"] or "").strip(), 1)


def _signed(text: str) -> Iterator[Span]:
    for match in _SIGNED.finditer(text):
        sign = _SIGNS[match["sign"]]
        end = match.start("last") if match["last"] else match.end()
        if match["last"]:
            yield Span(match.start("last"), match.end("last"), _sum(float(match["last"]), sign))
            end = match.end("scale") if match["scale"] else match.end("number")
        yield Span(match.start(), end, _sum(_scaled(match), sign))


def _named(text: str) -> Iterator[Span]:
    for match in _NAMED.finditer(text):
        currency = next(code for name, code in _NAMES.items() if re.fullmatch(name, match["name"]))
        number = (
            _scaled(match)
            if match["number"]
            else cardinal(match["words"])
            if match["words"]
            else amount(match["characters"])
        )
        if number is None:
            continue
        start = match.start()
        if match["first"]:
            yield Span(match.start("first"), match.end("first"), _sum(float(match["first"].replace(",", "")), currency))
            start = min(place for place in map(match.start, ("number", "words", "characters")) if place >= 0)
        yield Span(start, match.end(), _sum(number, currency))


def _yuan(text: str) -> Iterator[Span]:
    for match in _YUAN.finditer(text):
        number = amount(match["number"])
        if number is None:
            continue
        if match["first"]:
            yield Span(match.start("first"), match.end("first"), _sum(float(match["first"]), "CNY"))
        number += _digit(match["jiao"] or match["bare"]) / 10 + _digit(match["fen"]) / 100
        yield Span(match.start("number"), match.end(), _sum(number, "CNY"))


def _digit(said: str | None) -> int:
    said = (said or "0").lstrip("零") or "0"
    return int(said) if said.isdigit() else DIGITS[said]


def _small(text: str) -> Iterator[Span]:
    for match in _JIAO.finditer(text):
        yield Span(match.start(), match.end(), _sum(int(amount(match["number"]) or 0) / 10, "CNY"))
    for match in _CENTS.finditer(text):
        said = match["number"]
        yield Span(match.start(), match.end(), _sum((int(said) if said.isdigit() else cardinal(said)) / 100, "USD"))
