"""Whether two values mean the same, however written: 4 and "4", 950.0 and a sum of 950, +44 7700 900123 and 07700 900123."""

import re
from typing import Any

_PREFIXES = re.compile(r"^(?:00|\+)?(?:44|86)?0?")
_PARTS = ("amount", "value")
"""Of a sum of money, or of what is written as an object, the one that is compared with a plain value."""


def same(held: Any, expected: Any) -> bool:
    """Whether a slot holds, or a function is called with, what is expected; None is only None."""
    if held is None or expected is None:
        return held is expected
    if isinstance(held, dict) and not isinstance(expected, dict):
        held = next((held[key] for key in _PARTS if key in held), None)
        return held is not None and same(held, expected)
    if isinstance(held, list | dict) or isinstance(expected, list | dict):
        return bool(held == expected)
    one, other = _written(held), _written(expected)
    if one == other:
        return True
    number = _number(one)
    return (number is not None and number == _number(other)) or (_phone(one) != "" and _phone(one) == _phone(other))


def _written(value: Any) -> str:
    return str(value).strip().casefold()


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _phone(text: str) -> str:
    """Its national digits; "" for what is none."""
    digits = re.sub(r"[\s()\-]", "", text)
    return _PREFIXES.sub("", digits) if re.fullmatch(r"\+?\d{7,15}", digits) else ""
