"""Exercises of ours in English and Chinese, with the mistakes that are known of each: forty-eight with numbers, six with words.

Those with numbers come of templates, so that the answer, the worked steps and each mistake's own answer are computed. Those
with words, and the lessons, are in sample.json: written for this, free to use as zhuli is.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Literal

Language = Literal["en", "zh"]

Said = dict[Language, str]

EACH = 8
"""Exercises with numbers of a topic."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong answer that has a reason. answer: of exercises with numbers; like: ways to say it, of those with words."""

    says: Said
    answer: Fraction | None = None
    like: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exercise:
    """answer: a number; None where words are asked for, of which right has examples. explains: why the right answer is right."""

    id: str
    topic: str
    level: int
    question: Said
    explains: Said
    mistakes: tuple[Mistake, ...]
    answer: Fraction | None = None
    right: tuple[str, ...] = ()


@cache
def exercises(language: Language) -> tuple[Exercise, ...]:
    """All of them; examples of answers in words are of this language."""
    rng, found = random.Random(7), list[Exercise]()
    for topic, make in _TEMPLATES.items():
        for number in range(EACH):
            level = 1 + number * 3 // EACH
            question, answer, explains, mistakes = make(rng, level)
            id_ = f"{topic}-{number + 1}"
            found.append(Exercise(id_, topic, level, question, explains, _distinct(mistakes, answer), answer))
    return (*found, *(_in_words(said, language) for said in texts()["exercises"]))


def topics(language: Language) -> list[str]:
    """In the order of the exercises."""
    return list(dict.fromkeys(one.topic for one in exercises(language)))


@cache
def texts() -> dict[str, Any]:
    """sample.json: lessons, exercises with words, and answers that nobody has looked at while marking was made."""
    found: dict[str, Any] = json.loads((Path(__file__).parent / "sample.json").read_text("utf-8"))
    return found


def _in_words(said: dict[str, Any], language: Language) -> Exercise:
    mistakes = tuple(Mistake(one["says"], like=tuple(one["like"][language])) for one in said["mistakes"])
    names = ("id", "topic", "level", "question", "explains")
    return Exercise(**{name: said[name] for name in names}, mistakes=mistakes, right=tuple(said["right"][language]))


def _distinct(mistakes: tuple[Mistake, ...], answer: Fraction) -> tuple[Mistake, ...]:
    """Those whose answers are not by chance the right one, or each other's."""
    found = {one.answer: one for one in reversed(mistakes) if one.answer != answer}
    return tuple(reversed(found.values()))


_Made = tuple[Said, Fraction, Said, tuple[Mistake, ...]]


def _mistake(answer: Fraction | int, en: str, zh: str) -> Mistake:
    return Mistake({"en": en, "zh": zh}, Fraction(answer))


def _fractions(rng: random.Random, level: int) -> _Made:
    b = rng.choice((3, 4, 5, 7, 8, 9))
    d = b if level == 1 else rng.choice([other for other in (2, 3, 5, 6, 7) if other != b])
    a, c = rng.randrange(1, b), rng.randrange(1, d)
    sign = "-" if level == 3 and Fraction(a, b) > Fraction(c, d) else "+"
    one, other = Fraction(a, b), Fraction(c, d)
    answer = one + other if sign == "+" else one - other
    same = b * d if b != d else b
    top, more = a * same // b, c * same // d
    steps = f"{a}/{b} {sign} {c}/{d} = {top}/{same} {sign} {more}/{same} = {answer}"
    wrong = Fraction(a + c, b + d) if sign == "+" or b == d else Fraction(abs(a - c), max(1, abs(b - d)))
    return (
        {"en": f"What is {a}/{b} {sign} {c}/{d}?", "zh": f"{a}/{b} {sign} {c}/{d} 等于多少？"},
        answer,
        {"en": f"Bring both to the same denominator: {steps}.", "zh": f"先通分，再算分子：{steps}。"},
        (
            _mistake(
                wrong,
                "The denominators were added or taken off too. They say what kind of parts these are, and stay.",
                "分母也相加减了。分母表示每份的大小，通分以后不变。",
            ),
            _mistake(
                Fraction(a + c, same) if sign == "+" else Fraction(abs(a - c), same),
                "The numerators were not changed with their denominators.",
                "通分时只改了分母，分子没有跟着变。",
            ),
        ),
    )


def _percentages(rng: random.Random, level: int) -> _Made:
    p, n = rng.choice((10, 20, 25, 30, 40, 60)), rng.choice((40, 60, 80, 120, 200, 300))
    part = Fraction(p * n, 100)
    if level < 3:
        return (
            {"en": f"What is {p}% of {n}?", "zh": f"{n} 的 {p}% 是多少？"},
            part,
            {"en": f"{p}% is {p}/100: {n} × {p}/100 = {part}.", "zh": f"{p}% 就是 {p}/100：{n} × {p}/100 = {part}。"},
            (
                _mistake(Fraction(n, p), f"{n} was divided by {p}.", f"把 {n} 除以了 {p}。"),
                _mistake(p * n, "It was not divided by 100.", "忘了除以 100。"),
                _mistake(n - part, "That is what is left, not the part.", "这是剩下的，不是所求的部分。"),
            ),
        )
    return (
        {
            "en": f"A coat costs {n} and gets {p}% dearer. What does it cost now?",
            "zh": f"一件大衣 {n} 元，涨价 {p}%，现在多少元？",
        },
        n + part,
        {
            "en": f"{p}% of {n} is {part}, and {n} + {part} = {n + part}.",
            "zh": f"{n} 的 {p}% 是 {part}，{n} + {part} = {n + part}。",
        },
        (
            _mistake(part, "That is only what is added.", "这只是涨的部分，还要加上原价。"),
            _mistake(n + p, "The percentage was added as if it were money.", "把百分数当成钱数直接加上了。"),
            _mistake(n - part, "It gets dearer, not cheaper.", "是涨价，不是降价。"),
        ),
    )


def _negatives(rng: random.Random, level: int) -> _Made:
    a, b = rng.randrange(2, 10), rng.randrange(2, 10)
    kind = ("+", "-", "×")[level - 1]
    asked = {"+": f"-{a} + {b}", "-": f"{a} - (-{b})", "×": f"-{a} × (-{b})"}[kind]
    answer = {"+": b - a, "-": a + b, "×": a * b}[kind]
    wrong = {"+": -(a + b), "-": a - b, "×": -a * b}[kind]
    why = {
        "+": (f"Go {b} up from -{a} on the number line.", f"在数轴上从 -{a} 向右走 {b}。"),
        "-": (f"To take off -{b} is to add {b}.", f"减去 -{b} 等于加上 {b}。"),
        "×": ("Two negative numbers make a positive one.", "负负得正。"),
    }[kind]
    how = {
        "+": ("It was gone down instead of up.", "方向弄反了：加正数应向右走。"),
        "-": ("The two signs were taken for one.", "两个负号只当成了一个。"),
        "×": ("The sign is wrong: two negative numbers were multiplied.", "符号错了：两个负数相乘得正数。"),
    }[kind]
    return (
        {"en": f"What is {asked}?", "zh": f"{asked} 等于多少？"},
        Fraction(answer),
        {"en": f"{why[0]} {asked} = {answer}.", "zh": f"{why[1]}{asked} = {answer}。"},
        (_mistake(wrong, *how), _mistake(-answer, "The sign is the wrong one.", "符号反了。")),
    )


def _order(rng: random.Random, level: int) -> _Made:
    a, b, c, d = (rng.randrange(2, 9) for _ in range(4))
    if level < 3:
        asked, answer, wrong = f"{a} + {b} × {c}", a + b * c, (a + b) * c
        steps = f"{b} × {c} = {b * c}, {a} + {b * c} = {answer}"
    else:
        asked, answer, wrong = f"{a} + {b} × ({c} + {d})", a + b * (c + d), a + b * c + d
        steps = f"{c} + {d} = {c + d}, {b} × {c + d} = {b * (c + d)}, {a} + {b * (c + d)} = {answer}"
    left = ("It was gone from left to right.", "从左到右依次算了。")
    brackets = ("The brackets were left out.", "没有先算括号里的。")
    return (
        {"en": f"What is {asked}?", "zh": f"{asked} 等于多少？"},
        Fraction(answer),
        {"en": f"Brackets first, then times, then plus: {steps}.", "zh": f"先算括号，再算乘法，最后算加法：{steps}。"},
        (
            _mistake(wrong, *(left if level < 3 else brackets)),
            _mistake((a + b) * (c + d) if level == 3 else a + b + c, "Plus was done before times.", "先算了加法。"),
        ),
    )


def _equations(rng: random.Random, level: int) -> _Made:
    a, x, b = rng.randrange(2, 7), rng.randrange(2, 10), rng.randrange(2, 12)
    if level == 1:
        a = 1
    c = a * x + b if level < 3 else a * x - b
    sign, back = ("+", "-") if level < 3 else ("-", "+")
    left = c - b if level < 3 else c + b
    shown = "x" if a == 1 else f"{a}x"
    return (
        {"en": f"Solve {shown} {sign} {b} = {c}. What is x?", "zh": f"解方程 {shown} {sign} {b} = {c}，x 是多少？"},
        Fraction(x),
        {
            "en": f"Do the same on both sides: {shown} = {c} {back} {b} = {left}, so x = {x}.",
            "zh": f"等式两边做同样的运算：{shown} = {c} {back} {b} = {left}，所以 x = {x}。",
        },
        (
            _mistake(left, f"{left} is {shown}, not x: it is still to be divided.", f"{left} 是 {shown}，还要再除。"),
            _mistake(
                Fraction(2 * c - left, a),
                f"The {b} went to the other side with its sign unchanged.",
                f"{b} 移项时没有变号。",
            ),
        ),
    )


def _areas(rng: random.Random, level: int) -> _Made:
    a, b = rng.randrange(3, 12), rng.choice((4, 6, 8, 10))
    if level < 3:
        return (
            {
                "en": f"A room is {a} m long and {b} m wide. What is its area in m²?",
                "zh": f"一间房长 {a} 米、宽 {b} 米，面积是多少平方米？",
            },
            Fraction(a * b),
            {"en": f"Length times width: {a} × {b} = {a * b}.", "zh": f"长乘宽：{a} × {b} = {a * b}。"},
            (
                _mistake(2 * (a + b), "That is the way around it, its perimeter.", "这是周长，不是面积。"),
                _mistake(a + b, "The sides were added.", "把长和宽相加了。"),
            ),
        )
    return (
        {
            "en": f"A triangle is {b} cm wide and {a} cm high. What is its area in cm²?",
            "zh": f"三角形底 {b} 厘米、高 {a} 厘米，面积是多少平方厘米？",
        },
        Fraction(a * b, 2),
        {
            "en": f"Half of width times height: {b} × {a} / 2 = {Fraction(a * b, 2)}.",
            "zh": f"底乘高再除以二：{b} × {a} ÷ 2 = {Fraction(a * b, 2)}。",
        },
        (
            _mistake(
                a * b,
                "That is the rectangle around it: a triangle is half of that.",
                "这是长方形的面积，三角形还要除以二。",
            ),
            _mistake(a + b, "The sides were added.", "把底和高相加了。"),
        ),
    )


_TEMPLATES: dict[str, Callable[[random.Random, int], _Made]] = {
    "fractions": _fractions,
    "percentages": _percentages,
    "negative numbers": _negatives,
    "order of operations": _order,
    "equations": _equations,
    "areas": _areas,
}
