"""Stakes: what can't be taken back (calling a function, handing over, leaving a form) needs more certainty than asking does.

How certain an intent for asking for a person or leaving is, two say: what the domain's examples make of the message, and what it
does as a dialogue act. An intent by itself is not enough, for a domain of few intents gives every message to one of them. One
that hands over for what it is about (a complaint, a car that broke down) is no such act: it is made sure of where it is not
certain.
"""

import re
from dataclasses import replace
from functools import lru_cache
from typing import Final

from zhuli.types.understanding.domain import DomainFields, Intent
from zhuli.types.understanding.understanding import ActsRead, IntentScore, Reading
from zhuli.understanding.language.acts.dialogue_acts import act_of, only_greets
from zhuli.understanding.language.plain_text import plain

_TALK: Final[dict[str, re.Pattern[str]]] = {
    "thank": re.compile(r"\b(?:thanks?|thx|cheers)\b|谢|感激"),
    "bye": re.compile(r"\b(?:bye|goodbye|see (?:you|ya)|farewell|good night)\b|再见|拜拜|回见"),
    "identity": re.compile(
        r"\b(?:who|what) are you|\byour name|\bare you (?:an? )?(?:ro)?(?:bot|human|ai\b|machine|real|person)"
        "|你是谁|你叫|机器人|你是真人"
    ),
    "small_talk": re.compile(r"\bhow are you|\bhow'?s it going|\bjoke|你好吗|最近怎么样|笑话"),
}
"""By which examples show what small talk an intent is for; greetings are known by dialogue_acts."""

CERTAIN: Final = 0.5
"""What it takes to be asked whether a person is wanted for something that the domain hands over."""

UNHEARD: Final = 0.01
"""Less likely intents are not looked at: nothing is decided for them, and domains have hundreds."""

HARDLY: Final = 0.3
"""Less certain of an act than that, a message is hardly meant by an intent that is for it."""


def talk_of(intent: Intent) -> str | None:
    """The small talk that half of the intent's examples are, by their words: greet, thank, bye, identity, small_talk."""
    return _talk_of(tuple(intent.examples))


@lru_cache(maxsize=4096)
def _talk_of(examples: tuple[str, ...]) -> str | None:
    texts = [plain(text) for text in examples]
    counts = {"greet": sum(only_greets(text) for text in texts)}
    counts |= {name: sum(pattern.search(text) is not None for text in texts) for name, pattern in _TALK.items()}
    most = max(counts, key=lambda name: counts[name])
    return most if texts and counts[most] * 2 >= len(texts) else None


def talk_in(text: str) -> str | None:
    """The small talk that the words show, other than greetings."""
    read = plain(text)
    return next((name for name, pattern in _TALK.items() if pattern.search(read)), None)


def outward(intent: Intent) -> bool:
    """Whether its action leaves the dialogue: it calls a function, or a person."""
    return intent.form is None and intent.action is not None and intent.action.type in ("call", "hand_over")


def act_of_intent(intent: Intent) -> str | None:
    """handover or cancel, if that is what its users say."""
    if intent.act in ("handover", "cancel"):
        return intent.act
    if intent.action is None or intent.action.type != "hand_over":
        return None
    return "handover" if _ask_for_a_person(tuple(intent.examples)) else None


@lru_cache(maxsize=4096)
def _ask_for_a_person(examples: tuple[str, ...]) -> bool:
    """Whether a third of them do."""
    return sum(act_of(text) == "handover" for text in examples) * 3 >= len(examples)


def without_doubtful(domain: DomainFields, reading: Reading) -> Reading:
    """The reading without intents for handing over, leaving or small talk that the message as an act does not bear out."""
    if reading.acts is None:
        return reading
    sure = {one.name: reading.in_scope * one.confidence for one in reading.ranking}
    doubtful = {
        intent.name
        for intent in domain.intents
        if sure.get(intent.name, 0.0) >= UNHEARD
        and _is_doubtful(intent, sure.get(intent.name, 0.0), reading.acts, domain.fallback.certainty)
    }
    return _without(reading, doubtful) if doubtful else reading


def _is_doubtful(intent: Intent, sure: float, acts: ActsRead, certainty: float) -> bool:
    if act := act_of_intent(intent):
        return _both(sure, acts.of(act)) < certainty
    if intent.form is None and intent.action is not None and intent.action.type == "hand_over":
        return sure < CERTAIN
    talk = talk_of(intent) if intent.form is None and intent.act is None else None
    return talk is not None and acts.of(talk) < HARDLY


def _both(by_examples: float, by_act: float) -> float:
    """The mean: neither alone is enough, unless it is as good as certain."""
    return (by_examples + by_act) / 2


def _without(reading: Reading, names: set[str]) -> Reading:
    """The others, in the shares that they have among themselves, and as likely together as they were."""
    kept = [one for one in reading.ranking if one.name not in names]
    total = sum(one.confidence for one in kept)
    if total <= 0:
        return replace(reading, ranking=kept, in_scope=0.0)
    ranking = [IntentScore(name=one.name, confidence=one.confidence / total) for one in kept]
    return replace(reading, ranking=ranking, in_scope=reading.in_scope * min(1.0, total))
