"""Phones, dates and times as people write them: what zhuli's rules find, and what phonenumbers and dateparser do.

`python -m benchmarks.understanding.written.compare`; dateparser is no dependency, and without it its column is left out.
The lines were written for this, in both languages; said on Tuesday, 10 March 2026, at 9. A line is right if what is expected is
among what is found, or nothing is found where nothing is (`-`).
"""

import time
from collections.abc import Callable
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

from zhuli.types.understanding.domain import Entity, EntityKind, Language
from zhuli.understanding.language.entity_extraction.entity_extraction import find_entities
from zhuli.understanding.language.entity_extraction.phones import zone_of

HERE = Path(__file__).parent
NOW = datetime(2026, 3, 10, 9)
LEFT_OUT = "not installed"

Finder = Callable[[str, str], set[str]]
"""What of a text is found, in a country or a language."""


def main() -> None:
    """Print a line for each kind and finder: right, of how many, and the milliseconds of a text."""
    lines = [line.split("\t") for line in (HERE / "phones.tsv").read_text(encoding="utf-8").splitlines()]
    for name, finder in (("zhuli", _our_phones), ("phonenumbers", _library_phones)):
        for kind, part in (
            ("phones", [one for one in lines if one[2] != "-"]),
            ("no phones", [one for one in lines if one[2] == "-"]),
        ):
            _print(kind, name, [(text, country, wanted) for country, text, wanted in part], finder)
    lines = [line.split("\t") for line in (HERE / "times.tsv").read_text(encoding="utf-8").splitlines()]
    for name, made in (("zhuli", _our_times), ("dateparser", _library_times)):
        for kind, language in sorted({(one[0], one[1]) for one in lines}):
            asked = [(text, language, wanted) for of, spoken, text, wanted in lines if (of, spoken) == (kind, language)]
            _print(f"{kind}, {language}", name, asked, made(kind))


def _print(kind: str, name: str, asked: list[tuple[str, str, str]], finder: Finder | None) -> None:
    if finder is None:
        print(f"{kind}: {name}: {LEFT_OUT}")
        return
    finder("12", asked[0][1])  # what is loaded is not counted
    began, wrong = time.process_time(), []
    for text, where, wanted in asked:
        found = finder(text, where)
        if (wanted not in found) if wanted != "-" else found:
            wrong.append(f"{text} {sorted(found)}")
    took = 1000 * (time.process_time() - began) / len(asked)
    print(f"{kind}: {name}: {len(asked) - len(wrong)} of {len(asked)}, {took:.2f} ms a text; not: {'; '.join(wrong)}")


def _our_phones(text: str, country: str) -> set[str]:
    language: Language = "zh" if country in ("CN", "HK", "TW") else "en"
    return _ours(text, ("phone",), language, NOW.replace(tzinfo=ZoneInfo(zone_of(country))))


def _library_phones(text: str, country: str) -> set[str]:
    import phonenumbers

    found = phonenumbers.PhoneNumberMatcher(text, country)
    return {phonenumbers.format_number(one.number, phonenumbers.PhoneNumberFormat.E164) for one in found}


def _our_times(kind: str) -> Finder:
    kinds: tuple[EntityKind, ...] = ("date", "time") if kind == "none" else ("date" if kind == "date" else "time",)
    return lambda text, language: _ours(
        text, kinds, "zh" if language == "zh" else "en", NOW.replace(tzinfo=ZoneInfo("UTC"))
    )


def _ours(text: str, kinds: tuple[EntityKind, ...], language: Language, now: datetime) -> set[str]:
    entities = [
        Entity(name=kind, kind=kind)
        for kind in ("date", "time", "number", "phone")
        if kind in kinds or kind == "number"
    ]
    found = find_entities(text, entities, language=language, now=now)
    return {str(one.value) for one in found if one.entity in kinds}


def _library_times(kind: str) -> Finder | None:
    if find_spec("dateparser") is None:
        return None
    from dateparser.search import search_dates  # type: ignore[import-untyped]

    def find(text: str, language: str) -> set[str]:
        settings = {"RELATIVE_BASE": NOW, "PREFER_DATES_FROM": "future"}
        found = search_dates(text, languages=[language], settings=settings) or []
        return {one.strftime("%H:%M" if kind == "time" else "%Y-%m-%d") for _, one in found}

    return find


if __name__ == "__main__":
    main()
