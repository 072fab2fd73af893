"""Entities of a message that are found by rule: listed values, expressions, numbers, dates, times, money, phones, addresses.

What is more telling takes its characters from what is less so: the 7 of "7pm" and the digits of a telephone number are no
numbers, whether or not the domain asks for times and telephones. Learned entities are an understander's.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from zhuli.types.understanding.domain import Entity, EntityKind, Language
from zhuli.types.understanding.understanding import EntityFound
from zhuli.understanding.language.entity_extraction.emails import find_emails
from zhuli.understanding.language.entity_extraction.listed_values import find_listed
from zhuli.understanding.language.entity_extraction.names import find_names
from zhuli.understanding.language.entity_extraction.patterns import find_matches
from zhuli.understanding.language.entity_extraction.phones import country_of, find_phones
from zhuli.understanding.language.numbers.counting import takes
from zhuli.understanding.language.numbers.money import find_bare_sums, find_money
from zhuli.understanding.language.numbers.numbers import find_numbers
from zhuli.understanding.language.plain_text import MOST_CHARACTERS, plain
from zhuli.understanding.language.spans import Span, apart, outside
from zhuli.understanding.language.times.dates import find_dates
from zhuli.understanding.language.times.times import find_times

_FIGURES: tuple[EntityKind, ...] = ("email", "phone", "date", "time", "money", "number")
"""Whose characters are taken first."""


def find_entities(
    text: str,
    entities: Sequence[Entity],
    *,
    language: Language | None,
    now: datetime,
    asked: EntityKind | None = None,
) -> list[EntityFound]:
    """All findings of all entities but learned ones, in the order of the text.

    Findings of one entity do not overlap, those of several may. now: the user's day and hour, in the domain's time zone.
    Values: int or float of a number, "YYYY-MM-DD" of a date, "HH:MM" of a time, {"amount", "currency"} of money, "+" and digits
    of a phone, the listed value of a lookup, and else what stands there. Only listed values that were mistyped have a confidence.
    asked: a value of this kind is waited for, so that what could be one is one.
    """
    text = text[:MOST_CHARACTERS]
    read = plain(text)
    named = {entity.name: _named(entity, text, read) for entity in entities if entity.kind in ("lookup", "regex")}
    if called := [entity.name for entity in entities if entity.kind == "name"]:
        spans: list[tuple[Span, float | None]] = [(span, None) for span in find_names(text)]
        named |= dict.fromkeys(called, spans)
    figures = _figures(read, {entity.kind for entity in entities}, language=language, now=now, asked=asked)
    names = [span for found in named.values() for span, likeness in found if likeness is None]
    found = [
        _found(entity, text, span, likeness)
        for entity in entities
        for span, likeness in named.get(entity.name) or _not_in(names, figures.get(entity.kind, ()))
    ]
    numbers = [entity.name for entity in entities if entity.kind == "number"]
    kept = (one for one in found if one.source != "number" or takes(one.entity, read, one.end, names=numbers))
    return sorted(kept, key=lambda one: (one.start, one.end))


def _named(entity: Entity, text: str, read: str) -> list[tuple[Span, float | None]]:
    """Listed values and matches of expressions, with how like they are to what is listed."""
    if entity.kind == "lookup":
        return find_listed(read, entity.values)
    return [(span, None) for span in apart(span for pattern in entity.patterns for span in find_matches(text, pattern))]


def _not_in(names: Sequence[Span], figures: Sequence[Span]) -> list[tuple[Span, float | None]]:
    """Figures but those that are a part of a name: the 7 of the hotel 7 Days."""
    return [
        (figure, None)
        for figure in figures
        if not any(
            name.start <= figure.start and figure.end <= name.end and name.end - name.start > figure.end - figure.start
            for name in names
        )
    ]


def _found(entity: Entity, text: str, span: Span, likeness: float | None) -> EntityFound:
    return EntityFound(
        entity=entity.name,
        text=text[span.start : span.end],
        value=span.value,
        start=span.start,
        end=span.end,
        source=entity.kind,
        confidence=likeness,
    )


def _sums(read: str, *, bare: bool) -> list[Span]:
    """bare: also without a currency, for no other number is waited for."""
    sums = find_money(read)
    return apart([*sums, *outside(find_bare_sums(read), sums)]) if bare else sums


def _figures(
    read: str, kinds: Collection[EntityKind], *, language: Language | None, now: datetime, asked: EntityKind | None
) -> dict[EntityKind, list[Span]]:
    """What there is of each kind, the earlier kinds before the later; none beyond the last that is asked for."""
    finders: dict[EntityKind, Callable[[], list[Span]]] = {
        "email": lambda: find_emails(read),
        "phone": lambda: find_phones(
            read,
            chinese=language == "zh",
            country=country_of(getattr(now.tzinfo, "key", None)) if "phone" in kinds else None,
            asked=asked == "phone",
        ),
        "date": lambda: find_dates(read, now.date()),
        "time": lambda: find_times(read, now, asked=asked == "time" or not {"number", "money"} & set(kinds)),
        "money": lambda: _sums(read, bare=asked == "money" or "number" not in kinds),
        "number": lambda: find_numbers(read),
    }
    found: dict[EntityKind, list[Span]] = {}
    taken: list[Span] = []
    last = max((_FIGURES.index(kind) for kind in kinds if kind in _FIGURES), default=-1)
    for kind in _FIGURES[: last + 1]:
        if kind == "money" and kind not in kinds:
            continue
        spans = [span for span in outside(finders[kind](), taken) if span.certain or kind in kinds]
        found[kind] = spans
        taken += spans
    return found
