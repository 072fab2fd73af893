"""What a surge is made of: its texts, the words that are new in it, and which of its texts are alike. Pure."""

from collections import Counter
from collections.abc import Sequence

from zhuli.learning.drift import naming
from zhuli.types.applications.opinion import Item, NewGroup, Sentiment

MOST_TEXTS = 10
MOST_TERMS = 10
MOST_GROUPS = 5

_ALIKE = 0.25
"""Share of telling words that two texts of a group have in common (Jaccard)."""


def label_in(item: Item, series: str) -> Sentiment | str | None:
    """The sentiment that the item has in a series; None where it is not of it."""
    reading = item.reading
    if reading is None:
        return None
    kind, _, name = series.partition(":")
    whole = reading.sentiment.label if reading.sentiment else None
    match kind:
        case "company":
            return next((each.label for each in reading.companies if each.company == name), None)
        case "topic":
            return whole if reading.topic is not None and reading.topic.label[:128] == name else None
        case "source":
            return whole if item.source == name else None
    return whole


def score_in(item: Item, series: str) -> float | None:
    """How sure the model was of it."""
    assert item.reading is not None
    if series.startswith("company:"):
        name = series.partition(":")[2]
        return next((each.score for each in item.reading.companies if each.company == name), None)
    return item.reading.sentiment.score if item.reading.sentiment else None


def whole(item: Item) -> str:
    """Title and text."""
    return f"{item.title}\n{item.text}" if item.title else item.text


def new_terms(lately: Sequence[str], before: Sequence[str]) -> list[str]:
    """Words that are in two of the texts at least and in few of those before, the most telling first."""
    if not lately:
        return []
    counted = Counter(word for text in lately for word in set(naming.words(text)))
    usual = Counter(word for text in before for word in set(naming.words(text)))
    share = len(lately) / max(1, len(before))
    new = [word for word in naming.names([lately], before, most=200)[0] if counted[word] >= min(2, len(lately))]
    return [word for word in new if counted[word] > 3 * share * usual[word]][:MOST_TERMS]


def groups(items: Sequence[Item], before: Sequence[str]) -> list[NewGroup]:
    """Groups of two and more texts that have their words in common, the largest first; the first text stands for its group."""
    led: list[tuple[set[str], list[Item]]] = []
    for item in items:
        words = set(naming.words(whole(item)))
        near = max(led, key=lambda group: _jaccard(group[0], words), default=None)
        if near is not None and _jaccard(near[0], words) >= _ALIKE:
            near[1].append(item)
        else:
            led.append((words, [item]))
    found = sorted((group for _, group in led if len(group) > 1), key=len, reverse=True)[:MOST_GROUPS]
    if not found:
        return []
    names = naming.names([[whole(item) for item in group] for group in found], before)
    return [
        NewGroup(terms=terms, texts=len(group), example=group[0].id) for terms, group in zip(names, found, strict=True)
    ]


def _jaccard(one: set[str], other: set[str]) -> float:
    return len(one & other) / max(1, len(one | other))
