"""Payloads of buttons, `/inform{"size": 9}`: an intent and its entities, said exactly; no understander is asked."""

import json
import re
from typing import Any

from zhuli.types.understanding.domain import OUT_OF_SCOPE, DomainFields
from zhuli.types.understanding.understanding import EntityFound, IntentScore, Reading

UNCLEAR = "nlu_fallback"
"""Rasa's name of what may be meant in several ways."""

_PAYLOAD = re.compile(r"^\s*/([^\s{}\[\]()]+?)(?:@1\.0)?\s*(\{.*\})?\s*['\"]?\s*$", re.DOTALL)


def payload(domain: DomainFields, text: str) -> Reading | None:
    """What the payload says; None for any other text, and where the domain has no such intent."""
    found = _PAYLOAD.match(text) if text.lstrip().startswith("/") else None
    if found is None:
        return None
    name = _named(domain, found.group(1))
    if name is None:
        return _unclear(domain) if found.group(1) == UNCLEAR else None
    ranking = [] if name == OUT_OF_SCOPE else [IntentScore(name=name, confidence=1.0)]
    given = _members(found.group(2))
    entities = [_entity(text, key, value) for key, value in given.items() if not isinstance(value, dict | list)]
    return Reading(ranking, 1.0 if ranking else 0.0, 0.5, entities, [f"It is the payload of a button, for '{name}'."])


def _unclear(domain: DomainFields) -> Reading:
    """Between any two intents that may be asked about."""
    names = [intent.name for intent in domain.intents if intent.act is None]
    ranking = [IntentScore(name=name, confidence=0.5) for name in names[:2]]
    return Reading(ranking, 1.0, 0.5, [], ["It is the payload of a button, for what is unclear."])


def _named(domain: DomainFields, name: str) -> str | None:
    """The intent of this name; of `faq` the first that is one of it."""
    names = [intent.name for intent in domain.intents]
    if name in (OUT_OF_SCOPE, *names):
        return name
    return next((known for known in names if known.startswith(f"{name}/")), None)


def _members(text: str | None) -> dict[str, Any]:
    """Also where the braces are doubled, as templates of Rasa's have them."""
    if text is None:
        return {}
    for written in (text, text.replace("{{", "{").replace("}}", "}")):
        try:
            read = json.loads(written)
        except (ValueError, RecursionError):
            continue
        return {key: value for key, value in read.items() if value is not None} if isinstance(read, dict) else {}
    return {}


def _entity(text: str, name: str, value: Any) -> EntityFound:
    """At the place of the value in the payload."""
    words = value if isinstance(value, str) else json.dumps(value)
    after = max(text.find(f'"{name}"') + len(name) + 2, 0)
    start = max(text.find(words, after), 0)
    return EntityFound(
        entity=name, text=words, value=value, start=start, end=start + len(words), source="payload", confidence=1.0
    )
