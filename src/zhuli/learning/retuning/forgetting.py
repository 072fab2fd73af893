"""An end user's words leave decisions, which stay: texts become null, and names of groups lose what only they said. Pure."""

from collections.abc import Iterable
from typing import Any

from zhuli.learning.drift.naming import words
from zhuli.learning.predicting import in_service
from zhuli.learning.retuning import steps
from zhuli.types.learning.retuning import Decision


class Redaction:
    """Takes texts of somebody, and words that only they said, out of decisions."""

    def __init__(self, texts: Iterable[str]) -> None:
        """texts: whole; decisions have kept them as far as LONGEST_TEXT goes."""
        longest = (steps.LONGEST_TEXT, in_service.LONGEST_TEXT)
        told = frozenset(texts)
        self._said = frozenset((*told, *(text[:most].replace("\0", "") for text in told for most in longest)))
        self._words = frozenset(word for text in told for word in words(text))

    def __call__(self, decision: Decision) -> Decision:
        """The decision with none of it; the same one where it has none."""
        numbers = _without(decision.numbers, self._said)
        sentence = decision.sentence
        if isinstance(numbers.get("groups"), list):
            others = {word for text in _texts(numbers) for word in words(text)}
            for number, group in enumerate(numbers["groups"], start=1):
                left = [word for word in group["words"] if word not in self._words or word in others]
                if left != group["words"]:
                    name = " ".join(left) or f"group {number}"
                    en, zh = (each.replace(group["name"], name) for each in (sentence.en, sentence.zh))
                    sentence = sentence.model_copy(update={"en": en, "zh": zh})
                    group.update(name=name, words=left)
        if numbers == decision.numbers:
            return decision
        return decision.model_copy(update={"numbers": numbers, "sentence": sentence})


def _without(value: Any, said: frozenset[str]) -> Any:
    """A copy. Texts stand under "text" and, several, under "examples"; labels may read like one."""
    if isinstance(value, list):
        return [_without(each, said) for each in value]
    if not isinstance(value, dict):
        return value
    found = {key: _without(each, said) for key, each in value.items()}
    if found.get("text") in said:
        found["text"] = None
    if isinstance(found.get("examples"), list):
        found["examples"] = [each for each in found["examples"] if each not in said]
    return found


def _texts(value: Any) -> list[str]:
    """Of messages, records and examples."""
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    if not isinstance(value, dict):
        return []
    here = [value.get("text"), *(value.get("examples") or ())]
    return [text for text in here if isinstance(text, str)] + [text for each in value.values() for text in _texts(each)]
