"""The numbers that Word writes before paragraphs by itself, like 2.3.1 or (b): they stand nowhere in the text (17.9)."""

from typing import Any

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
LEVELS = 9
MAX_CHAIN = 10
"""Styles that are based on each other."""
CHINESE = "〇一二三四五六七八九"
COUNTED = frozenset(
    ("chineseCounting", "chineseCountingThousand", "ideographDigital", "japaneseCounting", "taiwaneseCountingThousand")
)


def val(element: Any, path: str, otherwise: str = "") -> str:
    """The attribute val of what the path leads to, without prefixes."""
    found = element.find("/".join(f"{WORD}{name}" for name in path.split("/"))) if element is not None else None
    return otherwise if found is None else found.get(f"{WORD}val", otherwise)


class Numbering:
    """Counts through one document, paragraph by paragraph in their order. `numbering` and `styles` are roots of XML or None."""

    def __init__(self, numbering: Any, styles: Any) -> None:
        self._styles = {style.get(f"{WORD}styleId"): style for style in styles.iter(f"{WORD}style")}
        found = [] if numbering is None else numbering
        self._lists = {one.get(f"{WORD}abstractNumId"): one for one in found if one.tag == f"{WORD}abstractNum"}
        self._numbers = {one.get(f"{WORD}numId"): one for one in found if one.tag == f"{WORD}num"}
        self._counts: dict[str, list[int | None]] = {}
        self._begun: set[tuple[str, int]] = set()

    def mark(self, paragraph: Any) -> str:
        """What stands before the paragraph: "2.3.1", "-" for whatever bullet, "" for nothing."""
        number, level = self._place(paragraph)
        instance = self._numbers.get(number)
        definition = self._definition(val(instance, "abstractNumId"))
        if instance is None or definition is None or not 0 <= level < LEVELS:
            return ""
        name = definition.get(f"{WORD}abstractNumId")
        shown = self._level(instance, definition, level)
        if shown is None:
            return ""
        counts = self._counts.setdefault(name, [None] * LEVELS)
        self._count(counts, number, instance, definition, level)
        if val(shown, "numFmt", "decimal") == "bullet":
            return "-"
        return self._text(shown, counts, instance, definition, level)

    def _place(self, paragraph: Any) -> tuple[str, int]:
        """The number's id and the level, as the paragraph says it or its style."""
        own = paragraph.find(f"{WORD}pPr/{WORD}numPr")
        style = val(paragraph, "pPr/pStyle")
        number, level = (val(own, "numId"), val(own, "ilvl")) if own is not None else ("", "")
        for _ in range(MAX_CHAIN):
            found = self._styles.get(style)
            if found is None or (number and level):
                break
            number = number or val(found, "pPr/numPr/numId")
            level = level or val(found, "pPr/numPr/ilvl") or self._level_of_style(number, style)
            style = val(found, "basedOn")
        return number, int(level) if level.isdecimal() else 0

    def _level_of_style(self, number: str, style: str) -> str:
        definition = self._definition(val(self._numbers.get(number), "abstractNumId"))
        for level in [] if definition is None else definition.iterfind(f"{WORD}lvl"):
            if val(level, "pStyle") == style:
                return str(level.get(f"{WORD}ilvl", ""))
        return ""

    def _definition(self, name: str) -> Any:
        """The list, also where it only names the style that has it."""
        found = self._lists.get(name)
        style = val(found, "numStyleLink")
        if not style:
            return found
        number = val(self._styles.get(style), "pPr/numPr/numId")
        return self._lists.get(val(self._numbers.get(number), "abstractNumId"))

    def _level(self, instance: Any, definition: Any, level: int) -> Any:
        for override in instance.iterfind(f"{WORD}lvlOverride"):
            own = override.find(f"{WORD}lvl")
            if override.get(f"{WORD}ilvl") == str(level) and own is not None:
                return own
        found = definition.iterfind(f"{WORD}lvl")
        return next((one for one in found if one.get(f"{WORD}ilvl") == str(level)), None)

    def _count(self, counts: list[int | None], number: str, instance: Any, definition: Any, level: int) -> None:
        restart = next(
            (
                val(one, "startOverride")
                for one in instance.iterfind(f"{WORD}lvlOverride")
                if one.get(f"{WORD}ilvl") == str(level)
            ),
            "",
        )
        for above in range(level):
            if counts[above] is None:
                counts[above] = self._start(instance, definition, above)
        before = counts[level]
        if restart.isdecimal() and (number, level) not in self._begun:
            counts[level] = int(restart)
        else:
            counts[level] = self._start(instance, definition, level) if before is None else before + 1
        self._begun.add((number, level))
        for below in range(level + 1, LEVELS):
            if val(self._level(instance, definition, below), "lvlRestart") != "0":
                counts[below] = None

    def _start(self, instance: Any, definition: Any, level: int) -> int:
        start = val(self._level(instance, definition, level), "start", "1")
        return int(start) if start.isdecimal() else 1

    def _text(self, shown: Any, counts: list[int | None], instance: Any, definition: Any, level: int) -> str:
        text, legal = val(shown, "lvlText"), shown.find(f"{WORD}isLgl") is not None
        for above in range(level + 1):
            form = val(self._level(instance, definition, above), "numFmt", "decimal")
            count = counts[above]
            text = text.replace(f"%{above + 1}", number_as(1 if count is None else count, "decimal" if legal else form))
        return text.strip()


def number_as(number: int, form: str) -> str:
    """In the form that Word calls `form` (ST_NumberFormat); decimal for those that are not known."""
    if form == "none":
        return ""
    if form in {"upperRoman", "lowerRoman"} and 0 < number < 4000:
        return _roman(number) if form == "upperRoman" else _roman(number).lower()
    if form in {"upperLetter", "lowerLetter"} and 0 < number <= 26 * LEVELS:
        letter = chr(ord("A") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letter if form == "upperLetter" else letter.lower()
    if form == "decimalZero":
        return f"{number:02d}"
    if form in COUNTED and 0 < number < 100:
        return _chinese(number)
    if form.startswith("decimalEnclosedCircle") and 0 < number <= 20:
        return chr(0x2460 + number - 1)
    return str(number)


def _roman(number: int) -> str:
    values = (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1)
    letters = ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I")
    text = ""
    for value, letter in zip(values, letters, strict=True):
        text += letter * (number // value)
        number %= value
    return text


def _chinese(number: int) -> str:
    tens, ones = divmod(number, 10)
    return (CHINESE[tens] if tens > 1 else "") + ("十" if tens else "") + (CHINESE[ones] if ones else "")
