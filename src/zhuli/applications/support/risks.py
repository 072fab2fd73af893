"""Stated risks: messages that a person must answer, whatever is known about them. By words, English and Chinese; no model.

Words find what is said outright. Who writes around them is not found: a rule is a floor under what the desk answers, no wall.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from zhuli.types.applications.support import HandoffReason, RiskRule

WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "money": (
        "fraud", "fraudulent", "scam", "scammed", "stolen card", "unauthorized charge", "unauthorised charge",
        "chargeback", "charged twice", "double charged", "overcharged", "lost my money", "identity theft",
        "money laundering", "compensation", "诈骗", "被骗", "盗刷", "重复扣款", "多扣", "洗钱", "赔偿", "骗钱",
    ),
    "health": (
        "allergic reaction", "anaphylaxis", "bleeding", "chest pain", "can't breathe", "cannot breathe",
        "overdose", "poisoned", "suicide", "suicidal", "kill myself", "hurt myself", "unconscious",
        "emergency room", "hospitalized", "hospitalised", "seizure", "过敏反应", "流血", "胸痛", "呼吸困难",
        "喘不过气", "中毒", "自杀", "不想活", "昏迷", "急救", "住院",
    ),
    "law": (
        "lawyer", "attorney", "lawsuit", "sue you", "suing", "legal action", "small claims", "subpoena",
        "gdpr request", "police report", "consumer protection", "take you to court", "律师", "起诉", "打官司",
        "法院", "法律途径", "消费者协会", "报警", "12315",
    ),
    "anger": (
        "furious", "outrageous", "disgusting", "worst service", "worst company", "rip-off", "ripoff",
        "unacceptable", "ridiculous", "sick of", "fed up", "bullshit", "idiots", "fuck", "fucking",
        "pissed off", "never again", "disgrace", "垃圾公司", "太差劲", "气死", "愤怒", "忍无可忍", "恶心",
        "无耻", "骗子", "投诉你", "我要投诉", "什么破",
    ),
}  # fmt: skip
"""Rules of thumb. A desk adds its own words to a rule, or switches it off."""

SECONDS: Final = 0.05
"""For which an own pattern may search a message; what takes longer finds nothing."""

_READ = 4_000


def found(text: str, rules: Sequence[RiskRule]) -> tuple[HandoffReason, str] | None:
    """Which risk the message states, and by which words; None where none. An own rule's reason is "rule"."""
    read = text[:_READ].casefold()
    for name, pattern in _patterns(rules):
        try:
            said = pattern.search(read, timeout=SECONDS)
        except TimeoutError:
            continue
        if said is not None:
            reason: HandoffReason = "rule" if name not in WORDS else _reason(name)
            return reason, f"{name}: “{said.group().strip()}”"
    return None


def _reason(name: str) -> HandoffReason:
    known: Mapping[str, HandoffReason] = {"money": "money", "health": "health", "law": "law", "anger": "anger"}
    return known[name]


def _patterns(rules: Sequence[RiskRule]) -> Iterator[tuple[str, Any]]:
    """The desk's own first: they say more."""
    given = {rule.name: rule for rule in rules}
    for rule in rules:
        if rule.name not in WORDS and not rule.off:
            yield from _of(rule.name, tuple(rule.words), rule.pattern)
    for name, words in WORDS.items():
        own = given.get(name)
        if own is None:
            yield from _of(name, words, None)
        elif not own.off:
            yield from _of(name, (*words, *own.words), own.pattern)


@lru_cache(maxsize=1_024)
def _of(name: str, words: tuple[str, ...], pattern: str | None) -> tuple[tuple[str, Any], ...]:
    import regex  # of the extra `understanding`

    made = []
    if words:
        alternatives = "|".join(_bounded(word.casefold()) for word in words)
        made.append((name, regex.compile(alternatives)))
    if pattern is not None:
        made.append((name, regex.compile(pattern, regex.IGNORECASE)))
    return tuple(made)


def _bounded(word: str) -> str:
    """Words of letters stand alone: "sue" is not in "issue". Chinese has no such edges."""
    return rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word)
