"""Chinese numerals: patterns for other rules, and their values. Works on plain text (see plain_text)."""

DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_PLACES = {"十": 10, "百": 100, "千": 1000}
_GROUPS = {"万": 10_000, "亿": 100_000_000}

_LOWER = {"千": 1000, "万": 10_000}

NUMERAL = "[零〇一二两三四五六七八九十百千万亿]"
"""One character of a number."""

AMOUNT = f"(?:[0-9]{{1,4}}[千万][1-9](?![0-9.个位千百十])|[0-9]{{1,9}}(?:\\.[0-9]{{1,4}})?[千万亿]?|{NUMERAL}{{1,12}})"
"""A number in digits, with 千, 万 or 亿 behind it, or in characters."""


def amount(text: str) -> float | None:
    """The value of what AMOUNT matches: 两百五 is 250, 一千零五 1005, 1.5万 15000; None for what is no number, such as 三百百."""
    if text[0].isdigit() and len(text) > 2 and text[-2] in _LOWER:
        scale = _LOWER[text[-2]]
        return tidy(float(text[:-2]) * scale + float(text[-1]) * scale / 10)
    if text[0].isdigit():
        scale = {"千": 1000, **_GROUPS}.get(text[-1], 1)
        return tidy(float(text.rstrip("千万亿")) * scale)
    if all(character in DIGITS for character in text):
        return _read_out(text)
    return _counted(text)


def tidy(number: float) -> float:
    """Without a fraction of zero: 2.0 is 2; sums of binary fractions are rounded to 6 places."""
    number = round(number, 6)
    return int(number) if number == int(number) else number


def _read_out(text: str) -> int | None:
    """One digit, or at least three that are read one by one: 二〇二六. Two are two numbers (两三个), which the caller splits."""
    return int("".join(str(DIGITS[character]) for character in text)) if len(text) != 2 else None


def _counted(text: str) -> int | None:
    """With places. The last digit without a place is of the next lower one: 两百五 is 250, 三万二 32000, but 一百零五 is 105."""
    total = section = digit = 0
    place = 10_000_000_000
    gap = True
    for character in text:
        if character in DIGITS:
            if digit:
                return None
            digit = DIGITS[character]
            gap = gap or digit == 0
        elif character in _PLACES:
            if _PLACES[character] >= place or (digit == 0 and character != "十"):
                return None
            place = _PLACES[character]
            section, digit, gap = section + max(digit, 1) * place, 0, False
        else:
            if section + digit == 0:
                return None
            group = _GROUPS[character]
            total = (total + section + digit) * group if character == "亿" else total + (section + digit) * group
            section, digit, place, gap = 0, 0, _GROUPS[character], False
    return total + section + (digit if gap or place <= 10 else digit * place // 10)
