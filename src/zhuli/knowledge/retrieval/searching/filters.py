"""Which files a search may look into: the API's filters over a file's attributes, as a plain function.

Types are taken seriously: a number equals no text, and true is no 1; 1 and 1.0 are the same number. gt, gte, lt and lte
compare numbers with numbers and texts with texts (by code point, so that ISO dates sort); another type never matches. A
file without the key matches only ne and nin.
"""

from collections.abc import Callable, Mapping

from zhuli.core.errors import InvalidRequest
from zhuli.types.knowledge.passages import Attributes
from zhuli.types.knowledge.vector_store import ComparisonFilter, CompoundFilter, Filter

Value = str | bool | int | float
Predicate = Callable[[Attributes], bool]

MOST_NESTED = 8
MOST_COMPARISONS = 256

_MISSING = object()

_ORDERS: Mapping[str, Callable[[int], bool]] = {
    "gt": lambda sign: sign > 0,
    "gte": lambda sign: sign >= 0,
    "lt": lambda sign: sign < 0,
    "lte": lambda sign: sign <= 0,
}


def predicate(given: Filter) -> Predicate:
    """Whether a file with these attributes passes; InvalidRequest for a filter that means nothing, naming the place."""
    if _comparisons(given) > MOST_COMPARISONS:
        raise InvalidRequest(f"A filter can have at most {MOST_COMPARISONS} comparisons.", param="filters")
    return _predicate(given, "filters", 1)


def _comparisons(given: Filter) -> int:
    """Comparisons of a filter, counted no deeper than one that is refused for its depth."""
    level, found = [given], 0
    for _ in range(MOST_NESTED + 1):
        found += sum(isinstance(part, ComparisonFilter) for part in level)
        level = [inner for part in level if isinstance(part, CompoundFilter) for inner in part.filters]
    return found


def _predicate(given: Filter, place: str, depth: int) -> Predicate:
    if depth > MOST_NESTED:
        raise InvalidRequest(f"Filters can be nested at most {MOST_NESTED} deep.", param="filters")
    if isinstance(given, ComparisonFilter):
        return _comparison(given, place)
    if not given.filters:
        raise InvalidRequest(f"'{given.type}' needs at least one filter.", param=f"{place}.filters")
    parts = [_predicate(part, f"{place}.filters[{number}]", depth + 1) for number, part in enumerate(given.filters)]
    combine = all if given.type == "and" else any
    return lambda attributes: combine(part(attributes) for part in parts)


def _comparison(given: ComparisonFilter, place: str) -> Predicate:
    key, value, kind = given.key, given.value, given.type
    if kind in ("in", "nin"):
        if not isinstance(value, list):
            raise InvalidRequest(
                f"'{kind}' needs a list of values, like [\"a\", \"b\"]; for one value use '{'eq' if kind == 'in' else 'ne'}'.",
                param=f"{place}.value",
            )
        wanted = {_comparable(item) for item in value}
        return lambda attributes: (_comparable(attributes.get(key, _MISSING)) in wanted) is (kind == "in")
    if isinstance(value, list):
        other = "nin" if kind == "ne" else "in"
        raise InvalidRequest(f"'{kind}' needs a single value; for a list use '{other}'.", param=f"{place}.value")
    if kind in ("eq", "ne"):
        single = _comparable(value)
        return lambda attributes: (_comparable(attributes.get(key, _MISSING)) == single) is (kind == "eq")
    return _order(kind, key, value, place)


def _order(kind: str, key: str, value: Value, place: str) -> Predicate:
    if isinstance(value, bool):
        raise InvalidRequest(
            f"'{kind}' compares numbers or texts; true and false only have 'eq' and 'ne'.", param=f"{place}.value"
        )
    accepts = _ORDERS[kind]

    def matches(attributes: Attributes) -> bool:
        sign = _sign(attributes.get(key), value)
        return sign is not None and accepts(sign)

    return matches


def _comparable(value: object) -> tuple[str, object]:
    """Equal for equal values of one type: Python holds 1 and True to be the same."""
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, int | float):
        return "number", value
    return type(value).__name__, value


def _sign(left: object, right: Value) -> int | None:
    """Less than, equal to or greater than zero as left is to right; None when they can't be compared."""
    if isinstance(left, bool):
        return None
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    if isinstance(left, int | float) and isinstance(right, int | float):
        return (left > right) - (left < right)
    return None
